"""A meeting that is recorded, for the tests of recording and of replaying."""

from __future__ import annotations

import threading
import time
import wave
from dataclasses import dataclass, replace
from pathlib import Path

from mockzoom import Credentials, MockZoom, Receiver, Timings
from mockzoom.core.meeting import Utterance
from mockzoom.engine.record_proxy import RecordProxy
from mockzoom.receiver.streams import StreamStatus

PEOPLE = ("Alice Liddell", "Bob Sawyer")

#: Production's intervals, but keep-alives often enough, and reconnects soon.
TIMINGS = replace(Timings(), keep_alive_ms=300, backoff_ms=50, reconnect_too_fast_ms=1)

PATIENCE_S = 10.0

#: Whoever a recording is played to is another app.
OTHER = Credentials("another-client-id", "another-client-secret", "another-secret-token")


@dataclass(frozen=True)
class Recorded:
    """The file, who was recorded, what was said, and what the receiver made of it."""

    file: Path
    secrets: list[str]
    spoken: list[Utterance]
    status: StreamStatus

    @property
    def seconds(self) -> float:
        return sum(utterance.duration_ms for utterance in self.spoken) / 1000


def record_meeting(folder: Path, **settings: bool) -> Recorded:
    """Two people talk, the connection breaks and comes back, one talks again, the meeting ends."""
    file = folder / "meeting.jsonl"
    with (
        MockZoom(seed=3, timings=TIMINGS) as zoom,
        Receiver(zoom.credentials, recordings=folder / "app", timings=TIMINGS) as app,
        RecordProxy(app.url, file, zoom.credentials.secret_token, **settings) as proxy,
    ):
        zoom.subscribe(proxy.url)
        meeting = zoom.meeting("The Weekly of Wonderland", participants=PEOPLE)
        stream = meeting.start_rtms()
        stream.wait_ready()
        spoken = [meeting.say(name, f"I am {name}.") for name in PEOPLE]
        stream.wait_spoken()
        wait_heard(app, stream.rtms_stream_id, spoken)
        zoom.fault("reset", socket="signaling")
        zoom.wait_for("state", state="INTERRUPTED")
        stream.wait_ready()
        spoken.append(meeting.say(PEOPLE[0], "Again."))
        stream.wait_spoken()
        stream.stop()
        stream.wait_ended()
        status = app.wait_ended(stream.rtms_stream_id)
        zoom.check()
        of_meeting = [str(value) for value in meeting.ids.values()]
        keys = zoom.credentials
        secrets = [keys.client_id, keys.client_secret, keys.secret_token, stream.rtms_stream_id]
        secrets += [zoom.account_id, stream.server_urls, zoom.rtms_url, *of_meeting, *PEOPLE]
        assert not proxy.tape.error
    return Recorded(file, secrets, spoken, status)


def wait_heard(app: Receiver, rtms_stream_id: str, spoken: list[Utterance]) -> None:
    """Wait for the receiver to have it all: a reset takes along what is still under way."""
    frames = sum(utterance.duration_ms for utterance in spoken) // 20
    lines = sum(len(utterance.lines()) for utterance in spoken)
    deadline_s = time.monotonic() + PATIENCE_S
    while (heard := app.streams[rtms_stream_id].counters)["audio_frames"] < frames or (
        heard["transcript_lines"] < lines
    ):
        assert time.monotonic() < deadline_s, f"{heard} of {frames} frames and {lines} lines"
        threading.Event().wait(0.005)


def seconds_of(folder: Path) -> float:
    """How much sound is in the WAV files of a stream."""
    total = 0.0
    for path in folder.glob("*.wav"):
        with wave.open(str(path)) as wav:
            total += wav.getnframes() / wav.getframerate()
    return total
