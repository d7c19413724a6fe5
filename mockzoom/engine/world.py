"""Mock Zoom's world: meetings, their streams, and the webhooks that tell of them.

Whatever happens here happens on the loop's thread, at the time of `clock`, with ids and example
events from one seed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.codes import SessionState, StopReason, StreamState
from mockzoom.core.effects import Emit
from mockzoom.core.examples import ExampleFactory, encode
from mockzoom.core.handshake import Identity
from mockzoom.core.meeting import Meeting, Participant, Utterance
from mockzoom.core.products import MEETING, PRODUCTS
from mockzoom.core.signing import Credentials
from mockzoom.core.stream import StreamMachine, StreamPolicy
from mockzoom.core.timings import Timings
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Moment, Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["World"]


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
    ) -> None:
        self.journal = journal
        self.deliveries = deliveries
        self.meetings: dict[str, Meeting] = {}
        self.streams: dict[str, LiveStream] = {}
        self._credentials = credentials
        self._examples = examples
        self._clock = clock
        self._pacer = pacer
        self._rtms = rtms
        self._timings = timings
        self._policy = policy

    # --- meetings -----------------------------------------------------------------------------

    def create_meeting(
        self, topic: str, participants: Iterable[str], product: str = MEETING.name
    ) -> Meeting:
        """A meeting that is in progress, with its people in it; no stream yet."""
        row, ids = PRODUCTS[product], self._examples.ids
        names = dict.fromkeys([row.id_field, row.key_field])
        meeting = Meeting(
            row,
            ids={name: getattr(ids, name)() for name in names},
            fields={
                "account_id": ids.account_id(),
                "operator_id": ids.operator_id(),
                "is_original_host": True,
            },
            topic=topic,
        )
        for name in participants:
            meeting.join(name, ids.rtms_session_id())
        self.meetings[meeting.key] = meeting
        return meeting

    def meeting(self, key: str) -> Meeting:
        try:
            return self.meetings[key]
        except KeyError:
            raise UnknownObject(
                f"meeting {key!r}: there is none{nearest(key, self.meetings)}"
            ) from None

    def join(self, meeting: Meeting, name: str) -> Participant:
        participant = meeting.join(name, self._examples.ids.rtms_session_id())
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: _come_in(machine, participant, now_ms))
        return participant

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
        for stream in self.live_streams(meeting):
            stream.speaker_changed(utterance)

    # --- streams ------------------------------------------------------------------------------

    def live_streams(self, meeting: Meeting) -> list[LiveStream]:
        return [
            stream
            for stream in self.streams.values()
            if stream.meeting is meeting and stream.machine.state is not StreamState.TERMINATED
        ]

    def stream(self, rtms_stream_id: str) -> LiveStream:
        try:
            return self.streams[rtms_stream_id]
        except KeyError:
            raise UnknownObject(
                f"stream {rtms_stream_id!r}: there is none{nearest(rtms_stream_id, self.streams)}"
            ) from None

    def start_rtms(self, meeting: Meeting) -> LiveStream:
        """A new stream of `meeting`: its webhook goes out, its URLs answer."""
        ids = self._examples.ids
        identity = Identity(meeting.product, meeting.id, ids.rtms_stream_id())
        machine = StreamMachine(
            identity,
            self._credentials,
            self._rtms.urls(ids.rtms_session_id()),
            self._timings,
            self._policy,
        )
        stream = LiveStream(
            machine,
            meeting,
            clock=self._clock,
            pacer=self._pacer,
            journal=self.journal,
            emit=self._emit,
        )
        self.streams[stream.id] = stream
        self._rtms.serve(stream)
        now_ms = self._clock.now_ms()
        for participant in meeting.participants.values():
            _come_in(machine, participant, now_ms)
        stream.feed(StreamMachine.start)
        return stream

    def stop_rtms(self, stream: LiveStream, reason: StopReason) -> None:
        stream.feed(lambda machine, now_ms: machine.stop(reason, now_ms))

    def only_stream(self, meeting: Meeting) -> LiveStream:
        """The one live stream of `meeting`."""
        live = self.live_streams(meeting)
        if len(live) != 1:
            raise UsageError(f"meeting {meeting.key}: expected one live stream, found {len(live)}")
        return live[0]

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

    # --- the end ------------------------------------------------------------------------------

    async def reset(self) -> None:
        """Forget every meeting, stream, endpoint and journal entry, as if newly started."""
        for stream in self.streams.values():
            stream.close()
            self._rtms.forget(stream)
        self.deliveries.forget()
        self.streams.clear()
        self.meetings.clear()
        self._pacer.close()
        await asyncio.sleep(0)  # sockets that were cut report it now
        self.journal.clear()


def _come_in(machine: StreamMachine, participant: Participant, now_ms: int) -> None:
    machine.join(participant.user_id, participant.user_name, now_ms)
    machine.session(participant.rtms_session_id, SessionState.STARTED, now_ms)
