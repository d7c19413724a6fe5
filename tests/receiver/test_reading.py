"""What a receiver asks of an event: what it acts upon, and nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mockzoom.core.spec import load_spec
from mockzoom.receiver.reading import NEEDED, readers, relaxed

SPEC = load_spec()
READERS = readers(SPEC)


def example(name: str) -> Any:
    return copy.deepcopy(next(iter(SPEC.event(name).examples.values())))


FIELDS = [
    (name, field) for name in SPEC.events for field in example(name)["payload"] if field != "event"
]


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_only_what_is_needed_may_not_be_missing(name: str, field: str) -> None:
    """An event of another year, without a field that nobody acts upon, is an event."""
    event = example(name)
    del event["payload"][field]
    assert bool(READERS[name].problems(event)) == (field in NEEDED)


def test_a_reason_that_nobody_knows_is_a_reason() -> None:
    """Enums grow; types do not change."""
    event = example("meeting.rtms_stopped")
    event["payload"]["stop_reason"] = 99
    assert READERS["meeting.rtms_stopped"].problems(event) == []
    event["payload"]["stop_reason"] = "99"
    assert READERS["meeting.rtms_stopped"].problems(event)


def test_the_document_stays_as_it_is() -> None:
    """A relaxed schema is another one."""
    schema = {"enum": [1], "required": ["a", "event"], "properties": {"a": {"enum": [2]}}}
    before = copy.deepcopy(schema)
    assert relaxed(schema) == {"required": ["event"], "properties": {"a": {}}}
    assert schema == before
