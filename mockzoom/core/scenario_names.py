"""Who and what is there in a scenario at the time of a step.

Steps are told of in order.  Each name that they hold is made, used or ended (`Role`); a mistake is
a name that is not there, not any more, or already.  A step that does not say which meeting or
stream it means, means the only one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from mockzoom.core.scenario_fields import Role, Thing, Unfit, one_of
from mockzoom.errors import nearest

__all__ = ["Names"]


class Names:
    def __init__(self, events: Iterable[str]) -> None:
        self._there: defaultdict[tuple[Thing, str], dict[str, None]] = defaultdict(dict)
        self._gone: defaultdict[tuple[Thing, str], set[str]] = defaultdict(set)
        self._there[Thing.EVENT, ""] = dict.fromkeys(events)

    def meet(self, thing: Thing, role: Role, name: str, meeting: str) -> None:
        """A step has `name` in `meeting`; raises `Unfit` where it must not."""
        group = self._group(thing, meeting)
        there = self._there[group]
        if role is Role.MAKES:
            if name in there:
                raise Unfit(f"a new name, but there is a {thing.value} {name!r} already")
            there[name] = None
            return
        if name not in there:
            raise Unfit(self._missing(thing, name, meeting))
        if role is Role.ENDS:
            del there[name]
            self._gone[group].add(name)

    def only(self, thing: Thing) -> str:
        """The one that is meant when none is named; raises `Unfit` when there is no such one."""
        there = self._there[thing, ""]
        if len(there) != 1:
            if not there:
                raise Unfit(f"{_a(thing)}, but there is none yet")
            raise Unfit(f"one of {', '.join(there)}; say which")
        return next(iter(there))

    def _missing(self, thing: Thing, name: str, meeting: str) -> str:
        group = self._group(thing, meeting)
        there = self._there[group]
        where = f" in {meeting}" if thing is Thing.PERSON else ""
        found = f"found {name!r}"
        if name in self._gone[group]:
            return f"{_a(thing)} that is still there{where}, {found}"
        if not there:
            return f"{_a(thing)}{where}, but there is none, {found}"
        return f"{one_of(there, name)}{where}; {found}{nearest(name, there)}"

    def _group(self, thing: Thing, meeting: str) -> tuple[Thing, str]:
        return thing, meeting if thing is Thing.PERSON else ""


def _a(thing: Thing) -> str:
    return f"a {thing.value}"
