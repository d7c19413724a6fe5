"""What a machine wants done outside.

Machines do not act: they append effects to `Machine.effects`, and whoever feeds them carries
the effects out in order.  `conn` is the small integer that the machine's feeder gave a socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mockzoom.core.findings import Finding

__all__ = ["Close", "Dial", "Drop", "Effect", "Emit", "Found", "Received", "Send"]


@dataclass(frozen=True)
class Send:
    """Send `message` as JSON on socket `conn`."""

    conn: int
    message: dict[str, Any]


@dataclass(frozen=True)
class Close:
    """Close socket `conn` with a WebSocket close frame."""

    conn: int
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True)
class Drop:
    """Cut the TCP connection under socket `conn`, with no close frame.

    What a network failure looks like: the official SDK takes a close frame for the end, and only
    comes back after a drop.
    """

    conn: int


@dataclass(frozen=True)
class Dial:
    """Client side: open a socket to `url` and call it `conn`."""

    conn: int
    url: str


@dataclass(frozen=True)
class Emit:
    """Server side: send the product's webhook `happening` (started, stopped, interrupted)."""

    happening: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """The peer broke a clause, on socket `conn` if it was on one."""

    finding: Finding
    conn: int | None = None


@dataclass(frozen=True)
class Received:
    """Client side: a message that is for the app: media, an event, a state."""

    conn: int
    message: dict[str, Any]


Effect = Send | Close | Drop | Dial | Emit | Found | Received
