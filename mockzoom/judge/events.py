"""Events to send to a receiver under test: the published examples, as if they happened now.

Whatever would make a receiver dial out names this machine and a port where nobody listens: a
contract about webhooks must not make an app knock on doors of the internet.
"""

from __future__ import annotations

import copy
import hashlib
import time
from typing import Any

from mockzoom.core.spec import load_spec

__all__ = ["NOWHERE", "Examples", "example_of", "stream_id"]

#: Port 9 is the one that discards everything, where there still is somebody on it.
NOWHERE = "wss://127.0.0.1:9"


def example_of(name: str, **fields: Any) -> dict[str, Any]:
    """The published example of the event `name`, now, with `fields` of the payload replaced.

    Raises UnknownEvent.
    """
    published = next(iter(load_spec().event(name).examples.values()))
    event: dict[str, Any] = {**copy.deepcopy(published), "event_ts": time.time_ns() // 1_000_000}
    if "server_urls" in event["payload"]:
        event["payload"]["server_urls"] = NOWHERE
    event["payload"] |= fields
    return event


def stream_id(name: str) -> str:
    """The `rtms_stream_id` that follows from `name`."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


class Examples:
    """Gives examples that are all about one stream, whose id follows from `name`."""

    def __init__(self, name: str) -> None:
        self.rtms_stream_id = stream_id(name)

    def __call__(self, name: str, **fields: Any) -> dict[str, Any]:
        event = example_of(name)
        if "rtms_stream_id" in event["payload"]:
            event["payload"]["rtms_stream_id"] = self.rtms_stream_id
        event["payload"] |= fields
        return event
