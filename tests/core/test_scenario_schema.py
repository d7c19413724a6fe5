"""The schema for editors and the checker come from the same fields, and say the same."""

from __future__ import annotations

from dataclasses import MISSING

import jsonschema
import pytest

from mockzoom.core.scenario import SECTIONS, Expect, Head, Plan, Policy
from mockzoom.core.scenario_fields import Kind, Unfit, keys
from mockzoom.core.scenario_schema import scenario_schema
from mockzoom.core.spec import load_spec
from mockzoom.engine.scenario_steps import VERBS

SCHEMA = scenario_schema(VERBS, load_spec().events)
STEPS = {step["title"]: step for step in SCHEMA["properties"]["steps"]["items"]["oneOf"]}

PARTS = [Head, Plan, Policy, Expect, *VERBS.values()]
FIELDS = [
    pytest.param(its.metadata["kind"], id=f"{part.__name__}.{name}")
    for part in PARTS
    for name, its in keys(part).items()
]

#: One of every sort that somebody may write.
VALUES = [
    None,
    True,
    0,
    1,
    -1,
    1.5,
    2**40,
    "",
    "x",
    "zoom",
    "fast",
    "meeting",
    "ready",
    "delay",
    "1s",
    "1.5 s",
    "1.s",
    "200ms",
    "5min",
    "s",
    [],
    ["x"],
    [1],
    ["rtms.reconnect"],
    ["order.started"],
    {},
    {"x": 1},
    {"media_window": "1s"},
    {"media_window": 1},
]


def takes(kind: Kind, value: object) -> bool:
    try:
        kind.read(value)
    except Unfit:
        return False
    return True


def test_it_is_a_schema():
    """Editors refuse one that is none."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_fields_in_the_schema(verb):
    """No field is in one and not in the other, and the same ones must be given."""
    known, told = keys(VERBS[verb]), STEPS[verb]
    assert list(told["properties"]) == ["do", *known]
    needed = [name for name, its in known.items() if its.default is MISSING]
    assert told["required"] == ["do", *needed]
    assert told["additionalProperties"] is False


def test_nothing_else_is_in_the_schema():
    """Verbs, sections and the fields of the head are all there is."""
    assert set(STEPS) == set(VERBS)
    assert set(SCHEMA["properties"]) == {*keys(Head), *SECTIONS}


@pytest.mark.parametrize("kind", FIELDS)
def test_a_value_is_taken_by_both_or_by_neither(kind):
    """What an editor does not mark is read, and what is read is not marked."""
    validator = jsonschema.Draft202012Validator(kind.schema)
    taken = {str(value): (takes(kind, value), validator.is_valid(value)) for value in VALUES}
    odd = {value: by for value, by in taken.items() if by[0] != by[1]}
    assert odd == {}


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_field_says_what_it_is(verb):
    """The page of docs and editors show these sentences."""
    assert (VERBS[verb].__doc__ or "").strip()
    assert all(its.metadata["doc"] for its in keys(VERBS[verb]).values())
    assert VERBS[verb].do == verb
