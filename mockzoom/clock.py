"""Wall-clock time of a world, which can be steered: faster, frozen, or some hours ahead.

It is read once from the machine and then driven by the monotonic clock, so it never jumps unless
it is told to, and never back.  `advance` is a leap, as if the machine had slept: what became due
on the way happens now, in the order of its time, and each thing once.  Whoever needs the time or
a timer takes a `Clock`, so that a test can put its own in place.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from mockzoom.errors import UsageError

__all__ = ["MAX_SPEED", "MIN_SPEED", "Alarm", "Clock", "Timer", "checked_speed"]

#: Slower than that it may as well be frozen, and a timer could be due after the end of all floats.
MIN_SPEED = 0.001
MAX_SPEED = 1_000.0

_NS = 1_000_000

#: So many cancelled timers may lie in the heap before it is looked through.
_KEPT_CANCELLED = 64


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock:
    """Unix milliseconds, `speed` times as fast as real time, and timers on the running loop.

    `now_ms` may be asked on any thread; all else belongs to the loop's.
    """

    def __init__(self, speed: float = 1.0) -> None:
        # The course of time: at this reading of the monotonic clock it was this time (ns), and
        # since then it runs this fast.  One tuple, so that another thread never reads half of it.
        self._course = (self._monotonic_ns(), time.time_ns(), checked_speed(speed))
        self._speed = speed
        self._pending: list[tuple[int, int, _Pending]] = []
        self._order = count()
        self._cancelled = 0
        self._ringing = False
        self._wake: asyncio.Handle | None = None

    _monotonic_ns = staticmethod(time.monotonic_ns)

    def now_ms(self) -> int:
        since_ns, then_ns, speed = self._course
        return (then_ns + int((self._monotonic_ns() - since_ns) * speed)) // _NS

    # --- steering -----------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """How many times as fast as real time it runs, or will run when it is thawed."""
        return self._speed

    @property
    def frozen(self) -> bool:
        return self._course[2] == 0

    def set_speed(self, speed: float) -> None:
        """Run `speed` times as fast as real time, 0.001 to 1,000; a frozen clock once it is thawed.

        Raises `UsageError`.
        """
        self._speed = checked_speed(speed)
        if not self.frozen:
            self._turn(speed)

    def freeze(self) -> None:
        """Stand still: nothing becomes due, but by `advance`."""
        self._turn(0)

    def thaw(self) -> None:
        """Run on, from the time at which it was frozen."""
        self._turn(self._speed)

    def advance(self, by_ms: int) -> None:
        """Leap ahead, and ring every timer that became due; raises `UsageError` for a leap back."""
        if by_ms < 0:
            raise UsageError(f"clock: advance: expected 0 ms or more, found {by_ms}")
        self._turn(self._course[2], by_ms * _NS)
        if not self._ringing:
            self._ring()

    def _turn(self, speed: float, leap_ns: int = 0) -> None:
        since_ns, then_ns, before = self._course
        now_ns = self._monotonic_ns()
        passed_ns = int((now_ns - since_ns) * before)
        self._course = (now_ns, then_ns + passed_ns + leap_ns, speed)
        self._arm()

    # --- timers -------------------------------------------------------------------------------

    def call_at(self, at_ms: int, call: Callable[[], None]) -> Timer:
        """Have `call` called when it is `at_ms`, or soon when that is over; never early."""
        timer = _Pending(call, self._has_cancelled)
        heapq.heappush(self._pending, (at_ms, next(self._order), timer))
        if self._pending[0][2] is timer:
            self._arm()
        return timer

    def _arm(self) -> None:
        """One timer of the loop is enough: that of what is due first."""
        if self._ringing:
            return  # it is done when all have rung
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        if not self._pending:
            return
        since_ns, then_ns, speed = self._course
        at_ms = self._pending[0][0]
        if at_ms <= self.now_ms():
            self._wake = asyncio.get_running_loop().call_soon(self._ring)
        elif speed:
            due_ns = since_ns + int((at_ms * _NS - then_ns) / speed)
            # Whole milliseconds, because a timer of uvloop counts in them.
            self._wake = asyncio.get_running_loop().call_at(-(-due_ns // _NS) / 1000, self._ring)

    def _ring(self) -> None:
        """Ring what is due by now; what is set meanwhile has its turn after others on the loop."""
        now_ms, due = self.now_ms(), []
        while self._pending and self._pending[0][0] <= now_ms:
            due.append(heapq.heappop(self._pending)[2])
        self._ringing = True
        for timer in due:
            timer.ring()
        self._ringing = False
        self._arm()

    def _has_cancelled(self) -> None:
        self._cancelled += 1
        if self._cancelled > _KEPT_CANCELLED and self._cancelled * 2 > len(self._pending):
            self._pending = [entry for entry in self._pending if entry[2].call is not None]
            heapq.heapify(self._pending)
            self._cancelled = 0


class _Pending:
    """A timer that is waited for; `call` is None once it has rung or was cancelled."""

    def __init__(self, call: Callable[[], None], cancelled: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call
        self._cancelled = cancelled

    def cancel(self) -> None:
        if self.call is not None:
            self.call = None
            self._cancelled()

    def ring(self) -> None:
        call, self.call = self.call, None
        if call is None:
            return
        try:
            call()
        except Exception as error:
            # As for any callback of the loop: it is told of, and the others ring all the same.
            context = {"message": "a timer's callback failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)


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


def checked_speed(speed: float) -> float:
    """`speed`, if a clock can run so fast; raises `UsageError` otherwise."""
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise UsageError(f"clock: speed: expected {MIN_SPEED:g} to {MAX_SPEED:g}, found {speed:g}")
    return speed
