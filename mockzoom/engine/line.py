"""One socket of a stream, and what can go wrong between the server and the app on it.

Without faults a message is written at once.  With faults it becomes none, one or more packets,
which may be held back; those that are to stay in order never overtake one another, also when the
fault is lifted while some still wait.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from math import ceil
from typing import Any

from picows import WSMsgType, WSTransport

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import MessageType
from mockzoom.core.messages import Message, encode, message_type
from mockzoom.core.wire_faults import Packet
from mockzoom.engine import frames
from mockzoom.engine.endings import cut
from mockzoom.engine.pacer import Moment, Pacer

__all__ = ["Line"]

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


class Line:
    """The socket `key` of `stream`; belongs to the loop's thread.

    An app that is asked something has `patience_ms` to answer.  The line is `disturbed` while
    faults keep the app from hearing or being heard.  When more is held back than it may, `overrun`
    is called.
    """

    # Small, because there are thousands, and each frame of media goes through one.
    __slots__ = (
        "_clock",
        "_faults",
        "_free_ms",
        "_held_bytes",
        "_last_ms",
        "_open",
        "_overrun",
        "_pacer",
        "_patience_ms",
        "_pong",
        "_queued",
        "_stream",
        "_transport",
        "disturbed",
        "key",
    )

    def __init__(
        self,
        stream: str,
        key: str,
        transport: WSTransport,
        *,
        patience_ms: int,
        clock: Clock,
        pacer: Pacer,
        faults: Faults,
        overrun: Callable[[], None],
    ) -> None:
        self.key = key
        self.disturbed = False
        self._stream = stream
        self._transport = transport
        self._patience_ms = patience_ms
        self._clock = clock
        self._pacer = pacer
        self._faults = faults
        self._overrun = overrun
        self._open = True
        self._free_ms: float = 0  # when a narrow line has carried what it was given
        self._last_ms: float = 0  # when the last packet leaves that has to stay in order
        self._queued = 0  # such packets wait
        self._held_bytes = 0
        self._pong: asyncio.Future[Any] | None = None

    # --- messages -----------------------------------------------------------------------------

    def hears(self, message: Message) -> bool:
        """Whether `message`, which the app sent, gets through."""
        heard = self._faults.hears(self._stream, self.key, message_type(message))
        self.disturbed = not heard
        return heard

    def spares_keep_alive(self) -> bool:
        """Whether the keep-alive that is due now is left out."""
        return self._faults.spares_keep_alive(self._stream, self.key)

    def send(self, message: Message | bytes) -> None:
        """Send a message, or the text of one."""
        if not self._open:
            return
        if not self._faults.active and not self._queued:
            text = message if isinstance(message, bytes) else encode(message).encode()
            self._pacer.write(self._transport, text)
        else:
            self._send_with_faults(json.loads(message) if isinstance(message, bytes) else message)

    def _send_with_faults(self, message: Message) -> None:
        understood = False
        for packet in self._faults.outgoing(self._stream, self.key, message):
            held_ms = self._hold(packet)
            intact = packet.share == 1 and packet.message.items() >= message.items()
            understood |= intact and held_ms < self._patience_ms
        if message["msg_type"] in _ASKING and not understood:
            self.disturbed = True

    def _hold(self, packet: Packet) -> float:
        """Write `packet` when it is due; returns how long it is held back until then (ms).

        That is for as long as the line needs to carry it, and for its delay, and for those before.
        """
        size = len(packet.text.encode())
        now_ms = self._clock.now_ms()
        due_ms: float = now_ms
        if packet.bytes_per_s is not None:
            due_ms = max(now_ms, self._free_ms) + size * 1000 / packet.bytes_per_s
            self._free_ms = due_ms
        due_ms += packet.delay_ms
        if packet.in_order:
            self._last_ms = due_ms = max(due_ms, self._last_ms)
        if due_ms <= now_ms and not (packet.in_order and self._queued):
            self._write(packet)
            return 0
        self._queued += packet.in_order
        self._held_bytes += size
        self._pacer.add(Moment(ceil(due_ms), lambda: self._release(packet, size)))
        if self._held_bytes > _MAX_HELD_BYTES:
            self._overrun()
        return due_ms - now_ms

    def _release(self, packet: Packet, size: int) -> None:
        self._queued -= packet.in_order
        self._held_bytes -= size
        if self._open:
            self._write(packet)

    def _write(self, packet: Packet) -> None:
        kind = WSMsgType.BINARY if packet.binary else WSMsgType.TEXT
        data = packet.text.encode()
        step = packet.frame_bytes or len(data)
        for start in range(0, len(data), step):
            part, last = data[start : start + step], start + step >= len(data)
            self._pacer.write(self._transport, part, kind, last)
            kind = WSMsgType.CONTINUATION

    async def read(self) -> None:
        """Wait until the app has read what was sent: a ping behind it comes back.

        An app that does not answer pings is not waited for.
        """
        # The library takes note of one ping at a time.
        if not await _answered(self._pong):
            return
        self._pong = asyncio.ensure_future(self._transport.measure_roundtrip_time(1))
        # It ends with the connection at the latest, and nobody is surprised when it fails.
        self._pong.add_done_callback(lambda done: done.cancelled() or done.exception())
        await _answered(self._pong)

    # --- ends: what is held back then never comes ---------------------------------------------

    def leave(self) -> None:
        """The connection is gone."""
        self._open = False

    def close(self, code: int, reason: str) -> None:
        """A close frame and the end of the connection."""
        self._open = False
        self._pacer.flush()  # what was sent before the close frame goes out before it
        frames.end(self._transport, code, reason)

    def drop(self) -> None:
        """The end of the connection with no close frame: a reset, where the platform has one."""
        self._open = False
        cut(self._transport.underlying_transport)


async def _answered(pong: asyncio.Future[Any] | None) -> bool:
    """Whether the app answers, or was asked nothing."""
    return pong is None or bool((await asyncio.wait([pong], timeout=_PONG_S))[0])
