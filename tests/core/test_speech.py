# Letters and marks that look like Latin ones are the subject here.
# ruff: noqa: RUF001
"""Time and parts of spoken text."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mockzoom.core.speech import FRAME_MS, lines, speaking_ms, syllables

HUNDRED_WORDS = (
    "Good morning everyone, and thank you for joining. Today we look at the numbers of the last "
    "quarter, and then at the plan for the next one. Sales went up by a little more than we had "
    "hoped, while the cost of delivery stayed flat. I would like to hear from Bob first, because "
    "his team did most of the work on the new release. After that we have some time for "
    "questions; please keep them short. Could somebody take notes and share them with the people "
    "who are not here today? Wonderful, let us begin with the first slide."
)

# Plain text() seldom makes words; this mixes every class of character with any other.
TEXTS = st.text() | st.text(alphabet="abeirstyE éüж和م5 .,!?。\n’-👍\u200d\u0301", max_size=40)


def test_pace_is_that_of_a_calm_speaker() -> None:
    """An English paragraph is spoken at 150 to 160 words a minute."""
    words = len(HUNDRED_WORDS.split())
    assert words == 100
    assert 150 <= words / (speaking_ms(HUNDRED_WORDS) / 60_000) <= 160


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("a", 1),
        ("time", 1),
        ("the", 1),
        ("these", 1),
        ("release", 2),
        ("hello", 2),
        ("don't", 1),
        ("Hello, world.", 3),
        ("communication", 5),
        ("Übergröße", 3),
        ("3.14", 4),
        ("42", 2),
        ("10 %", 3),
        ("你好，世界", 4),
        ("こんにちは", 5),
        ("안녕하세요", 5),
        ("Привет", 2),
        ("καλημέρα", 4),
        ("مرحبا", 3),
        ("שלום", 2),
        ("👍🏽", 1),
        ("café", 2),
        ("TCP", 1),
        ("...", 0),
        (" \n\t", 0),
    ],
)
def test_beats_are_counted_in_any_script(text: str, count: int) -> None:
    """Syllables come from vowels where the script writes them, from signs where it does not."""
    assert len(syllables(text)) == count


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [("one two", "one, two"), ("one, two", "one. Two"), ("well", "well well"), ("a b", "a and b")],
)
def test_pauses_grow_with_the_mark(shorter: str, longer: str) -> None:
    """A word space is shorter than a comma's pause, that shorter than a full stop's."""
    assert speaking_ms(shorter) < speaking_ms(longer)


def test_colour_follows_the_letters() -> None:
    """Vowel and consonant of a syllable are those that are written, across alphabets."""
    seen = [(beat.onset, beat.vowel) for beat in syllables("sa to mi u та")]
    assert seen == [("hiss", "a"), ("burst", "o"), ("hum", "i"), ("none", "u"), ("burst", "a")]


def test_offsets_name_the_first_letter() -> None:
    """A syllable says where in the text it begins, past marks and accents."""
    assert [beat.offset for beat in syllables("«Cafe\u0301s» 👍🏽 no")] == [1, 3, 9, 12]


@given(TEXTS)
def test_times_fit_the_frames(text: str) -> None:
    """Every time is a whole number of frames, and only no text at all takes no time."""
    duration_ms = speaking_ms(text)
    assert duration_ms % FRAME_MS == 0
    assert (duration_ms == 0) == (text == "")
    for beat in syllables(text):
        assert beat.start_ms % FRAME_MS == 0
        assert beat.duration_ms % FRAME_MS == 0


@given(TEXTS)
def test_beats_follow_one_another(text: str) -> None:
    """Syllables start at 0, never overlap, go forward in the text and end with it."""
    beats = syllables(text)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(beats))
    assert all(before.offset < after.offset for before, after in pairwise(beats))
    if beats:
        assert beats[0].start_ms == 0
        assert beats[-1].end_ms == speaking_ms(text)


@given(TEXTS, TEXTS)
@example("tim", "e")
@example("3.", "14")
@example("bcdfgh", "a")
def test_more_text_never_takes_less_time(first: str, second: str) -> None:
    """Putting two texts together takes at least as long as either."""
    assert speaking_ms(first + second) >= max(speaking_ms(first), speaking_ms(second))


@given(TEXTS)
@example("... Hello. !!! Bye")
def test_lines_cover_the_text(text: str) -> None:
    """Lines joined are the text but for white space; in time they leave no gap and no rest."""
    found = lines(text)
    assert "".join("".join(line.text for line in found).split()) == "".join(text.split())
    assert all(line.text == line.text.strip() != "" for line in found)
    assert all(line.start_ms < line.end_ms for line in found)
    assert all(before.end_ms == after.start_ms for before, after in pairwise(found))
    if found:
        assert found[0].start_ms == 0
        assert found[-1].end_ms == speaking_ms(text)


@given(TEXTS)
def test_lines_start_with_a_syllable(text: str) -> None:
    """A line starts when its first syllable is heard, so that sound and transcript agree."""
    starts_ms = {beat.start_ms for beat in syllables(text)} | {0}
    assert {line.start_ms for line in lines(text)} <= starts_ms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n ", []),
        ("Hello", ["Hello"]),
        ("Hello Bob. How are you? Fine!", ["Hello Bob.", "How are you?", "Fine!"]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("Use tools, e.g. this one. Done.", ["Use tools, e.g. this one.", "Done."]),
        ("Well... maybe. Yes.", ["Well... maybe.", "Yes."]),
        ("Version 3.14 is out. Good.", ["Version 3.14 is out.", "Good."]),
        ("你好。今天好吗？好！", ["你好。", "今天好吗？", "好！"]),
        ("كيف حالك؟ بخير.", ["كيف حالك؟", "بخير."]),
        ("one\ntwo\r\n\r\nthree", ["one", "two", "three"]),
        ("... Hello. !!! Bye", ["... Hello.", "!!! Bye"]),
        ("Bye. ...", ["Bye. ..."]),
        ("...", ["..."]),
    ],
)
def test_lines_end_where_sentences_do(text: str, expected: list[str]) -> None:
    """A sentence is a line; what cannot be heard is no line of its own."""
    assert [line.text for line in lines(text)] == expected


def test_line_times_match_what_is_spoken() -> None:
    """The second line starts where the second sentence is heard, its pause belongs to the first."""
    first, second = lines("Hello Bob. Hello Bob.")
    assert first.end_ms == second.start_ms == speaking_ms("Hello Bob. Hello") - speaking_ms("Hello")
    assert second.end_ms - second.start_ms == speaking_ms("Hello Bob.")
