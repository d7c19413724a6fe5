"""What is waited for, what matches it, and what is said of what nearly does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.wanted import Wanted, as_text

STARTED = {
    "id": 4,
    "at_ms": 1,
    "kind": "webhook",
    "stream": "abc",
    "event": "meeting.rtms_started",
    "status": 503,
    "body": {"payload": {"meeting_id": 7, "participants": ["Alice"]}},
}
STOPPED = {
    "id": 9,
    "at_ms": 2,
    "kind": "webhook",
    "stream": "abc",
    "event": "meeting.rtms_stopped",
    "status": 200,
    "body": {"payload": {"meeting_id": 7, "stop_reason": 6}},
}
STATE = {"id": 5, "at_ms": 1, "kind": "state", "stream": "abc", "state": "ACTIVE", "ok": True}
ENTRIES = [STARTED, STATE, STOPPED]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Wanted(), [4, 5, 9]),
        (Wanted("webhook"), [4, 9]),
        (Wanted("webhook", since=4), [9]),
        (Wanted(stream="abc"), [4, 5, 9]),
        (Wanted(stream="abd"), []),
        (Wanted("webhook", fields={"status": 200}), [9]),
        (Wanted("webhook", fields={"body": {"payload": {"meeting_id": 7}}}), [4, 9]),
        (Wanted("webhook", fields={"body.payload.stop_reason": 6}), [9]),
        (Wanted("webhook", fields={"body.payload": {"stop_reason": 6}}), [9]),
        (Wanted("webhook", fields={"body.payload.participants.0": "Alice"}), [4]),
        (Wanted("webhook", fields={"body.payload.participants": ["Alice"]}), [4]),
        (Wanted("webhook", fields={"body.payload.participants.1": "Alice"}), []),
        (Wanted(fields={"ok": True}), [5]),
        (Wanted(fields={"ok": 1}), []),
        (Wanted(fields={"status": "200"}), []),
        (Wanted(fields={"status": "200"}, agree=as_text), [9]),
        (Wanted(fields={"ok": "true"}, agree=as_text), [5]),
        (Wanted(fields={"state": "ACTIVE"}, agree=as_text), [5]),
        (Wanted(fields={"state": '"ACTIVE"'}, agree=as_text), []),
    ],
)
def test_what_matches(wanted: Wanted, ids: list[int]) -> None:
    """Kind, stream, what came before, and fields, which may lie deep."""
    assert [entry["id"] for entry in ENTRIES if wanted.matches(entry)] == ids


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (
            Wanted("webhook", fields={"event": "meeting.rtms_started", "status": 200}),
            "entry 9 has 1 of 2: event: expected "
            '"meeting.rtms_started", found "meeting.rtms_stopped"; '
            "entry 4 has 1 of 2: status: expected 200, found 503",
        ),
        (
            Wanted("webhook", fields={"event": "meeting.rtms_stopped", "body.payload.reason": 6}),
            "entry 9 has 1 of 2: body.payload.reason: expected 6, which it does not have"
            "; did you mean 'stop_reason'?; "
            'entry 4 has 0 of 2: event: expected "meeting.rtms_stopped", found '
            '"meeting.rtms_started", body.payload.reason: expected 6, which it does not have',
        ),
        (
            Wanted("state", "abd", {"sate": "ACTIVE"}),
            'entry 5 has 0 of 2: stream: expected "abd", found "abc", sate: expected "ACTIVE", '
            "which it does not have; did you mean 'state'?",
        ),
        (Wanted("state", fields={"ok": 1}), "entry 5 has 0 of 1: ok: expected 1, found true"),
        (Wanted("stat"), "there is no stat entry, but 2 webhook, 1 state; did you mean 'state'?"),
        (Wanted("speech", since=9), "there is no speech entry, but nothing at all"),
        (Wanted("state"), "there is nothing else of that kind"),
    ],
)
def test_near_misses_are_told(wanted: Wanted, line: str) -> None:
    """The nearest first, with what was expected and what is there; or what there is instead."""
    assert wanted.explained(ENTRIES) == line


def test_near_misses_are_data_too() -> None:
    """For programs: each difference by its field."""
    [miss] = Wanted("state", fields={"state": "PAUSED", "x": 1}).near_misses(ENTRIES)
    assert miss.as_dict() == {
        "id": 5,
        "kind": "state",
        "differences": [
            {"field": "state", "expected": '"PAUSED"', "found": '"ACTIVE"'},
            {"field": "x", "expected": "1", "found": ""},
        ],
    }


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted("webhook"), "webhook"),
        (Wanted(), "an entry"),
        (
            Wanted("webhook", "abc", {"status": 200}),
            'webhook with {"stream": "abc", "status": 200}',
        ),
    ],
)
def test_what_is_wanted_is_told(wanted: Wanted, told: str) -> None:
    """As it was asked for."""
    assert str(wanted) == told


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    entry=st.dictionaries(st.text(), json_values, max_size=4),
    fields=st.dictionaries(st.text(), json_values, max_size=4),
)
def test_whatever_is_asked(entry: dict[str, Any], fields: dict[str, Any]) -> None:
    """An entry matches or has differences, never both, and is told in one line of its own."""
    told = {**entry, "id": 1, "kind": "a", "stream": ""}
    wanted = Wanted("a", fields=fields)
    assert wanted.matches(told) is not bool(wanted.near_misses([told]))
    assert "\n" not in wanted.explained([told])


@given(json_values)
def test_an_entry_matches_itself(value: Any) -> None:
    """Whatever is in a field."""
    entry = {"id": 1, "kind": "a", "stream": "", "field": value}
    assert Wanted("a", fields={"field": value}).matches(entry)
