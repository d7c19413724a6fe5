"""What is shown in a terminal: what a peer says, made fit for it, and a line that lives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["footed", "on_a_line", "printable"]


def printable(text: str) -> str:
    """`text` without the control characters that a name or an answer may bring; lines stay."""
    return "\n".join(map(on_a_line, text.split("\n")))


def on_a_line(text: str) -> str:
    """The same, with the ends of lines gone too."""
    return "".join(char if char.isprintable() else " " for char in text)


@contextmanager
def footed(console: Console, footer: Callable[[], RenderableType]) -> Iterator[None]:
    """In a terminal, with `footer` living at the bottom; elsewhere without."""
    from rich.live import Live

    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=footer, console=console, transient=True):
        yield
