"""Examples made from the contract: valid, repeatable, and for any document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.examples import ExampleFactory, encode, merge
from mockzoom.core.spec import Profile, Spec, load_spec
from mockzoom.errors import InvalidEvent, UnknownEvent

NOW_MS = 1_763_814_000_000


@given(seed=st.integers(), now_ms=st.integers(0, 2**53))
@pytest.mark.parametrize("profile", ["corrected", "published"])
def test_examples_are_always_valid(profile: Profile, seed: int, now_ms: int) -> None:
    """All events, any seed, any time: the contract holds, and the oracle's bytes come back."""
    spec = load_spec(profile=profile)
    factory = ExampleFactory(spec, seed)
    for name, contract in spec.events.items():
        event = factory.event(name, now_ms=now_ms)
        assert contract.problems(event) == []
        assert json.loads(encode(event)) == event
        assert (event["event"], event["event_ts"]) == (name, now_ms)


def made(seed: int | None) -> list[bytes]:
    factory = ExampleFactory(load_spec(), seed)
    return [encode(factory.event(name, now_ms=NOW_MS)) for name in factory.spec.events]


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    """Repeatable within a process, whatever else draws random numbers there."""
    assert made(3) == made(3)
    assert made(3) != made(4)
    assert made(None) != made(None)


def test_the_bytes_of_a_seed_do_not_change() -> None:
    """A seed written down in a bug report still means the same event tomorrow."""
    event = ExampleFactory(load_spec(), 1).event("session.rtms_interrupted", now_ms=NOW_MS)
    assert encode(event) == (
        b'{"event":"session.rtms_interrupted","event_ts":1763814000000,"payload":{"session_id":'
        b'"Sli3kd9q8dgwPmHNxLuGww==","session_key":"JRQX2DB4P1AQ",'
        b'"rtms_stream_id":"9150a0eafb8cf85acfe6ee1ab4bef8f8"}}'
    )


def test_ids_of_a_factory_come_from_its_seed() -> None:
    """Whoever needs an id before the first event gets it from the same source."""
    first, second = (ExampleFactory(load_spec(), 5) for _ in range(2))
    assert first.ids.meeting_uuid() == second.ids.meeting_uuid()
    assert first.event("meeting.rtms_started", now_ms=1) == second.event(
        "meeting.rtms_started", now_ms=1
    )


def test_overrides_are_merged_field_by_field() -> None:
    """A nested value replaces one field and leaves its neighbours."""
    factory = ExampleFactory(load_spec(), 1)
    overrides = {"payload": {"stop_reason": 6, "extra": "é"}, "event_ts": 5}
    event = factory.event("meeting.rtms_stopped", overrides, now_ms=NOW_MS)
    assert event["event_ts"] == 5
    assert event["payload"]["stop_reason"] == 6
    assert set(event["payload"]) == {"meeting_uuid", "rtms_stream_id", "stop_reason", "extra"}
    assert "é".encode() in encode(event)


def test_overrides_do_not_change_what_comes_next() -> None:
    """A run with an override and one without draw the same ids."""
    plain, overridden = (ExampleFactory(load_spec(), 1) for _ in range(2))
    plain.event("meeting.rtms_stopped", now_ms=1)
    overridden.event("meeting.rtms_stopped", {"payload": {"meeting_uuid": "x"}}, now_ms=1)
    name = "meeting.rtms_started"
    assert plain.event(name, now_ms=1) == overridden.event(name, now_ms=1)


def test_an_event_is_its_callers_to_change() -> None:
    """What is done to one event does not show in the document or in the next event."""
    factory = ExampleFactory(load_spec(profile="published"), 1)
    event = factory.event("rtms.concurrency_limited", now_ms=1)
    event["payload"]["id_field"].clear()
    assert factory.event("rtms.concurrency_limited", now_ms=1)["payload"]["id_field"]


def test_overrides_that_break_the_contract_are_refused_unless_wanted() -> None:
    """The message names the field; a tester who wants the broken event says so."""
    factory = ExampleFactory(load_spec(), 1)
    name, overrides = "meeting.rtms_stopped", {"payload": {"stop_reason": 99}, "event_ts": None}
    with pytest.raises(InvalidEvent, match=r"payload\.stop_reason: expected one of .* found 99"):
        factory.event(name, overrides, now_ms=1)
    event = factory.event(name, overrides, now_ms=1, validate=False)
    assert (event["payload"]["stop_reason"], event["event_ts"]) == (99, None)
    with pytest.raises(UnknownEvent):
        factory.event("meeting.rtms_stoped", now_ms=1)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf")])
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    """Half a surrogate pair and numbers that are none have no bytes."""
    with pytest.raises(InvalidEvent, match="cannot hold"):
        encode({"event": value})


def test_merging_leaves_its_arguments_alone() -> None:
    """Mappings merge, everything else is replaced, and nothing is changed in place."""
    base: dict[str, Any] = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert merge(base, {"a": {"c": [2]}, "d": {"e": 1}}) == {"a": {"b": 1, "c": [2]}, "d": {"e": 1}}
    assert base == {"a": {"b": 1, "c": [1]}, "d": 1}


# --- documents that add events ---


def custom(tmp_path: Path, schema: Any) -> Spec:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
    operation = {"requestBody": {"content": {"application/json": {"schema": schema}}}}
    path.write_text(
        json.dumps({"openapi": "3.1.0", "paths": {"phone.rtms_started": {"post": operation}}})
    )
    return load_spec(path)


ODD_FIELDS: dict[str, Any] = {
    "const": {"const": {"a": [1]}},
    "enum": {"enum": [None, "x", 2]},
    "nullable": {"type": ["string", "null"], "minLength": 40, "maxLength": 50},
    "short": {"type": "string", "maxLength": 2},
    "date": {"type": "string", "format": "date-time"},
    "unknown_format": {"type": "string", "format": "zoom-thing"},
    "example": {"type": "string", "pattern": "^A[0-9]{3}$", "examples": ["no", "A123"]},
    "call_id": {"type": "string"},
    "meeting_id": {"type": "string"},
    "rtms_stream_id": {"type": "string", "maxLength": 8},
    "event_ts": {"type": "string"},
    "small": {"type": "integer", "minimum": 3, "maximum": 4},
    "negative": {"type": "integer", "maximum": -5},
    "step": {"type": "integer", "multipleOf": 7, "minimum": 100},
    "open": {"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5},
    "narrow": {"type": "integer", "format": "int32", "minimum": 2_147_483_647},
    "ratio": {"type": "number", "minimum": 0.25, "maximum": 0.5},
    "quarter": {"type": "number", "multipleOf": 0.25},
    "flag": {"type": "boolean"},
    "nothing": {"type": "null"},
    "list": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
    "people": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["user_id", "user_name"],
            "properties": {"user_id": {"type": "integer"}, "user_name": {"type": "string"}},
        },
    },
    "tuple": {"type": "array", "prefixItems": [{"type": "string"}, {"const": 1}], "minItems": 2},
    "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
    "both": {
        "allOf": [
            {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}},
            {"required": ["b"], "properties": {"a": {"minimum": 9}, "b": {"type": "boolean"}}},
        ]
    },
    "one_of_keys": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    },
    "bare_object": {"type": "object"},
    "untyped": {"properties": {"deep": {"items": {"type": "string"}}}, "required": ["deep"]},
    "anything": True,
    "odd name.é": {"type": "string"},
}


@pytest.mark.parametrize("field", ODD_FIELDS)
def test_an_event_that_a_document_adds_works_without_code(tmp_path: Path, field: str) -> None:
    """Any field of any type gets valid values, from fifty seeds."""
    schema = {"type": "object", "required": [field], "properties": {field: ODD_FIELDS[field]}}
    spec = custom(tmp_path, schema)
    for seed in range(50):
        event = ExampleFactory(spec, seed).event("phone.rtms_started", now_ms=NOW_MS)
        assert field in event
        assert spec.oracle("phone.rtms_started").problems(event) == []


def test_optional_fields_come_and_go(tmp_path: Path) -> None:
    """So that a receiver meets events with and without them."""
    spec = custom(tmp_path, {"type": "object", "properties": {"a": {"type": "string"}}})
    factory = ExampleFactory(spec, 1)
    found = {"a" in factory.event("phone.rtms_started", now_ms=1) for _ in range(50)}
    assert found == {True, False}


def test_a_schema_without_an_example_in_reach_says_so(tmp_path: Path) -> None:
    """What cannot be guessed, such as a pattern, is asked for by name."""
    field = {"type": "string", "pattern": "^[0-9]{40}$"}
    schema = {"type": "object", "required": ["x"], "properties": {"x": field}}
    with pytest.raises(InvalidEvent, match=r"found no example .* give the field `examples`"):
        ExampleFactory(custom(tmp_path, schema), 1).event("phone.rtms_started", now_ms=1)


def test_facts_are_told_whole():
    """An object among them replaces that of the example: two ids in one field would be a lie."""
    factory = ExampleFactory(load_spec(), seed=1)
    for product in ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id"):
        event = factory.event(
            "rtms.concurrency_limited", facts={"id_field": {product: "mine"}}, now_ms=0
        )
        assert event["payload"]["id_field"] == {product: "mine"}
