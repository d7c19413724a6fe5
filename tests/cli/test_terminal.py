"""Nobody who is in a recording may paint on a terminal."""

from __future__ import annotations

from mockzoom.cli.terminal import on_a_line, printable


def test_control_characters_are_blanks():
    """Escape sequences and what turns text around go; every script stays, and lines if wanted."""
    assert on_a_line("a\x1b[2J\nb") == "a [2J b"
    assert printable("a\x1b[2Jb\u202ec\r\nd\u05d0\U0001f600") == "a [2Jb c \nd\u05d0\U0001f600"
