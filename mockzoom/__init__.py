"""A mock of Zoom's Realtime Media Streams, and contracts for the apps that receive them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockzoom.core.codes import StopReason
    from mockzoom.core.findings import Finding
    from mockzoom.core.limits import Limits
    from mockzoom.core.rest import RestPolicy
    from mockzoom.core.signing import Credentials
    from mockzoom.core.timings import DeliveryTimings, Timings
    from mockzoom.engine.scenario_player import ScenarioResult
    from mockzoom.handles import Meeting, Stream, World
    from mockzoom.receiver.receiver import Receiver
    from mockzoom.server import MockZoom

__all__ = [
    "Credentials",
    "DeliveryTimings",
    "Finding",
    "Limits",
    "Meeting",
    "MockZoom",
    "Receiver",
    "RestPolicy",
    "ScenarioResult",
    "StopReason",
    "Stream",
    "Timings",
    "World",
]

_HOME = {
    "Credentials": "mockzoom.core.signing",
    "DeliveryTimings": "mockzoom.core.timings",
    "Finding": "mockzoom.core.findings",
    "Limits": "mockzoom.core.limits",
    "Meeting": "mockzoom.handles",
    "MockZoom": "mockzoom.server",
    "Receiver": "mockzoom.receiver.receiver",
    "RestPolicy": "mockzoom.core.rest",
    "ScenarioResult": "mockzoom.engine.scenario_player",
    "StopReason": "mockzoom.core.codes",
    "Stream": "mockzoom.handles",
    "Timings": "mockzoom.core.timings",
    "World": "mockzoom.handles",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `mockzoom --help` does not pay for servers and media.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
