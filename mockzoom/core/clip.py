"""A recording that somebody plays in place of speaking: what is known of it without opening it.

Reading the file is the engine's work; here it has a name, a length and a transcript.  It is played
in pieces, so that an hour of sound is never in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mockzoom.core.speech import FRAME_MS, Line

__all__ = ["Clip", "Film"]

#: Ten seconds are a megabyte of samples at 48 kHz.
_PIECE_MS = 10_000


@dataclass(frozen=True, slots=True)
class Film:
    """The pictures of the file at `path`, which last for so many whole `seconds`, at least one."""

    path: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Clip:
    """`duration_ms` of the file at `path`, from `start_ms` in it on.

    `audible` is whether there is sound in it, `film` are the pictures of the whole file if it has
    any, and times of `lines` count from `start_ms`.
    """

    path: str
    duration_ms: int
    start_ms: int = 0
    audible: bool = True
    film: Film | None = None
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    def pieces(self) -> Iterator[Clip]:
        """The same in pieces that follow each other, each with the lines that end in it."""
        for at_ms in range(0, self.duration_ms, _PIECE_MS):
            end_ms = min(at_ms + _PIECE_MS, self.duration_ms)
            yield replace(
                self,
                start_ms=self.start_ms + at_ms,
                duration_ms=end_ms - at_ms,
                lines=tuple(_moved(line, at_ms) for line in self.lines_of(at_ms, end_ms)),
            )

    def lines_of(self, start_ms: int, end_ms: int) -> list[Line]:
        return [line for line in self.lines if start_ms < line.end_ms <= end_ms]

    @staticmethod
    def on_grid(duration_ms: float) -> int:
        """`duration_ms` as whole frames of 20 ms, at least one."""
        return max(-(-round(duration_ms) // FRAME_MS), 1) * FRAME_MS


def _moved(line: Line, by_ms: int) -> Line:
    return replace(line, start_ms=line.start_ms - by_ms, end_ms=line.end_ms - by_ms)
