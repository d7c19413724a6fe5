"""Transcripts from files, line by line."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from mockzoom.core.captions import captions
from mockzoom.core.codes import TranscriptLanguage
from mockzoom.core.speech import Line
from mockzoom.errors import ConfigurationError

VTT = """WEBVTT - a talk

STYLE
::cue { color: red }

NOTE not this

1
00:00:01.000 --> 00:00:02.500 align:start
<v Alice>Good &amp; <i>early</i>
morning.

01:02.003 --> 01:00:00.000
Later.
"""
SRT = """1
00:00:01,000 --> 00:00:02,500
{\\an8}Good morning.

2
00:00:02,500 --> 00:00:03,000
Bob?""".replace("\n", "\r\n")


def test_webvtt_is_read() -> None:
    """Hours may be missing; notes, styles, settings and markup are passed over."""
    assert captions(VTT, PurePath("a.vtt")) == (
        Line("Good & early morning.", 1000, 2500),
        Line("Later.", 62_003, 3_600_000),
    )


def test_subrip_is_read() -> None:
    """With commas, carriage returns and numbers."""
    assert captions(SRT, PurePath("a.SRT")) == (
        Line("Good morning.", 1000, 2500),
        Line("Bob?", 2500, 3000),
    )


def test_json_lines_may_have_a_language() -> None:
    """By name or number; lines come in the order in which they end."""
    text = """
    {"start_ms": 900, "end_ms": 1900, "text": "Guten Morgen.", "language": "german"}
    {"start_ms": 0, "end_ms": 900, "text": "Good morning.", "language": 9}
    """
    assert captions(text, PurePath("a.jsonl")) == (
        Line("Good morning.", 0, 900, TranscriptLanguage.ENGLISH),
        Line("Guten Morgen.", 900, 1900, TranscriptLanguage.GERMAN),
    )


@pytest.mark.parametrize(
    ("name", "text", "mistake"),
    [
        ("a.vtt", "WEBVTT\n\n1 --> 2\nHi", "3: expected 00:00:01.000 --> 00:00:02.000, found"),
        ("a.srt", "00:00:02,000 --> 00:00:01,000\nHi", "1: expected a line that ends after"),
        ("a.jsonl", "\n[]", "2: expected {"),
        ("a.jsonl", '{"start_ms": 0, "end_ms": 1.5, "text": "Hi"}', "1: expected {"),
        ("a.jsonl", '{"start_ms": 0, "end_ms": true, "text": "Hi"}', "1: expected {"),
        ("a.jsonl", '{"start_ms": 0, "end_ms": 9, "text": " "}', "1: expected {"),
        ("a.jsonl", '{"start_ms": -1, "end_ms": 9, "text": "Hi"}', "1: expected a line that ends"),
        ("a.jsonl", '{"start_ms": 0, "end_ms": 9, "text": "Hi", "who": 1}', "1: unknown field"),
        (
            "a.jsonl",
            '{"start_ms": 0, "end_ms": 9, "text": "Hi", "language": "germn"}',
            "1: language: expected a name or number of the protocol, found 'germn'; did you mean",
        ),
        ("a.jsonl", "[" * 100_000, "1: expected {"),
    ],
)
def test_mistakes_have_a_place(name: str, text: str, mistake: str) -> None:
    """File and line, and what was expected there."""
    with pytest.raises(ConfigurationError) as refusal:
        captions(text, PurePath(name))
    assert str(refusal.value).startswith(f"media {name}:{mistake}")
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("name", "text"), [("a.vtt", "WEBVTT"), ("a.srt", ""), ("a.jsonl", "\n")])
def test_nothing_gives_no_lines(name: str, text: str) -> None:
    """An empty transcript is one."""
    assert captions(text, PurePath(name)) == ()
