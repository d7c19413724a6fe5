"""What the fields of a scenario may hold: each kind reads a value, and says what it expects.

A part of a scenario is a dataclass whose fields are made by `given(kind, doc, …)`: that is all that
the checker, the JSON Schema, the page of docs and the player know of the language.

Most kinds take a value for itself.  A `Name` stands for something of the scenario (a meeting, a
person in it, a stream, a fault) that a step makes, uses or ends; whether it is there at that time
is for `mockzoom.core.scenario_names` to say, which is told of the steps in order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum, IntEnum
from typing import Any

from mockzoom.core.timings import Timings
from mockzoom.errors import ConfigurationError, nearest

__all__ = [
    "COUNT",
    "DURATION",
    "MAPPING",
    "NUMBER",
    "SWITCH",
    "TEXT",
    "Kind",
    "Meant",
    "Name",
    "Role",
    "Thing",
    "Unfit",
    "choice",
    "given",
    "intervals",
    "keys",
    "many",
    "one_of",
    "shown",
]

_UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s?(ms|s|min|h)")

#: More words than these are not listed where one of them is near to what was found.
_LISTED = 8

_WEEK_MS = 7 * 24 * 3_600_000


class Unfit(ValueError):
    """A value is not of its kind: what was expected, and where within the value it is not."""

    def __init__(self, expected: str, *where: str | int) -> None:
        super().__init__(expected)
        self.where = where


@dataclass(frozen=True)
class Kind:
    """`read` gives what the player wants or raises `Unfit`; `schema` is what an editor checks."""

    told: str
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]


class Thing(Enum):
    """What names stand for."""

    EVENT = "webhook"
    MEETING = "meeting"
    PERSON = "person"
    STREAM = "stream"
    FAULT = "fault"


class Role(Enum):
    """What a step does to the thing that it names."""

    MAKES = "makes"
    USES = "uses"
    ENDS = "ends"


class Meant(Enum):
    """What a name is that a step leaves out."""

    ONLY = "the only one that there is"
    AS_MEETING = "called like the meeting"


@dataclass(frozen=True)
class Name(Kind):
    thing: Thing
    role: Role

    @classmethod
    def of(cls, thing: Thing, role: Role) -> Name:
        what = {Role.MAKES: "a new name", Role.USES: "the name", Role.ENDS: "the name"}[role]
        return cls(f"{what} of a {thing.value}", TEXT.schema, TEXT.read, thing, role)


# --- kinds ------------------------------------------------------------------------------------


def _text(value: Any) -> str:
    if not isinstance(value, str):
        quote = "" if isinstance(value, list | dict) or value is None else "; put it in quotes"
        raise Unfit(f"a text, found {shown(value)}{quote}")
    if not value.strip():
        raise Unfit("a text that is not empty")
    return value


def _duration_ms(value: Any) -> int:
    """Whole milliseconds of ``1.5s``, ``200ms``, ``5min``, ``2h`` or ``0``."""
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if value == 0 and not isinstance(value, bool):
        return 0
    if found is None:
        raise Unfit(f"a time with its unit, such as 1.5s, 200ms or 5min, found {shown(value)}")
    ms = round(float(found[1]) * _UNITS_MS[found[2]])
    if ms > _WEEK_MS:
        raise Unfit(f"at most a week, found {value}")
    return ms


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 2**31:
        raise Unfit(f"a whole number from 0, found {shown(value)}")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit(f"a number, found {shown(value)}")
    return value


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Unfit(f"true or false, found {shown(value)}")
    return value


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unfit(f"fields with their values, found {shown(value)}")
    return value


TEXT = Kind("a text", {"type": "string", "pattern": "\\S"}, _text)
DURATION = Kind(
    "a time, such as `1.5s`, `200ms`, `5min` or `2h`",
    {"anyOf": [{"type": "string", "pattern": f"^{_TIME.pattern}$"}, {"const": 0}]},
    _duration_ms,
)
COUNT = Kind("a whole number", {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}, _count)
NUMBER = Kind("a number", {"type": "number"}, _number)
SWITCH = Kind("`true` or `false`", {"type": "boolean"}, _switch)
MAPPING = Kind("fields with their values", {"type": "object"}, _mapping)


def choice(of: Iterable[str] | type[IntEnum]) -> Kind:
    """One of these words, or of the members of an enum in lower case."""
    words: dict[str, Any]
    if isinstance(of, type):
        words = {member.name.lower(): member for member in of}
    else:
        words = {word: word for word in of}

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise Unfit(f"{one_of(words, value)}; found {shown(value)}{_hint(value, words)}")
        return words[value]

    told = ", ".join(f"`{word}`" for word in words)
    return Kind(f"one of {told}", {"enum": list(words)}, read)


def many(kind: Kind) -> Kind:
    """A list of values of `kind`."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Unfit(f"a list, found {shown(value)}")
        return tuple(_item(kind, index, item) for index, item in enumerate(value))

    schema = {"type": "array", "items": kind.schema}
    if isinstance(kind, Name):
        return Name(f"a list: {kind.told}", schema, read, kind.thing, kind.role)
    return Kind(f"a list: {kind.told}", schema, read)


def _item(kind: Kind, index: int, item: Any) -> Any:
    try:
        return kind.read(item)
    except Unfit as unfit:
        raise Unfit(str(unfit), index, *unfit.where) from None


def one_of(words: Iterable[str], found: object) -> str:
    """The words there are, but of many only how many when one of them must have been meant."""
    known = list(words)
    if len(known) > _LISTED and _hint(found, known):
        return f"one of {len(known)} words"
    return f"one of {', '.join(known)}"


def _hint(found: object, words: Iterable[str]) -> str:
    return nearest(found, words) if isinstance(found, str) else ""


def intervals() -> Kind:
    """`Timings` from a preset or a factor, or single intervals such as ``{media_window: 2s}``.

    These are read as a mapping of what is to be replaced in other `Timings`.
    """
    known = [its.name.removesuffix("_ms") for its in fields(Timings) if its.name.endswith("_ms")]

    def one(key: str, value: Any) -> int:
        if key not in known:
            raise Unfit(f"{one_of(known, key)}; found {key!r}{nearest(key, known)}", key)
        try:
            return int(DURATION.read(value))
        except Unfit as unfit:
            raise Unfit(f"{key} to be {unfit}", key) from None

    def read(value: Any) -> Timings | dict[str, int]:
        try:
            if not isinstance(value, dict):
                return Timings.named(str(value))
            single = {f"{key}_ms": one(key, its) for key, its in value.items()}
            Timings(**single)  # knows what is too short
            return single
        except ConfigurationError as error:
            raise Unfit(str(error).partition("expected ")[2]) from None

    single = {
        "type": "object",
        "properties": dict.fromkeys(known, DURATION.schema),
        "additionalProperties": False,
    }
    schema = {
        "anyOf": [
            {"enum": list(Timings.presets)},
            {"type": "number", "exclusiveMinimum": 0},
            single,
        ]
    }
    presets = " or ".join(f"`{name}`" for name in Timings.presets)
    return Kind(f"{presets}, a factor, or intervals by their names", schema, read)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    return "nothing" if value is None else f"{value!a:.80}"


# --- fields -----------------------------------------------------------------------------------


def given(kind: Kind, doc: str, default: Any = MISSING) -> Any:
    """A field of `kind`, which `doc` explains; without a default it must be given."""
    return field(default=default, kw_only=True, metadata={"kind": kind, "doc": doc})


def keys(part: Any) -> dict[str, Field[Any]]:
    """The fields of a part by the keys that a scenario has for them.

    They are called the same, but for a unit (`at` is `at_ms`) and for Python's words (`for_`).
    """
    known = (its for its in fields(part) if "kind" in its.metadata)
    return {its.name.removesuffix("_ms").removesuffix("_"): its for its in known}
