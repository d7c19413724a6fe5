"""Many streams against one receiver: started one after the other, talked into, and ended.

Each is a meeting of its own in which Alice speaks all the time, so whatever the app asks for, sound
and words flow to it without a pause.  What comes of it is told as numbers: how many streams the
app joined, what it was sent and how late, and what it did wrong.  Lateness is that of the mock, and
says whether this machine is fast enough for what was asked of it.

A load can be split into shares, and results can be added: `mockzoom.load_workers` does so.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from mockzoom.core.codes import StopReason, StreamState
from mockzoom.core.lateness import Lateness
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.errors import UsageError
from mockzoom.handles import Meeting, Stream
from mockzoom.server import MockZoom

__all__ = ["Load", "LoadResult"]

#: Ten seconds or so, synthesised and encoded once for all streams.
_SENTENCE = (
    "This is one of many meetings that are going on at the same time. Each has its own people, "
    "its own clock and its own words, and whoever listens to all of them has a lot to do."
)

#: The next sentence is ordered so long before the last one is over.
_AHEAD_MS = 2_000
_LOOK_S = 0.05

_FLOWING = (StreamState.ACTIVE, StreamState.RESUMED)
_SHARES = (0.5, 0.99, 1.0)


@dataclass(frozen=True)
class Load:
    """What is done to the receiver at `url`, with the credentials that it has.

    `streams` start over `ramp_s`, and all go on for `duration_s` more.  Their sockets listen on
    `host` at `rtms_port`, 0 for any free one.  Without a `seed` ids differ in every run.
    """

    url: str
    credentials: Credentials
    streams: int
    ramp_s: float = 0
    duration_s: float = 10
    host: str = "127.0.0.1"
    rtms_port: int = 0
    timings: Timings = field(default_factory=Timings)
    seed: int | None = None

    def run(self) -> LoadResult:
        """Do it, in this process; raises what `MockZoom` raises for a receiver and for a port."""
        with MockZoom(
            credentials=self.credentials,
            receivers=[self.url],
            host=self.host,
            rtms_port=self.rtms_port,
            seed=self.seed,
            timings=self.timings,
            max_streams=self.streams,
        ) as zoom:
            return _run(zoom, self)

    def shares(self, count: int) -> list[Load]:
        """So many loads that come to this one, with ports in a row, and ids of their own.

        Raises `UsageError` where there are fewer streams than shares.
        """
        if count > self.streams:
            raise UsageError(
                f"load: expected a stream for each worker at least, found {self.streams} streams "
                f"for {count} workers; give fewer --workers"
            )
        return [self._share(number, count) for number in range(count)]

    def _share(self, number: int, count: int) -> Load:
        return replace(
            self,
            streams=(self.streams + number) // count,
            rtms_port=self.rtms_port and self.rtms_port + number,
            seed=None if self.seed is None else _seed(self.seed, number),
        )


def _seed(seed: int, number: int) -> int:
    """Not their sum, because chance takes -1 for 1."""
    return Random(f"{seed}/{number}").getrandbits(32)  # noqa: S311 - no secret


@dataclass(frozen=True)
class LoadResult:
    """What came of it: `joined` streams had media, `failed` ones never did or were cut off.

    `sent` counts media messages by kind, `findings` what the app did wrong by check.  The sum of
    two is what came of both.
    """

    streams: int
    joined: int
    failed: int
    sent: Counter[str]
    lateness: Lateness
    findings: Counter[str]

    def __add__(self, other: LoadResult) -> LoadResult:
        return LoadResult(
            self.streams + other.streams,
            self.joined + other.joined,
            self.failed + other.failed,
            self.sent + other.sent,
            self.lateness + other.lateness,
            self.findings + other.findings,
        )

    @property
    def messages(self) -> int:
        return self.sent.total()

    def as_dict(self) -> dict[str, Any]:
        return {
            "streams": self.streams,
            "joined": self.joined,
            "failed": self.failed,
            "messages": self.messages,
            "sent": self.sent,
            "late_ms": {f"p{share * 100:g}": self.lateness.quantile_ms(share) for share in _SHARES},
            "findings": self.findings,
        }


def _run(zoom: MockZoom, load: Load) -> LoadResult:
    """Start the streams, talk into all of them, and end them."""
    talks: list[_Talk] = []
    began_s = time.monotonic()
    late = zoom.lateness
    while (passed_s := time.monotonic() - began_s) < load.ramp_s + load.duration_s or not talks:
        share = 1.0 if passed_s >= load.ramp_s else passed_s / load.ramp_s
        while len(talks) < max(1, round(load.streams * share)):
            talks.append(_Talk(zoom))
        for talk in talks:
            talk.go_on()
        time.sleep(_LOOK_S)
    failed = sum(talk.failed for talk in talks)
    for talk in talks:
        talk.end()
    talks[-1].stream.stop(StopReason.MEETING_ENDED)  # ended already, but this waits for webhooks
    return LoadResult(
        len(talks),
        sum(talk.joined for talk in talks),
        failed,
        sum((Counter(talk.stream.sent) for talk in talks), Counter()),
        zoom.lateness.since(late),
        Counter(finding.check for finding in zoom.findings),
    )


class _Talk:
    """One meeting and its stream."""

    def __init__(self, zoom: MockZoom) -> None:
        self._zoom = zoom
        self._meeting: Meeting = zoom.meeting("Load", participants=["Alice"])
        self.stream: Stream = self._meeting.start_rtms()
        self.joined = False
        self._spoken_until_ms = 0

    @property
    def failed(self) -> bool:
        return self.stream.state not in _FLOWING

    def go_on(self) -> None:
        """Speak, once the app is there, and never stop."""
        if self.failed:
            return
        self.joined = True
        if self._zoom.clock.now_ms() + _AHEAD_MS > self._spoken_until_ms:
            self._spoken_until_ms = self._meeting.say("Alice", _SENTENCE).end_ms

    def end(self) -> None:
        self._meeting.end()
