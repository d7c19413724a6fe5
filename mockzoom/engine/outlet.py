"""Where the media of one socket leave a stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from mockzoom.core.codes import MediaType
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.engine.line import Line

__all__ = ["Outlet"]


class Outlet:
    """Sends on `line`, and counts by media in both of `sent` (the stream's) and `counters`.

    `first` is told when the first message of the stream was captured (Unix ms), before it is sent.
    """

    __slots__ = ("_counters", "_first", "_line", "_sent")

    def __init__(
        self, line: Line, sent: Counter[str], counters: Counter[str], first: Callable[[int], None]
    ) -> None:
        self._line = line
        self._sent = sent
        self._counters = counters
        self._first = first

    def send(self, media: MediaType, message: Message | bytes, at_ms: int) -> None:
        """A message, or the text of one, captured `at_ms`."""
        sent = self._sent
        if not sent:
            self._first(at_ms)
        key = MEDIA_KEYS[media]
        sent[key] += 1
        self._counters[key] += 1
        self._line.send(message)
