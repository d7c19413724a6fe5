"""A meeting (or webinar, session, engagement): its ids, its people, and what they said.

`say` puts an utterance on the timeline of the meeting; sockets that carry audio or transcripts
take theirs from it, each at its own pace.  Nobody speaks twice at the same time, but several may
speak at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, NamedTuple

from mockzoom.core.clip import Clip, Film
from mockzoom.core.codes import TranscriptLanguage, VoiceEventType
from mockzoom.core.products import Product
from mockzoom.core.speech import FRAME_MS, Line, lines, speaking_ms
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["Meeting", "Participant", "Role", "Sound", "Speech", "Utterance"]

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


class Speech(NamedTuple):
    """`text` in the voice of who is called `voice`."""

    text: str
    voice: str


Sound = Speech | Clip


@dataclass(frozen=True)
class Utterance:
    """`text`, spoken by `participant` from `start_ms` (Unix) on for `duration_ms`.

    It is in `language`, where that is known.  With a `clip` it is played and not spoken.
    """

    participant: Participant
    text: str
    start_ms: int
    duration_ms: int
    language: TranscriptLanguage | None = None
    clip: Clip | None = None

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms

    @property
    def sound(self) -> Sound:
        return self.clip or Speech(self.text, self.participant.user_name)

    @property
    def audible(self) -> bool:
        return self.clip is None or self.clip.audible

    def lines(self) -> tuple[Line, ...]:
        """The transcript of it; times of a line count from `start_ms`."""
        if self.clip is not None:
            return self.clip.lines
        return tuple(replace(line, language=self.language) for line in lines(self.text))


@dataclass
class Meeting:
    """`ids` holds every id of the product by its wire name; `fields` what webhooks tell beside.

    `joined` counts who ever came in, so that no `user_id` is given out twice.  Whose `user_id` is
    in `muted` is not heard, and whose is in `played` has begun to play what is theirs.  `films` are
    the pictures in front of cameras, by `user_id`, and since when.  `call` is what a voice call
    tells of itself with each of its people.  A meeting that has `ended` never goes on.
    """

    product: Product
    ids: dict[str, Any]
    fields: dict[str, Any]
    topic: str
    begun_ms: int = 0
    participants: dict[str, Participant] = field(default_factory=dict)
    utterances: list[Utterance] = field(default_factory=list)
    joined: int = 0
    cameras: set[int] = field(default_factory=set)
    sharer: int | None = None
    muted: set[int] = field(default_factory=set)
    played: set[int] = field(default_factory=set)
    films: dict[int, tuple[Film, int]] = field(default_factory=dict)
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
        self.films.pop(participant.user_id, None)
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

    def say(
        self, name: str, text: str, now_ms: int, language: TranscriptLanguage | None = None
    ) -> Utterance:
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
        utterance = Utterance(speaker, text, self._turn(speaker, now_ms), duration_ms, language)
        if not self.is_muted(speaker):
            self.utterances.append(utterance)
        return utterance

    def play(self, name: str, clip: Clip, now_ms: int) -> tuple[Utterance, ...]:
        """`name` begins to play `clip` now, or once what they are saying is said, in pieces.

        Raises `UnknownObject` for who is not there.  Who is muted plays it to nobody.
        """
        speaker = self.participant(name)
        at_ms = self._turn(speaker, now_ms)
        pieces = tuple(
            Utterance(
                speaker,
                piece.text,
                at_ms + piece.start_ms - clip.start_ms,
                piece.duration_ms,
                clip=piece,
            )
            for piece in clip.pieces()
        )
        if not self.is_muted(speaker):
            self.utterances += pieces
        return pieces

    def _turn(self, speaker: Participant, now_ms: int) -> int:
        """When `speaker` is next free to speak."""
        own = (u.end_ms for u in self.utterances if u.participant is speaker)
        return self._on_grid(max(now_ms, *own, 0))

    def _on_grid(self, at_ms: int) -> int:
        """When the next frame begins.

        Frames are cut on a grid, so speech starts on it too.  It begins with the meeting: were it
        one for all, the frames of thousands of meetings would be due at once.
        """
        return at_ms + (self.begun_ms - at_ms) % FRAME_MS

    def is_muted(self, participant: Participant) -> bool:
        return participant.user_id in self.muted

    def forget_before(self, now_ms: int) -> None:
        """Drop what ended before `now_ms`, so that a long meeting does not grow."""
        self.utterances = [u for u in self.utterances if u.end_ms >= now_ms]


def _until(utterance: Utterance, now_ms: int) -> Utterance:
    spoken_ms = (now_ms - utterance.start_ms) // FRAME_MS * FRAME_MS
    return replace(utterance, duration_ms=min(utterance.duration_ms, spoken_ms))


def _is_unicode(text: str) -> bool:
    """Whether `text` can go over the wire: JSON may hold half of a surrogate pair, UTF-8 not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
