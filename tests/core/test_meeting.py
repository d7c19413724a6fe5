"""A meeting's people and what they say, on its timeline."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.meeting import Meeting, Role
from mockzoom.core.products import CONTACT_CENTER, MEETING, Product
from mockzoom.core.speech import FRAME_MS, speaking_ms
from mockzoom.errors import UnknownObject, UsageError

IDS = {"meeting_uuid": "4444AAAiAAAAAiAiAiiAii==", "meeting_id": 123456789}


def meeting(*names: str, product: Product = MEETING, **ids: object) -> Meeting:
    made = Meeting(product, ids or IDS, {}, "Weekly")
    for name in names:
        made.join(name, f"session of {name}")
    return made


def test_a_meeting_is_known_by_one_id_and_signed_by_another() -> None:
    """People use the number, handshakes the uuid; both are text here."""
    made = meeting()
    assert (made.key, made.id) == ("123456789", "4444AAAiAAAAAiAiAiiAii==")
    engagement = meeting(product=CONTACT_CENTER, engagement_id="e")
    assert (engagement.key, engagement.id) == ("e", "e")


def test_participants_have_ids_that_every_client_takes() -> None:
    """User ids differ and fit an int32, which the official SDK needs."""
    made = meeting(*(f"user {n}" for n in range(1000)))
    ids = {participant.user_id for participant in made.participants.values()}
    assert len(ids) == 1000
    assert max(ids) < 2**31


def test_a_name_is_taken_once() -> None:
    """A second participant of the same name could not be told apart."""
    with pytest.raises(UsageError, match="'Alice' is in it already"):
        meeting("Alice", "Alice")


def test_an_unknown_participant_is_named_with_those_there_are() -> None:
    """A mistyped name gets the list and the nearest of it."""
    with pytest.raises(UnknownObject, match="there is 'Alice', 'Bob'; did you mean 'Alice'"):
        meeting("Alice", "Bob").say("Alise", "hello", 0)
    with pytest.raises(UnknownObject, match="there is nobody"):
        meeting().say("Alice", "hello", 0)


@pytest.mark.parametrize("name", ["", " ", "\ud800"])
def test_a_participant_has_a_name(name: str) -> None:
    """Somebody without a name, or with one that UTF-8 does not have, cannot join."""
    with pytest.raises(UsageError, match="expected a participant's name"):
        meeting(name)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\ud800"])
def test_nothing_cannot_be_said(text: str) -> None:
    """An utterance has at least one word, in characters that can go over the wire."""
    with pytest.raises(UsageError, match="at least one word"):
        meeting("Alice").say("Alice", text, 0)


@pytest.mark.parametrize("text", ["word " * 5_000, "x" * 20_001])
def test_a_speech_has_an_end(text: str) -> None:
    """More than ten minutes at once is refused, and nobody said it."""
    made = meeting("Alice")
    with pytest.raises(UsageError, match="expected at most 10 minutes of speech"):
        made.say("Alice", text, 0)
    assert made.utterances == []


def test_who_speaks_already_speaks_on() -> None:
    """One's own utterances follow each other; those of others may overlap."""
    made = meeting("Alice", "Bob")
    first = made.say("Alice", "good morning everybody", 1_000)
    second = made.say("Alice", "how are you", 1_100)
    other = made.say("Bob", "fine", 1_100)
    assert (first.start_ms, first.duration_ms) == (1_000, speaking_ms("good morning everybody"))
    assert second.start_ms == first.end_ms
    assert other.start_ms == 1_100


@given(st.integers(0, 2**41))
def test_speech_starts_on_the_grid_of_frames(now_ms: int) -> None:
    """An utterance starts at the next whole frame, so that audio can be cut."""
    start_ms = meeting("Alice").say("Alice", "hello", now_ms).start_ms
    assert start_ms % FRAME_MS == 0
    assert 0 <= start_ms - now_ms < FRAME_MS


@given(st.integers(0, 2**41), st.integers(0, 2**20))
def test_each_meeting_has_a_grid_of_its_own(begun_ms: int, later_ms: int) -> None:
    """It begins with the meeting, so that the frames of many meetings are not due all at once."""
    made = meeting("Alice")
    made.begun_ms = begun_ms
    start_ms = made.say("Alice", "hello", begun_ms + later_ms).start_ms
    assert (start_ms - begun_ms) % FRAME_MS == 0
    assert 0 <= start_ms - begun_ms - later_ms < FRAME_MS


def test_what_is_long_over_is_forgotten() -> None:
    """A long meeting keeps only what ended after the given time."""
    made = meeting("Alice")
    old = made.say("Alice", "hello", 0)
    new = made.say("Alice", "goodbye", 10_000)
    made.forget_before(old.end_ms)
    assert made.utterances == [old, new]
    made.forget_before(old.end_ms + 1)
    assert made.utterances == [new]


def test_an_utterance_has_its_transcript() -> None:
    """The lines of what is said, in order, hold its words."""
    utterance = meeting("Alice").say("Alice", "Good morning. How are you?", 0)
    assert " ".join(line.text for line in utterance.lines()).split() == utterance.text.split()


def test_who_leaves_does_not_come_to_the_end() -> None:
    """What was said stays said, what is being said breaks off, what was to be said is not."""
    meeting = Meeting(MEETING, dict(IDS), {}, "Weekly")
    alice, bob = meeting.join("Alice", "1"), meeting.join("Bob", "2")
    said = [meeting.say("Alice", "Good morning.", 1_000) for _ in range(3)]
    kept = meeting.say("Bob", "Good morning.", 1_000)
    assert meeting.leave("Alice", said[1].start_ms + 59) is alice
    assert meeting.utterances == [said[0], replace(said[1], duration_ms=40), kept]
    assert list(meeting.participants.values()) == [bob]


def test_who_is_muted_puts_nothing_on_the_timeline() -> None:
    """What they say takes its time and is said to nobody; what they were saying breaks off."""
    made = meeting("Alice", "Bob")
    spoken = made.say("Alice", "This is a sentence of some length, isn't it?", 0)
    made.say("Alice", "And another one.", 0)
    participant = made.mute("Alice", 500)
    assert made.is_muted(participant)
    assert made.utterances == [replace(spoken, duration_ms=500)]
    assert made.say("Alice", "Nobody hears me.", 600).duration_ms > 0
    made.say("Bob", "I am heard.", 600)
    made.unmute("Alice")
    made.say("Alice", "So am I.", 5_000)
    assert [u.text for u in made.utterances[1:]] == ["I am heard.", "So am I."]


def test_roles_go_by_who_came_when() -> None:
    """The first is the first for ever; the second and the latest are among those who are there."""
    made = meeting()
    assert [made.in_role(role) for role in Role] == [None, None, None]
    for name in ("Ann", "Bob", "Carol"):
        made.join(name, name)
    people = made.participants
    roles = (Role.FIRST, Role.SECOND, Role.LATEST)
    assert [made.in_role(role) for role in roles] == [people[n] for n in ("Ann", "Bob", "Carol")]
    made.leave("Ann", 0)
    made.leave("Carol", 0)
    assert [made.in_role(role) for role in roles] == [None, people["Bob"], people["Bob"]]


def test_the_end_is_the_end() -> None:
    """Nobody is left, nothing is seen, and nobody comes in any more."""
    made = meeting("Alice")
    made.cameras.add(made.participant("Alice").user_id)
    made.must_go_on()
    made.end()
    assert (made.participants, made.cameras, made.sharer) == ({}, set(), None)
    for refused in (made.must_go_on, lambda: made.join("Bob", "his session")):
        with pytest.raises(UsageError, match="123456789: it has ended; create another one"):
            refused()
