"""Time that does not jump, and the one timer that can be moved."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import Any

import pytest
import uvloop
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.clock import Alarm, Clock, Timer
from mockzoom.errors import UsageError

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


class LeapingSelector(selectors.SelectSelector):
    """Where a loop would wait, time leaps: nobody sleeps."""

    ns = 5_000_000_000

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing will ever happen"
        self.ns += ceil(timeout * 1e9)
        return []


class VirtualClock(Clock):
    """A clock on a loop of its own; `passing` lets real time go by (ms)."""

    def __init__(self, speed: float = 1.0) -> None:
        selector = LeapingSelector()
        self._monotonic_ns = lambda: selector.ns  # type: ignore[method-assign, assignment]
        self.loop = asyncio.SelectorEventLoop(selector)
        self.loop.time = lambda: selector.ns / 1e9  # type: ignore[method-assign]
        super().__init__(speed)

    def passing(self, by_ms: float) -> None:
        self.loop.call_later(by_ms / 1000, self.loop.stop)
        self.loop.run_forever()

    def do(self, step: Callable[[], object]) -> None:
        """Let `step` happen on the loop."""
        self.loop.call_soon(step)
        self.loop.call_soon(self.loop.stop)
        self.loop.run_forever()


@pytest.fixture
def clock() -> Iterator[VirtualClock]:
    clock = VirtualClock()
    yield clock
    clock.loop.close()


@pytest.mark.parametrize("speed", [1, 2.5, 0.5, 1000])
def test_time_runs_as_fast_as_it_is_told(clock: VirtualClock, speed: float) -> None:
    """A second of real time is `speed` seconds, and a timer set before that keeps its time."""
    start_ms, rung = clock.now_ms(), list[int]()
    clock.do(lambda: clock.call_at(start_ms + 400, lambda: rung.append(clock.now_ms())))
    clock.do(lambda: clock.set_speed(speed))
    clock.passing(1000)
    assert clock.speed == speed
    assert clock.now_ms() - start_ms == pytest.approx(1000 * speed, abs=2 * speed)
    assert 0 <= rung[0] - start_ms - 400 <= max(1, speed)


def test_a_frozen_clock_stands_still(clock: VirtualClock) -> None:
    """Nothing becomes due while it is frozen; thawed, it goes on from there, no second is lost."""
    start_ms, rung = clock.now_ms(), list[str]()
    clock.do(clock.freeze)
    clock.do(lambda: clock.call_at(start_ms + 10, lambda: rung.append("later")))
    clock.do(lambda: clock.call_at(start_ms, lambda: rung.append("now")))
    clock.passing(60_000)
    assert (clock.now_ms() - start_ms, rung, clock.frozen) == (0, ["now"], True)
    clock.do(lambda: clock.set_speed(2))
    assert clock.frozen
    clock.do(clock.thaw)
    clock.passing(4)
    assert rung == ["now"]
    clock.passing(2)
    assert (rung, clock.frozen) == (["now", "later"], False)


def test_a_leap_rings_what_became_due_once_and_in_order(clock: VirtualClock) -> None:
    """72 hours at once are one ring of each timer; what it sets again is due after the leap."""
    clock.freeze()
    start_ms, rung = clock.now_ms(), list[str]()

    def beat() -> None:
        rung.append("beat")
        clock.call_at(clock.now_ms() + 10_000, beat)

    def story() -> None:
        clock.call_at(start_ms + 20_000, lambda: rung.append("second"))
        clock.call_at(start_ms + 10_000, beat)
        clock.advance(72 * 3_600_000)

    clock.do(story)
    assert rung == ["beat", "second"]
    clock.do(lambda: clock.advance(9_999))
    assert rung == ["beat", "second"]
    clock.do(lambda: clock.advance(1))
    assert rung == ["beat", "second", "beat"]


def test_a_timer_that_fails_keeps_no_other_from_ringing(clock: VirtualClock) -> None:
    """What a callback raises is told to the loop's handler, as for any callback."""
    told: list[Exception] = []
    clock.loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    rung: list[int] = []
    now_ms = clock.now_ms()
    clock.do(lambda: clock.call_at(now_ms + 1, lambda: 1 // 0))
    clock.do(lambda: clock.call_at(now_ms + 1, lambda: rung.append(1)))
    clock.passing(5)
    assert (rung, [type(error) for error in told]) == ([1], [ZeroDivisionError])


def test_a_timer_may_steer_the_clock(clock: VirtualClock) -> None:
    """A leap from within a timer's callback lets the others ring in their turn."""
    clock.freeze()
    rung: list[str] = []

    def leap() -> None:
        rung.append("leap")
        clock.advance(100)

    now_ms = clock.now_ms()
    clock.do(lambda: clock.call_at(now_ms + 1, leap))
    clock.do(lambda: clock.call_at(now_ms + 1, lambda: rung.append("same time")))
    clock.do(lambda: clock.call_at(now_ms + 50, lambda: rung.append("later")))
    clock.do(lambda: clock.advance(1))
    clock.passing(1)
    assert rung == ["leap", "same time", "later"]


def test_cancelled_timers_do_not_pile_up(clock: VirtualClock) -> None:
    """Whoever moves an alarm a thousand times leaves no thousand timers behind."""

    def story() -> None:
        alarm = Alarm(clock, lambda: None)
        for ahead_ms in range(1_000, 2_000):
            alarm.set(clock.now_ms() + ahead_ms)

    clock.do(story)
    assert len(clock._pending) < 200


@pytest.mark.parametrize("speed", [0, -1, 1000.5, 5e-324, float("nan"), float("inf")])
def test_a_speed_is_possible(speed: float) -> None:
    """Neither backwards nor faster than a thousand times; no leap goes back either."""
    with pytest.raises(UsageError, match=r"speed: expected 0.001 to 1000, found"):
        Clock(speed)
    with pytest.raises(UsageError, match="advance: expected 0 ms or more, found -1"):
        Clock().advance(-1)


AHEAD = st.integers(-50, 5_000)
STEPS = st.one_of(
    st.tuples(st.just("call_at"), AHEAD),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("advance"), st.integers(0, 5_000)),
    st.tuples(st.just("set_speed"), st.floats(0.1, 1000)),
    st.tuples(st.just("freeze"), st.none()),
    st.tuples(st.just("thaw"), st.none()),
    st.tuples(st.just("pass"), st.floats(0, 500)),
)


class Steered:
    """A clock that is steered by steps; what it must hold is looked at on the way."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.timers: list[tuple[int, Timer]] = []
        self.rung: list[int] = []
        self.cancelled: set[int] = set()
        self.last_ms = self.clock.now_ms()

    def step(self, name: str, value: Any) -> None:
        match name:
            case "call_at":
                self.clock.do(lambda: self.arm(self.clock.now_ms() + value))
            case "cancel":
                self.cancel(value)
            case "pass":
                self.clock.passing(value)
            case _:
                method = getattr(self.clock, name)
                self.clock.do(method if value is None else lambda: method(value))
        assert self.clock.now_ms() >= self.last_ms
        self.last_ms = self.clock.now_ms()

    def arm(self, at_ms: int) -> None:
        number = len(self.timers)
        self.timers.append((at_ms, self.clock.call_at(at_ms, lambda: self.ring(number))))

    def ring(self, number: int) -> None:
        assert self.clock.now_ms() >= self.timers[number][0], "never early"
        self.rung.append(number)

    def cancel(self, number: int) -> None:
        if number < len(self.timers):
            self.clock.do(self.timers[number][1].cancel)
            self.cancelled |= {number} - set(self.rung)

    def due_ms(self, numbers: Iterable[int]) -> list[int]:
        return [self.timers[number][0] for number in numbers]


@given(st.lists(STEPS, max_size=25))
def test_however_it_is_steered(steps: list[tuple[str, Any]]) -> None:
    """Time never goes back; each timer that is not cancelled rings once, never early, in order."""
    steered = Steered()
    try:
        for step in steps:
            before = len(steered.rung)
            steered.step(*step)
            due_ms = steered.due_ms(steered.rung[before:])
            assert due_ms == sorted(due_ms)
        steered.step("advance", 10_000)
        steered.step("pass", 1)
        assert len(steered.rung) == len(set(steered.rung))
        assert set(steered.rung) | steered.cancelled == set(range(len(steered.timers)))
        assert not set(steered.rung) & steered.cancelled
    finally:
        steered.clock.loop.close()
