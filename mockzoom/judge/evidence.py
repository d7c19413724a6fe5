"""What the mock saw of one stream: sockets, messages, webhooks and findings, out of the journal.

A contract of an RTMS client is judged by this and by nothing else: what cannot be seen from Zoom's
side of the wire is not judged.  Evidence is what there was when it was taken; who waits for more
takes it again.

What breaks is often not over in the moment in which that is plain: sockets are closed one after
another, and messages are on their way.  So it is told when all is quiet, which makes the story
whole, and the same in every run.  Sockets come in the same order in every run, too; see `wire_log`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby

from mockzoom.core.codes import MessageType
from mockzoom.core.sockets import SIGNALING
from mockzoom.judge.contract import Broken
from mockzoom.judge.wire_log import ENOUGH, Entry, is_keep_alive, names, place, renamed, wire_log

__all__ = ["Evidence", "SeenSocket"]

_FLOWING = ("ACTIVE", "RESUMED", "PAUSED")


@dataclass(frozen=True)
class SeenSocket:
    """A socket that the receiver opened; `key` is ``signaling`` or a media key.

    `number` says which one with this key, from 1, and `conn` is what the journal calls it.  `entry`
    is the number of the journal's entry that says so.  `opened_ms` and `closed_ms` are Unix
    milliseconds, `closed_ms` None while it is open.
    """

    entry: int
    conn: int
    key: str
    number: int
    opened_ms: int
    closed_ms: int | None

    @property
    def is_signaling(self) -> bool:
        return self.key == SIGNALING

    @property
    def open(self) -> bool:
        return self.closed_ms is None

    @property
    def name(self) -> str:
        return f"{self.key} #{self.number}"

    def __str__(self) -> str:
        return f"{self.name} {'open' if self.open else 'closed'}"


class Evidence:
    """The journal's entries of the stream `rtms_stream_id`, oldest first.

    `settled` gives what there is once all is quiet; None where nothing can be added any more.
    `strays` are findings that the mock could not ascribe to a stream, as of a URL that it never
    gave out.
    """

    def __init__(
        self,
        rtms_stream_id: str,
        entries: Iterable[Entry],
        settled: Callable[[], Evidence] | None = None,
        strays: Iterable[Entry] = (),
    ) -> None:
        self.rtms_stream_id = rtms_stream_id
        self.entries = [entry for entry in entries if entry["stream"] == rtms_stream_id]
        self._settled = settled
        self._strays = list(strays)

    # --- what there is ------------------------------------------------------------------------

    @property
    def last_id(self) -> int:
        """The number of the last entry, from which on something is waited for."""
        return int(self.entries[-1]["id"]) if self.entries else 0

    @property
    def happened(self) -> int:
        """How many entries there are but for keep-alives, which go on when all is quiet."""
        return sum(not is_keep_alive(entry) for entry in self.entries)

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
        """Every socket that was opened: signaling, then by key, each in order."""
        of_sockets = [entry for entry in self.entries if entry["kind"] == "socket"]
        opened = {e["conn"]: e for e in of_sockets if e["happened"] == "opened"}
        closed = {e["conn"]: e["at_ms"] for e in of_sockets if e["happened"] == "closed"}
        return [
            SeenSocket(
                opened[conn]["id"], conn, key, number, opened[conn]["at_ms"], closed.get(conn)
            )
            for conn, (key, number) in names(self.entries).items()
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
            for entry in [*self.entries, *self._strays]
            if entry["kind"] == "finding" and (not clauses or entry["check"] in clauses)
        ]

    def keeps(self, *clauses: str) -> None:
        """Raise `Broken` for the first of `clauses` that the mock found to be broken."""
        if not any(self.findings(clause) for clause in clauses):
            return
        seen = self._whole()
        raise next(seen._broken(clause) for clause in clauses if seen.findings(clause))

    def _broken(self, clause: str) -> Broken:
        """What is told of a clause that was broken, on several sockets maybe: of the first."""
        of = names(self.entries)
        found = self.findings(clause)
        first = min(found, key=lambda one: (place(one["where"], of), renamed(one["actual"], of)))
        return Broken(
            renamed(f"{first['clause']}: {first['expected']}", of),
            renamed(f"{first['actual']} ({first['where']})", of),
            wire=wire_log(self.entries, first["where"]) or self.wire(),
        )

    def demand(self, kept: object, expected: str, found: str = "") -> None:
        """Raise `Broken` unless `kept`; what was found is what happened when nothing is said."""
        if not kept:
            seen = self._whole()
            raise Broken(expected, found or str(seen), wire=seen.wire())

    def _whole(self) -> Evidence:
        """What is to be told of: all that comes of it, if more may come."""
        return self._settled() if self._settled else self

    def wire(self) -> tuple[str, ...]:
        """What was said, socket by socket, a line a message; see `wire_log`."""
        return wire_log(self.entries)

    def __str__(self) -> str:
        told: list[str] = []
        for key, of_key in groupby(self.sockets, key=lambda socket: socket.key):
            states = [str(socket) for socket in of_key]
            told += states[:ENOUGH] + [f"more {key}"] * (len(states) > ENOUGH)
        sockets = ", ".join(told) or "no socket"
        broken = ", ".join(sorted({finding["check"] for finding in self.findings()}))
        return f"{self.state}: {sockets}{broken and '; broken: ' + broken}"


def _hashable(value: object) -> object:
    return value if isinstance(value, int | str | float) else None
