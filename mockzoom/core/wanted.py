"""What somebody waits for in the journal, which entries are that, and which ones nearly are.

An entry is wanted when it has the kind, the stream and every field that was named.  A field inside
others is named by a path with dots, ``body.payload.stop_reason``, or by an object that holds only
what matters: ``{"body": {"payload": {"stop_reason": 6}}}`` asks the same.

A wait that fails is explained by the near misses: those of the last entries of that kind that
differ in the fewest fields, the newest ones first, each with what was expected and what is there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from mockzoom.errors import nearest

__all__ = ["Difference", "NearMiss", "Wanted", "as_text", "equal"]

#: So many near misses are told: one is often not the one that was meant, and ten are not read.
_TOLD = 3
_SHOWN = 80

#: So many of the last entries are compared: who waits thinks of what happened lately, and all of a
#: full journal would keep everybody else waiting for a while.
_COMPARED = 500

_ABSENT = object()

Path = tuple[str, ...]

_Differing = tuple[Path, Any, Any]
"""Where, what is expected there, and what was found."""


def equal(expected: Any, found: Any) -> bool:
    """As JSON has it: true is not 1."""
    return bool(expected == found) and isinstance(expected, bool) == isinstance(found, bool)


def as_text(expected: str, found: Any) -> bool:
    """Whether a value is what a text in a URL means: ``200``, ``true``, ``accepted``."""
    return expected == found or (not isinstance(found, str) and expected == json.dumps(found))


@dataclass(frozen=True)
class Difference:
    """`found` is told as JSON, shortened; ``""`` when there is no such field."""

    field: str
    expected: str
    found: str
    hint: str = ""

    def __str__(self) -> str:
        found = f"found {self.found}" if self.found else f"which it does not have{self.hint}"
        return f"{self.field}: expected {self.expected}, {found}"


@dataclass(frozen=True)
class NearMiss:
    """An entry that has `agreeing` of the `named` fields."""

    entry: Mapping[str, Any]
    agreeing: int
    named: int
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        told = ", ".join(map(str, self.differences))
        return f"entry {self.entry['id']} has {self.agreeing} of {self.named}: {told}"

    def as_dict(self) -> dict[str, Any]:
        told = [
            {"field": one.field, "expected": one.expected, "found": one.found}
            for one in self.differences
        ]
        return {"id": self.entry["id"], "kind": self.entry["kind"], "differences": told}


@dataclass(frozen=True)
class Wanted:
    """Entries of `kind` and `stream`, any if empty, after entry `since`, with these `fields`."""

    kind: str = ""
    stream: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    since: int = 0
    agree: Callable[[Any, Any], bool] = equal

    def __str__(self) -> str:
        named = {"stream": self.stream, **self.fields} if self.stream else dict(self.fields)
        what = _line(self.kind) or "an entry"
        return f"{what} with {_shown(named, 3 * _SHOWN)}" if named else what

    def matches(self, entry: Mapping[str, Any]) -> bool:
        """Whether `entry`, as a dictionary, is one of them."""
        return self._concerns(entry) and not self._differing(entry)

    def near_misses(self, entries: Sequence[Mapping[str, Any]]) -> list[NearMiss]:
        """The best three of those that are of the kind, but not wanted."""
        concerned = islice(filter(self._concerns, reversed(entries)), _COMPARED)
        missed = [
            (entry, differing) for entry in concerned if (differing := self._differing(entry))
        ]
        missed.sort(key=lambda one: len(one[1]))
        return [self._missed(*one) for one in missed[:_TOLD]]

    def _missed(self, entry: Mapping[str, Any], differing: list[_Differing]) -> NearMiss:
        named = len(self._leaves)
        told = tuple(_difference(entry, *one) for one in differing)
        return NearMiss(entry, named - len(told), named, told)

    def explained(self, entries: Sequence[Mapping[str, Any]]) -> str:
        """Why nothing more was found in `entries`, in one line."""
        if misses := self.near_misses(entries):
            return "; ".join(map(str, misses))
        kinds = Counter(str(entry["kind"]) for entry in entries if entry["id"] > self.since)
        if self.kind and not kinds[self.kind]:
            others = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
            hint = nearest(self.kind, kinds)
            return f"there is no {_line(self.kind)} entry, but {others or 'nothing at all'}{hint}"
        return "there is nothing else of that kind"

    # --- one entry ----------------------------------------------------------------------------

    def _concerns(self, entry: Mapping[str, Any]) -> bool:
        return entry["id"] > self.since and self.kind in ("", entry["kind"])

    @cached_property
    def _leaves(self) -> list[tuple[Path, Any]]:
        stream = {"stream": self.stream} if self.stream else {}
        return list(_leaves({**stream, **self.fields}))

    def _differing(self, entry: Mapping[str, Any]) -> list[_Differing]:
        found = ((path, expected, _at(entry, path)) for path, expected in self._leaves)
        return [one for one in found if one[2] is _ABSENT or not self.agree(*one[1:])]


def _leaves(fields: Mapping[str, Any], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, value in fields.items():
        path = (*above, *(name.split(".") if not above else (name,)))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path)
        else:
            yield path, value


def _at(entry: Any, path: Path) -> Any:
    for name in path:
        if isinstance(entry, Mapping) and name in entry:
            entry = entry[name]
        elif isinstance(entry, list) and name.isdecimal() and int(name) < len(entry):
            entry = entry[int(name)]
        else:
            return _ABSENT
    return entry


def _difference(entry: Mapping[str, Any], path: Path, expected: Any, found: Any) -> Difference:
    name = _line(".".join(path))
    if found is not _ABSENT:
        return Difference(name, _shown(expected), _shown(found))
    beside = _at(entry, path[:-1])
    known = beside if isinstance(beside, Mapping) else entry
    return Difference(name, _shown(expected), "", nearest(path[-1], known))


def _line(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)[1:-1]


def _shown(value: Any, most: int = _SHOWN) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    text = text if text.isprintable() else json.dumps(value, default=repr)
    return text if len(text) <= most else f"{text[: most - 3]}..."
