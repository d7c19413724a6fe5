"""One file of all that was recorded: it plays, and everything is in it at its time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from mockzoom.core.codes import Resolution, VideoCodec
from mockzoom.core.video_format import Card, VideoFormat
from mockzoom.engine.card import frame_number
from mockzoom.engine.video import second
from mockzoom.receiver.recorder import Recorder

T0 = 1_764_000_000_000
RATE = 16_000
AUDIO = {"codec": 1, "sample_rate": 1, "channel": 1, "data_opt": 2}
H264, JPG = {"codec": 7, "fps": 10, "resolution": 1}, {"codec": 5, "fps": 2, "resolution": 1}


def tone(frequency_hz: float, duration_ms: int) -> bytes:
    at = np.arange(duration_ms * RATE // 1000) / RATE
    return (8000 * np.sin(2 * np.pi * frequency_hz * at)).astype("<i2").tobytes()


def media(kind: int, at_ms: int, data: bytes | str, user: int = 1, name: str = "Alice") -> Any:
    text = data if isinstance(data, str) else b64encode(data).decode()
    content = {"user_id": user, "user_name": name, "timestamp": T0 + at_ms, "data": text}
    return {"msg_type": kind, "content": content}


def speak(recorder: Recorder, at_ms: int, duration_ms: int, hz: float, user: int = 1) -> None:
    """In frames of 20 ms."""
    data = tone(hz, duration_ms)
    for number in range(duration_ms // 20):
        piece = data[number * 640 : (number + 1) * 640]
        recorder.receive(media(14, at_ms + number * 20, piece, user, f"P{user}"))


def show(recorder: Recorder, kind: int, at_ms: int, fps: int, frames: Sequence[str]) -> None:
    for number, frame in enumerate(frames):
        recorder.receive(media(kind, at_ms + number * 1000 // fps, frame))


def card(number: int, codec: VideoCodec, fps: int) -> tuple[str, ...]:
    return second(Card("Alice", "camera"), VideoFormat(codec, Resolution.SD, fps), number)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "stream")
    made.granted({"audio": AUDIO, "video": H264, "deskshare": JPG})
    return made


def finished(recorder: Recorder) -> Path:
    recorder.close({})
    recorder.make_movie()
    return recorder.folder / "recording.mkv"


def sounds(path: Path) -> dict[str, np.ndarray]:
    """The samples of each track by its title."""
    heard = {}
    with av.open(str(path)) as movie:
        for stream in movie.streams.audio:
            movie.seek(0)
            pieces = [frame.to_ndarray()[0] for frame in movie.decode(stream)]
            heard[stream.metadata["title"]] = np.concatenate(pieces)
    return heard


def seen(path: Path, index: int) -> Iterator[tuple[int, int | None]]:
    """The time and the number of each picture of a track."""
    with av.open(str(path)) as movie:
        for frame in movie.decode(video=index):
            luma = frame.reformat(format="gray").to_ndarray()
            yield round(frame.time * 1000), frame_number(luma)


def pitch(samples: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(power) * RATE / len(samples))


def test_everything_is_in_it_at_its_time(recorder: Recorder) -> None:
    """Two people with a pause, a camera, a screen and a transcript, on one time line."""
    speak(recorder, 500, 1_000, 700)
    speak(recorder, 2_500, 500, 700)
    speak(recorder, 1_000, 1_000, 1900, user=2)
    show(recorder, 15, 0, 10, card(7, VideoCodec.H264, 10))
    show(recorder, 15, 2_000, 10, card(9, VideoCodec.H264, 10))
    show(recorder, 16, 600, 2, card(3, VideoCodec.JPG, 2))
    line = {"user_id": 1, "user_name": "Zoë", "data": "שלום 🎧"}
    times = {"start_time": T0 + 500, "end_time": T0 + 1_500, "timestamp": T0 + 1_500}
    recorder.receive({"msg_type": 17, "content": {**line, **times}})
    path = finished(recorder)

    with av.open(str(path)) as movie:
        assert [s.type for s in movie.streams] == ["video"] * 2 + ["audio"] * 2 + ["subtitle"]
        assert movie.duration == pytest.approx(3_000_000, abs=100_000)
        [said] = [p for p in movie.demux(movie.streams.subtitles[0]) if p.pts is not None]
        assert (said.pts, said.duration, bytes(said).decode()) == (500, 1_000, "Zoë: שלום 🎧")
    heard = sounds(path)
    assert len(heard["P1"]) == 3 * RATE
    assert not heard["P1"][: RATE // 2].any()
    assert pitch(heard["P1"][RATE // 2 : RATE * 3 // 2]) == pytest.approx(700, abs=2)
    assert not heard["P1"][RATE * 3 // 2 : RATE * 5 // 2].any(), "the pause is silence"
    assert np.array_equal(heard["P1"][RATE * 5 // 2 :], np.frombuffer(tone(700, 500), "<i2"))
    assert pitch(heard["P2"][RATE : 2 * RATE]) == pytest.approx(1900, abs=2)
    camera = [(at_ms, 70 + at_ms // 100) for at_ms in range(0, 1_000, 100)]
    camera += [(at_ms, 70 + at_ms // 100) for at_ms in range(2_000, 3_000, 100)]
    assert list(seen(path, 0)) == camera
    assert list(seen(path, 1)) == [(600, 6), (1_100, 7)]
    names = {file.name for file in recorder.folder.iterdir()}
    assert names == {"1-P1.wav", "2-P2.wav", "transcript.jsonl", "stream.json", "recording.mkv"}


def test_mixed_sound_is_one_track(recorder: Recorder) -> None:
    """It is nobody's, so it is everybody's."""
    recorder.granted({"audio": {**AUDIO, "data_opt": 1}})
    speak(recorder, 0, 1_000, 440, user=0)
    assert list(sounds(finished(recorder))) == ["everybody"]


def test_pictures_begin_with_a_whole_one(recorder: Recorder) -> None:
    """Who comes into the middle of a second cannot show what needs what was before."""
    show(recorder, 15, 0, 10, [*card(1, VideoCodec.H264, 10)[4:], *card(2, VideoCodec.H264, 10)])
    assert [number for _, number in seen(finished(recorder), 0)] == list(range(20, 30))
    assert recorder.counters["pictures_before_the_first_whole_one"] == 6


def test_lost_and_double_pictures_show(recorder: Recorder) -> None:
    """The numbers of the card tell what is not there; what came twice is there once."""
    frames = card(1, VideoCodec.JPG, 5)
    recorder.granted({"audio": AUDIO, "video": {**JPG, "fps": 5}})
    for number in (0, 2, 1, 2, 4):
        recorder.receive(media(15, number * 200, frames[number]))
    assert list(seen(finished(recorder), 0)) == [(0, 5), (200, 6), (400, 7), (800, 9)]
    assert recorder.counters["pictures_repeated_or_late"] == 1


@pytest.mark.parametrize("far_ms", [-(2**60), 2**60, 400 * 86_400_000])
def test_times_of_strangers_do_not_make_a_year_of_silence(recorder: Recorder, far_ms: int) -> None:
    """What is further away than a day is left out."""
    speak(recorder, 0, 400, 700)
    speak(recorder, 1_000, 400, 700)
    recorder.receive(media(14, far_ms, tone(700, 20)))
    heard = sounds(finished(recorder))
    assert len(heard["P1"]) == 1_400 * RATE // 1000


@pytest.mark.parametrize("data", [b"\0\0\1\x65 no picture", b"\0\0\1\x67\0\0\1\x65"])
def test_what_cannot_be_put_together_leaves_what_there_was(recorder: Recorder, data: bytes) -> None:
    """A broken picture costs the movie, and neither the sound nor the pictures as they came."""
    speak(recorder, 0, 400, 700)
    recorder.receive(media(15, 0, data))
    recorder.close({})
    with pytest.raises(Exception, match=r".+"):
        recorder.make_movie()
    names = {file.name for file in recorder.folder.iterdir()}
    assert names == {"1-P1.wav", "stream.json", "video.h264"}


def test_nothing_recorded_makes_no_movie(recorder: Recorder) -> None:
    """A transcript alone has no picture and no sound to be under."""
    recorder.receive({"msg_type": 17, "content": {"data": "Hello."}})
    recorder.close({})
    assert not recorder.movie
