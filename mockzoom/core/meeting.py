"""A meeting (or webinar, session, engagement): its ids, its people, and what they said.

`say` puts an utterance on the timeline of the meeting; sockets that carry audio or transcripts
take theirs from it, each at its own pace.  Nobody speaks twice at the same time, but several may
speak at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from mockzoom.core.codes import VoiceEventType
from mockzoom.core.products import Product
from mockzoom.core.speech import FRAME_MS, Line, lines, speaking_ms
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["Meeting", "Participant", "Role", "Utterance"]

#: Ids that clients are known to take: the official SDK drops what does not fit an int32.
_FIRST_USER_ID = 16_778_240
_USER_ID_STEP = 1_024

#: As much as one may say at once: what is said is kept in memory as sound.
_MAX_SPEECH_MS = 10 * 60_000
_MAX_TEXT = 20_000


class Role(Enum):
    """Who something happens to when nobody is named."""

    FIRST = "who came first: the caller, or the user who started the app"
    SECOND = "who came after the first: the agent"
    LATEST = "who came last, other than the first"


@dataclass(frozen=True)
class Participant:
    """`channel_id` is the channel of a voice call that carries this person, ``""`` elsewhere."""

    user_id: int
    user_name: str
    rtms_session_id: str
    channel_id: str = ""

    def as_person(self) -> dict[str, Any]:
        return {"user_id": self.user_id, "user_name": self.user_name}

    def as_speaker(self) -> dict[str, Any]:
        """Whose media it is, as media messages tell it.

        Voice calls name the channel in place of the user; the official SDK drops media without
        a user, so the user is told as well.
        """
        channel = {"channel_id": self.channel_id} if self.channel_id else {}
        return {**self.as_person(), **channel}


@dataclass(frozen=True)
class Utterance:
    """`text`, spoken by `participant` from `start_ms` (Unix) on for `duration_ms`."""

    participant: Participant
    text: str
    start_ms: int
    duration_ms: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    def lines(self) -> tuple[Line, ...]:
        """The transcript of it; times of a line count from `start_ms`."""
        return lines(self.text)


@dataclass
class Meeting:
    """`ids` holds every id of the product by its wire name; `fields` what webhooks tell beside.

    `joined` counts who ever came in, so that no `user_id` is given out twice.  Whose `user_id` is
    in `muted` is not heard.  `call` is what a voice call tells of itself with each of its people.
    A meeting that has `ended` never goes on.
    """

    product: Product
    ids: dict[str, Any]
    fields: dict[str, Any]
    topic: str
    participants: dict[str, Participant] = field(default_factory=dict)
    utterances: list[Utterance] = field(default_factory=list)
    joined: int = 0
    cameras: set[int] = field(default_factory=set)
    sharer: int | None = None
    muted: set[int] = field(default_factory=set)
    call: dict[str, Any] = field(default_factory=dict)
    ended: bool = False

    @property
    def key(self) -> str:
        """The name under which the API and people know it."""
        return str(self.ids[self.product.key_field])

    @property
    def id(self) -> str:
        """The id that handshakes sign."""
        return str(self.ids[self.product.id_field])

    def join(self, name: str, rtms_session_id: str, *, nameless: bool = False) -> Participant:
        """Who is called `name` comes in; the app is not told the name of who is `nameless`."""
        self.must_go_on()
        if not name.strip() or not _is_unicode(name):
            raise UsageError(f"meeting {self.key}: expected a participant's name, found {name!a}")
        if name in self.participants:
            raise UsageError(f"meeting {self.key}: {name!r} is in it already; use another name")
        user_id = _FIRST_USER_ID + _USER_ID_STEP * self.joined
        channel_id = str(user_id) if self.product.events is VoiceEventType else ""
        self.joined += 1
        shown = "" if nameless else name
        self.participants[name] = Participant(user_id, shown, rtms_session_id, channel_id)
        return self.participants[name]

    def leave(self, name: str, now_ms: int) -> Participant:
        """Who is called `name` goes, and may come back as somebody with another `user_id`.

        What they are saying breaks off now, and what they were to say is never said.
        """
        participant = self.participant(name)
        del self.participants[name]
        self._break_off(participant, now_ms)
        for those in (self.cameras, self.muted):
            those.discard(participant.user_id)
        if self.sharer == participant.user_id:
            self.sharer = None
        return participant

    def mute(self, name: str, now_ms: int) -> Participant:
        """`name` is not heard from now on; what they were about to say is lost for good."""
        participant = self.participant(name)
        self.muted.add(participant.user_id)
        self._break_off(participant, now_ms)
        return participant

    def unmute(self, name: str) -> None:
        self.muted.discard(self.participant(name).user_id)

    def end(self) -> None:
        """Everybody is gone, and nobody comes any more."""
        self.ended = True
        self.participants.clear()
        self.cameras.clear()
        self.sharer = None

    def must_go_on(self) -> None:
        """Raise `UsageError` when the meeting has ended."""
        if self.ended:
            raise UsageError(f"meeting {self.key}: it has ended; create another one")

    def in_role(self, role: Role) -> Participant | None:
        """Who is in `role` now, if anybody is."""
        people = list(self.participants.values())
        first = [person for person in people if person.user_id == _FIRST_USER_ID]
        others = [person for person in people if person.user_id != _FIRST_USER_ID]
        match role:
            case Role.FIRST:
                return first[0] if first else None
            case Role.SECOND:
                return others[0] if others else None
            case Role.LATEST:
                return others[-1] if others else None

    def _break_off(self, participant: Participant, now_ms: int) -> None:
        said = [_until(u, now_ms) if u.participant is participant else u for u in self.utterances]
        self.utterances = [utterance for utterance in said if utterance.duration_ms > 0]

    def name_of(self, participant: Participant) -> str:
        """The name by which who is in it is known here, if not to the app."""
        return next(name for name, its in self.participants.items() if its is participant)

    def participant(self, name: str) -> Participant:
        try:
            return self.participants[name]
        except KeyError:
            known = ", ".join(map(repr, self.participants)) or "nobody"
            raise UnknownObject(
                f"meeting {self.key}: no participant {name!r}, there is {known}"
                f"{nearest(name, self.participants)}"
            ) from None

    def say(self, name: str, text: str, now_ms: int) -> Utterance:
        """`name` begins to say `text` now, or once what they are saying is said.

        Raises `UnknownObject` for who is not there, and `UsageError` for what cannot be said: no
        word at all, or more than ten minutes.  Who is muted says it to nobody.
        """
        speaker = self.participant(name)
        if not text.strip() or not _is_unicode(text):
            raise UsageError(f"say: expected a text with at least one word, found {text[:40]!a}")
        if len(text) > _MAX_TEXT or (duration_ms := speaking_ms(text)) > _MAX_SPEECH_MS:
            raise UsageError(
                f"say: expected at most {_MAX_SPEECH_MS // 60_000} minutes of speech, "
                f"found {len(text)} characters; say it in parts"
            )
        own = (u.end_ms for u in self.utterances if u.participant is speaker)
        utterance = Utterance(speaker, text, _on_grid(max(now_ms, *own, 0)), duration_ms)
        if not self.is_muted(speaker):
            self.utterances.append(utterance)
        return utterance

    def is_muted(self, participant: Participant) -> bool:
        return participant.user_id in self.muted

    def forget_before(self, now_ms: int) -> None:
        """Drop what ended before `now_ms`, so that a long meeting does not grow."""
        self.utterances = [u for u in self.utterances if u.end_ms >= now_ms]


def _until(utterance: Utterance, now_ms: int) -> Utterance:
    spoken_ms = (now_ms - utterance.start_ms) // FRAME_MS * FRAME_MS
    return replace(utterance, duration_ms=min(utterance.duration_ms, spoken_ms))


def _on_grid(at_ms: int) -> int:
    # Frames are cut on this grid, so speech starts on it too.
    return -(-at_ms // FRAME_MS) * FRAME_MS


def _is_unicode(text: str) -> bool:
    """Whether `text` can go over the wire: JSON may hold half of a surrogate pair, UTF-8 not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
