"""Half an hour of two people at 16 kHz, played fast: time does not drift and memory does not grow.

`make test` plays three minutes of it, `make soak` all thirty; `SOAK_TALK_S` sets the seconds.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.memory import memory_mb
from mockzoom import DeliveryTimings, MockZoom, Receiver, Timings
from mockzoom.core.meeting import Utterance
from mockzoom.handles import Meeting, Stream

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="counts memory as Linux tells it"
)

TALK_S = float(os.environ.get("SOAK_TALK_S", "180"))
SPEED = 60
LINES = {
    "Alice": "This is what I have to say about the matter, and there is more where it came from.",
    "Bob": "I see. Please go on, if you must, for as long as the others are here to listen.",
}
FRAME_MS = 20

#: What caches and the journal may still take once a quarter of it is over.
TOLERANCE_MB = 24


def talk(meeting: Meeting, stream: Stream, talk_s: float) -> tuple[list[Utterance], list[float]]:
    """Both speak at the same time, one line after the other; memory after each twentieth."""
    said: list[Utterance] = []
    memory: list[float] = []
    while sum(u.duration_ms for u in said) < 2 * talk_s * 1000:
        said += [
            meeting.say(name, f"{len(said)}. {line}")
            for name, line in LINES.items()
            for _ in range(2)
        ]
        stream.wait_spoken(60)
        if sum(u.duration_ms for u in said) > (len(memory) + 1) * 2 * talk_s * 1000 / 20:
            memory.append(memory_mb())
    return said, memory


def test_half_an_hour_of_talk_does_not_drift(tmp_path: Path) -> None:
    """Every frame of it is recorded, the last one at the time at which it was spoken."""
    quick = DeliveryTimings.named("fast")
    as_ever = Timings.named(str(SPEED))  # in real time, for a machine that has more to do
    with (
        MockZoom(seed=1, speed=SPEED, timings=as_ever, delivery_timings=quick) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path, video=False) as app,
    ):
        zoom.subscribe(app.url)
        meeting = zoom.meeting(participants=list(LINES))
        stream = meeting.start_rtms()
        stream.wait_ready()
        said, memory = talk(meeting, stream, TALK_S)
        stream.stop()
        status = app.wait_ended(stream.rtms_stream_id, 120)
        zoom.check()
    frames = sum(u.duration_ms for u in said) // FRAME_MS
    assert status.counters["audio_frames"] == frames
    no_drift(status.folder, said)
    print(f"\n{frames} frames of {TALK_S} s, memory {[round(mb) for mb in memory]} MB")
    settled = memory[len(memory) // 4 :]
    assert max(settled) - settled[0] < TOLERANCE_MB


def no_drift(folder: Path, said: list[Utterance]) -> None:
    """The movie is as long as the talk, to the frame, and so is each WAV."""
    import wave

    import av

    for name in LINES:
        own = [u for u in said if u.participant.user_name == name]
        assert all(after.start_ms >= before.end_ms for before, after in pairwise(own))
        [path] = folder.glob(f"*-{name}.wav")
        with wave.open(str(path)) as wav:
            assert wav.getnframes() == sum(u.duration_ms for u in own) * 16
    start_ms, end_ms = min(u.start_ms for u in said), max(u.end_ms for u in said)
    with av.open(str(folder / "recording.mkv")) as movie:
        assert movie.duration is not None
        assert abs(movie.duration / 1000 - (end_ms - start_ms)) <= 2 * FRAME_MS
