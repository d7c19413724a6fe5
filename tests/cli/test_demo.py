from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import pytest

from mockzoom.cli import demo as demo_module
from mockzoom.core.speech import speaking_ms
from mockzoom.receiver.recorder import Recorder


@pytest.fixture
def brief(monkeypatch):
    """A dialogue that is over in two seconds."""
    dialogue = (("Alice", "Hello. You there?"), ("Bob", "I am."))
    monkeypatch.setattr(demo_module, "_DIALOGUE", dialogue)
    return dialogue


def test_a_whole_meeting(cli, brief):
    """The demo ends with 0, and what it recorded is what was spoken, to the frame and the word."""
    ended = cli("demo", "--seconds", 1, "--seed", 4, "--recordings", "here")
    assert ended.status == 0, ended.out + ended.err
    assert "took the webhook meeting.rtms_started" in ended.out
    assert "Alice    You there?" in ended.out
    assert "FAILED" not in ended.out
    assert "\x1b" not in ended.out, "no terminal, no colours"
    [folder] = Path("here").glob("demo-*/*")
    lines = (folder / "transcript.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["Hello.", "You there?", "I am."]
    for name, text in brief:
        [path] = folder.glob(f"*-{name}.wav")
        with wave.open(str(path)) as wav:
            recorded_ms = wav.getnframes() / wav.getframerate() * 1000
        assert recorded_ms == pytest.approx(speaking_ms(text), abs=20)


def test_a_terminal_sees_it_live(cli, brief, monkeypatch):
    """In a terminal there is colour, and a line that tells how much was sent."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    ended = cli("demo", "--seconds", 1)
    assert ended.status == 0
    assert "\x1b[" in ended.out
    assert re.search(r"Alice speaks … [1-9]\d* audio frames sent", ended.out)


def test_what_is_lost_fails_the_demo(cli, brief, monkeypatch):
    """A receiver that loses a participant's audio and a line makes the demo end with 1."""
    receive = Recorder.receive

    def lossy(self: Recorder, message: dict) -> None:
        content = message.get("content")
        heard = isinstance(content, dict) and content.get("user_name") == "Bob"
        if not heard:
            receive(self, message)

    monkeypatch.setattr(Recorder, "receive", lossy)
    ended = cli("demo", "--seconds", 1)
    assert ended.status == 1
    assert "FAILED    audio of Bob: 0.00 s recorded of" in ended.out
    assert ended.err == "error: 2 of 5 checks failed: audio of Bob, transcript\n"


@pytest.mark.parametrize("seconds", [1, 12, 60])
def test_the_script_fits(seconds):
    """Alice and Bob talk for about as long as they were asked to, and each has a word."""
    script = demo_module._script(seconds)
    spoken_ms = sum(speaking_ms(turn.text) for turn in script)
    assert {turn.name for turn in script} == {"Alice", "Bob"}
    assert seconds * 1000 - 5000 < spoken_ms <= max(seconds * 1000, 7000)


def test_a_seed_twice_in_a_second_has_two_folders(tmp_path):
    """A run never writes into what another recorded."""
    first = demo_module._fresh(tmp_path)
    first.mkdir()
    assert demo_module._fresh(tmp_path) != first
