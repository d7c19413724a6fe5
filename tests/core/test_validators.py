"""Three validators, one answer: thousands of valid and broken events, and the known differences."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from mockzoom.core.examples import ExampleFactory
from mockzoom.core.spec import load_spec
from mockzoom.core.validators import (
    FastValidator,
    OpenApiValidator,
    Problem,
    ReferenceValidator,
    Validator,
    with_bounds,
)

EVENTS_EACH = 160

#: Values of every kind, among them those on which libraries are known to differ.
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 5, 12, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1, 2**53 + 1,
    2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**30, -(10**30), 228.0, 1.0, 1.5, -0.0, 1e300,
    2.0**31, -(2.0**31), 2.0**63, -(2.0**63), 2.0**64, 1e-300, "", "1", "text", "a\0b", "\ud800",
    "\U0001f600", [], [1], {}, {"a": 1}, {"": None}, [[[]]],
)  # fmt: skip


def places(value: Any) -> Iterator[tuple[Any, str]]:
    """Every field at every depth, as its object and its name."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield value, name
            yield from places(child)


def drop(event: Any, rng: random.Random) -> Any:
    parent, name = rng.choice(list(places(event)))
    del parent[name]
    return event


def replace(event: Any, rng: random.Random) -> Any:
    parent, name = rng.choice(list(places(event)))
    parent[name] = deepcopy(rng.choice(ODD_VALUES))
    return event


def add(event: Any, rng: random.Random) -> Any:
    parent, _ = rng.choice(list(places(event)))
    parent[rng.choice(["extra", "", "\0", "Event", "é"])] = deepcopy(rng.choice(ODD_VALUES))
    return event


def as_float(event: Any, rng: random.Random) -> Any:
    for parent, name in list(places(event)):
        if type(parent[name]) is int:
            parent[name] = float(parent[name])
    return event


def whole(event: Any, rng: random.Random) -> Any:
    return deepcopy(rng.choice([*ODD_VALUES, [event]]))


def twice(event: Any, rng: random.Random) -> Any:
    return replace(drop(event, rng), rng)


def keep(event: Any, rng: random.Random) -> Any:
    return event


MUTATIONS: tuple[Callable[[Any, random.Random], Any], ...] = (
    keep, drop, replace, replace, replace, add, as_float, whole, twice,
)  # fmt: skip


@pytest.mark.parametrize("name", load_spec().events)
def test_all_three_agree_on_valid_and_broken_events(name: str) -> None:
    """2,240 events in all, a part of them whole, the rest mutated: never two answers.

    Where an event is broken, the fast validator also finds the same places as `jsonschema`.
    """
    spec = load_spec()
    contract, factory, rng = spec.event(name), ExampleFactory(spec, 1), random.Random(name)
    reference, oracle = ReferenceValidator(contract.schema), spec.oracle(name)
    valid = 0
    for number in range(EVENTS_EACH):
        mutate = MUTATIONS[number % len(MUTATIONS)]
        event = mutate(factory.event(name, now_ms=number), rng)
        fast = contract.problems(event)
        answers = {bool(fast), bool(reference.problems(event)), bool(oracle.problems(event))}
        assert len(answers) == 1, (event, fast, reference.problems(event), oracle.problems(event))
        assert {p.path for p in fast} == {p.path for p in reference.problems(event)}
        valid += not fast
    assert EVENTS_EACH / 5 < valid < EVENTS_EACH * 4 / 5


def test_the_differential_test_is_large_enough() -> None:
    """At least two thousand events are compared."""
    assert EVENTS_EACH * len(load_spec().events) >= 2_000


def of(schema: dict[str, Any]) -> list[Validator]:
    """The three validators of one schema."""
    content = {"application/json": {"schema": schema}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1"},
        "webhooks": {"x": {"post": {"requestBody": {"content": content}, "responses": {}}}},
    }
    return [FastValidator(schema), ReferenceValidator(schema), OpenApiValidator(document, "x")]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer"},
        {"type": "integer", "format": "int"},
        {"type": "integer", "format": "int32", "minimum": 1},
        {"type": "integer", "format": "int64"},
        {"type": "number", "format": "int64", "maximum": 1000},
        {"format": "int32"},
        {"type": "integer", "enum": [0, 1, 228]},
        {"const": 1},
        {"const": True},
        {"type": ["string", "null"], "minLength": 1},
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "regex"},
        {"type": "string", "format": "uuid"},
        {"type": "object", "maxProperties": 0},
        {"anyOf": [{"type": "boolean"}, {"type": "integer", "format": "int"}]},
        {"not": {"type": "integer", "format": "int64"}},
        {"items": {"type": "integer"}, "uniqueItems": True},
    ],
    ids=str,
)
def test_known_differences_are_resolved(schema: dict[str, Any]) -> None:
    """Formats, floats, booleans, huge numbers and odd strings: one answer each."""
    validators = of(schema)
    for value in ODD_VALUES:
        answers = [validator.problems(value) for validator in validators]
        assert len({bool(answer) for answer in answers}) == 1, (value, answers)


@pytest.mark.parametrize(
    ("format_", "value", "valid"),
    [
        ("int", 2**31 - 1, True),
        ("int", 2**31, False),
        ("int32", -(2**31), True),
        ("int32", -(2**31) - 1, False),
        ("int32", 2.0**31, False),
        ("int64", 2**63 - 1, True),
        ("int64", 2**63, False),
        ("int64", -(2.0**63), False),
        ("int64", 1e300, False),
        ("int64", 228.0, True),
        ("date-time", 7, True),
    ],
)
def test_integer_formats_have_their_ranges(format_: str, value: float, valid: bool) -> None:
    """`int` is 32 bits, floats count as the integers that they are, other formats are notes."""
    for validator in of({"type": "integer", "format": format_}):
        assert (validator.problems(value) == []) is valid


def test_problems_are_one_clear_line() -> None:
    """Place, expectation and find, the same words from every validator."""
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {
            "b": {"type": ["integer", "null"]},
            "c": {"enum": [1, "x"]},
            "d": {"const": "x"},
            "e": {"items": {"type": "string"}},
            "f": {"minimum": 2, "maximum": 3},
            "g": {"anyOf": [{"required": ["x", "y"]}, {"required": ["z"]}]},
            "h": {"oneOf": [{"type": "string"}, {"maximum": 1}]},
        },
    }
    value = {"b": "é" * 99, "c": 2, "d": 1, "e": ["x", 1], "f": 1, "g": {"x": 1}, "h": 2}
    lines = [
        "a: is required, but is not there",
        f'b: expected integer or null, found "{"é" * 56}...',
        'c: expected one of 1, "x", found 2',
        'd: expected "x", found 1',
        "e.1: expected string, found 1",
        "f: expected at least 2, found 1",
        'g: expected one of x and y, z, found {"x": 1}',
        "h: expected one of 2 shapes, found 2",
    ]
    for validator in of(schema):
        assert sorted(map(str, validator.problems(value))) == sorted(lines)


def test_a_problem_of_the_whole_says_so() -> None:
    """A body that is no object at all has no field to name."""
    for validator in of({"type": "object"}):
        assert validator.problems([1]) == [Problem("", "expected object, found [1]")]
    assert str(Problem("", "is odd")) == "the whole: is odd"


def test_problems_can_be_printed_whatever_was_sent() -> None:
    """Line ends, control characters and half surrogate pairs in names and values are escaped."""
    schema = {"additionalProperties": {"type": "integer"}}
    for validator in of(schema):
        for odd in ("a\nb", "a\0b", "a\u2028b"):
            [problem] = validator.problems({odd: odd})
            assert str(problem).isprintable()
        [problem] = validator.problems({"a": "x\ud800"})
        assert str(problem).encode().decode().isprintable()


def test_bounds_are_added_everywhere_but_in_values() -> None:
    """Schemas at any depth get bounds; values that only look like schemas do not."""
    integer = {"type": "integer", "format": "int32"}
    bounded = {**integer, "minimum": -(2**31), "maximum": 2**31 - 1}
    schema = {"anyOf": [{"properties": {"format": integer}}], "enum": [integer], "const": integer}
    assert with_bounds(schema) == {
        "anyOf": [{"properties": {"format": bounded}}],
        "enum": [integer],
        "const": integer,
    }
    assert with_bounds({**integer, "minimum": 5})["minimum"] == 5


def test_the_oracle_reads_the_document_as_it_stands() -> None:
    """With the raw document, references and all, it agrees with the schemas that we resolved."""
    from mockzoom.core.document import read_document
    from mockzoom.resources import spec_path

    raw = read_document(spec_path("rtms-events.openapi.yaml")).content
    spec = load_spec(profile="published")
    for name, contract in spec.events.items():
        oracle, factory, rng = (
            OpenApiValidator(raw, name),
            ExampleFactory(spec, 2),
            random.Random(2),
        )
        for number in range(8):
            event = replace(factory.event(name, now_ms=number), rng)
            if not isinstance(event.get("event"), str):
                continue
            event["event"] = name  # only our loader pins the name
            assert bool(oracle.problems(event)) == bool(contract.problems(event)), event
