"""The sockets of one stream, as the server holds them: opened, kept alive, cut or closed.

Every socket has to shake hands in time and to answer its keep-alives.  One that does not answer
is cut as a failing network would cut it, because that is what makes the official SDK come back;
a close frame is for sockets that are not wanted any more.  What the loss of a socket means for
the stream is decided by `mockzoom.core.stream`, in `gone`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

from mockzoom.core import messages
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.codes import StopReason
from mockzoom.core.effects import Close, Drop, Found, Send
from mockzoom.core.findings import Finding
from mockzoom.core.machine import Machine
from mockzoom.core.messages import Message
from mockzoom.core.sockets import Socket, SocketEvent
from mockzoom.core.timings import Timings

__all__ = ["Connections"]


class Connections(Machine, ABC):
    """`sockets` are those open now, by the number that their feeder gave them."""

    def __init__(self, rtms_stream_id: str, timings: Timings) -> None:
        super().__init__()
        self.timings = timings
        self.sockets: dict[int, Socket] = {}
        self._stream_id = rtms_stream_id

    @property
    def signaling(self) -> Socket | None:
        """The live signaling socket: the one whose handshake was accepted."""
        return next((s for s in self.sockets.values() if s.is_signaling and s.joined), None)

    @property
    def media_sockets(self) -> list[Socket]:
        return [s for s in self.sockets.values() if not s.is_signaling and s.joined]

    # --- what the network says ----------------------------------------------------------------

    def opened(self, conn: int, key: str, now_ms: int) -> None:
        """A socket was opened on the URL of `key`: `SIGNALING` or a media key."""
        self.sockets[conn] = Socket(conn, key, now_ms)
        self.timers.set(("handshake", conn), now_ms + self.timings.handshake_ms)
        self.timers.set(("keep-alive", conn), now_ms + self.timings.keep_alive_ms)

    def lost(self, conn: int, now_ms: int) -> None:
        """Socket `conn` is gone, by whomever and however it was closed."""
        socket = self.sockets.get(conn)
        if socket is not None:
            self._part(socket, StopReason.AWAIT_RECONNECTION_TIMEOUT, now_ms)

    @abstractmethod
    def gone(self, socket: Socket, reason: StopReason, now_ms: int) -> None:
        """A socket that had joined is no more; `reason` is that of a stream which ends of it."""

    def leap(self) -> None:
        """Time is about to leap, so nobody can answer in time what is asked already."""
        for socket in self.sockets.values():
            socket.keep_alive.excuse()

    def retime(self, timings: Timings, now_ms: int) -> None:
        """Go by `timings` from now on, also with what is waited for already.

        They are those of another speed, and so all longer, or all shorter, by one factor.
        """
        self.timers.stretch(timings.keep_alive_ms / self.timings.keep_alive_ms, now_ms)
        self.timings = timings

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        match name:
            case ("keep-alive", int(conn)):
                self._keep_alive_due(self.sockets[conn], now_ms)
            case ("handshake", int(conn)):
                self._handshake_due(self.sockets[conn])
            case _:
                super().on_timer(name, now_ms)

    def ask(self, now_ms: int) -> None:
        """Send a keep-alive on every socket now, before it is due."""
        for socket in list(self.sockets.values()):
            self._keep_alive_due(socket, now_ms)

    # --- what is done to a socket -------------------------------------------------------------

    def send(self, socket: Socket, message: Message) -> None:
        self.effects.append(Send(socket.conn, message))

    def joined(self, socket: Socket) -> None:
        """The handshake on `socket` was accepted."""
        socket.step(SocketEvent.HANDSHAKE)
        self.timers.cancel(("handshake", socket.conn))

    def drop(self, socket: Socket) -> None:
        """Cut it, so that the app comes back."""
        self._forget(socket)
        self.effects.append(Drop(socket.conn))

    def shut(self, socket: Socket, why: str) -> None:
        """Close it for good."""
        self._forget(socket)
        self.effects.append(Close(socket.conn, reason=why))

    def found(self, check: str, where: Socket | str, expected: str, actual: str) -> None:
        """The app broke the clause `check`."""
        clause = CLAUSES[check]
        finding = Finding(check, str(where), expected, actual, clause, self._stream_id)
        conn = where.conn if isinstance(where, Socket) else None
        self.effects.append(Found(finding, conn))

    # --- liveness -----------------------------------------------------------------------------

    def _handshake_due(self, socket: Socket) -> None:
        wanted = f"an accepted one within {self.timings.handshake_ms} ms"
        self.found("rtms.handshake", socket, wanted, "none")
        self.shut(socket, "no handshake in time")

    def _keep_alive_due(self, socket: Socket, now_ms: int) -> None:
        missed = socket.keep_alive.missed
        if missed >= self.timings.keep_alives_missed:
            self.found("rtms.keep-alive", socket, "an answer to each", f"{missed} unanswered")
            self.effects.append(Drop(socket.conn))
            self._part(socket, StopReason.KEEP_ALIVE_TIMEOUT, now_ms)
            return
        sequence = socket.keep_alive.send(now_ms)
        self.send(socket, messages.keep_alive_req(sequence, now_ms))
        self.timers.set(("keep-alive", socket.conn), now_ms + self.timings.keep_alive_ms)

    def _part(self, socket: Socket, reason: StopReason, now_ms: int) -> None:
        joined = socket.joined
        self._forget(socket)
        if joined:
            self.gone(socket, reason, now_ms)

    def _forget(self, socket: Socket) -> None:
        del self.sockets[socket.conn]
        socket.step(SocketEvent.LOST)
        for timer in ("keep-alive", "handshake"):
            self.timers.cancel((timer, socket.conn))
