"""What the mock saw of one stream: sockets, messages, webhooks and findings, out of the journal.

A contract of an RTMS client is judged by this and by nothing else: what cannot be seen from Zoom's
side of the wire is not judged.  Evidence is what there was when it was taken; who waits for more
takes it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mockzoom.core.codes import MessageType
from mockzoom.core.messages import encode
from mockzoom.core.sockets import SIGNALING
from mockzoom.judge.contract import Broken

__all__ = ["Evidence", "SeenSocket"]

Entry = Mapping[str, Any]

_FLOWING = ("ACTIVE", "RESUMED", "PAUSED")

_SHOWN = 8
_SHOWN_CHARS = 240


@dataclass(frozen=True)
class SeenSocket:
    """A socket that the receiver opened; `key` is ``signaling`` or a media key.

    `entry` is the number of the journal's entry that says so.  `opened_ms` and `closed_ms` are Unix
    milliseconds, `closed_ms` None while it is open.
    """

    entry: int

    conn: int
    key: str
    opened_ms: int
    closed_ms: int | None

    @property
    def is_signaling(self) -> bool:
        return self.key == SIGNALING

    @property
    def open(self) -> bool:
        return self.closed_ms is None

    def __str__(self) -> str:
        return f"{self.key} #{self.conn} {'open' if self.open else 'closed'}"


class Evidence:
    """The journal's entries of the stream `rtms_stream_id`, oldest first."""

    def __init__(self, rtms_stream_id: str, entries: Iterable[Entry]) -> None:
        self.rtms_stream_id = rtms_stream_id
        self.entries = [entry for entry in entries if entry["stream"] == rtms_stream_id]

    # --- what there is ------------------------------------------------------------------------

    @property
    def last_id(self) -> int:
        """The number of the last entry, from which on something is waited for."""
        return int(self.entries[-1]["id"]) if self.entries else 0

    @property
    def state(self) -> str:
        """The stream's state now, by its name."""
        states = [entry["state"] for entry in self.entries if entry["kind"] == "state"]
        return str(states[-1]) if states else "INACTIVE"

    def flowing(self, after: int = 0) -> bool:
        """Whether the receiver became ready for media after the entry `after`, and still is."""
        became = any(e["kind"] == "state" and e["id"] > after for e in self.entries)
        return became and self.state in _FLOWING

    @property
    def sockets(self) -> list[SeenSocket]:
        """Every socket that was opened, in this order."""
        of_sockets = [entry for entry in self.entries if entry["kind"] == "socket"]
        closed = {e["conn"]: e["at_ms"] for e in of_sockets if e["happened"] == "closed"}
        return [
            SeenSocket(e["id"], e["conn"], e["socket"], e["at_ms"], closed.get(e["conn"]))
            for e in of_sockets
            if e["happened"] == "opened"
        ]

    @property
    def signaling(self) -> list[SeenSocket]:
        return [socket for socket in self.sockets if socket.is_signaling]

    @property
    def media(self) -> list[SeenSocket]:
        return [socket for socket in self.sockets if not socket.is_signaling]

    @property
    def open(self) -> list[SeenSocket]:
        return [socket for socket in self.sockets if socket.open]

    def said(
        self, kind: MessageType, *, socket: SeenSocket | None = None, after: int = 0
    ) -> list[Entry]:
        """What the receiver said of this kind, on `socket` or any, after the entry `after`."""
        return self._messages("in", kind, socket, after)

    def told(
        self, kind: MessageType, *, socket: SeenSocket | None = None, after: int = 0
    ) -> list[Entry]:
        """What the receiver was told of this kind."""
        return self._messages("out", kind, socket, after)

    def _messages(
        self, way: str, kind: MessageType, socket: SeenSocket | None, after: int
    ) -> list[Entry]:
        return [
            entry
            for entry in self.entries
            if entry["kind"] == "message"
            and entry["way"] == way
            and entry["name"] == kind.name
            and entry["id"] > after
            and (socket is None or entry["conn"] == socket.conn)
        ]

    def joined(self, socket: SeenSocket) -> bool:
        """Whether a handshake on `socket` was accepted."""
        kind = MessageType.DATA_HAND_SHAKE_RESP
        if socket.is_signaling:
            kind = MessageType.SIGNALING_HAND_SHAKE_RESP
        return any(e["message"]["status_code"] == 0 for e in self.told(kind, socket=socket))

    def answered(self, socket: SeenSocket, after: int = 0) -> int:
        """How many keep-alives that were sent on `socket` after the entry `after` came back."""
        asked = {
            entry["message"].get("timestamp")
            for entry in self.told(MessageType.KEEP_ALIVE_REQ, socket=socket, after=after)
        }
        answers = self.said(MessageType.KEEP_ALIVE_RESP, socket=socket, after=after)
        return len(asked & {_hashable(entry["message"].get("timestamp")) for entry in answers})

    def webhooks(self, happening: str) -> list[Entry]:
        """The attempts to tell the receiver that the stream has `happening`."""
        return [
            entry
            for entry in self.entries
            if entry["kind"] == "webhook" and entry.get("event", "").endswith(f"_{happening}")
        ]

    # --- what follows from it -----------------------------------------------------------------

    def findings(self, *clauses: str) -> list[Entry]:
        """The clauses that were broken; those of these ids, or any."""
        return [
            entry
            for entry in self.entries
            if entry["kind"] == "finding" and (not clauses or entry["check"] in clauses)
        ]

    def keeps(self, *clauses: str) -> None:
        """Raise `Broken` for the first of `clauses` that the mock found to be broken."""
        for finding in self.findings(*clauses):
            raise Broken(
                f"{finding['clause']}: {finding['expected']}",
                f"{finding['actual']} ({finding['where']})",
                wire=finding["wire"] or self.wire(),
            )

    def demand(self, kept: object, expected: str, found: str = "") -> None:
        """Raise `Broken` unless `kept`; what was found is what happened when nothing is said."""
        if not kept:
            raise Broken(expected, found or str(self), wire=self.wire())

    def wire(self, socket: SeenSocket | None = None) -> tuple[str, ...]:
        """The last messages on `socket`, or on all sockets, a line each."""
        keys = {seen.conn: seen.key for seen in self.sockets}
        messages: Sequence[Entry] = [
            entry
            for entry in self.entries
            if entry["kind"] == "message" and (socket is None or entry["conn"] == socket.conn)
        ]
        return tuple(_line(entry, keys) for entry in messages[-_SHOWN:])

    def __str__(self) -> str:
        sockets = ", ".join(map(str, self.sockets)) or "no socket"
        broken = ", ".join(sorted({finding["check"] for finding in self.findings()}))
        return f"{self.state}: {sockets}{broken and '; broken: ' + broken}"


def _hashable(value: object) -> object:
    return value if isinstance(value, int | str | float) else None


def _line(entry: Entry, keys: Mapping[int, str]) -> str:
    who = "receiver" if entry["way"] == "in" else "zoom"
    text = encode(entry["message"])
    shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
    return f"{who} on {keys.get(entry['conn'], '?')} #{entry['conn']}: {entry['name']} {shown}"
