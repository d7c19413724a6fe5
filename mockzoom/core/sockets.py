"""One socket of a stream, as the server sees it: where it stands and whether it is alive."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from mockzoom.core.codes import MediaType
from mockzoom.core.machine import Table
from mockzoom.core.messages import Message

__all__ = [
    "MEDIA_SOCKET",
    "SIGNALING",
    "SIGNALING_SOCKET",
    "KeepAlive",
    "Socket",
    "SocketEvent",
    "SocketState",
]

#: The key of the signaling socket, beside those of the media sockets (`messages.MEDIA_KEYS`).
SIGNALING = "signaling"


class SocketState(Enum):
    OPEN = "connected, no handshake yet"
    JOINED = "handshake accepted"
    READY = "client ready acknowledged"
    CLOSED = "gone"


class SocketEvent(Enum):
    HANDSHAKE = "an accepted handshake"
    ACK = "a valid CLIENT_READY_ACK"
    LOST = "closed by either side"


S, E = SocketState, SocketEvent

SIGNALING_SOCKET = Table(
    "signaling socket",
    {
        S.OPEN: {E.HANDSHAKE: S.JOINED, E.LOST: S.CLOSED},
        S.JOINED: {E.ACK: S.READY, E.LOST: S.CLOSED},
        S.READY: {E.LOST: S.CLOSED},
        S.CLOSED: {},
    },
)

MEDIA_SOCKET = Table(
    "media socket",
    {
        S.OPEN: {E.HANDSHAKE: S.JOINED, E.LOST: S.CLOSED},
        S.JOINED: {E.LOST: S.CLOSED},
        S.CLOSED: {},
    },
)


@dataclass
class KeepAlive:
    """The keep-alives of one socket: what was sent and not yet answered.

    The first `excused` of them do not count, because the app had no time to answer.
    """

    sequence: int = 0
    unanswered: list[int] = field(default_factory=list)
    excused: int = 0

    @property
    def missed(self) -> int:
        return len(self.unanswered) - self.excused

    def send(self, now_ms: int) -> int:
        """Note a keep-alive stamped `now_ms`; returns its sequence number, 1 for the first."""
        self.sequence += 1
        self.unanswered.append(now_ms)
        return self.sequence

    def answer(self, timestamp: object) -> bool:
        """Whether `timestamp` answers one that is open; if so, it and all before it are settled."""
        if timestamp not in self.unanswered:
            return False
        settled = self.unanswered.index(timestamp) + 1
        self.unanswered = self.unanswered[settled:]
        self.excused = max(0, self.excused - settled)
        return True

    def excuse(self) -> None:
        """What is open now may be answered, but need not be."""
        self.excused = len(self.unanswered)


@dataclass
class Socket:
    """A socket that an app has opened.

    `key` is `SIGNALING` or the media key whose URL was dialled.  After a media handshake `media`
    are the types that it carries and `params` the `media_params` granted.  `flow_from_ms` is the
    earliest capture time of media that belongs on it, None while none may flow; `audio_from_ms`
    is the same for audio, which Zoom keeps for an app that is still connecting.
    """

    conn: int
    key: str
    opened_ms: int
    state: SocketState = SocketState.OPEN
    media: tuple[MediaType, ...] = ()
    all_media: bool = False
    params: Message = field(default_factory=dict)
    flow_from_ms: int | None = None
    audio_from_ms: int | None = None
    keep_alive: KeepAlive = field(default_factory=KeepAlive)

    @property
    def is_signaling(self) -> bool:
        return self.key == SIGNALING

    @property
    def joined(self) -> bool:
        return self.state in (SocketState.JOINED, SocketState.READY)

    def step(self, event: SocketEvent) -> None:
        table = SIGNALING_SOCKET if self.is_signaling else MEDIA_SOCKET
        self.state = table.after(self.state, event)

    def __str__(self) -> str:
        return f"{self.key} socket #{self.conn}"
