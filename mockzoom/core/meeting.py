"""A meeting (or webinar, session, engagement): its ids, its people, and what they said.

`say` puts an utterance on the timeline of the meeting; sockets that carry audio or transcripts
take theirs from it, each at its own pace.  Nobody speaks twice at the same time, but several may
speak at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mockzoom.core.codes import VoiceEventType
from mockzoom.core.products import Product
from mockzoom.core.speech import FRAME_MS, Line, lines, speaking_ms
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["Meeting", "Participant", "Utterance"]

#: Ids that clients are known to take: the official SDK drops what does not fit an int32.
_FIRST_USER_ID = 16_778_240
_USER_ID_STEP = 1_024

#: As much as one may say at once: what is said is kept in memory as sound.
_MAX_SPEECH_MS = 10 * 60_000
_MAX_TEXT = 20_000


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

    `joined` counts who ever came in, so that no `user_id` is given out twice.
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

    @property
    def key(self) -> str:
        """The name under which the API and people know it."""
        return str(self.ids[self.product.key_field])

    @property
    def id(self) -> str:
        """The id that handshakes sign."""
        return str(self.ids[self.product.id_field])

    def join(self, name: str, rtms_session_id: str) -> Participant:
        if not name.strip() or not _is_unicode(name):
            raise UsageError(f"meeting {self.key}: expected a participant's name, found {name!a}")
        if name in self.participants:
            raise UsageError(f"meeting {self.key}: {name!r} is in it already; use another name")
        user_id = _FIRST_USER_ID + _USER_ID_STEP * self.joined
        channel_id = str(user_id) if self.product.events is VoiceEventType else ""
        self.joined += 1
        self.participants[name] = Participant(user_id, name, rtms_session_id, channel_id)
        return self.participants[name]

    def leave(self, name: str, now_ms: int) -> Participant:
        """Who is called `name` goes, and may come back as somebody with another `user_id`.

        What they are saying breaks off now, and what they were to say is never said.
        """
        participant = self.participant(name)
        del self.participants[name]
        said = [_until(u, now_ms) if u.participant is participant else u for u in self.utterances]
        self.utterances = [utterance for utterance in said if utterance.duration_ms > 0]
        self.cameras.discard(participant.user_id)
        if self.sharer == participant.user_id:
            self.sharer = None
        return participant

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
        word at all, or more than ten minutes.
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
        self.utterances.append(utterance)
        return utterance

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
