"""New ids for old: the same for the same, another for another, and of the same shape."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.renaming import Renaming, rewritten
from mockzoom.core.zoom_ids import ZoomIds


def renaming(seed: int = 1) -> Renaming:
    return Renaming(ZoomIds(seed))


@pytest.mark.parametrize(
    ("field", "value", "shape"),
    [
        ("meeting_uuid", "4444AAAiAAAAAiAiAiiAii==", r"[\w+/]{22}=="),
        ("rtms_stream_id", "609340fb2a7946909659956c8aa9250c", r"[0-9a-f]{32}"),
        ("operator_id", "30R7kT7bTIKSNUFEuH_Qlg", r"[\w-]{22}"),
        ("meeting_id", 95123456789, r"\d{9,11}"),
        ("user_id", 16778240, r"\d{8,9}"),
        ("user_id", "aB3-x", r"[a-z][A-Z]\d-[a-z]"),
        ("id", 95123456789, r"9\d{10}"),
        ("channel_id", 1234567890123456789, r"1\d{18}"),
        ("channel_id", 4711, r"4\d{3}"),
        ("file_id", "f-1", r"[a-z]-\d"),
    ],
)
def test_an_id_becomes_another_of_its_shape(field, value, shape):
    """Also where the type is not the usual one; twice the same gives the same."""
    names = renaming()
    new = names.id(field, value)
    assert new != value
    assert type(new) is type(value)
    assert re.fullmatch(shape, str(new))
    assert names.id(field, value) == new


@pytest.mark.parametrize(
    ("field", "value"),
    [("user_id", 0), ("meeting_uuid", ""), ("user_id", True), ("sequence", 7), ("data", "text")],
)
def test_what_is_no_id_stays(field, value):
    """User 0 is everybody, and fields that name nobody are let be."""
    assert renaming().id(field, value) == value


def test_a_text_is_known_by_its_value():
    """The SDK puts a session's id under `meeting_uuid`, and it is the same session."""
    names = renaming()
    assert names.id("session_id", "x1") == names.id("meeting_uuid", "x1") == names.id("topic", "x1")


def test_numbers_are_known_by_field_and_value():
    """A user with the number of a meeting is somebody else, and a sequence nobody."""
    names = renaming()
    new = names.id("user_id", 5)
    assert names.id("meeting_id", 5) != new
    assert names.id("sequence", 5) == 5


def test_names_are_counted():
    """Each name has a number, which it keeps; who is called like a pseudonym gets another."""
    names = renaming()
    told = [names.named(name, "Participant") for name in ("Ann", "Participant 2", "Ann", "")]
    assert told == ["Participant 1", "Participant 3", "Participant 1", ""]


@given(st.lists(st.text(min_size=8, max_size=40), unique=True, max_size=20))
def test_disguises_are_distinct_and_as_long(texts):
    """Different texts stay different where letters or digits leave room, and none grows."""
    names = renaming()
    told = [names.disguised(text) for text in texts]
    assert [len(text) for text in told] == [len(text) for text in texts]
    roomy = [new for old, new in zip(texts, told, strict=True) if sum(map(str.isalnum, old)) > 6]
    assert len(set(roomy)) == len(roomy)


@pytest.mark.parametrize("text", ["-", "a", "…"])
def test_a_text_without_room_is_no_end(text):
    """What has few other texts, or none, is disguised as well as it can be."""
    assert len(renaming().disguised(text)) == len(text)


def test_rewritten_tells_the_field_of_every_scalar():
    """Items of a list go by the list's name, URLs by `server_urls`; the shape stays."""
    seen = []

    def change(field, value):
        seen.append((field, value))
        return value

    message = {"a": [1, {"b": None}], "server_urls": {"audio": "u"}, "c": {"d": True}}
    assert rewritten(message, change) == message
    assert seen == [("a", 1), ("b", None), ("server_urls", "u"), ("d", True)]
