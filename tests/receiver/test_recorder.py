"""What a stream leaves on disk."""

from __future__ import annotations

import base64
import json
import random
import wave
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.receiver.recorder import Recorder, discard, safe_name, stream_folder

L16 = {"codec": 1, "sample_rate": 1, "channel": 1, "data_opt": 2}
SUMMARY = {"joined": True}


def audio(timestamp: Any, data: bytes, user: Any = 1, name: Any = "Alice") -> dict[str, Any]:
    content = {"user_id": user, "user_name": name, "timestamp": timestamp}
    return {"msg_type": 14, "content": {**content, "data": base64.b64encode(data).decode()}}


def line(text: Any, **fields: Any) -> dict[str, Any]:
    return {"msg_type": 17, "content": {"user_id": 1, "user_name": "Zoë", "data": text, **fields}}


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "stream")
    made.granted({"audio": L16})
    return made


def samples(path: Path) -> tuple[int, int, bytes]:
    with wave.open(str(path)) as wav:
        return wav.getframerate(), wav.getnchannels(), wav.readframes(wav.getnframes())


def test_frames_are_written_in_order_and_once(recorder: Recorder) -> None:
    """Frames that overtake each other or come twice end up as they were spoken."""
    frames = [(20 * i, bytes([i, i])) for i in range(100)]
    shuffled = [frames[i : i + 4] for i in range(0, 100, 4)]
    rng = random.Random(1)
    for group in shuffled:
        rng.shuffle(group)
        for timestamp, data in [*group, group[0]]:
            recorder.receive(audio(timestamp, data))
    recorder.close(SUMMARY)
    assert samples(recorder.folder / "1-Alice.wav") == (
        16000,
        1,
        b"".join(data for _, data in frames),
    )
    assert recorder.counters["audio_repeated_or_late"] == 25


def test_a_frame_that_is_much_too_late_is_left_out(recorder: Recorder) -> None:
    """Order is kept at the cost of what comes long after its turn."""
    for timestamp in [*range(100, 120), 1]:
        recorder.receive(audio(timestamp, b"ab"))
    recorder.close(SUMMARY)
    assert samples(recorder.folder / "1-Alice.wav")[2] == b"ab" * 20


def test_the_header_is_right_while_recording(recorder: Recorder) -> None:
    """A process that dies leaves files that play: lengths are corrected every second."""
    for i in range(120):
        recorder.receive(audio(20 * i, b"\0" * 640))
    assert len(samples(recorder.folder / "1-Alice.wav")[2]) == 2 * 16000 * 2
    recorder.close(SUMMARY)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Alice", "1-Alice.wav"),
        ("../../etc/passwd", "1-etc-passwd.wav"),
        ("..", "1.wav"),
        ("", "1.wav"),
        (None, "1.wav"),
        ("a/b\\c:d\0e", "1-a-b-c-d-e.wav"),
        ("Zoë 🎧", "1-Zoë-🎧.wav"),
        ("שלום", "1-שלום.wav"),
        ("abc\u202etxt", "1-abc-txt.wav"),
        ("\ud800", "1.wav"),
        ("x" * 500, f"1-{'x' * 60}.wav"),
        (["list"], "1-list.wav"),
    ],
)
def test_names_of_strangers(recorder: Recorder, name: Any, file: str) -> None:
    """Letters and symbols of all scripts stay, what could leave the folder or mislead goes."""
    recorder.receive(audio(1, b"ab", name=name))
    recorder.close(SUMMARY)
    assert [path.name for path in recorder.folder.glob("*.wav")] == [file]


@given(st.text())
def test_a_safe_name_is_a_file_name(text: str) -> None:
    """Whatever the text: short, no separators, no dots, and safe already."""
    name = safe_name(text)
    assert len(name.encode()) <= 60
    assert not set(name) & set("/\\.:\0 ")
    assert safe_name(name) == name


@given(st.text(), st.text())
def test_streams_have_folders_of_their_own(one: str, other: str) -> None:
    """Different ids, different folders, each right below the recordings."""
    folders = [stream_folder(Path("/recordings"), id_) for id_ in (one, other)]
    assert all(folder.parent == Path("/recordings") and folder.name for folder in folders)
    assert (folders[0] == folders[1]) == (one == other)


@pytest.mark.parametrize("user", [2**40, "abc-1", -1, True])
def test_ids_of_all_kinds(recorder: Recorder, user: Any) -> None:
    """Contact center has strings where meetings have numbers."""
    recorder.receive(audio(1, b"ab", user=user, name=""))
    recorder.close(SUMMARY)
    assert len(list(recorder.folder.glob("*.wav"))) == 1


@pytest.mark.parametrize(
    "content",
    [
        {"data": "%%%", "timestamp": 1},
        {"data": "YWI", "timestamp": 1},
        {"data": "", "timestamp": 1},
        {"data": 5, "timestamp": 1},
        {"data": "YWI=", "timestamp": "1"},
        {"data": "YWI="},
        {"data": "é", "timestamp": 1},
        {"data": base64.b64encode(b"x" * 200_000).decode(), "timestamp": 1},
    ],
    ids=lambda content: str(content)[:40],
)
def test_broken_audio_is_counted(recorder: Recorder, content: dict[str, Any]) -> None:
    """It neither stops the recording nor leaves a file."""
    recorder.receive({"msg_type": 14, "content": {"user_id": 1, **content}})
    recorder.close(SUMMARY)
    assert recorder.counters["audio_broken"] == 1
    assert not recorder.folder.exists()


def test_other_codecs_are_counted_only(recorder: Recorder) -> None:
    """Opus is not what a WAV holds."""
    recorder.granted({"audio": {**L16, "codec": 4}})
    recorder.receive(audio(1, b"ab"))
    assert recorder.counters == {"audio_frames": 1, "audio_not_decoded": 1}


def test_another_format_goes_to_another_file(recorder: Recorder) -> None:
    """A reconnect may grant another rate; the first file stays as it is."""
    recorder.receive(audio(1, b"ab"))
    recorder.granted({"audio": L16})
    recorder.receive(audio(2, b"cd"))
    recorder.granted({"audio": {**L16, "sample_rate": 3, "channel": 2}})
    recorder.receive(audio(3, b"abcd"))
    recorder.close(SUMMARY)
    assert samples(recorder.folder / "1-Alice.wav") == (16000, 1, b"abcd")
    assert samples(recorder.folder / "1-Alice.2.wav") == (48000, 2, b"abcd")


def test_a_returning_stream_keeps_its_past(recorder: Recorder) -> None:
    """The same stream recorded again does not overwrite what is there."""
    for _ in range(2):
        recorder.receive(audio(1, b"ab"))
        recorder.close(SUMMARY)
    assert len(list(recorder.folder.glob("*.wav"))) == 2


def test_the_transcript(recorder: Recorder) -> None:
    """A JSON object a line, readable by humans; a repeated line is left out."""
    spoken = {"start_time": 1, "end_time": 2, "timestamp": 3, "language": 9}
    for _ in range(2):
        recorder.receive(line("שלום 🎧", **spoken))
    recorder.receive(line("\ud800"))
    recorder.receive(line(None))
    recorder.close(SUMMARY)
    text = (recorder.folder / "transcript.jsonl").read_text(encoding="utf-8")
    assert "שלום 🎧" in text
    first, second = [json.loads(row) for row in text.splitlines()]
    assert first == {"user_id": 1, "user_name": "Zoë", **spoken, "text": "שלום 🎧"}
    assert second["text"] == "\ud800"
    assert recorder.counters == {
        "transcript_lines": 2,
        "transcript_repeated": 1,
        "transcript_broken": 1,
    }


def test_the_summary(recorder: Recorder) -> None:
    """What was given, the tracks with their seconds, and the counters."""
    recorder.receive(audio(1, b"\0" * 32000))
    recorder.receive({"msg_type": 6, "event": {}})
    recorder.receive({"msg_type": 15, "content": {}})
    recorder.receive({"msg_type": 99})
    recorder.close(SUMMARY)
    assert json.loads((recorder.folder / "stream.json").read_text()) == {
        "joined": True,
        "tracks": [{"user_id": 1, "user_name": "Alice", "file": "1-Alice.wav", "seconds": 1.0}],
        "counters": {
            "audio_frames": 1,
            "events": 1,
            "media_data_video": 1,
            "pictures_not_recorded": 1,
        },
    }


def test_discard(tmp_path: Path) -> None:
    """Only that stream's folder goes, whatever its id; a second time changes nothing."""
    for id_ in ("a", "", "..", "/"):
        folder = stream_folder(tmp_path / "recordings", id_)
        folder.mkdir(parents=True)
        (folder / "x.wav").touch()
    for id_ in ("", "..", "/", "/"):
        discard(tmp_path / "recordings", id_)
    assert [path.name for path in tmp_path.rglob("*")] == ["recordings", "a", "x.wav"]
