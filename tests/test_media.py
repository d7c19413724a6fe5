"""Media as who uses the mock meets them: in Python, on the command line, and in the docs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
from click import BadParameter
from filmed import film_file, tone_file

from mockzoom import MockZoom, Receiver
from mockzoom.cli.options import files_by_name
from mockzoom.errors import ConfigurationError, UsageError

PAGE = Path(__file__).parents[1] / "docs" / "media.md"


def test_nothing_heavy_is_loaded_before_media_need_it() -> None:
    """A mock and a receiver that run load no codec, no numpy and no fonts."""
    script = (
        "import sys\n"
        "from mockzoom import MockZoom, Receiver\n"
        "with MockZoom() as zoom, Receiver(zoom.credentials) as app:\n"
        "    zoom.subscribe(app.url)\n"
        "    zoom.meeting().start_rtms().stop()\n"
        "print({'av', 'numpy', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "set()\n", done.stderr


def test_a_film_is_played_and_recorded(tmp_path: Path) -> None:
    """Given to the mock by name, heard and seen by the receiver, and in its movie."""
    words = tmp_path / "talk.jsonl"
    words.write_text(json.dumps({"start_ms": 0, "end_ms": 900, "text": "Look."}) + "\n")
    film = film_file(tmp_path / "talk.mp4", 2, hz=700)
    with (
        MockZoom(seed=3, media={"alice": [film, words]}) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path / "r", video=True) as app,
    ):
        zoom.subscribe(app.url)
        stream = zoom.meeting(participants=["Alice"]).start_rtms()
        stream.wait_ready()
        zoom.wait_for("speech", media="talk.mp4")  # it is decoded first
        stream.wait_spoken()
        stream.stop()
        status = app.wait_ended(stream.rtms_stream_id, 30)
        zoom.check()
    import av

    with av.open(str(status.folder / "recording.mkv")) as movie:
        assert {s.type for s in movie.streams} == {"video", "audio", "subtitle"}
        assert (movie.streams.video[0].width, movie.streams.video[0].height) == (1280, 720)
    with wave.open(str(next(status.folder.glob("*-Alice.wav")))) as wav:
        assert wav.getnframes() == pytest.approx(2 * 16_000, abs=1_600)


def test_files_are_played_in_python(tmp_path: Path) -> None:
    """By name of the file; what cannot be read or is unknown is an error at once."""
    path = tone_file(tmp_path / "a.wav", 440, 1_000)
    with MockZoom() as zoom:
        meeting = zoom.meeting(participants=["Alice"])
        assert meeting.play("Alice", path).duration_ms == 1_000
        with pytest.raises(ConfigurationError, match=r"gone\.wav: No such file"):
            meeting.play("Alice", tmp_path / "gone.wav")
        with pytest.raises(UsageError, match="has no media of their own"):
            meeting.play("Alice")
        assert meeting.say("Alice", "Hallo.", language="german").language == 14
        with pytest.raises(UsageError, match="language: expected a name or number"):
            meeting.say("Alice", "Hallo.", language="dutsch")


def test_a_file_that_cannot_be_read_is_told_before_anything_starts(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(ConfigurationError, match=r"^media .*gone\.wav: No such file"):
        MockZoom(media={"Alice": tmp_path / "gone.wav"})


def test_options_name_people_and_files() -> None:
    """Repeated for one of them, in any case; a file may have an equals sign."""
    assert files_by_name(("alice=a.wav", "Bob=b=c.wav", "ALICE=a.vtt")) == {
        "alice": ["a.wav", "a.vtt"],
        "Bob": ["b=c.wav"],
    }


@pytest.mark.parametrize("given", ["alice", "=a.wav", "alice=", ""])
def test_options_that_name_nothing_are_refused(given: str) -> None:
    """With what was expected."""
    with pytest.raises(BadParameter, match="expected NAME=FILE"):
        files_by_name((given,))


def snippets() -> list[Any]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("number", range(len(snippets())))
def test_the_page_about_media_runs(number: int) -> None:
    """What it shows in Python is Python."""
    exec(compile(snippets()[number], "media.md", "exec"), {})
