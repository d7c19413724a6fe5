"""Sends what is due, when it is due: one timer for everything that is paced.

A `Run` is a series of messages with deadlines, such as the frames of an utterance on a socket.
All runs hang on a wheel, a spoke for each millisecond in which something is due, so that thousands
of streams cost one timer and a run costs no sorting.  Deadlines are absolute, so that lateness
never adds up.  A run that raises is stopped and told of in the journal; the others go on.

A turn has two halves: first every run that is due makes its frame, then all frames are written.
Making and writing in turn would throw each other's code out of the processor's caches.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Protocol

from picows import WSMsgType, WSTransport

from mockzoom.clock import Alarm, Clock
from mockzoom.core.lateness import Lateness
from mockzoom.engine import frames
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
    """Plays runs on the running loop; belongs to the loop's thread.

    `lateness` counts all that was played, by when all that was due with it had been played too.
    """

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self.lateness = Lateness()
        self._clock = clock
        self._journal = journal
        self._spokes: dict[int, deque[Run]] = {}
        self._times: list[int] = []  # a heap: when there is a spoke
        self._alarm = Alarm(clock, self._wake)
        self._playing = False
        self._made: list[tuple[WSTransport, bytes, WSMsgType, bool]] = []

    def write(
        self,
        transport: WSTransport,
        data: bytes,
        kind: WSMsgType = WSMsgType.TEXT,
        last: bool = True,
    ) -> None:
        """Write a frame: in a turn with all others at its end, and otherwise at once."""
        self._made.append((transport, data, kind, last))
        if not self._playing:
            self.flush()

    def flush(self) -> None:
        """Write what was made in this turn now."""
        made, self._made = self._made, []
        for transport, data, kind, last in made:
            try:
                frames.write(transport, data, kind, last)
            except Exception as error:
                self._journal.failed("pacer: writing", error)

    def add(self, run: Run) -> None:
        self._hang(run)
        self._arm()

    def clear(self) -> None:
        """Play nothing more of what was added."""
        for spoke in self._spokes.values():
            for run in spoke:
                run.stop()
            spoke.clear()
        self._spokes.clear()
        self._times.clear()
        self._arm()

    def _hang(self, run: Run) -> None:
        due_ms = run.next_due_ms
        if due_ms is None:
            return
        spoke = self._spokes.get(due_ms)
        if spoke is None:
            spoke = self._spokes[due_ms] = deque()
            heapq.heappush(self._times, due_ms)
        spoke.append(run)

    def _arm(self) -> None:
        self._alarm.set(self._times[0] if self._times else None)

    def _wake(self) -> None:
        now_ms, left = self._clock.now_ms(), _AT_A_TIME
        while left and self._times and self._times[0] <= now_ms:
            left -= self._turn(left)
        self._arm()

    def _turn(self, most: int) -> int:
        """Play up to `most` runs of the first spoke; returns how many were played."""
        due_ms = heapq.heappop(self._times)
        spoke = self._spokes[due_ms]
        played = 0
        self._playing = True
        while spoke and played < most:
            run = spoke.popleft()
            try:
                run.play()
            except Exception as error:
                run.stop()
                self._journal.failed(f"pacer: {type(run).__name__}", error)
            self._hang(run)
            played += 1
        self._playing = False
        self.flush()
        if spoke:
            heapq.heappush(self._times, due_ms)
        elif self._spokes.get(due_ms) is spoke:  # nobody has cleared the wheel meanwhile
            del self._spokes[due_ms]
        self.lateness.add(self._clock.now_ms() - due_ms, played)
        return played
