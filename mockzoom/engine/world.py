"""Mock Zoom's world: meetings, their streams, and the webhooks that tell of them.

Whatever happens here happens on the loop's thread, at the time of `clock`, with ids and example
events from one seed.  What is over is kept for a while, so that its state can be asked for and a
late handshake gets the answer that it deserves: the last `KEPT_STREAMS` streams that ended, and of
`KEPT_MEETINGS` meetings those that were started last or have a live stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Active, Faults
from mockzoom.core.chat import chat_content
from mockzoom.core.codes import ChatOperation, SessionState, StopReason, StreamState
from mockzoom.core.delivery_faults import DeliveryFault
from mockzoom.core.effects import Emit
from mockzoom.core.examples import ExampleFactory, encode
from mockzoom.core.faults import CutFault, Fault
from mockzoom.core.handshake import Identity
from mockzoom.core.meeting import Meeting, Participant, Utterance
from mockzoom.core.messages import is_json
from mockzoom.core.products import CONTACT_CENTER, MEETING, PRODUCTS
from mockzoom.core.signing import Credentials
from mockzoom.core.stream import StreamMachine, StreamPolicy
from mockzoom.core.subscriptions import Subscription
from mockzoom.core.timings import Timings
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Moment, Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["KEPT_MEETINGS", "KEPT_STREAMS", "World"]

T = TypeVar("T")

KEPT_STREAMS = 1_000
KEPT_MEETINGS = 10_000

_HAPPENINGS = ("started", "interrupted", "stopped")


class World:
    def __init__(
        self,
        *,
        credentials: Credentials,
        examples: ExampleFactory,
        clock: Clock,
        journal: Journal,
        pacer: Pacer,
        rtms: RtmsServer,
        deliveries: Deliveries,
        timings: Timings,
        policy: StreamPolicy,
        faults: Faults,
        account_id: str | None = None,
    ) -> None:
        self.journal = journal
        self.deliveries = deliveries
        self.faults = faults
        faults.over = self._fault_ended
        self.account_id = account_id or examples.ids.account_id()
        self.meetings: dict[str, Meeting] = {}
        self._by_id: dict[str, Meeting] = {}
        self.streams: dict[str, LiveStream] = {}
        self._live: dict[str, list[LiveStream]] = {}
        self._credentials = credentials
        self._examples = examples
        self._clock = clock
        self._pacer = pacer
        self._rtms = rtms
        self._timings = timings
        self._policy = policy

    def now_ms(self) -> int:
        return self._clock.now_ms()

    # --- meetings -----------------------------------------------------------------------------

    def create_meeting(
        self, topic: str, participants: Iterable[str], product: str = MEETING.name
    ) -> Meeting:
        """A meeting that is in progress, with its people in it; no stream yet."""
        row, ids = PRODUCTS[product], self._examples.ids
        made = {row.id_field: getattr(ids, row.id_field)()}
        made[row.key_field] = _unused(getattr(ids, row.key_field), self.meetings.__contains__)
        meeting = Meeting(
            row,
            ids=made,
            fields={
                "account_id": self.account_id,
                "operator_id": ids.operator_id(),
                "is_original_host": True,
            },
            topic=topic,
        )
        for name in participants:
            meeting.join(name, ids.rtms_session_id())
        self._forget_a_meeting()
        self.meetings[meeting.key] = self._by_id[meeting.id] = meeting
        return meeting

    def _forget_a_meeting(self) -> None:
        if len(self.meetings) >= KEPT_MEETINGS:
            idle = (key for key, meeting in self.meetings.items() if not self.live_streams(meeting))
            key = next(idle, "")
            if meeting := self.meetings.pop(key, None):
                self._by_id.pop(meeting.id, None)
            self._live.pop(key, None)

    def meeting(self, key: str) -> Meeting:
        try:
            return self.meetings[key]
        except KeyError:
            raise UnknownObject(
                f"meeting {key!r}: there is none{nearest(key, self.meetings)}"
            ) from None

    def find(self, id_: str) -> list[Meeting]:
        """The meetings that have `id_` as their key, or as the id that handshakes sign."""
        found = (self.meetings.get(id_), self._by_id.get(id_))
        return [meeting for meeting in found if meeting is not None]

    def join(self, meeting: Meeting, name: str) -> Participant:
        participant = meeting.join(name, self._examples.ids.rtms_session_id())
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: _come_in(machine, participant, now_ms))
        return participant

    def leave(self, meeting: Meeting, name: str) -> None:
        """`name` leaves: they fall silent, their session stops, and the app is told."""
        participant = meeting.leave(name, self._clock.now_ms())
        for stream in self.live_streams(meeting):
            stream.hushed(participant)
            stream.feed(lambda machine, now_ms: _go_out(machine, participant, now_ms))

    def camera(self, meeting: Meeting, name: str, on: bool) -> None:
        """`name` turns the camera on or off (events 8 and 9)."""
        user_id = meeting.participant(name).user_id
        (meeting.cameras.add if on else meeting.cameras.discard)(user_id)
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: machine.camera(user_id, on, now_ms))

    def share(self, meeting: Meeting, name: str, on: bool) -> None:
        """`name` starts or stops sharing the screen (events 5 and 6)."""
        user_id = meeting.participant(name).user_id
        if on or meeting.sharer == user_id:
            meeting.sharer = user_id if on else None
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: machine.share(user_id, on, now_ms))

    def tell(self, meeting: Meeting, event_type: int, fields: Mapping[str, Any]) -> None:
        """An event of the product's table happens, with `fields` as its body (message 6)."""
        known = meeting.product.events
        if event_type not in tuple(known):
            raise UsageError(
                f"meeting {meeting.key}: event_type {event_type}: expected "
                f"{min(known):d} to {max(known):d}"
            )
        if not is_json(dict(fields)):
            raise UsageError(f"meeting {meeting.key}: event {event_type}: expected fields of JSON")
        stamp = "event_ts" if meeting.product is CONTACT_CENTER else "timestamp"
        body = {stamp: self._clock.now_ms(), **fields}
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, _: machine.tell(event_type, body))

    def chat(
        self,
        meeting: Meeting,
        name: str,
        text: str,
        *,
        to: str | None = None,
        operation: int = ChatOperation.NEW,
        message_id: str | None = None,
        parent_message_id: str = "",
    ) -> str:
        """`name` writes `text` to everyone or `to` one participant; returns the message's id.

        Operations other than NEW (update, delete, reactions) name the `message_id` they are about.
        """
        if operation not in tuple(ChatOperation):
            known = f"{min(ChatOperation):d} to {max(ChatOperation):d}"
            raise UsageError(f"chat: operation_type {operation}: expected {known}")
        if operation != ChatOperation.NEW and message_id is None:
            raise UsageError("chat: message_id: say which message the operation is about")
        content = chat_content(
            meeting.participant(name),
            text,
            message_id=message_id or self._examples.ids.rtms_session_id(),
            timestamp_ms=self._clock.now_ms(),
            operation=ChatOperation(operation),
            receiver=None if to is None else meeting.participant(to),
            parent_message_id=parent_message_id,
        )
        self.journal.add("chat", meeting=meeting.key, user_name=name, content=content)
        for stream in self.live_streams(meeting):
            stream.chatted(content)
        return str(content["message_id"])

    def say(self, meeting: Meeting, name: str, text: str) -> Utterance:
        """`name` says `text`: audio for as long as that takes, and its transcript."""
        now_ms = self._clock.now_ms()
        meeting.forget_before(now_ms - self._timings.audio_buffer_ms)
        utterance = meeting.say(name, text, now_ms)
        self.journal.add(
            "speech",
            meeting=meeting.key,
            user_name=name,
            text=text,
            start_ms=utterance.start_ms,
            duration_ms=utterance.duration_ms,
        )
        for stream in self.live_streams(meeting):
            stream.spoken(utterance)
        self._pacer.add(
            Moment(utterance.start_ms, lambda: self._speaker_changed(meeting, utterance))
        )
        return utterance

    def _speaker_changed(self, meeting: Meeting, utterance: Utterance) -> None:
        if utterance not in meeting.utterances:
            return  # they left before it
        for stream in self.live_streams(meeting):
            stream.speaker_changed(utterance)

    # --- streams ------------------------------------------------------------------------------

    def live_streams(self, meeting: Meeting) -> list[LiveStream]:
        streams = self._live.get(meeting.key, ())
        return [s for s in streams if s.machine.state is not StreamState.TERMINATED]

    def start_rtms(self, meeting: Meeting) -> LiveStream:
        """A new stream of `meeting`: its webhook goes out, its URLs answer.

        Raises `UnknownEvent` when the document lacks one of the webhooks that streams cause.
        """
        for happening in _HAPPENINGS:
            self._examples.spec.event(meeting.product.event(happening))
        ids = self._examples.ids
        id_ = _unused(ids.rtms_stream_id, self.streams.__contains__)
        token = self._new_token()
        machine = StreamMachine(
            Identity(meeting.product, meeting.id, id_),
            self._credentials,
            self._rtms.urls(token),
            self._timings,
            self._policy,
        )
        stream = LiveStream(
            machine,
            meeting,
            clock=self._clock,
            pacer=self._pacer,
            journal=self.journal,
            faults=self.faults,
            emit=self._emit,
        )
        self._forget_ended()
        self._live[meeting.key] = [*self.live_streams(meeting), stream]
        self.streams[stream.id] = stream
        self._rtms.serve(token, stream)
        now_ms = self._clock.now_ms()
        for participant in meeting.participants.values():
            _come_in(machine, participant, now_ms)
        for user_id in meeting.cameras:
            machine.camera(user_id, True, now_ms)
        if meeting.sharer is not None:
            machine.share(meeting.sharer, True, now_ms)
        stream.feed(StreamMachine.start)
        return stream

    def _new_token(self) -> str:
        return _unused(self._examples.ids.rtms_session_id, self._rtms.serves)

    def _forget_ended(self) -> None:
        if len(self.streams) < KEPT_STREAMS:
            return
        ended = [s for s in self.streams.values() if s.machine.state is StreamState.TERMINATED]
        for stream in ended[: max(0, len(ended) - KEPT_STREAMS + 1)]:
            del self.streams[stream.id]
            self._rtms.forget(stream)

    def pause(self, stream: LiveStream) -> None:
        stream.feed(lambda machine, now_ms: machine.pause(now_ms))

    def resume(self, stream: LiveStream) -> None:
        stream.feed(lambda machine, now_ms: machine.resume(now_ms))

    def relocate(self, stream: LiveStream) -> None:
        """Server failover: the stream's sockets are cut, and a new started names new URLs."""
        token = self._new_token()
        stream.feed(lambda machine, now_ms: machine.relocate(self._rtms.urls(token), now_ms))
        self._rtms.forget(stream)
        self._rtms.serve(token, stream)

    def stop_rtms(self, stream: LiveStream, reason: StopReason) -> None:
        stream.feed(lambda machine, now_ms: machine.stop(reason, now_ms))

    def live_stream(self, meeting: Meeting, rtms_stream_id: str | None = None) -> LiveStream:
        """The live stream of `meeting` with this id, or its only one."""
        live = {stream.id: stream for stream in self.live_streams(meeting)}
        if rtms_stream_id is not None:
            if rtms_stream_id not in live:
                raise UnknownObject(
                    f"meeting {meeting.key}: no live stream {rtms_stream_id!r}"
                    f"{nearest(rtms_stream_id, live)}"
                )
            return live[rtms_stream_id]
        if len(live) != 1:
            hint = "; say which one with rtms_stream_id" if live else "; start one first"
            raise UsageError(
                f"meeting {meeting.key}: expected one live stream, found {len(live)}{hint}"
            )
        return next(iter(live.values()))

    def _emit(self, stream: LiveStream, emit: Emit) -> None:
        self.send_event(
            stream.meeting.product.event(emit.happening),
            {
                **stream.meeting.ids,
                **stream.meeting.fields,
                "rtms_stream_id": stream.id,
                **emit.fields,
            },
            stream.id,
        )

    def send_event(self, name: str, fields: dict[str, Any], stream: str = "") -> None:
        """Send event `name` to every endpoint, with those of `fields` that its payload has."""
        contract = self._examples.spec.event(name)
        known = contract.schema["properties"]["payload"]["properties"]
        payload = {key: value for key, value in fields.items() if key in known}
        event = self._examples.event(name, {"payload": payload}, now_ms=self._clock.now_ms())
        self.deliveries.send(name, encode(event), stream)

    async def subscribe(self, url: str, events: Sequence[str] = ()) -> Subscription:
        """See `Deliveries.subscribe`; raises `UnknownEvent` for one that no document has."""
        for name in events:
            self._examples.spec.event(name)
        return await self.deliveries.subscribe(url, events)

    # --- faults -------------------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> int:
        """Switch `fault` on (a cut is done at once); returns the number that lifts it."""
        if isinstance(fault, DeliveryFault) and fault.event:
            self._examples.spec.event(fault.event)
        number = self.faults.add(fault)
        self.journal.add("fault", fault.stream, number=number, happened="on", fault=fault.as_dict())
        if isinstance(fault, CutFault):
            for stream in list(self.streams.values()):
                stream.wire.cut(fault)
        return number

    def lift_fault(self, number: int) -> None:
        self._fault_ended(self.faults.lift(number), "lifted")

    def lift_faults(self) -> None:
        for active in self.faults:
            self.lift_fault(active.number)

    def _fault_ended(self, active: Active, happened: str = "over") -> None:
        stream = active.fault.stream
        self.journal.add("fault", stream, number=active.number, happened=happened, hits=active.hits)

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> int:
        """Cancel what is in flight, cut every socket, and do nothing more.

        Returns how many webhooks were on their way and are lost.
        """
        for stream in self.streams.values():
            stream.close()
            self._rtms.forget(stream)
        lost = self.deliveries.forget()
        self.faults.clear()
        self._pacer.clear()
        return lost

    def reset(self) -> None:
        """Forget every meeting, stream, endpoint and journal entry, as if newly started.

        Ids go on, so that whoever is left over from before cannot be taken for somebody new, and
        the counters say how many webhooks were cancelled.
        """
        lost = self.close()
        self.streams.clear()
        self._live.clear()
        self.meetings.clear()
        self._by_id.clear()
        self.journal.clear()
        if lost:
            self.journal.counters["webhooks_lost"] = lost


def _unused(make: Callable[[], T], taken: Callable[[str], bool]) -> T:
    while taken(str(value := make())):
        pass
    return value


def _go_out(machine: StreamMachine, participant: Participant, now_ms: int) -> None:
    machine.leave(participant.user_id, now_ms)
    machine.session(participant.rtms_session_id, SessionState.STOPPED, now_ms)


def _come_in(machine: StreamMachine, participant: Participant, now_ms: int) -> None:
    machine.join(participant.user_id, participant.user_name, now_ms)
    machine.session(participant.rtms_session_id, SessionState.STARTED, now_ms)
