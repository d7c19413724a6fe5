"""The sockets of one stream, and what can go wrong between the server and the app.

Without faults a message is written at once.  With faults it becomes none, one or more packets,
which may be held back; those of one socket that are to stay in order never overtake one another.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import struct
from dataclasses import dataclass
from typing import cast

from picows import WSCloseCode, WSMsgType, WSTransport

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.faults import CloseFrame, CutFault, Packet
from mockzoom.core.messages import Message, encode
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Moment, Pacer

__all__ = ["Wire"]

#: A reader that leaves this much unread is cut, so that it cannot eat the memory of the others.
_MAX_UNREAD_BYTES = 32 * 1024 * 1024

_PONG_S = 2.0
_CLOSE_S = 2.0

#: SO_LINGER on with a time of 0: closing sends RST, as a failing network would.
_RESET = struct.pack("ii", 1, 0)


@dataclass
class _Line:
    """One socket: its key, and when the last packet that has to stay in order leaves."""

    key: str
    transport: WSTransport
    busy_until_ms: int = 0


class Wire:
    """Belongs to the loop's thread."""

    def __init__(
        self, stream: str, *, clock: Clock, pacer: Pacer, journal: Journal, faults: Faults
    ) -> None:
        self._stream = stream
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

    def hears(self, conn: int) -> bool:
        """Whether what the app says on `conn` gets through."""
        line = self._lines.get(conn)
        return line is not None and self._faults.hears(self._stream, line.key)

    def spares_keep_alives(self, conn: int) -> bool:
        """Whether keep-alives are left out on `conn`, and so cannot be missed."""
        line = self._lines.get(conn)
        return line is not None and self._faults.spares_keep_alives(self._stream, line.key)

    def send(self, conn: int, message: Message) -> None:
        line = self._lines.get(conn)
        if line is None:
            return
        if not self._faults and not line.busy_until_ms:
            self._write(conn, line, encode(message))
            return
        for packet in self._faults.outgoing(self._stream, line.key, message):
            self._hold(conn, line, packet)

    def _hold(self, conn: int, line: _Line, packet: Packet) -> None:
        """Write `packet` when it is due: after its delay, and when the line is free for it."""
        now_ms = self._clock.now_ms()
        due_ms = now_ms + packet.delay_ms
        if packet.in_order:
            due_ms = max(due_ms, line.busy_until_ms)
            narrow = self._faults.line_bytes_per_s(self._stream, line.key)
            if narrow is not None:
                due_ms += len(packet.text) * 1000 // narrow
            line.busy_until_ms = due_ms if due_ms > now_ms else 0
        if due_ms <= now_ms:
            self._write(conn, line, packet.text)
        else:
            self._pacer.add(Moment(due_ms, lambda: self._write_late(conn, line, packet.text)))

    def _write_late(self, conn: int, line: _Line, text: str) -> None:
        if self._lines.get(conn) is line:
            self._write(conn, line, text)

    def _write(self, conn: int, line: _Line, text: str) -> None:
        line.transport.send(WSMsgType.TEXT, text.encode())
        if line.transport.underlying_transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            self._journal.add("socket", self._stream, conn=conn, happened="cut: it does not read")
            self.drop(conn)

    async def read(self, conn: int) -> None:
        """Wait until the app has read what was sent on `conn`: a ping behind it comes back.

        An app that does not answer pings is not waited for.
        """
        line = self._lines.get(conn)
        if line is not None:
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(line.transport.measure_roundtrip_time(1), _PONG_S)

    # --- ends ---------------------------------------------------------------------------------

    def cut(self, fault: CutFault) -> int:
        """Close or reset the sockets that `fault` concerns; returns how many there were."""
        concerned = [
            conn for conn, line in self._lines.items() if fault.concerns(self._stream, line.key)
        ]
        for conn in concerned:
            if isinstance(fault, CloseFrame):
                self.close(conn, fault.code, "fault")
            else:
                self.drop(conn)
        return len(concerned)

    def close(self, conn: int, code: int, reason: str) -> None:
        """A close frame and the end of the connection."""
        line = self._lines.get(conn)
        if line is not None:
            # An app's own codes (4000 and up) are no names of the enum, but go out as well.
            line.transport.send_close(cast(WSCloseCode, code), reason.encode())
            line.transport.disconnect()
            # Nobody waits for ever for a peer that does not take the rest.
            asyncio.get_running_loop().call_later(_CLOSE_S, line.transport.disconnect, False)

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
