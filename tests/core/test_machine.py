"""Tables refuse what they do not have; timers come due in order."""

from __future__ import annotations

from collections.abc import Hashable
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.effects import Drop
from mockzoom.core.machine import Machine, Table, Timers
from mockzoom.errors import RefusedTransition


class Light(Enum):
    RED = 1
    GREEN = 2
    BROKEN = 3


class Push(Enum):
    BUTTON = 1
    HAMMER = 2


LIGHT = Table(
    "light",
    {
        Light.RED: {Push.BUTTON: Light.GREEN, Push.HAMMER: Light.BROKEN},
        Light.GREEN: {Push.BUTTON: Light.RED},
        Light.BROKEN: {},
    },
)


def test_a_table_knows_its_steps() -> None:
    """The first row is the initial state, and steps come out in the order of the table."""
    assert LIGHT.initial is Light.RED
    assert LIGHT.after(Light.RED, Push.BUTTON) is Light.GREEN
    assert list(LIGHT) == [
        (Light.RED, Push.BUTTON, Light.GREEN),
        (Light.RED, Push.HAMMER, Light.BROKEN),
        (Light.GREEN, Push.BUTTON, Light.RED),
    ]


@pytest.mark.parametrize("state", Light)
@pytest.mark.parametrize("push", Push)
def test_what_is_not_in_a_table_is_refused(state: Light, push: Push) -> None:
    """A pair is either in the table or refused by name, never guessed."""
    known = {(a, event): b for a, event, b in LIGHT}
    assert LIGHT.allows(state, push) is ((state, push) in known)
    if (state, push) in known:
        assert LIGHT.after(state, push) is known[state, push]
    else:
        refused = f"light: {push.name} is not possible in state {state.name}"
        with pytest.raises(RefusedTransition, match=refused):
            LIGHT.after(state, push)


def test_a_table_draws_itself() -> None:
    """The diagram has the start, each step and each final state."""
    assert LIGHT.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> RED",
        "    RED --> GREEN: BUTTON",
        "    RED --> BROKEN: HAMMER",
        "    GREEN --> RED: BUTTON",
        "    BROKEN --> [*]",
    ]


def test_timers_can_be_moved_and_cancelled() -> None:
    """A name has one deadline; cancelling what is not set is nothing."""
    timers = Timers()
    timers.set("a", 10)
    timers.set("a", 20)
    timers.cancel("b")
    assert (timers.next(), len(timers), "a" in timers) == (20, 1, True)
    assert timers.pop_due(19) is None
    assert timers.pop_due(20) == "a"
    assert timers.next() is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=20), st.integers(0, 9))
def test_timers_come_due_by_deadline_and_then_by_age(
    settings: list[tuple[int, int]], now_ms: int
) -> None:
    """What is due comes out sorted by deadline, ties in the order in which names were first set."""
    timers, deadlines = Timers(), dict[int, int]()
    for name, at_ms in settings:
        timers.set(name, at_ms)
        deadlines[name] = at_ms
    due = sorted(
        (n for n, at_ms in deadlines.items() if at_ms <= now_ms), key=deadlines.__getitem__
    )
    popped = []
    while (name := timers.pop_due(now_ms)) is not None:
        popped.append(name)
    assert popped == due
    assert len(timers) == len(deadlines) - len(due)


class Bell(Machine):
    """Rings at 10, and once more 5 later."""

    def __init__(self) -> None:
        super().__init__()
        self.timers.set("ring", 10)

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        if name == "ring":
            self.effects.append(Drop(now_ms))
            self.timers.set("last", now_ms + 5)
        elif name == "last":
            self.effects.append(Drop(-now_ms))
        else:
            super().on_timer(name, now_ms)


def test_a_machine_may_be_asked_early_late_and_twice() -> None:
    """handle_timer does what is due, once, and effects are handed over once."""
    bell = Bell()
    bell.handle_timer(9)
    assert (bell.take_effects(), bell.next_timer()) == ([], 10)
    bell.handle_timer(12)
    bell.handle_timer(12)
    assert (bell.take_effects(), bell.take_effects(), bell.next_timer()) == ([Drop(12)], [], 17)
    bell.handle_timer(100)
    assert (bell.take_effects(), bell.next_timer()) == ([Drop(-100)], None)


def test_a_timer_that_nobody_knows_is_refused() -> None:
    """A name without a handler is a mistake of the machine, told by name."""
    bell = Bell()
    bell.timers.set("door", 0)
    with pytest.raises(RefusedTransition, match="Bell: no such timer: door"):
        bell.handle_timer(0)
