"""Sends what is due, when it is due: one timer for everything that is paced.

A `Run` is a series of messages with deadlines, such as the frames of an utterance on a socket.
All runs wait in one heap, so that thousands of streams cost one timer, and deadlines are absolute,
so that lateness never adds up.  A run that raises is stopped and told of in the journal; the
others go on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Protocol

from mockzoom.clock import Alarm, Clock
from mockzoom.engine.journal import Journal

__all__ = ["Moment", "Pacer", "Run"]

#: So many are sent before the loop may do something else; a minute of buffered audio is 3,000.
_AT_A_TIME = 500


class Run(Protocol):
    """A series that is played until `next_due_ms` is None."""

    @property
    def next_due_ms(self) -> int | None: ...

    def play(self) -> None:
        """Send what is due next, and move on."""

    def stop(self) -> None:
        """Nothing more is due."""


class Moment:
    """The shortest run: one call at one time."""

    def __init__(self, at_ms: int, call: Callable[[], None]) -> None:
        self.next_due_ms: int | None = at_ms
        self._call = call

    def play(self) -> None:
        self.stop()
        self._call()

    def stop(self) -> None:
        self.next_due_ms = None


class Pacer:
    """Plays runs on the running loop; belongs to the loop's thread."""

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal
        self._heap: list[tuple[int, int, Run]] = []
        self._order = count()
        self._alarm = Alarm(clock, self._wake)

    def add(self, run: Run) -> None:
        self._push(run)
        self._arm()

    def clear(self) -> None:
        """Play nothing more of what was added."""
        for _, _, run in self._heap:
            run.stop()
        self._heap.clear()
        self._arm()

    def _push(self, run: Run) -> None:
        if run.next_due_ms is not None:
            heapq.heappush(self._heap, (run.next_due_ms, next(self._order), run))

    def _arm(self) -> None:
        self._alarm.set(self._heap[0][0] if self._heap else None)

    def _wake(self) -> None:
        now_ms = self._clock.now_ms()
        for _ in range(_AT_A_TIME):
            if not self._heap or self._heap[0][0] > now_ms:
                break
            run = heapq.heappop(self._heap)[2]
            self._play(run)
            self._push(run)
        self._arm()

    def _play(self, run: Run) -> None:
        try:
            run.play()
        except Exception as error:
            run.stop()
            self._journal.failed(f"pacer: {type(run).__name__}", error)
