"""What may be shown of a message, and that it is still one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core import messages
from mockzoom.core.codes import MediaType
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.protocol import load_protocol
from mockzoom.core.redaction import Redactor
from mockzoom.core.spec import load_spec
from mockzoom.core.zoom_ids import ZoomIds

NAME = "Alice Liddell"
UUID = "4444AAAiAAAAAiAiAiiAii=="
STREAM = "609340fb2a7946909659956c8aa9250c"


def redactor(**settings: bool) -> Redactor:
    return Redactor(ZoomIds(1), **settings)


def said(text: str = "Off with her head, please.") -> messages.Message:
    content = {"user_id": 16778240, "user_name": NAME, "start_time": 1, "end_time": 2}
    content |= {"timestamp": 3, "language": 9, "data": text}
    return messages.media_data(MediaType.TRANSCRIPT, content)


@pytest.mark.parametrize("event", load_spec().events)
def test_every_event_stays_valid(event):
    """Nothing that identifies is left in any webhook, and the contract still holds for it."""
    body = ExampleFactory(load_spec(), 1).event(event, now_ms=1763814001000)
    shown = redactor().redacted(body)
    assert load_spec().event(event).problems(shown) == []
    ids = [value for name, value in body["payload"].items() if name.endswith(("_id", "_uuid"))]
    assert not [value for value in ids if str(value) in json.dumps(shown)]


@pytest.mark.parametrize(
    "message",
    [
        said(),
        messages.signaling_handshake_req(
            "meeting_uuid", UUID, STREAM, "5ec3e7", sequence=1, buffer=True
        ),
        messages.event_update(3, {"timestamp": 1, "participants": [{"user_id": 7}]}),
        messages.session_state_update("sess", messages.SessionState.STARTED, 1),
        messages.media_data(
            MediaType.AUDIO,
            {"user_id": 1, "user_name": NAME, "data": "AAAA", "length": 3, "timestamp": 1},
        ),
    ],
    ids=lambda message: str(message["msg_type"]),
)
def test_messages_stay_valid(message):
    """As the protocol has them, with no name, id or signature of before."""
    shown = redactor().redacted(message)
    assert load_protocol().problems(shown) == []
    text = json.dumps(shown)
    assert not [secret for secret in (NAME, "Liddell", UUID, STREAM, "5ec3e7") if secret in text]


def test_people_keep_their_pseudonyms():
    """The same name is the same participant in every message; another name is another."""
    shown = redactor()
    first, again = (shown.redacted(said())["content"] for _ in range(2))
    other = shown.redacted({"user_name": "Bob", "user_id": 5})
    assert first == again
    assert (first["user_name"], other["user_name"]) == ("Participant 1", "Participant 2")


def test_words_are_hidden_or_kept():
    """Their lengths are told; on demand the words."""
    assert redactor().redacted(said())["content"]["data"] == "xxx xxxx xxx xxxx, xxxxxx."
    kept = redactor(keep_text=True).redacted(said())["content"]
    assert (kept["data"], kept["user_name"]) == ("Off with her head, please.", "Participant 1")


def test_media_can_be_left_out():
    """Its length stays."""
    frame = messages.media_data(MediaType.AUDIO, {"data": "AAAA", "length": 3})
    assert redactor().redacted(frame) == frame
    left = redactor(keep_media=False).redacted(frame)
    assert left["content"] == {"data": None, "length": 3}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone_number", "+49 170 5550123"),
        ("phone_number", 491705550123),
        ("email", "alice@example.com"),
        ("topic", "The Liddell affair"),
        ("display_name", NAME),
        ("queue_name", "Complaints"),
        ("file_name", "liddell.pdf"),
        ("reason", "no stream of Liddell"),
        ("some_new_field", ["Liddell", {"deeper": "Liddell"}]),
    ],
)
def test_what_is_not_known_is_private(field, value):
    """Fields of voice calls, files and other events, and any that the vendor may add."""
    shown = redactor().redacted({"event": "x", "payload": {field: value}})
    text = json.dumps(shown)
    assert shown["event"] == "x"
    assert not [w for w in ("5550123", "alice", "Liddell", "liddell", "Compl") if w in text]


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
def test_no_letter_of_what_was_said_is_left(text):
    """Whatever the script: only spaces and marks of punctuation are as they were."""
    shown = redactor().redacted(said(text))["content"]["data"]
    assert len(shown) == len(text)
    assert not set(shown) - {"x"} - {c for c in text if not c.isalnum()}


SECRET = "Wonderland"

fields = st.sampled_from(
    ["data", "content", "id", "meeting_id", "user_name", "reason", "timestamp", "phone_number"]
) | st.text(max_size=5)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(SECRET),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(fields, inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(fields, values, max_size=4), st.integers(0, 30))
def test_nothing_slips_through(message, kind):
    """Whatever a message is made of, text that nobody declared harmless is not in what is shown."""
    message = {**message, "msg_type": kind}
    shown = json.dumps(redactor(keep_media=False).redacted(message))
    assert SECRET not in shown
    assert json.loads(shown)["msg_type"] == kind
