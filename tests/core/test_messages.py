"""Messages as they are read and as they are built, against the protocol document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core import messages
from mockzoom.core.codes import MediaType, SessionState, StatusCode, StopReason, StreamState
from mockzoom.core.protocol import load_protocol

HANDSHAKE = ("meeting_uuid", "4444AAAiAAAAAiAiAiiAii==", "609340fb2a7946909659956c8aa9250c", "00")
AUDIO = {
    "content_type": 2,
    "sample_rate": 1,
    "channel": 1,
    "codec": 1,
    "data_opt": 1,
    "send_rate": 20,
}

BUILT: dict[int, messages.Message] = {
    1: messages.signaling_handshake_req(*HANDSHAKE, sequence=1, buffer=False),
    2: messages.signaling_handshake_resp(7, {"audio": "wss://127.0.0.1/a"}),
    3: messages.data_handshake_req(
        *HANDSHAKE, sequence=1, media_type=MediaType.AUDIO, media_params=None
    ),
    4: messages.data_handshake_resp(7, {"audio": AUDIO}),
    5: messages.event_subscription([(2, True), (3, False)]),
    6: messages.event_update(2, {"timestamp": 1, "user_id": 1, "user_name": "Alice"}),
    7: messages.client_ready_ack("s"),
    8: messages.stream_state_update("s", StreamState.TERMINATED, 1, StopReason.MEETING_ENDED),
    9: messages.session_state_update("one", SessionState.STOPPED, 1, StopReason.MEETING_ENDED),
    10: messages.session_state_req("one"),
    11: messages.session_state_resp("one", SessionState.STARTED, 1),
    12: messages.keep_alive_req(3, 1),
    13: messages.keep_alive_resp(messages.keep_alive_req(3, 1)),
    19: messages.stream_state_req("s"),
    20: messages.stream_state_resp("s", StreamState.ACTIVE, 1),
    21: messages.stream_close_req("s"),
    22: messages.stream_close_resp("s", 1),
    28: messages.video_subscription_req(1, True, 1),
    29: messages.video_subscription_resp(1, 1),
}


@pytest.mark.parametrize("number", BUILT)
def test_every_builder_keeps_the_protocol(number: int) -> None:
    """What is built has the type it is named for and the shape of the document."""
    message = json.loads(messages.encode(BUILT[number]))
    assert message["msg_type"] == number
    assert load_protocol().problems(message) == []


@pytest.mark.parametrize(
    ("media", "number"),
    [
        (MediaType.AUDIO, 14),
        (MediaType.VIDEO, 15),
        (MediaType.DESKSHARE, 16),
        (MediaType.TRANSCRIPT, 17),
        (MediaType.CHAT, 18),
    ],
)
def test_media_data_is_numbered_by_its_type(media: MediaType, number: int) -> None:
    """Each media type has a message type of its own."""
    assert messages.media_data(media, {"data": ""}) == {"msg_type": number, "content": {"data": ""}}


def test_a_session_that_goes_on_has_no_stop_reason() -> None:
    """stop_reason is there only where one is given."""
    update = messages.session_state_update("one", SessionState.STARTED, 1)
    assert "stop_reason" not in update


def test_a_refusal_has_code_and_reason_and_no_more_than_is_given() -> None:
    """A negative handshake answer carries no media_server."""
    assert messages.refusal(2, StatusCode.INVALID_SIGNATURE, "why", sequence=7) == {
        "msg_type": 2,
        "sequence": 7,
        "status_code": 3,
        "reason": "why",
    }


def test_a_keep_alive_comes_back_whole() -> None:
    """Whatever a keep-alive carries goes back, also what is not documented."""
    asked = {"msg_type": 12, "timestamp": 5, "sequence": 1, "new": [1]}
    assert messages.keep_alive_resp(asked) == {**asked, "msg_type": 13}


def nested(depth: int) -> str:
    return '{"a":' * (depth - 1) + "{}" + "}" * (depth - 1)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "[]",
        "7",
        '"x"',
        "null",
        '{"a":1',
        "{'a': 1}",
        '{"a":1}{"a":1}',
        '\ufeff{"a":1}',
        b'\xef\xbb\xbf{"a":1}',
        b"\xff",
        b'{"a":"\xff"}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":1e400}',
        '{"a":' + "9" * 5_000 + "}",
        r'{"a":"\ud800"}',
        r'{"\udfff":1}',
        nested(messages.MAX_DEPTH + 1),
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_what_is_not_one_json_object_is_none(data: str | bytes) -> None:
    """Broken, other, endless or unspeakable JSON is no message, whichever way it is broken."""
    assert messages.decode(data) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('{"msg_type":1}', {"msg_type": 1}),
        (b'\t{ "msg_type":\t1 }\n', {"msg_type": 1}),
        (r'{"a":"\ud83d\ude00"}', {"a": "😀"}),
        ('{"a":"é"}'.encode(), {"a": "é"}),
        ('{"a":1.5}', {"a": 1.5}),
        (nested(messages.MAX_DEPTH), json.loads(nested(messages.MAX_DEPTH))),
        ('{"a":"' + "[" * 100 + '"}', {"a": "[" * 100}),
        ('{"a":[' + ",".join(["[]"] * 100) + "]}", {"a": [[]] * 100}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_one_json_object_is_a_message(data: str | bytes, message: Any) -> None:
    """Text and binary, white space, escapes and wide nesting come through."""
    assert messages.decode(data) == message


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_what_is_encoded_is_decoded(message: dict[str, Any]) -> None:
    """Reading gives back what was written, as text and as bytes."""
    text = messages.encode(message)
    assert messages.decode(text) == messages.decode(text.encode()) == message


@given(st.text() | st.binary())
def test_no_frame_is_too_odd_to_be_read(data: str | bytes) -> None:
    """Whatever comes in a frame, reading gives a message or None, and what it gives can be sent."""
    message = messages.decode(data)
    assert message is None or messages.encode(message).encode()


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (77, 77), (-1, -1), (True, None), ("1", None), (1.0, None), (None, None), ([], None)],
)
def test_a_message_type_is_an_integer(value: object, number: int | None) -> None:
    """Neither a boolean nor a string nor a float is a type."""
    assert messages.message_type({"msg_type": value}) == number
    assert messages.message_type({}) is None
