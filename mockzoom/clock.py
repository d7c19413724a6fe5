"""Wall-clock time that never jumps: read once, then driven by the monotonic clock."""

from __future__ import annotations

import time

__all__ = ["Clock"]


class Clock:
    def __init__(self) -> None:
        self._offset_ns = time.time_ns() - time.monotonic_ns()

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return (time.monotonic_ns() + self._offset_ns) // 1_000_000

    def loop_time(self, at_ms: int) -> float:
        """The `loop.time()` (seconds of the monotonic clock) at which it is `at_ms`."""
        return (at_ms * 1_000_000 - self._offset_ns) / 1e9
