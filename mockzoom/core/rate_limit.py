"""How many requests an app may make in a second."""

from __future__ import annotations

__all__ = ["RateLimit"]


class RateLimit:
    """Counts requests in each second of the clock; without a limit everything passes."""

    def __init__(self, per_s: int | None) -> None:
        self._per_s = per_s
        self._second = 0
        self._count = 0

    def admits(self, now_ms: int) -> bool:
        """Whether one more request fits into the second of `now_ms`; it counts if so."""
        second = now_ms // 1_000
        if second != self._second:
            self._second, self._count = second, 0
        if self._per_s is not None and self._count >= self._per_s:
            return False
        self._count += 1
        return True
