"""A stream as it lives: its machine, the sockets under it, its timer and its media.

Whatever happens is fed to the machine by `feed`; what the machine wants done is done at once, in
order, and only then are timer and media brought into step with its state.  If one of these things
goes wrong it is told of in the journal, and the others are done all the same.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import islice

from picows import WSTransport

from mockzoom.clock import Alarm, Clock
from mockzoom.core import messages
from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import MessageType, StreamState
from mockzoom.core.effects import Close, Drop, Effect, Emit, Found, Send
from mockzoom.core.findings import Finding
from mockzoom.core.meeting import Meeting, Participant, Utterance
from mockzoom.core.messages import Message
from mockzoom.core.signing import without_signatures
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamMachine
from mockzoom.engine.flow import Flow
from mockzoom.engine.journal import Entry, Journal
from mockzoom.engine.outlet import Outlet
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.wire import Wire

__all__ = ["LiveStream"]

_NAMES: dict[int | None, str] = {kind.value: kind.name for kind in MessageType}

#: Of longer messages only the beginning goes into the journal, and so of those that are all
#: brackets: as objects these take a hundred times their bytes.
_NOTED_BYTES = 4096
_NOTED_NESTS = 64

#: Of a stream's messages so many are kept for findings, which show the last few of their socket.
_REMEMBERED = 50
_SHOWN = 5
_SHOWN_CHARS = 200

#: What an app is not blamed for while faults keep it from hearing or being heard.
_EXCUSED = ("rtms.handshake", "rtms.keep-alive", "rtms.ready-ack")

#: And while faults turn it away at the door.
_SHUT_OUT = ("rtms.connect", "rtms.reconnect")


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
        faults: Faults,
        emit: Callable[[LiveStream, Emit], None],
    ) -> None:
        self.machine = machine
        self.meeting = meeting
        self.sent: Counter[str] = Counter()
        self._clock = clock
        self._pacer = pacer
        self._journal = journal
        self._emit = emit
        self.wire = Wire(
            self.id,
            patience_ms=machine.timings.keep_alive_ms,
            clock=clock,
            pacer=pacer,
            journal=journal,
            faults=faults,
        )
        self._faults = faults
        self._flows: dict[int, Flow] = {}
        self._messages: deque[_Said] = deque(maxlen=_REMEMBERED)
        self._alarm = Alarm(clock, self._timer_due)
        self._state = machine.state
        self._closed = False
        self._turned_away = False  # by a fault, since all sockets were there last
        machine.regrant = lambda key, params: faults.granted(self.id, key, params)
        machine.reoffer = lambda urls: faults.offered(self.id, SIGNALING, urls)

    @property
    def journal(self) -> Journal:
        """That of the world that it is in."""
        return self._journal

    @property
    def id(self) -> str:
        return self.machine.identity.rtms_stream_id

    # --- what happens -------------------------------------------------------------------------

    def feed(self, call: Callable[[StreamMachine, int], None]) -> None:
        """Let `call` do something to the machine, then do what the machine wants.

        What `call` raises is raised here; nothing happens any more once the stream is closed.
        """
        if self._closed:
            return
        try:
            call(self.machine, self._clock.now_ms())
        finally:
            self._settle()

    def opened(self, conn: int, key: str, transport: WSTransport) -> None:
        self.wire.attach(conn, key, transport)
        if self._closed:
            self.wire.drop(conn)
            return
        self._journal.add("socket", self.id, conn=conn, socket=key, happened="opened")
        self.feed(lambda machine, now_ms: machine.opened(conn, key, now_ms))

    def received(self, conn: int, data: bytes) -> None:
        self._note(conn, "in", _legible(data))
        # Only faults have to know what it is before the machine reads it.
        message = (messages.decode(data) if self._faults else None) or {}
        if not self.wire.hears(conn, message):
            return
        self._refuse(conn, message)
        self.feed(lambda machine, now_ms: machine.receive(conn, data, now_ms))

    def lost(self, conn: int) -> None:
        self.wire.detach(conn)
        if not self._closed:
            self._journal.add("socket", self.id, conn=conn, happened="closed")
        self.feed(lambda machine, now_ms: machine.lost(conn, now_ms))

    def say(self, key: str, message: Message) -> None:
        """Send `message` as it is on the sockets of `key`: what no protocol knows, too."""
        for conn, socket in self.machine.sockets.items():
            if socket.key == key:
                self._note(conn, "out", message)
                self.wire.send(conn, message)

    def chatted(self, content: Message) -> None:
        """Somebody wrote `content` in the chat."""
        for flow in self._flows.values():
            flow.chat(content)

    def spoken(self, utterance: Utterance) -> None:
        """Somebody begins to speak at `utterance.start_ms`; it flows where media may flow."""
        for flow in self._flows.values():
            flow.add(utterance)

    def hushed(self, participant: Participant) -> None:
        """`participant` has gone, and is not heard any more."""
        for flow in self._flows.values():
            flow.hush(participant, self._clock.now_ms())

    async def spoken_out(self, timeout_s: float) -> None:
        """Wait until what was said is sent, and the app has read it; raises `TimeoutError`."""
        async with asyncio.timeout(timeout_s):
            for conn, flow in list(self._flows.items()):
                await flow.drained()
                await self.wire.read(conn)

    def close(self) -> None:
        """Cut everything and be silent from now on, for the end of the mock's world."""
        self._closed = True
        for flow in self._flows.values():
            flow.stop()
        self._alarm.set(None)
        self.wire.drop_all()

    # --- doing what the machine wants ---------------------------------------------------------

    def _settle(self) -> None:
        for effect in self.machine.take_effects():
            try:
                self._carry_out(effect)
            except Exception as error:
                self._journal.failed(f"stream {self.id}: {type(effect).__name__}", error)
        if self.machine.state is not self._state:
            self._state = self.machine.state
            self._journal.add("state", self.id, state=self._state.name)
        if self.machine.flowing and self.machine.whole:
            self._turned_away = False
        self._alarm.set(self.machine.next_timer())
        self._match_flows()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(conn, message):
                if not self._spared(conn, message):
                    self._note(conn, "out", message)
                    self.wire.send(conn, message)
            case Close(conn, code, reason):
                self.wire.close(conn, code, reason)
            case Drop(conn):
                self.wire.drop(conn)
            case Emit():
                self._emit(self, effect)
            case Found(finding, conn):
                if self._excuses(finding, conn):
                    self._journal.add(
                        "fault", self.id, conn=conn, happened="excused", check=finding.check
                    )
                else:
                    self._journal.find(replace(finding, wire=self._wire_log(conn)))

    def _excuses(self, finding: Finding, conn: int | None) -> bool:
        """Whether a fault, not the app, is to blame."""
        if finding.check in _SHUT_OUT:
            # Who came back too fast did get in; only who was too late was not let in.
            return self._turned_away and self.machine.state is StreamState.TERMINATED
        return finding.check in _EXCUSED and self.wire.disturbed(conn)

    def _timer_due(self) -> None:
        try:
            self.feed(StreamMachine.handle_timer)
        except Exception as error:
            self._journal.failed(f"stream {self.id}: timer", error)

    def _refuse(self, conn: int, message: Message) -> None:
        """Let a fault refuse the handshake that `message` may be."""
        socket = self.machine.sockets.get(conn)
        if socket is None or not self._faults:
            return
        kind = MessageType.DATA_HAND_SHAKE_REQ
        if socket.is_signaling:
            kind = MessageType.SIGNALING_HAND_SHAKE_REQ
        if messages.message_type(message) == kind:
            status = self._faults.refusal(self.id, socket.key)
            if status is not None:
                self.machine.refuse_next[kind].append(status)
                self._turned_away = True

    def _spared(self, conn: int, message: Message) -> bool:
        """Whether `message` is a keep-alive that a fault leaves out.

        It is answered here, so that it cannot be missed.
        """
        keep_alive = message["msg_type"] == MessageType.KEEP_ALIVE_REQ
        if not keep_alive or not self.wire.spares_keep_alive(conn):
            return False
        answer = messages.encode(messages.keep_alive_resp(message))
        self.machine.receive(conn, answer, self._clock.now_ms())
        return True

    def _note(self, conn: int, way: str, message: Message) -> None:
        name = _NAMES.get(messages.message_type(message), "unknown")
        entry = self._journal.add(
            "message", self.id, conn=conn, way=way, name=name, message=message
        )
        self._messages.append(_Said(entry))

    def _wire_log(self, conn: int | None) -> tuple[str, ...]:
        """The last messages on `conn`, or on any socket, oldest first, a line each."""
        own = (said for said in reversed(self._messages) if conn in (None, said.conn))
        return tuple(said.line for said in islice(own, _SHOWN))[::-1]

    # --- media --------------------------------------------------------------------------------

    def _match_flows(self) -> None:
        """Let media flow on the sockets on which it may, and on no others."""
        wanted = {s.conn: s for s in self.machine.media_sockets if self.machine.flowing}
        for conn in [c for c in self._flows if c not in wanted]:
            self._flows.pop(conn).stop()
        for conn, socket in wanted.items():
            if conn not in self._flows and socket.flow_from_ms is not None:
                line, counters = self.wire.line(conn), self._journal.counters
                outlet = Outlet(line, self.sent, counters, self._first_packet)
                flow = Flow(socket, self._clock, self._pacer, self._journal, outlet.send)
                self._flows[conn] = flow
                for utterance in self.meeting.utterances:
                    flow.add(utterance)
        self.looked()

    def looked(self) -> None:
        """Show who is to be seen now, and by what."""
        for flow in self._flows.values():
            flow.look(self.machine, self.meeting.films)

    def _first_packet(self, at_ms: int) -> None:
        self.feed(lambda machine, _: machine.first_packet(at_ms))

    def speaker_changed(self, utterance: Utterance) -> None:
        """`utterance` begins: its speaker is the active one."""
        user_id = utterance.participant.user_id
        self.feed(lambda machine, _: machine.speaks(user_id, utterance.start_ms))


def _legible(data: bytes) -> Message:
    """What came, for the journal: a message, or the beginning of what is none or too long.

    Signatures are shortened, because an app may have put its secret there by mistake.
    """
    text = without_signatures(data.decode(errors="replace"))
    small = len(data) <= _NOTED_BYTES and text.count("[") + text.count("{") <= _NOTED_NESTS
    message = messages.decode(text) if small else None
    return message or {"raw": text[:200], "bytes": len(data)}


class _Said:
    """A message of the journal, for findings: several may show it, so its line is written once."""

    def __init__(self, entry: Entry) -> None:
        self.conn: int = entry.fields["conn"]
        self._entry = entry

    @cached_property
    def line(self) -> str:
        of = self._entry.fields
        text = messages.encode(of["message"])
        shown = text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
        return f"#{self._entry.id} {of['way']} on socket #{self.conn}: {of['name']} {shown}"
