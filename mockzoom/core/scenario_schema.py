"""The JSON Schema of scenarios, for editors: made of the same fields as the checker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING
from typing import Any

from mockzoom.core.scenario import SECTIONS, Head, Step
from mockzoom.core.scenario_fields import Kind, Name, Thing, keys

__all__ = ["scenario_schema"]


def scenario_schema(verbs: Mapping[str, type[Step]], events: Iterable[str]) -> dict[str, Any]:
    """A JSON Schema (2020-12) of whatever `read_scenario` with these arguments takes.

    It takes a little more: names that are not there and times that go back are no matter of shape.
    """
    names = list(events)
    head = _part(Head, names)
    sections = {key: _part(part, names) for key, part in SECTIONS.items() if part is not Step}
    sections["meetings"] = {"type": "object", "additionalProperties": sections["meetings"]}
    steps = [_step(verb, step, names) for verb, step in verbs.items()]
    sections["steps"] = {"type": "array", "minItems": 1, "items": {"oneOf": steps}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of mockzoom",
        **head,
        "properties": {**head["properties"], **sections},
        "required": [*head["required"], "steps"],
    }


def _step(verb: str, step: type[Step], events: list[str]) -> dict[str, Any]:
    part = _part(step, events)
    return {
        "title": verb,
        **part,
        "properties": {"do": {"const": verb}, **part["properties"]},
        "required": ["do", *part["required"]],
    }


def _part(part: type[Any], events: list[str]) -> dict[str, Any]:
    known = keys(part)
    return {
        "type": "object",
        "description": " ".join((part.__doc__ or "").split()),
        "properties": {
            key: {**_value(its.metadata["kind"], events), "description": its.metadata["doc"]}
            for key, its in known.items()
        },
        "required": [key for key, its in known.items() if its.default is MISSING],
        "additionalProperties": False,
    }


def _value(kind: Kind, events: list[str]) -> dict[str, Any]:
    schema = dict(kind.schema)
    if isinstance(kind, Name) and kind.thing is Thing.EVENT:
        named = {"enum": events}
        return {"type": "array", "items": named} if "items" in schema else named
    return schema
