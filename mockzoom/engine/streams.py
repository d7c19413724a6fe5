"""The streams of mock Zoom's world: started, moved, disturbed, ended, and kept for a while after.

Each is a `LiveStream`; here it gets its ids and URLs, its webhooks are sent, and its app is held to
its limit of streams.  The last `KEPT_STREAMS` that ended are kept, so that their state can be asked
for and a late handshake gets the answer that it deserves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Active, Faults
from mockzoom.core.app_limit import AppLimit
from mockzoom.core.clip import Clip
from mockzoom.core.codes import SessionState, StopReason, StreamState
from mockzoom.core.delivery_faults import DeliveryFault
from mockzoom.core.effects import Emit
from mockzoom.core.examples import ExampleFactory, encode, merge
from mockzoom.core.faults import CutFault, Fault
from mockzoom.core.handshake import Identity
from mockzoom.core.meeting import Meeting, Participant
from mockzoom.core.oauth import Tokens
from mockzoom.core.signing import Credentials
from mockzoom.core.spec import Spec
from mockzoom.core.stream import StreamMachine, StreamPolicy
from mockzoom.core.timings import Timings
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.event_socket import EventSockets
from mockzoom.engine.journal import Journal
from mockzoom.engine.limit_watch import LimitWatch
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["KEPT_STREAMS", "Rules", "Streams", "come_in", "unused"]

T = TypeVar("T")

KEPT_STREAMS = 1_000

_HAPPENINGS = ("started", "interrupted", "stopped")


@dataclass(frozen=True)
class Rules:
    """The intervals of streams as in real time, how strict they are, and how many there may be."""

    timings: Timings
    policy: StreamPolicy
    limit: AppLimit


class Streams:
    """Belongs to the loop's thread; `mockzoom.engine.world` is the whole of it.

    `story` is the name of the scenario that is played in it, ``""`` if none is.  `clips` are what
    participants play, by their names in `casefold`.
    """

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
        limit: AppLimit | None = None,
        account_id: str | None = None,
        name: str = "",
        clips: Mapping[str, Clip] | None = None,
    ) -> None:
        self.journal = journal
        self.deliveries = deliveries
        self.tokens = Tokens(secrets.token_urlsafe)
        self.event_sockets = EventSockets(
            rtms.events,
            credentials=credentials,
            tokens=self.tokens,
            clock=clock,
            journal=journal,
            pacer=pacer,
            faults=faults,
        )
        self.faults = faults
        faults.over = self._fault_ended
        self.account_id = account_id or examples.ids.account_id()
        self.story = ""
        self.meetings: dict[str, Meeting] = {}
        self._by_id: dict[str, Meeting] = {}
        self.streams: dict[str, LiveStream] = {}
        self._live: dict[str, list[LiveStream]] = {}
        self._credentials = credentials
        self._examples = examples
        self._clock = clock
        self._speed = clock.speed
        self._pacer = pacer
        self._rtms = rtms
        self._name = name
        self._clips = clips or {}
        self._timings = timings
        self._policy = policy
        self._limit = LimitWatch(limit or AppLimit(), timings, clock, self.send_event)

    @property
    def timings(self) -> Timings:
        """The intervals of streams at the speed of the clock, in this world's milliseconds."""
        return self._timings.at_speed(self._clock.speed)

    @property
    def spec(self) -> Spec:
        """The document of the webhooks that there are."""
        return self._examples.spec

    @property
    def rules(self) -> Rules:
        """What streams that start from now on go by."""
        return Rules(self._timings, self._policy, self._limit.limit)

    @rules.setter
    def rules(self, rules: Rules) -> None:
        self._timings, self._policy = rules.timings, rules.policy
        self._limit.limit = rules.limit

    def live_streams(self, meeting: Meeting) -> list[LiveStream]:
        streams = self._live.get(meeting.key, ())
        return [s for s in streams if s.machine.state is not StreamState.TERMINATED]

    def start_rtms(self, meeting: Meeting) -> LiveStream:
        """A new stream of `meeting`: its webhook goes out, its URLs answer.

        Raises `UsageError` when the meeting has ended, `LimitReached` when the app has as many
        streams as it may, and `UnknownEvent` when the document lacks one of the webhooks that
        streams cause.
        """
        meeting.must_go_on()
        for happening in _HAPPENINGS:
            self._examples.spec.event(meeting.product.event(happening))
        self._limit.admit(meeting)
        id_ = unused(self._examples.ids.rtms_stream_id, self.streams.__contains__)
        token = self._new_token()
        stream = self._new_stream(meeting, id_, token)
        self._forget_ended()
        self._live[meeting.key] = [*self.live_streams(meeting), stream]
        self.streams[stream.id] = stream
        self._rtms.serve(token, stream)
        stream.feed(lambda machine, now_ms: _enter(machine, meeting, now_ms))
        stream.feed(StreamMachine.start)
        self._limit.started(stream.id)
        return stream

    def limit_streams(self, max_streams: int) -> None:
        """Let the app have so many streams at once; those that are too many go on.

        Raises `ConfigurationError`.
        """
        self._limit.limit_to(AppLimit(max_streams))

    def _new_stream(self, meeting: Meeting, id_: str, token: str) -> LiveStream:
        machine = StreamMachine(
            Identity(meeting.product, meeting.id, id_),
            self._credentials,
            self._rtms.urls(token),
            self.timings,
            self._policy,
        )
        return LiveStream(
            machine,
            meeting,
            clock=self._clock,
            pacer=self._pacer,
            journal=self.journal,
            faults=self.faults,
            emit=self._emit,
        )

    def _new_token(self) -> str:
        # With the name of the world: those of the same seed have ids in common, but no URLs.
        made = self._examples.ids.rtms_session_id
        return unused(lambda: f"{self._name}{made()}", self._rtms.serves)

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
        if emit.happening == "stopped":
            self._limit.ended(stream.id)
            if not self.live_streams(stream.meeting):
                self._live.pop(stream.meeting.key, None)
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
        payload = {k: v for k, v in fields.items() if k in contract.payload_fields}
        event = self._examples.event(name, facts=payload, now_ms=self._clock.now_ms())
        self._send(name, encode(event), stream)

    def send_example(
        self,
        name: str,
        fields: Mapping[str, Any],
        stream: LiveStream | None,
        *,
        validate: bool,
        without: Sequence[str] = (),
    ) -> None:
        """Send an example of event `name` with `fields` merged in, and the ids of `stream`.

        Nothing has to have happened for it.  Raises `UnknownEvent`, and `InvalidEvent` when it
        would break its contract, which without `validate` it may; fields of the payload that are
        left out in the end (`without`) do not count as that.
        """
        own = {} if stream is None else {**stream.meeting.ids, "rtms_stream_id": stream.id}
        known = self._examples.spec.event(name).payload_fields
        payload = {key: value for key, value in own.items() if key in known}
        event = self._examples.event(
            name,
            merge({"payload": payload}, fields),
            now_ms=self._clock.now_ms(),
            validate=validate,
        )
        for field in without:
            event["payload"].pop(field, None)
        self._send(name, encode(event), stream.id if stream else "")

    def _send(self, name: str, body: bytes, stream: str) -> None:
        self.deliveries.send(name, body, stream)
        self.event_sockets.send(name, body, stream)

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


def unused(make: Callable[[], T], taken: Callable[[str], bool]) -> T:
    while taken(str(value := make())):
        pass
    return value


def come_in(machine: StreamMachine, participant: Participant, now_ms: int) -> None:
    machine.join(participant.user_id, participant.user_name, now_ms)
    machine.session(participant.rtms_session_id, SessionState.STARTED, now_ms)


def _enter(machine: StreamMachine, meeting: Meeting, now_ms: int) -> None:
    """A new stream finds the meeting as it is."""
    machine.call = meeting.call
    for participant in meeting.participants.values():
        come_in(machine, participant, now_ms)
    for user_id in meeting.cameras:
        machine.camera(user_id, True, now_ms)
    if meeting.sharer is not None:
        machine.share(meeting.sharer, True, now_ms)
