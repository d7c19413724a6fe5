"""Time that does not jump, and the one timer that can be moved."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from mockzoom.clock import Alarm, Clock

RUNNERS = [asyncio.run, uvloop.run]


def test_it_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock tells Unix milliseconds, and goes on evenly when the system's is set."""
    clock = Clock()
    assert abs(clock.now_ms() - time.time() * 1000) < 100
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    before = clock.now_ms()
    assert 0 <= clock.now_ms() - before < 1000


@pytest.mark.parametrize("run", RUNNERS)
def test_a_timer_is_not_early(run: Callable[..., object]) -> None:
    """On both kinds of loop a timer rings at its millisecond or after."""

    async def story() -> None:
        clock = Clock()
        for ahead_ms in (-5, 0, 1, 2, 3, 7):
            rung: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            at_ms = clock.now_ms() + ahead_ms
            clock.call_at(at_ms, lambda rung=rung: rung.set_result(clock.now_ms()))  # type: ignore[misc]
            async with asyncio.timeout(1):
                assert await rung >= at_ms

    run(story())


class Manual(Clock):
    """Keeps the timers that were asked for."""

    def __init__(self) -> None:
        self.timers: list[tuple[int, Callable[[], None]]] = []

    def call_at(self, at_ms: int, call: Callable[[], None]) -> Manual:
        self.timers.append((at_ms, call))
        return self

    def cancel(self) -> None:
        self.timers.pop()


def test_an_alarm_keeps_one_timer() -> None:
    """Setting it again moves it; the same time again costs nothing; None turns it off."""
    clock = Manual()
    rung: list[int] = []
    alarm = Alarm(clock, lambda: rung.append(1))
    alarm.set(5)
    alarm.set(5)
    assert [at for at, _ in clock.timers] == [5]
    alarm.set(3)
    assert [at for at, _ in clock.timers] == [3]
    alarm.set(None)
    assert clock.timers == []
    alarm.set(4)
    clock.timers.pop()[1]()
    assert rung == [1]
    alarm.set(4)
    assert [at for at, _ in clock.timers] == [4]
