"""What an app is told of a meeting on its signaling socket: its sessions, people and events.

Nothing is said before the app has acknowledged that it is ready; then it hears who is there, and
from then on what happens.  What it subscribed to is kept over reconnects, because the official
SDK subscribes only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mockzoom.core import messages
from mockzoom.core.codes import DataOption, EventType, SessionState, StopReason, VoiceEventType
from mockzoom.core.connections import Connections
from mockzoom.core.handshake import Identity
from mockzoom.core.messages import Message
from mockzoom.core.sockets import SocketState
from mockzoom.core.timings import Timings
from mockzoom.core.voice_call import participant_info
from mockzoom.errors import UnknownObject

__all__ = ["UNASKED_EVENTS", "Briefing", "Subscriptions"]

#: Events 1 and 7 of a meeting come unasked; asking for them is a mistake.
UNASKED_EVENTS = (EventType.FIRST_PACKET_TIMESTAMP, EventType.MEDIA_CONNECTION_INTERRUPTED)


@dataclass
class Subscriptions:
    """The events that an app asked for, and the one participant whose video it wants."""

    events: set[int] = field(default_factory=set)
    video_user_id: int | None = None


class Briefing(Connections):
    """`sessions`, `roster` (user id to name) and `cameras` (those that are on) are what there is
    to tell; of a voice call also `call`, which is told with each of its people.

    With `gate_events` an app hears only of events that it subscribed to.
    """

    def __init__(self, identity: Identity, timings: Timings, *, gate_events: bool) -> None:
        super().__init__(identity.rtms_stream_id, timings)
        self.identity = identity
        self.stop_reason: StopReason | None = None
        self.sessions: dict[str, SessionState] = {}
        self.roster: dict[int, str] = {}
        self.call: Mapping[str, Any] = {}
        self.cameras: set[int] = set()
        self.sharer: int | None = None
        self.speaker: int | None = None
        self._first_user_id: int | None = None
        self.subscriptions = Subscriptions()
        self._gate_events = gate_events

    # --- what happens -------------------------------------------------------------------------

    def session(self, rtms_session_id: str, state: SessionState, now_ms: int) -> None:
        """One user's part in the stream starts, pauses, resumes or stops."""
        self.sessions[rtms_session_id] = state
        reason = self.stop_reason if state is SessionState.STOPPED else None
        self.signal(messages.session_state_update(rtms_session_id, state, now_ms, reason))

    def tell(self, event_type: int, fields: Mapping[str, Any]) -> None:
        """Something happened in the meeting: message 6, if the app is there and wants to know."""
        unasked = event_type in UNASKED_EVENTS and self._has_people_events
        if unasked or not self._gate_events or event_type in self.subscriptions.events:
            self.signal(messages.event_update(event_type, fields))

    def first_packet(self, timestamp_ms: int) -> None:
        """The first media of the stream was captured at `timestamp_ms`."""
        if self._has_people_events:
            self.tell(EventType.FIRST_PACKET_TIMESTAMP, {"timestamp": timestamp_ms})

    def join(self, user_id: int, user_name: str, now_ms: int) -> None:
        """A participant comes in; an app that is ready is told so."""
        if self._first_user_id is None:
            self._first_user_id = user_id
        self.roster[user_id] = user_name
        self._tell_of([user_id], now_ms)

    def leave(self, user_id: int, now_ms: int) -> None:
        """A participant goes; raises `UnknownObject` for one who is not there."""
        if user_id not in self.roster:
            raise UnknownObject(f"stream {self.identity.rtms_stream_id}: no participant {user_id}")
        if not self._has_people_events:
            consumer, user = VoiceEventType.CONSUMER_END, VoiceEventType.USER_END
            self._tell_voice(consumer, user, user_id, now_ms)
        del self.roster[user_id]
        if self.subscriptions.video_user_id == user_id:
            self.subscriptions.video_user_id = None
        self.cameras.discard(user_id)
        self.sharer = None if self.sharer == user_id else self.sharer
        self.speaker = None if self.speaker == user_id else self.speaker
        if self._has_people_events:
            fields = {"timestamp": now_ms, "participants": [{"user_id": user_id}]}
            self.tell(EventType.PARTICIPANT_LEAVE, fields)

    def camera(self, user_id: int, on: bool, now_ms: int) -> None:
        """A participant turns the camera on or off."""
        if on == (user_id in self.cameras):
            return
        (self.cameras.add if on else self.cameras.discard)(user_id)
        self._tell_cameras([user_id], on, now_ms)

    def share(self, user_id: int, on: bool, now_ms: int) -> None:
        """A participant starts or stops sharing the screen; only one shares at a time."""
        if on:
            self.sharer = user_id
        elif self.sharer == user_id:
            self.sharer = None
        if self._has_people_events:
            event = EventType.SHARING_START if on else EventType.SHARING_STOP
            self.tell(event, {"timestamp": now_ms, **self._person(user_id)})

    def speaks(self, user_id: int, timestamp_ms: int) -> None:
        """A participant begins to speak, and is the active speaker until another does."""
        if user_id not in self.roster:
            return
        self.speaker = user_id
        if self._has_people_events:
            fields = {"timestamp": timestamp_ms, **self._person(user_id)}
            self.tell(EventType.ACTIVE_SPEAKER_CHANGE, fields)

    def voice(self, event: VoiceEventType, user_id: int, now_ms: int) -> None:
        """Something happens to a participant of a voice call."""
        consumer = user_id == self._first_user_id
        info = participant_info(user_id, self.roster[user_id], self.call, consumer=consumer)
        self.tell(event, {"event_ts": now_ms, "participant_info": info})

    # --- who is seen --------------------------------------------------------------------------

    def on_camera(self, option: int) -> Message | None:
        """Whose video flows with the `data_opt` granted: user_id and user_name, or nobody's.

        The one who was subscribed to, or the active speaker; in either case with the camera on.
        Where the speaker's is off, the first one's that is on.
        """
        if option == DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM:
            wanted = self.subscriptions.video_user_id
        else:
            wanted = self.speaker if self.speaker in self.cameras else min(self.cameras, default=0)
        return self._person(wanted) if wanted is not None and wanted in self.cameras else None

    def on_screen(self) -> Message | None:
        """Who shares the screen, or nobody."""
        return None if self.sharer is None else self._person(self.sharer)

    def _person(self, user_id: int) -> Message:
        return {"user_id": user_id, "user_name": self.roster.get(user_id, "")}

    # --- what the app hears -------------------------------------------------------------------

    def subscribe(self, events: Mapping[int, bool], now_ms: int) -> None:
        """The app wants, or no longer wants, each of `events`."""
        asked = {event for event, wanted in events.items() if wanted}
        news = asked - self.subscriptions.events
        self.subscriptions.events |= asked
        self.subscriptions.events -= events.keys() - asked
        if self._gate_events and EventType.PARTICIPANT_JOIN in news:
            self._tell_of(self.roster, now_ms)

    def brief(self, now_ms: int) -> None:
        """The app is ready, for the first time or again: all there is to know."""
        for session, state in self.sessions.items():
            self.session(session, state, now_ms)
        self._tell_of(self.roster, now_ms)
        if self.cameras:
            self._tell_cameras(self.cameras, True, now_ms)

    def signal(self, message: Message) -> None:
        """Send `message` on signaling, if the app has acknowledged that it is ready."""
        signaling = self.signaling
        if signaling is not None and signaling.state is SocketState.READY:
            self.send(signaling, message)

    @property
    def _has_people_events(self) -> bool:
        """Contact-center voice tells of people by events of its own."""
        return self.identity.product.events is EventType

    def _tell_cameras(self, user_ids: Iterable[int], on: bool, now_ms: int) -> None:
        if self._has_people_events:
            event = EventType.PARTICIPANT_VIDEO_ON if on else EventType.PARTICIPANT_VIDEO_OFF
            people = [{"user_id": user_id} for user_id in user_ids]
            self.tell(event, {"timestamp": now_ms, "participants": people})

    def _tell_of(self, user_ids: Iterable[int], now_ms: int) -> None:
        if not self._has_people_events:
            consumer, user = VoiceEventType.CONSUMER_ANSWERED, VoiceEventType.USER_ANSWERED
            for id_ in user_ids:
                self._tell_voice(consumer, user, id_, now_ms)
        elif people := [self._person(user_id) for user_id in user_ids]:
            fields = {"timestamp": now_ms, "participants": people}
            self.tell(EventType.PARTICIPANT_JOIN, fields)

    def _tell_voice(
        self, of_consumer: VoiceEventType, of_user: VoiceEventType, user_id: int, now_ms: int
    ) -> None:
        """Contact-center voice: who came first is the consumer who called, all others are users."""
        self.voice(of_consumer if user_id == self._first_user_id else of_user, user_id, now_ms)
