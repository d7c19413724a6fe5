"""Events that are right but for one thing: a field that is not there, or is something else.

What schemathesis makes of a document's opposite is far from any event, and most of it is refused at
the door.  What is nearly right gets further.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

__all__ = ["damaged", "plainer"]

_GONE = object()

#: What may be found in place of a value.
_INSTEAD: tuple[Any, ...] = (_GONE, None, 0, -1, "", [], {}, True, 1e300, "🎧", [None])


@st.composite
def damaged(draw: st.DrawFn, events: st.SearchStrategy[Any]) -> dict[str, Any]:
    """One of `events`, broken in one place, on top or in its payload; it may still be valid."""
    event = draw(events)
    payload = event["payload"]
    places = [(event, name) for name in event] + [(payload, name) for name in payload]
    place, name = draw(st.sampled_from(places))
    instead = draw(st.sampled_from(_INSTEAD))
    changed = {key: value for key, value in place.items() if key != name or instead is not _GONE}
    if instead is not _GONE:
        changed[name] = instead
    return changed if place is event else {**event, "payload": changed}


def plainer(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The event with a field less, or with one that says nothing, however deep it is."""
    for name, value in event.items():
        yield {key: its for key, its in event.items() if key != name}
        if value and type(value) in (str, int):
            yield {**event, name: type(value)()}
        elif isinstance(value, dict):
            yield from ({**event, name: inner} for inner in plainer(value))
