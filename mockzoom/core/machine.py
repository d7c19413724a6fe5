"""What the state machines have in common: a table, named timers, a list of effects.

A machine is fed (`receive`, `opened`, `lost`, `handle_timer`, each with `now_ms`) and asked
(`next_timer`, `take_effects`).  What may follow what is in a `Table`; a pair of state and event
that the table does not have is refused, never guessed.  The diagrams in the docs are drawn from
the same tables.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from enum import Enum
from typing import Generic, TypeVar

from mockzoom.core.effects import Effect
from mockzoom.errors import RefusedTransition

__all__ = ["Machine", "Table", "Timers"]

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


class Table(Generic[S, E]):
    """The legal steps of one machine: ``{state: {event: next state}}``.

    The first state is where the machine starts; a state without a row of its own is final.
    """

    def __init__(self, name: str, steps: Mapping[S, Mapping[E, S]]) -> None:
        self.name = name
        self.steps = steps
        self.initial: S = next(iter(steps))

    def allows(self, state: S, event: E) -> bool:
        return event in self.steps.get(state, {})

    def after(self, state: S, event: E) -> S:
        """The state that follows; raises `RefusedTransition` where the table has none."""
        try:
            return self.steps[state][event]
        except KeyError:
            raise RefusedTransition(
                f"{self.name}: {event.name} is not possible in state {state.name}"
            ) from None

    def __iter__(self) -> Iterator[tuple[S, E, S]]:
        for state, row in self.steps.items():
            for event, target in row.items():
                yield state, event, target

    def mermaid(self) -> str:
        """The table as a Mermaid state diagram."""
        states = dict.fromkeys(state for a, _, b in self for state in (a, b))
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial.name}"]
        lines += [f"    {a.name} --> {b.name}: {event.name}" for a, event, b in self]
        lines += [f"    {state.name} --> [*]" for state in states if not self.steps.get(state)]
        return "\n".join(lines)


class Timers:
    """Deadlines with names; setting a name again moves its deadline."""

    def __init__(self) -> None:
        self._deadlines: dict[Hashable, int] = {}

    def set(self, name: Hashable, at_ms: int) -> None:
        self._deadlines[name] = at_ms

    def cancel(self, name: Hashable) -> None:
        self._deadlines.pop(name, None)

    def clear(self) -> None:
        self._deadlines.clear()

    def stretch(self, factor: float, now_ms: int) -> None:
        """What is left of each takes `factor` times as long."""
        for name, at_ms in self._deadlines.items():
            self._deadlines[name] = now_ms + round(max(0, at_ms - now_ms) * factor)

    def next(self) -> int | None:
        return min(self._deadlines.values(), default=None)

    def pop_due(self, now_ms: int) -> Hashable | None:
        """The earliest name whose deadline has passed, taken off the list; None when none has."""
        name = min(self._deadlines, key=self._deadlines.__getitem__, default=None)
        if name is None or self._deadlines[name] > now_ms:
            return None
        del self._deadlines[name]
        return name

    def __contains__(self, name: Hashable) -> bool:
        return name in self._deadlines

    def __len__(self) -> int:
        return len(self._deadlines)


class Machine:
    """Base of the machines: timers, and the effects that wait to be carried out."""

    def __init__(self) -> None:
        self.timers = Timers()
        self.effects: list[Effect] = []

    def take_effects(self) -> list[Effect]:
        """The effects since the last call, in order."""
        taken, self.effects = self.effects, []
        return taken

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called (`now_ms`), or None for never."""
        return self.timers.next()

    def handle_timer(self, now_ms: int) -> None:
        """Do what is due; safe to call early, late or twice."""
        while (name := self.timers.pop_due(now_ms)) is not None:
            self.on_timer(name, now_ms)

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        raise RefusedTransition(f"{type(self).__name__}: no such timer: {name}")
