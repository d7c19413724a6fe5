"""Wall-clock time that never jumps: read once, then driven by the monotonic clock.

Whoever needs the time or a timer takes a `Clock`, so that a test can put its own in place.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Alarm", "Clock", "Timer"]


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock:
    """Unix milliseconds, and timers on the running loop."""

    def __init__(self) -> None:
        # Whole milliseconds, so that a timer of uvloop, which counts in them, is never early.
        self._offset_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000 + self._offset_ms

    def call_at(self, at_ms: int, call: Callable[[], None]) -> Timer:
        """Have `call` called when it is `at_ms`, or soon when that is over."""
        return asyncio.get_running_loop().call_at((at_ms - self._offset_ms) / 1000, call)


class Alarm:
    """One timer that can be moved: `ring` is called at the time that was set last."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._at_ms: int | None = None
        self._timer: Timer | None = None

    def set(self, at_ms: int | None) -> None:
        """Ring at `at_ms`; None for never."""
        if at_ms == self._at_ms:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._at_ms = at_ms
        self._timer = None if at_ms is None else self._clock.call_at(at_ms, self._due)

    def _due(self) -> None:
        self._at_ms = self._timer = None
        self._ring()
