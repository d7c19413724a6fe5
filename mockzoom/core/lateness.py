"""How late what was paced went out: a count for each whole millisecond."""

from __future__ import annotations

from collections import Counter

__all__ = ["Lateness"]


class Lateness:
    """Grows while media flows; `since` tells of what came after an earlier `copy`.

    The sum of two is exact: it counts the messages of both.
    """

    def __init__(self, counts: Counter[int] | None = None) -> None:
        self._counts: Counter[int] = Counter() if counts is None else counts

    def add(self, late_ms: int, messages: int) -> None:
        """So many `messages` went out `late_ms` after they were due."""
        self._counts[late_ms] += messages

    @property
    def messages(self) -> int:
        return self._counts.total()

    def quantile_ms(self, share: float) -> int:
        """By how much this share of the messages was late at most; 0 where there were none."""
        left = share * self.messages
        for late_ms in sorted(self._counts):
            left -= self._counts[late_ms]
            if left <= 0:
                return late_ms
        return 0

    def copy(self) -> Lateness:
        return Lateness(self._counts.copy())

    def since(self, before: Lateness) -> Lateness:
        return Lateness(self._counts - before._counts)

    def __add__(self, other: Lateness) -> Lateness:
        return Lateness(self._counts + other._counts)
