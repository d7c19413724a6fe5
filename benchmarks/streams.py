"""How many streams one core holds, and what a message costs against the ceiling.

A stream is a meeting of its own whose one participant speaks all the time: own ids, phase and
timestamps.  As many are held as get every message with 99 % of them less than 10 ms late; from a
guess the number goes up by a quarter while they are, or down until they are.  What a message costs
then is CPU time of the loop's thread, against that of bare transports that write the same bytes to
as many connections (`benchmarks/ceiling.py`), both in turn.  Everything is seen several times, and
the middle counts: a machine that others use too loses a moment now and then.  The other threads
encode, once for all streams that show the same: their time is a figure of its own.
"""

from __future__ import annotations

import statistics
import threading
import time
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.ceiling import Shape, ceiling_us
from benchmarks.reader import Plan, Reader
from mockzoom import Meeting, MockZoom, StopReason, Stream, Timings
from mockzoom.core import messages
from mockzoom.core.codes import MediaType
from mockzoom.core.signing import handshake_signature

__all__ = ["AUDIO", "Held", "Load", "Trial", "measure"]

LATE_MS = 10
#: Media that is counted as all there: a window ends between two frames of a stream.
WHOLE = 0.98
MOST = 12_000  # and a quarter more may be tried
FEWEST = 50
ROUNDS = 3
WINDOW_S = 2.0
SPOKEN = "All work and no play makes a dull boy of anyone who only ever listens to this. " * 6
HD_25 = {"codec": 7, "resolution": 2, "fps": 25, "data_opt": 3}
L16 = {"codec": 1, "sample_rate": 1, "channel": 1, "data_opt": 2, "send_rate": 20}
SILENT = replace(Timings(), keep_alive_ms=3_600_000)  # the reader answers nothing


@dataclass(frozen=True)
class Load:
    """What each stream carries."""

    media: MediaType
    params: dict[str, Any]
    messages_per_s: float
    guess: int
    speaks: bool = True
    seen: bool = False
    tls: bool = False

    @property
    def interval_ms(self) -> float:
        return 1000 / self.messages_per_s


AUDIO = Load(MediaType.AUDIO, {"audio": L16}, 50, guess=1_600)
LOADS = {
    "L16 20 ms": AUDIO,
    "L16 20 ms, TLS": replace(AUDIO, tls=True, guess=800),
    "H.264 HD 25 fps": Load(
        MediaType.VIDEO, {"video": HD_25}, 25, guess=800, speaks=False, seen=True
    ),
    "all media": Load(MediaType.ALL, {"audio": L16, "video": HD_25}, 75, guess=400, seen=True),
}


@dataclass(frozen=True)
class Trial:
    """What was seen with so many `streams`, over a window: of all media that was due the `share`
    that went out, by how much 99 % of it was late at most, what a message cost the loop's thread,
    and how much of a core the other threads took."""

    streams: int
    share: float
    p99_ms: int
    cpu_us: float
    frame_bytes: int
    others_share: float = 0

    @property
    def held(self) -> bool:
        return self.share >= WHOLE and self.p99_ms < LATE_MS


def measure(quick: bool) -> dict[str, dict[str, float]]:
    """For each load: streams held, CPU time (µs) a message, and its ratio to the ceiling."""
    loads = dict(list(LOADS.items())[:1]) if quick else LOADS
    return {name: _of_load(load, quick) for name, load in loads.items()}


def _of_load(load: Load, quick: bool) -> dict[str, float]:
    with Held(load) as held:
        if quick:
            held.grow(5)
            pairs = [_pair(held, 0.2)]
            most = pairs[0][0]
        else:
            most = _most(held)
            held.resize(most.streams)
            pairs = [_pair(held, WINDOW_S) for _ in range(ROUNDS)]
    return {
        "streams held": most.streams if most.held else 0,
        "p99 late, ms": most.p99_ms,
        "CPU us a message": statistics.median(trial.cpu_us for trial, _ in pairs),
        "ceiling, us a message": statistics.median(bare_us for _, bare_us in pairs),
        "times the ceiling": statistics.median(trial.cpu_us / bare_us for trial, bare_us in pairs),
        "cores for encoding": statistics.median(trial.others_share for trial, _ in pairs),
    }


def _pair(held: Held, window_s: float) -> tuple[Trial, float]:
    load, trial = held.load, held.trial(window_s)
    shape = Shape(trial.streams, load.interval_ms, trial.frame_bytes, load.tls)
    return trial, ceiling_us(shape, window_s)


def _most(held: Held) -> Trial:
    """The trial with the most streams that were held, or with the fewest if none were."""
    trial = _seen(held, held.load.guess)
    while not trial.held and trial.streams > FEWEST:
        trial = _seen(held, round(trial.streams * 0.8))
    if trial.streams < held.load.guess:
        return trial
    while trial.streams < MOST and (more := _seen(held, round(trial.streams * 1.25))).held:
        trial = more
    return trial


def _seen(held: Held, number: int) -> Trial:
    held.resize(number)
    return _middle([held.trial(WINDOW_S) for _ in range(ROUNDS)])


def _middle(trials: list[Trial]) -> Trial:
    return sorted(trials, key=lambda trial: trial.p99_ms)[len(trials) // 2]


class Held:
    """A mock whose streams all flow to a reader; a context manager."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.zoom = MockZoom(seed=1, timings=SILENT, max_streams=16_000, tls=load.tls)
        self._live: list[Stream] = []

    def __enter__(self) -> Held:
        self.zoom.start()
        self._reader = Reader(None if self.zoom.ca_path is None else str(self.zoom.ca_path))
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()
        self.zoom.close()

    @property
    def streams(self) -> int:
        return len(self._live)

    def resize(self, number: int) -> None:
        """Have so many streams; who speaks begins anew, so that nobody is at the end."""
        self.shrink()
        self.grow(number)

    def grow(self, number: int) -> None:
        """So many streams more; media flows on all when it returns."""
        meetings = [self.zoom.meeting(f"Meeting {number}") for number in range(number)]
        live = [meeting.start_rtms() for meeting in meetings]
        pairs = zip(meetings, live, strict=True)
        self._reader.join([plan(self.zoom, *pair, self.load) for pair in pairs])
        for stream in live:
            stream.wait_ready()
        for meeting in meetings:
            if self.load.seen:
                meeting.camera("Alice", on=True)
            if self.load.speaks:
                meeting.say("Alice", SPOKEN)
        for stream in live:
            _wait_flowing(stream)
        self._live += live

    def shrink(self) -> None:
        """All streams end."""
        for stream in self._live:
            stream.stop(StopReason.MEETING_ENDED)
        self._live.clear()
        self._reader.leave()

    def trial(self, window_s: float) -> Trial:
        """What is seen within `window_s`, a second after the last change."""
        time.sleep(min(1.0, window_s))
        late, sent, read = self.zoom.lateness, self._sent(), self._reader.bytes
        began_s, loop_s, cpu_s = time.perf_counter(), _loop_s(), time.process_time()
        time.sleep(window_s)
        loop_s, cpu_s = _loop_s() - loop_s, time.process_time() - cpu_s
        took_s = time.perf_counter() - began_s
        sent, late = self._sent() - sent, self.zoom.lateness.since(late)
        read = self._reader.bytes - read
        each = max(sent, 1)
        return Trial(
            self.streams,
            sent / (self.streams * self.load.messages_per_s * took_s),
            late.quantile_ms(0.99),
            loop_s / each * 1e6,
            read // each,
            (cpu_s - loop_s) / took_s,
        )

    def _sent(self) -> int:
        return sum(sum(stream.sent.values()) for stream in self._live)


def _loop_s() -> float:
    """CPU time of the thread on which all streams live."""
    [loop] = [thread for thread in threading.enumerate() if thread.name == "mockzoom loop"]
    assert loop.ident is not None
    return time.clock_gettime(time.pthread_getcpuclockid(loop.ident))


def _wait_flowing(stream: Stream) -> None:
    over_s = time.monotonic() + 60
    while not stream.sent:
        assert time.monotonic() < over_s, "no media after a minute"
        time.sleep(0.01)


def plan(zoom: MockZoom, meeting: Meeting, stream: Stream, load: Load) -> Plan:
    """How the reader joins `stream`."""
    id_, stream_id = meeting.ids["meeting_uuid"], stream.rtms_stream_id
    keys = zoom.credentials
    signature = handshake_signature(keys.client_id, keys.client_secret, id_, stream_id)
    said = "meeting_uuid", id_, stream_id, signature
    return Plan(
        stream.server_urls,
        messages.signaling_handshake_req(*said, sequence=1, buffer=False),
        messages.data_handshake_req(
            *said, sequence=1, media_type=load.media, media_params=load.params
        ),
        messages.MEDIA_KEYS[load.media],
        messages.client_ready_ack(stream_id),
    )
