"""A stream as it lives: its machine, the sockets under it, its timer and its media.

Whatever happens is fed to the machine by `feed`; what the machine wants done is done at once, in
order, and only then are timer and media brought into step with its state.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
import struct
from collections import Counter
from collections.abc import Callable
from typing import Any

from picows import WSCloseCode, WSMsgType, WSTransport

from mockzoom.clock import Clock
from mockzoom.core import messages
from mockzoom.core.codes import EventType, MediaType, MessageType
from mockzoom.core.effects import Close, Drop, Emit, Found, Send
from mockzoom.core.meeting import Meeting, Utterance
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.stream import StreamMachine
from mockzoom.engine.flow import Flow
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Pacer

__all__ = ["LiveStream"]

#: A reader that leaves this much unread is cut, so that it cannot eat the memory of the others.
_MAX_UNREAD_BYTES = 32 * 1024 * 1024

_PONG_S = 2.0

#: SO_LINGER on with a time of 0: closing sends RST, as a failing network would.
_RESET = struct.pack("ii", 1, 0)


class LiveStream:
    """Belongs to the loop's thread.  `emit` is told of webhooks that the stream causes."""

    def __init__(
        self,
        machine: StreamMachine,
        meeting: Meeting,
        *,
        clock: Clock,
        pacer: Pacer,
        journal: Journal,
        emit: Callable[[LiveStream, Emit], None],
    ) -> None:
        self.machine = machine
        self.meeting = meeting
        self.sent: Counter[str] = Counter()
        self._clock = clock
        self._pacer = pacer
        self._journal = journal
        self._emit = emit
        self._transports: dict[int, WSTransport] = {}
        self._flows: dict[int, Flow] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._state = machine.state

    @property
    def id(self) -> str:
        return self.machine.identity.rtms_stream_id

    # --- what happens -------------------------------------------------------------------------

    def feed(self, call: Callable[[StreamMachine, int], None]) -> None:
        """Let `call` do something to the machine, then do what the machine wants."""
        call(self.machine, self._clock.now_ms())
        self._settle()

    def opened(self, conn: int, key: str, transport: WSTransport) -> None:
        self._transports[conn] = transport
        self._journal.add("socket", self.id, conn=conn, socket=key, happened="opened")
        self.feed(lambda machine, now_ms: machine.opened(conn, key, now_ms))

    def received(self, conn: int, data: bytes) -> None:
        self._note(
            conn, "in", messages.decode(data) or {"raw": data[:200].decode(errors="replace")}
        )
        self.feed(lambda machine, now_ms: machine.receive(conn, data, now_ms))

    def lost(self, conn: int) -> None:
        self._transports.pop(conn, None)
        self._journal.add("socket", self.id, conn=conn, happened="closed")
        self.feed(lambda machine, now_ms: machine.lost(conn, now_ms))

    def spoken(self, utterance: Utterance) -> None:
        """Somebody begins to speak at `utterance.start_ms`; it flows where media may flow."""
        for flow in self._flows.values():
            flow.add(utterance)

    async def spoken_out(self, timeout_s: float) -> None:
        """Wait until what was said is sent, and the app has read it; raises `TimeoutError`.

        A ping behind the media shows that it was read.  An app that does not answer pings is not
        waited for.
        """
        async with asyncio.timeout(timeout_s):
            for conn, flow in list(self._flows.items()):
                await flow.drained()
                transport = self._transports.get(conn)
                if transport is not None:
                    with contextlib.suppress(TimeoutError, ConnectionError):
                        await asyncio.wait_for(transport.measure_roundtrip_time(1), _PONG_S)

    def close(self) -> None:
        """Cut everything, for the end of the mock itself."""
        for flow in self._flows.values():
            flow.stop()
        if self._timer is not None:
            self._timer.cancel()
        for conn in list(self._transports):
            self._drop(conn)

    # --- doing what the machine wants ---------------------------------------------------------

    def _settle(self) -> None:
        for effect in self.machine.take_effects():
            match effect:
                case Send(conn, message):
                    self._send(conn, message)
                case Close(conn, code, reason):
                    self._close(conn, code, reason)
                case Drop(conn):
                    self._drop(conn)
                case Emit():
                    self._emit(self, effect)
                case Found(finding):
                    self._journal.find(finding)
        if self.machine.state is not self._state:
            self._state = self.machine.state
            self._journal.add("state", self.id, state=self._state.name)
        self._arm()
        self._match_flows()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_ms = self.machine.next_timer()
        if due_ms is None:
            self._timer = None
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._clock.loop_time(due_ms), self._timer_due)

    def _timer_due(self) -> None:
        self.feed(StreamMachine.handle_timer)

    def _send(self, conn: int, message: Message) -> None:
        self._note(conn, "out", message)
        self._write(conn, message)

    def _write(self, conn: int, message: Message) -> None:
        transport = self._transports.get(conn)
        if transport is None:
            return
        transport.send(WSMsgType.TEXT, messages.encode(message).encode())
        if transport.underlying_transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
            self._drop(conn)

    def _close(self, conn: int, code: int, reason: str) -> None:
        transport = self._transports.get(conn)
        if transport is not None:
            transport.send_close(WSCloseCode(code), reason.encode())
            transport.disconnect()

    def _drop(self, conn: int) -> None:
        transport = self._transports.get(conn)
        if transport is None:
            return
        raw = transport.underlying_transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, _RESET)
        transport.underlying_transport.abort()

    def _note(self, conn: int, way: str, message: Message) -> None:
        kind = messages.message_type(message)
        name = MessageType(kind).name if kind in tuple(MessageType) else "unknown"
        self._journal.add("message", self.id, conn=conn, way=way, name=name, message=message)

    # --- media --------------------------------------------------------------------------------

    def _match_flows(self) -> None:
        """Let media flow on the sockets on which it may, and on no others."""
        wanted = {s.conn: s for s in self.machine.media_sockets if self.machine.flowing}
        for conn in [c for c in self._flows if c not in wanted]:
            self._flows.pop(conn).stop()
        for conn, socket in wanted.items():
            if conn not in self._flows and socket.flow_from_ms is not None:
                flow = Flow(socket, self._pacer, self._media_sender(conn))
                self._flows[conn] = flow
                for utterance in self.meeting.utterances:
                    flow.add(utterance)

    def _media_sender(self, conn: int) -> Callable[[MediaType, Message, int], None]:
        def send(media: MediaType, message: Message, at_ms: int) -> None:
            if not self.sent:
                self.feed(lambda machine, _: machine.first_packet(at_ms))
            self.sent[MEDIA_KEYS[media]] += 1
            self._journal.counters[MEDIA_KEYS[media]] += 1
            self._write(conn, message)

        return send

    def speaker_changed(self, utterance: Utterance) -> None:
        """`utterance` begins: its speaker is the active one (event 2)."""
        fields: dict[str, Any] = {
            "timestamp": utterance.start_ms,
            "user_id": utterance.participant.user_id,
            "user_name": utterance.participant.user_name,
        }
        if self.machine.identity.product.events is EventType:
            self.feed(lambda machine, _: machine.tell(EventType.ACTIVE_SPEAKER_CHANGE, fields))
