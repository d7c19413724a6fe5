"""How strictly a receiver reads an event: strict in what it acts upon, lenient in all else.

Zoom changes its events without asking.  Until May 2026 `meeting.rtms_started` had no `account_id`,
`meeting_id` and `is_original_host`, which the document of today requires; a stop reason may be
added tomorrow.  An app that holds every event against the whole document loses genuine ones.  So
the schema of the document is taken and relaxed: only what the app needs is required, and a value
that an enum does not list is a value.  Types stay: text where a number belongs is no event.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from mockzoom.core.products import ID_FIELDS
from mockzoom.core.spec import Spec
from mockzoom.core.validators import FastValidator

__all__ = ["NEEDED", "readers", "relaxed"]

#: What the streams of an app are told by, wherever the document has it.
NEEDED = frozenset(
    {"event", "event_ts", "payload", "rtms_stream_id", "server_urls", "stop_reason", *ID_FIELDS}
)


def readers(spec: Spec) -> dict[str, FastValidator]:
    """What an event must hold to be acted upon, by its name."""
    return {name: FastValidator(relaxed(event.schema)) for name, event in spec.events.items()}


def relaxed(schema: Any, needed: Collection[str] = NEEDED) -> Any:
    """`schema` without enums, and requiring no field but those that are `needed`."""
    if not isinstance(schema, dict):
        return schema
    kept = {word: value for word, value in schema.items() if word != "enum"}
    if "required" in kept:
        kept["required"] = [name for name in kept["required"] if name in needed]
    if "properties" in kept:
        kept["properties"] = {
            name: relaxed(value, needed) for name, value in kept["properties"].items()
        }
    return kept
