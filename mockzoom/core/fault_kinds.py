"""All kinds of fault, by the names that the API, the command line and the docs have for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from mockzoom.core import faults, wire_faults
from mockzoom.core.delivery_faults import DELIVERY_FAULTS
from mockzoom.core.faults import Fault
from mockzoom.errors import ConfigurationError, nearest

__all__ = ["FAULTS", "effect", "parse_fault", "settings"]

_KINDS: tuple[type[Fault], ...] = (
    faults.CloseFrame,
    faults.Reset,
    wire_faults.Delay,
    wire_faults.Jitter,
    wire_faults.Bandwidth,
    wire_faults.Late,
    wire_faults.Reorder,
    wire_faults.Silence,
    wire_faults.Duplicate,
    wire_faults.Backlog,
    wire_faults.Binary,
    wire_faults.Fragments,
    wire_faults.UnknownType,
    wire_faults.Malformed,
    wire_faults.MissingField,
    wire_faults.ExtraField,
    wire_faults.WrongType,
    wire_faults.WrongBase64,
    wire_faults.Huge,
    faults.StopAnswering,
    faults.HalfOpen,
    faults.NoKeepAlive,
    faults.Refuse,
    faults.Grant,
    faults.Offer,
    *DELIVERY_FAULTS,
)

FAULTS: Mapping[str, type[Fault]] = {fault.kind: fault for fault in _KINDS}


def effect(kind: str) -> str:
    """What a fault of this kind does, in a sentence."""
    return " ".join((FAULTS[kind].__doc__ or "").split())


def settings(kind: str) -> dict[str, Any]:
    """The fields of a kind with their defaults, its own first; `...` where one must be given."""
    shared = [its.name for its in fields(wire_faults.WireFault)]
    own = sorted(fields(FAULTS[kind]), key=lambda its: its.name in shared)
    return {its.name: ... if its.default is MISSING else its.default for its in own}


def parse_fault(value: Mapping[str, Any]) -> Fault:
    """The fault in a JSON object such as ``{"kind": "delay", "ms": 200, "socket": "audio"}``.

    Raises `ConfigurationError`, which names the field that is unknown or of a wrong type.
    """
    given = dict(value)
    kind = given.pop("kind", None)
    if not isinstance(kind, str) or kind not in FAULTS:
        raise ConfigurationError(
            f"fault kind {kind!r:.80}: expected one of {', '.join(FAULTS)}"
            f"{nearest(str(kind), FAULTS)}"
        )
    types = get_type_hints(FAULTS[kind])
    known = settings(kind)
    for name, found in given.items():
        if name not in known:
            raise ConfigurationError(
                f"fault {kind}: unknown field {name!a:.80}{nearest(name, known)}; "
                f"there are {', '.join(known)}"
            )
        if not _is_a(found, types[name]):
            wanted = getattr(types[name], "__name__", str(types[name]))
            raise ConfigurationError(
                f"fault {kind}: {name}: expected {wanted}, found {found!a:.80}"
            )
    for name, default in known.items():
        if default is ... and name not in given:
            raise ConfigurationError(f"fault {kind}: {name} is missing")
    return FAULTS[kind](**given)


def _is_a(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is UnionType:
        return any(_is_a(value, choice) for choice in get_args(hint))
    if origin is dict:
        inner = get_args(hint)[1]
        return isinstance(value, dict) and all(_is_a(its, inner) for its in value.values())
    if hint is Any:
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)
