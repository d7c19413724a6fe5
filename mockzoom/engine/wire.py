"""The sockets of one stream, and what can go wrong between the server and the app.

Without faults a message is written at once.  With faults it becomes none, one or more packets,
which may be held back; those of one socket that are to stay in order never overtake one another,
also when the fault is lifted while some still wait.
"""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import struct
from dataclasses import dataclass
from math import ceil
from typing import Any

from picows import WSMsgType, WSTransport

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import MessageType
from mockzoom.core.faults import CloseFrame, CutFault
from mockzoom.core.messages import Message, encode, message_type
from mockzoom.core.wire_faults import Packet
from mockzoom.engine import frames
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Moment, Pacer

__all__ = ["Wire"]

#: As much as faults may hold back of one socket; a line that is too narrow is cut in the end, as a
#: reader that is too slow would be.
_MAX_HELD_BYTES = 32 * 1024 * 1024

#: What an app has to understand, or else it cannot do what it has to do next.
_ASKING = (
    MessageType.SIGNALING_HAND_SHAKE_RESP,
    MessageType.DATA_HAND_SHAKE_RESP,
    MessageType.KEEP_ALIVE_REQ,
)

_PONG_S = 2.0

#: SO_LINGER on with a time of 0: closing sends RST, as a failing network would.
_RESET = struct.pack("ii", 1, 0)


@dataclass
class _Line:
    """One socket: its key, and what is held back of it.

    `free_ms` is when a narrow line has carried what it was given, `last_ms` when the last packet
    leaves that has to stay in order; `queued` such packets wait.  The line is `disturbed` while
    faults keep the app from hearing or being heard.  `pong` answers the last ping: the
    library takes note of one at a time.
    """

    key: str
    transport: WSTransport
    free_ms: float = 0
    last_ms: float = 0
    queued: int = 0
    held_bytes: int = 0
    disturbed: bool = False
    pong: asyncio.Future[Any] | None = None


class Wire:
    """Belongs to the loop's thread.  An app that is asked something has `patience_ms` to answer."""

    def __init__(
        self,
        stream: str,
        *,
        patience_ms: int,
        clock: Clock,
        pacer: Pacer,
        journal: Journal,
        faults: Faults,
    ) -> None:
        self._stream = stream
        self._patience_ms = patience_ms
        self._clock = clock
        self._pacer = pacer
        self._journal = journal
        self._faults = faults
        self._lines: dict[int, _Line] = {}

    def attach(self, conn: int, key: str, transport: WSTransport) -> None:
        self._lines[conn] = _Line(key, transport)

    def detach(self, conn: int) -> None:
        self._lines.pop(conn, None)

    # --- messages -----------------------------------------------------------------------------

    def hears(self, conn: int, message: Message) -> bool:
        """Whether `message`, which the app sent on `conn`, gets through."""
        line = self._lines.get(conn)
        if line is None:
            return True
        line.disturbed = not self._faults.hears(self._stream, line.key, message_type(message))
        return not line.disturbed

    def spares_keep_alive(self, conn: int) -> bool:
        """Whether the keep-alive that is due now is left out on `conn`."""
        line = self._lines.get(conn)
        return line is not None and self._faults.spares_keep_alive(self._stream, line.key)

    def disturbed(self, conn: int | None) -> bool:
        """Whether faults keep the app from hearing or being heard on `conn`; None is any socket.

        It is over when a message of the app is heard again.
        """
        lines = self._lines.items()
        return any(line.disturbed for number, line in lines if conn in (None, number))

    def send(self, conn: int, message: Message | bytes) -> None:
        """Send a message, or the text of one."""
        line = self._lines.get(conn)
        if line is None:
            return
        if not self._faults and not line.queued:
            text = message if isinstance(message, bytes) else encode(message).encode()
            frames.write(line.transport, text)
        else:
            message = json.loads(message) if isinstance(message, bytes) else message
            self._send_with_faults(conn, line, message)

    def _send_with_faults(self, conn: int, line: _Line, message: Message) -> None:
        understood = False
        for packet in self._faults.outgoing(self._stream, line.key, message):
            held_ms = self._hold(conn, line, packet)
            intact = packet.share == 1 and packet.message.items() >= message.items()
            understood |= intact and held_ms < self._patience_ms
        if message["msg_type"] in _ASKING and not understood:
            line.disturbed = True

    def _hold(self, conn: int, line: _Line, packet: Packet) -> float:
        """Write `packet` when it is due; returns how long it is held back until then (ms).

        That is for as long as the line needs to carry it, and for its delay, and for those before.
        """
        size = len(packet.text.encode())
        now_ms = self._clock.now_ms()
        due_ms: float = now_ms
        if packet.bytes_per_s is not None:
            due_ms = max(now_ms, line.free_ms) + size * 1000 / packet.bytes_per_s
            line.free_ms = due_ms
        due_ms += packet.delay_ms
        if packet.in_order:
            line.last_ms = due_ms = max(due_ms, line.last_ms)
        if due_ms <= now_ms and not (packet.in_order and line.queued):
            self._write_packet(line, packet)
            return 0
        line.queued += packet.in_order
        line.held_bytes += size
        self._pacer.add(Moment(ceil(due_ms), lambda: self._release(conn, line, packet, size)))
        if line.held_bytes > _MAX_HELD_BYTES:
            self._journal.add("socket", self._stream, conn=conn, happened="cut: too much held back")
            self.drop(conn)
        return due_ms - now_ms

    def _release(self, conn: int, line: _Line, packet: Packet, size: int) -> None:
        line.queued -= packet.in_order
        line.held_bytes -= size
        if self._lines.get(conn) is line:
            self._write_packet(line, packet)

    def _write_packet(self, line: _Line, packet: Packet) -> None:
        kind = WSMsgType.BINARY if packet.binary else WSMsgType.TEXT
        data = packet.text.encode()
        step = packet.frame_bytes or len(data)
        for start in range(0, len(data), step):
            self._write(line, data[start : start + step], kind, start + step >= len(data))
            kind = WSMsgType.CONTINUATION

    def _write(
        self, line: _Line, data: bytes, kind: WSMsgType = WSMsgType.TEXT, last: bool = True
    ) -> None:
        frames.write(line.transport, data, kind, last)

    async def read(self, conn: int) -> None:
        """Wait until the app has read what was sent on `conn`: a ping behind it comes back.

        An app that does not answer pings is not waited for.
        """
        line = self._lines.get(conn)
        if line is None or not await _answered(line.pong):
            return
        line.pong = asyncio.ensure_future(line.transport.measure_roundtrip_time(1))
        # It ends with the connection at the latest, and nobody is surprised when it fails.
        line.pong.add_done_callback(lambda done: done.cancelled() or done.exception())
        await _answered(line.pong)

    # --- ends ---------------------------------------------------------------------------------

    def cut(self, fault: CutFault) -> None:
        """Close or reset the sockets that `fault` concerns."""
        concerned = [
            conn for conn, line in self._lines.items() if fault.concerns(self._stream, line.key)
        ]
        for conn in concerned:
            if isinstance(fault, CloseFrame):
                self.close(conn, fault.code, "fault")
            else:
                self.drop(conn)

    def close(self, conn: int, code: int, reason: str) -> None:
        """A close frame and the end of the connection; what is held back never comes."""
        line = self._lines.pop(conn, None)
        if line is not None:
            frames.end(line.transport, code, reason)

    def drop(self, conn: int) -> None:
        """The end of the connection with no close frame: a reset, where the platform has one."""
        line = self._lines.pop(conn, None)
        if line is None:
            return
        raw = line.transport.underlying_transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
        line.transport.underlying_transport.abort()

    def drop_all(self) -> None:
        for conn in list(self._lines):
            self.drop(conn)


async def _answered(pong: asyncio.Future[Any] | None) -> bool:
    """Whether the app answers, or was asked nothing."""
    return pong is None or bool((await asyncio.wait([pong], timeout=_PONG_S))[0])
