"""Sends what is due, when it is due: one timer for everything that is paced.

A `Run` is a series of messages with deadlines, such as the frames of an utterance on a socket.
All runs wait in one heap, so that thousands of streams cost one timer, and deadlines are absolute,
so that lateness never adds up.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol

from mockzoom.clock import Clock

__all__ = ["Moment", "Pacer", "Run"]


class Run(Protocol):
    """A series that is played until `next_due_ms` is None."""

    @property
    def next_due_ms(self) -> int | None: ...

    def play(self) -> None:
        """Send what is due next, and move on."""


class Moment:
    """The shortest run: one call at one time."""

    def __init__(self, at_ms: int, call: Callable[[], None]) -> None:
        self.next_due_ms: int | None = at_ms
        self._call = call

    def play(self) -> None:
        self.next_due_ms = None
        self._call()


class Pacer:
    """Plays runs on the running loop; belongs to the loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, Run]] = []
        self._order = count()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, run: Run) -> None:
        self._push(run)
        self._arm()

    def close(self) -> None:
        self._heap.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _push(self, run: Run) -> None:
        if run.next_due_ms is not None:
            heapq.heappush(self._heap, (run.next_due_ms, next(self._order), run))

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._heap:
            at = self._clock.loop_time(self._heap[0][0])
            self._timer = asyncio.get_running_loop().call_at(at, self._wake)

    def _wake(self) -> None:
        now_ms = self._clock.now_ms()
        while self._heap and self._heap[0][0] <= now_ms:
            run = heapq.heappop(self._heap)[2]
            run.play()
            self._push(run)
        self._arm()
