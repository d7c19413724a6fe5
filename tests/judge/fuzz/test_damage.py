"""Events are broken in one place and no other."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from mockzoom.judge.fuzz.damage import damaged, plainer

EVENT = {"event": "a", "event_ts": 7, "payload": {"b": "c", "d": 8}}
BEFORE = deepcopy(EVENT)


@given(made=damaged(st.just(EVENT)))
def test_one_thing_differs(made: dict[str, object]) -> None:
    """On top or in the payload; the event itself is left as it was."""
    assert BEFORE == EVENT
    whole = [name for name in EVENT if made.get(name) == EVENT[name]]
    assert len(whole) >= 2
    payload = made.get("payload")
    if "payload" not in whole and isinstance(payload, dict) and payload:
        assert sum(payload.get(name) == EVENT["payload"][name] for name in ("b", "d")) == 1


def test_plainer_events() -> None:
    """A field goes, or says nothing, one at a time."""
    assert list(plainer({"a": "x", "b": {"c": 1}, "d": None})) == [
        {"b": {"c": 1}, "d": None},
        {"a": "", "b": {"c": 1}, "d": None},
        {"a": "x", "d": None},
        {"a": "x", "b": {}, "d": None},
        {"a": "x", "b": {"c": 0}, "d": None},
        {"a": "x", "b": {"c": 1}},
    ]
