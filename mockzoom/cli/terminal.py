"""What a peer says, fit for a terminal."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """`text` without the control characters that a name or an answer may bring; lines stay."""
    return "".join(char if char.isprintable() or char == "\n" else " " for char in text)
