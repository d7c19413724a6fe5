"""The other channel for events: a WebSocket that the app opens, and keeps open by heartbeats.

An app that cannot be reached by HTTP asks for a subscription of this kind, dials its URL with an
access token, and is told by ``build_connection`` whether it may stay.  From then on each event is a
``message`` whose `content` is the event as a string of JSON, signed as a webhook is signed, over
the bytes of that string.  Whoever is not there when something happens never hears of it.

A subscription has one connection at a time, and a second one closes the first.  The app sends a
``heartbeat`` every 30 s, and gets one back.  No page tells how long the vendor waits for it, so
that is a setting (`Limits.heartbeat_timeout_ms`).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from mockzoom.core.clauses import CLAUSES
from mockzoom.core.effects import Close, Found, Send
from mockzoom.core.findings import Finding
from mockzoom.core.machine import Machine
from mockzoom.core.messages import Message, decode
from mockzoom.core.oauth import Tokens
from mockzoom.errors import UsageError

__all__ = [
    "EVENTS_PATH",
    "UNKNOWN_SUBSCRIPTION",
    "EventSocket",
    "SocketSubscription",
    "build_connection",
    "checked_id",
    "refusal",
]

EVENTS_PATH = "/ws"

UNKNOWN_SUBSCRIPTION = "unknown subscriptionId"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SILENCE = "silence"


@dataclass(frozen=True)
class SocketSubscription:
    """`url` lacks the access token, which the app adds; no `events` are every event."""

    id: str
    url: str
    events: tuple[str, ...] = ()

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "url": self.url, "events": list(self.events)}


def checked_id(id_: str) -> str:
    """`id_`, if it can stand in a URL as it is; raises `UsageError`."""
    if not _ID.fullmatch(id_):
        raise UsageError(
            f"subscription {id_!a:.80}: expected 1 to 64 of A-Z, a-z, 0-9, '_' and '-'"
        )
    return id_


def refusal(tokens: Tokens, access_token: str, now_ms: int) -> str:
    """Why who shows `access_token` may not connect; "" if they may."""
    token = tokens.find(access_token)
    if token is None:
        return "wrong access_token" if access_token else "access_token is missing"
    return "expired access_token" if token.expired(now_ms) else ""


def build_connection(refused: str = "") -> Message:
    """The first frame of a connection."""
    return {
        "module": "build_connection",
        "success": not refused,
        "content": refused or "connected",
    }


class EventSocket(Machine):
    """The connections of one subscription, which are fed to it with the time in milliseconds."""

    def __init__(self, heartbeat_timeout_ms: int) -> None:
        super().__init__()
        self._timeout_ms = heartbeat_timeout_ms
        self._conn: int | None = None

    @property
    def connected(self) -> bool:
        return self._conn is not None

    def opened(self, conn: int, refused: str, now_ms: int) -> None:
        """Somebody connects; they are sent away when there is something in `refused`."""
        self.effects.append(Send(conn, build_connection(refused)))
        if refused:
            self.effects.append(Close(conn, reason=refused))
            return
        if self._conn is not None:
            self.effects.append(Close(self._conn, reason="another connection was opened"))
        self._conn = conn
        self.timers.set(_SILENCE, now_ms + self._timeout_ms)

    def receive(self, conn: int, data: bytes, now_ms: int) -> None:
        """What the app says: heartbeats, and nothing else."""
        if conn != self._conn:
            return  # it is being closed
        message = decode(data)
        module = None if message is None else message.get("module")
        if module != "heartbeat":
            # No more of it is told: an app may have put a secret there.
            actual = "no JSON object" if message is None else f"module {module!a:.40}"
            self._find("events.message", "module 'heartbeat'", actual)
            return
        self.effects.append(Send(conn, {"module": "heartbeat"}))
        self.timers.set(_SILENCE, now_ms + self._timeout_ms)

    def lost(self, conn: int) -> None:
        if conn == self._conn:
            self._conn = None
            self.timers.clear()

    def tell(self, content: str, header: Mapping[str, str]) -> None:
        """An event happens; who is not connected is not told."""
        message: dict[str, Any] = {"module": "message", "content": content, "header": dict(header)}
        if self._conn is not None:
            self.effects.append(Send(self._conn, message))

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            self._find("events.heartbeat", "a heartbeat", f"none for {self._timeout_ms} ms", conn)
            self.effects.append(Close(conn, reason="no heartbeat"))

    def _find(self, check: str, expected: str, actual: str, conn: int | None = None) -> None:
        finding = Finding(check, "event WebSocket", expected, actual, CLAUSES[check])
        self.effects.append(Found(finding, self._conn if conn is None else conn))
