"""What the mock takes from peers before it defends itself, in one place.

Whoever is on the other end of a socket may be broken or hostile, and is served next to others who
are not.  Each limit bounds what one peer, or all of them, can cost; the defaults are far above
what any app needs and far below what a machine has.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from mockzoom.errors import ConfigurationError

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """None of the numbers is the vendor's: no page tells what Zoom takes.

    `max_message_bytes` of one message from an app, in one frame or in many; a handshake, the
    longest that apps send, is below 2,000, and to read a megabyte of brackets would keep everybody
    else waiting for half a second.  A longer one closes the socket with 1009.
    `max_connections` WebSockets at once; two or three belong to a stream, more are answered 503.
    The system's limit of open files counts too.  `max_unread_bytes` is what may wait for an app
    that does not read, about six minutes of stereo Opus with the transcript or two of 48 kHz L16;
    past that its connection is cut.  `upgrade_timeout_ms` is how long a connection may take to ask
    for the upgrade to WebSocket, and to finish its TLS before that.
    `heartbeat_timeout_ms` is how long an app may be silent on an event WebSocket, where it sends a
    heartbeat every 30 s: three of them.

    Raises `ConfigurationError` for a number that is not a positive integer.
    """

    max_message_bytes: int = 64 * 1024
    max_connections: int = 20_000
    max_unread_bytes: int = 32 * 1024 * 1024
    upgrade_timeout_ms: int = 5_000
    heartbeat_timeout_ms: int = 90_000

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"limits: {name}: expected 1 or more, found {value!r}")
