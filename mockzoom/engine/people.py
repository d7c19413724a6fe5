"""The people of mock Zoom's world: they come, speak, mute themselves, share, write, and go.

What they do is told to the app on the streams of their meeting.  `happen` is the one way to
everything that has a name of its own: why streams end, and what happens in a voice call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from mockzoom.core.causes import Cause, causes_of
from mockzoom.core.chat import chat_content
from mockzoom.core.clip import Clip, Film
from mockzoom.core.codes import ChatOperation, SessionState
from mockzoom.core.languages import language_of
from mockzoom.core.meeting import Meeting, Participant, Role, Utterance
from mockzoom.core.messages import is_json
from mockzoom.core.products import CONTACT_CENTER
from mockzoom.core.stream import StreamMachine
from mockzoom.core.voice_call import VOICE_HAPPENINGS, VoiceHappening
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Moment
from mockzoom.engine.streams import Streams, come_in
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["People"]


class People(Streams):
    """Belongs to the loop's thread; `mockzoom.engine.world` is the whole of it."""

    def join(self, meeting: Meeting, name: str, *, nameless: bool = False) -> Participant:
        """`name` comes in, who to the app has no name when `nameless`, like a phone."""
        session_id = self._examples.ids.rtms_session_id()
        participant = meeting.join(name, session_id, nameless=nameless)
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: come_in(machine, participant, now_ms))
        if self.live_streams(meeting):
            self._play_own(meeting)
        return participant

    def start_rtms(self, meeting: Meeting) -> LiveStream:
        """See `Streams.start_rtms`; who has a clip of their own begins to play it."""
        stream = super().start_rtms(meeting)
        self._play_own(meeting)
        return stream

    def _play_own(self, meeting: Meeting) -> None:
        """Let everybody play what is theirs, once, with the camera on if it has pictures."""
        for name, participant in meeting.participants.items():
            clip = self._clips.get(name.casefold())
            if clip is not None and participant.user_id not in meeting.played:
                meeting.played.add(participant.user_id)
                self.play(meeting, name, clip)
                if clip.film is not None:
                    self.camera(meeting, name, True)

    def leave(self, meeting: Meeting, name: str) -> None:
        """`name` leaves: they fall silent, their session stops, and the app is told."""
        participant = meeting.leave(name, self._clock.now_ms())
        for stream in self.live_streams(meeting):
            stream.hushed(participant)
            stream.feed(lambda machine, now_ms: _go_out(machine, participant, now_ms))

    def mute(self, meeting: Meeting, name: str) -> None:
        """`name` is not heard from now on, also not what they were about to say."""
        participant = meeting.mute(name, self._clock.now_ms())
        for stream in self.live_streams(meeting):
            stream.hushed(participant)

    def unmute(self, meeting: Meeting, name: str) -> None:
        """`name` is heard again, with what they say from now on."""
        meeting.unmute(name)

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

    def say(
        self, meeting: Meeting, name: str, text: str, language: str | int | None = None
    ) -> Utterance:
        """`name` says `text`: audio for as long as that takes, and its transcript.

        It is in `language`, as `language_of` knows it, or in the one that each app asked for.
        Who is muted is not heard, and nothing of it is sent.
        """
        spoken = language_of(language)
        utterance = meeting.say(name, text, self._forgetting(meeting), spoken)
        self._hear(meeting, name, utterance, utterance.duration_ms)
        return utterance

    def play(self, meeting: Meeting, name: str, clip: Clip | None = None) -> Utterance:
        """`name` plays `clip`, or their own: its sound, transcript, and pictures on their camera.

        Returns the whole of it.  Raises `UsageError` for who has no clip of their own.
        """
        clip = clip or self._own_clip(meeting, name)
        first, *others = meeting.play(name, clip, self._forgetting(meeting))
        self._hear(meeting, name, first, clip.duration_ms, media=PurePath(clip.path).name)
        for piece in others:
            self._flow(meeting, piece)
        if clip.film is not None and first in meeting.utterances:
            shown = clip.film, first.start_ms
            self._pacer.add(
                Moment(first.start_ms, lambda: self._film(meeting, first.participant, shown))
            )
        return replace(first, duration_ms=clip.duration_ms, text=clip.text, clip=clip)

    def _forgetting(self, meeting: Meeting) -> int:
        """What time it is; what no app can be told any more is forgotten."""
        now_ms = self._clock.now_ms()
        meeting.forget_before(now_ms - self._timings.audio_buffer_ms)
        return now_ms

    def _hear(
        self, meeting: Meeting, name: str, first: Utterance, duration_ms: int, **more: str
    ) -> None:
        """`first` is said, the beginning of something that lasts for `duration_ms`."""
        self.journal.add(
            "speech",
            meeting=meeting.key,
            user_name=name,
            text=first.text,
            start_ms=first.start_ms,
            duration_ms=duration_ms,
            muted=meeting.is_muted(first.participant),
            **more,
        )
        self._flow(meeting, first)
        self._pacer.add(Moment(first.start_ms, lambda: self._speaker_changed(meeting, first)))

    def _flow(self, meeting: Meeting, utterance: Utterance) -> None:
        if utterance in meeting.utterances:  # they are not muted
            for stream in self.live_streams(meeting):
                stream.spoken(utterance)

    def _film(self, meeting: Meeting, who: Participant, shown: tuple[Film, int]) -> None:
        if who in meeting.participants.values():
            meeting.films[who.user_id] = shown
            for stream in self.live_streams(meeting):
                stream.looked()

    def _own_clip(self, meeting: Meeting, name: str) -> Clip:
        meeting.participant(name)
        try:
            return self._clips[name.casefold()]
        except KeyError:
            raise UsageError(
                f"meeting {meeting.key}: {name!r} has no media of their own; say a text, or start "
                "the mock with a file for them"
            ) from None

    def _speaker_changed(self, meeting: Meeting, utterance: Utterance) -> None:
        if utterance not in meeting.utterances:
            return  # they left before it, or are muted
        for stream in self.live_streams(meeting):
            stream.speaker_changed(utterance)

    # --- what has a name ----------------------------------------------------------------------

    def happen(self, meeting: Meeting, name: str, who: str | None = None) -> None:
        """What is called `name` happens, to the participant `who` where one is concerned.

        Names are those of `CAUSES`, and for a voice call also those of `VOICE_HAPPENINGS`.  Raises
        `UnknownObject` for others, and `UsageError` for what only an app can cause.
        """
        calls = VOICE_HAPPENINGS if meeting.product is CONTACT_CENTER else {}
        causes = causes_of(meeting.product)
        if name in calls:
            self._befall(meeting, name, calls[name], who)
        elif name in causes:
            self._end_streams(meeting, causes[name], who)
        else:
            raise UnknownObject(
                f"meeting {meeting.key}: nothing called {name!r} happens in a "
                f"{meeting.product.name}{nearest(name, [*calls, *causes])}"
            )

    def end_meeting(self, meeting: Meeting) -> None:
        """The meeting is over, with every stream of it; it takes no new ones."""
        self.happen(meeting, "meeting_ends")

    def disable_app(self, meeting: Meeting, by: str = "host") -> None:
        """The ``host`` or the ``admin`` disables the app, which ends every stream of `meeting`."""
        self.happen(meeting, f"{by}_disables_app")

    def _end_streams(self, meeting: Meeting, cause: Cause, who: str | None) -> None:
        if cause.follows:
            raise UsageError(
                f"meeting {meeting.key}: {cause.name} cannot be made to happen; it follows when "
                f"{cause.follows}"
            )
        meeting.must_go_on()
        leaver = self._concerned(meeting, cause.leaver, who)
        self.journal.add("happening", meeting=meeting.key, name=cause.name)
        if leaver is not None:
            self.leave(meeting, meeting.name_of(leaver))
        for stream in self.live_streams(meeting):
            self.stop_rtms(stream, cause.reason)
        if cause.final:
            meeting.end()

    def _befall(
        self, meeting: Meeting, name: str, happening: VoiceHappening, who: str | None
    ) -> None:
        meeting.must_go_on()
        concerned = self._concerned(meeting, happening.role, who)
        if concerned is None:
            raise UsageError(
                f"meeting {meeting.key}: {name}: expected {happening.role.value}, found nobody"
            )
        user_id = concerned.user_id
        self.journal.add("happening", meeting=meeting.key, name=name, user_name=concerned.user_name)
        for stream in self.live_streams(meeting):
            stream.feed(lambda machine, now_ms: machine.voice(happening.event, user_id, now_ms))

    def _concerned(
        self, meeting: Meeting, role: Role | None, who: str | None
    ) -> Participant | None:
        if role is None:
            return None
        return meeting.in_role(role) if who is None else meeting.participant(who)


def _go_out(machine: StreamMachine, participant: Participant, now_ms: int) -> None:
    machine.leave(participant.user_id, now_ms)
    machine.session(participant.rtms_session_id, SessionState.STOPPED, now_ms)
