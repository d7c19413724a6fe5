"""The contract of the sockets: real clients pass, what they must not leave out is found."""

from __future__ import annotations

from typing import Any

import pytest

from mockzoom.core import messages
from mockzoom.core.codes import MediaType, SessionState, StatusCode, StreamState
from mockzoom.core.document import read_document
from mockzoom.core.protocol import Direction, load_protocol
from mockzoom.resources import spec_path

IDS = {"meeting_uuid": "4444AAAiAAAAAiAiAiiAii==", "rtms_stream_id": "6093", "signature": "ab"}
AUDIO = {
    "channel": 2, "codec": 4, "content_type": 2, "data_opt": 2, "sample_rate": 3, "send_rate": 20
}  # fmt: skip
AUDIO_ONLY = {"audio": AUDIO}

#: What apps send, one of each kind, with the habits of the official SDK.
FROM_APPS: list[dict[str, Any]] = [
    {"msg_type": 1, "protocol_version": 1, "sequence": 489896, "rtms_client_agent": "x", **IDS},
    {"msg_type": 1, "protocol_version": 1, "sequence": 1, "buffer_data": False, **IDS},
    {"msg_type": 3, "protocol_version": 1, "sequence": -7, "media_type": 8, **IDS},
    {"msg_type": 3, "protocol_version": 2, "media_type": 1, "media_params": None, **IDS},
    {"msg_type": 3, "protocol_version": 1, "media_type": 1, **IDS, "media_params": AUDIO_ONLY},
    {"msg_type": 3, "protocol_version": 1, "media_type": 999, **IDS, "media_params": {"audio": 5}},
    {"msg_type": 5, "events": [{"event_type": 2, "subscribe": True}]},
    {"msg_type": 7, "rtms_stream_id": "6093"},
    {"msg_type": 10, "rtms_session_id": "x"},
    {"msg_type": 13, "timestamp": 17},
    {"msg_type": 13, "sequence": -1, "timestamp": 17},
    {"msg_type": 19, "rtms_stream_id": "6093"},
    {"msg_type": 21, "rtms_stream_id": "6093"},
    {"msg_type": 28, "user_id": 16778240, "subscribe": True, "timestamp": 489999},
]  # fmt: skip


@pytest.mark.parametrize("message", FROM_APPS, ids=str)
def test_what_real_apps_send_is_accepted(message: dict[str, Any]) -> None:
    """With any sequence, fields of their own, absent or odd media parameters, any version."""
    assert load_protocol().problems(message) == []
    assert load_protocol().problems({**message, "invented": {"by": "somebody"}}) == []


@pytest.mark.parametrize("name", ["meeting_uuid", "webinar_uuid", "session_id", "engagement_id"])
@pytest.mark.parametrize("msg_type", [1, 3])
def test_a_handshake_names_its_product_by_any_of_four_ids(msg_type: int, name: str) -> None:
    """The official SDK uses one name for all products; none at all is a mistake."""
    message = {
        "msg_type": msg_type, "protocol_version": 1, "sequence": 1, "media_type": 1,
        "rtms_stream_id": "6093", "signature": "ab",
    }  # fmt: skip
    assert load_protocol().problems({**message, name: "x"}) == []
    assert load_protocol().problems(message)


REQUIRED = [
    (message, field)
    for message in FROM_APPS
    for field in message
    if field
    in load_protocol().messages[message["msg_type"]].schema["required"]
    and field != "msg_type"
]  # fmt: skip


@pytest.mark.parametrize(("message", "field"), REQUIRED, ids=str)
def test_a_missing_or_mistyped_field_is_found(message: dict[str, Any], field: str) -> None:
    """Each required field is named when it is absent, null, or an object."""
    without = {key: value for key, value in message.items() if key != field}
    for broken in (without, {**message, field: None}, {**message, field: {}}):
        assert [problem.path for problem in load_protocol().problems(broken)] == [field]


@pytest.mark.parametrize("number", [None, True, "1", 1.5, 0, 30, -1])
def test_an_unknown_message_type_is_a_problem(number: Any) -> None:
    """Anything but the number of a message is found under `msg_type`."""
    for message in ({"msg_type": number}, {}):
        [problem] = load_protocol().problems(message)
        assert problem.path == "msg_type"


STREAM, NOW = "6093", 1_763_814_000_000
CONTENT = {"user_id": 1, "user_name": "A", "data": "AA==", "length": 1, "timestamp": NOW}
TRANSCRIPT = {
    "user_id": 1, "user_name": "A", "start_time": NOW, "end_time": NOW, "timestamp": NOW,
    "language": 9, "data": "Hello",
}  # fmt: skip
CHAT = {
    "timestamp": NOW, "data": "Hi", "message_id": "m", "operation_type": 1,
    "chat_session": {"type": 1}, "sender": {"user_id": 1, "user_name": "A"}, "receiver": None,
    "files": [{"file_id": "f", "file_name": "a.txt", "file_size": 3}], "delete_file_id_list": [],
}  # fmt: skip

#: What the server sends, as its builders make it.
FROM_SERVER = [
    messages.signaling_handshake_resp(1, {"audio": "ws://127.0.0.1:1/x"}),
    messages.refusal(2, StatusCode.INVALID_SIGNATURE, "wrong"),
    messages.data_handshake_resp(1, {"audio": AUDIO}),
    messages.data_handshake_resp(
        1,
        {
            "video": {"content_type": 3, "codec": 7, "resolution": 2, "data_opt": 3, "fps": 30},
            "deskshare": {"content_type": 3, "codec": 5, "resolution": 3, "fps": 1},
            "transcript": {"content_type": 5, "src_language": 9, "enable_lid": True},
        },
    ),
    messages.refusal(4, StatusCode.INVALID_MEDIA_PARAMS, "wrong", sequence=1),
    messages.event_update(1, {"timestamp": NOW}),
    messages.event_update(
        3, {"timestamp": NOW, "participants": [{"user_id": 1, "user_name": "A"}]}
    ),
    messages.event_update(
        8, {"event_ts": NOW, "participant_info": {"channel_id": "1", "participant_mode": "caller"}}
    ),
    messages.stream_state_update(STREAM, StreamState.TERMINATED, NOW, 6),
    messages.session_state_update("s", SessionState.STOPPED, NOW, 6),
    messages.session_state_resp("s", SessionState.STARTED, NOW),
    messages.keep_alive_req(1, NOW),
    messages.media_data(MediaType.AUDIO, CONTENT),
    messages.media_data(MediaType.AUDIO, {**CONTENT, "user_id": 0}),
    messages.media_data(
        MediaType.AUDIO, {"channel_id": "1", "data": "AA==", "length": 1, "timestamp": NOW}
    ),
    messages.media_data(MediaType.VIDEO, CONTENT),
    messages.media_data(MediaType.DESKSHARE, CONTENT),
    messages.media_data(MediaType.TRANSCRIPT, TRANSCRIPT),
    messages.media_data(MediaType.CHAT, CHAT),
    messages.stream_state_resp(STREAM, StreamState.ACTIVE, NOW),
    messages.stream_close_resp(STREAM, NOW),
    messages.video_subscription_resp(1, NOW),
    messages.refusal(29, StatusCode.DUPLICATE_VIDEO_SUBSCRIPTION, "no", user_id=1, timestamp=NOW),
]  # fmt: skip


@pytest.mark.parametrize("message", FROM_SERVER, ids=str)
def test_what_the_server_builds_keeps_its_own_contract(message: dict[str, Any]) -> None:
    """The builders and the document describe the same messages."""
    assert load_protocol().problems(message) == []


@pytest.mark.parametrize(
    ("message", "path"),
    [
        ({"msg_type": 12, "timestamp": NOW}, "sequence"),
        ({"msg_type": 12, "sequence": 2**31, "timestamp": NOW}, "sequence"),
        ({"msg_type": 2, "status_code": 0, "reason": ""}, "media_server"),
        ({"msg_type": 4, "status_code": 0, "reason": "", "sequence": 1}, "payload_encrypted"),
        ({"msg_type": 8, "state": 7, "timestamp": NOW}, "state"),
        ({"msg_type": 14, "content": {**CONTENT, "user_id": 2**31}}, "content.user_id"),
        ({"msg_type": 15, "content": {**CONTENT, "user_name": None}}, "content.user_name"),
    ],
)
def test_what_the_official_sdk_would_drop_is_a_problem(message: dict[str, Any], path: str) -> None:
    """The fields without which that client stays silent or leaves."""
    assert path in [problem.path for problem in load_protocol().problems(message)]


@pytest.mark.parametrize(
    ("number", "direction", "sockets"),
    [
        (1, "app_to_server", {"signaling"}),
        (2, "server_to_app", {"signaling"}),
        (3, "app_to_server", {"media"}),
        (7, "app_to_server", {"signaling"}),
        (12, "server_to_app", {"signaling", "media"}),
        (13, "app_to_server", {"signaling", "media"}),
        (17, "server_to_app", {"media"}),
        (27, "server_to_app", {"media"}),
        (29, "server_to_app", {"signaling"}),
    ],
)
def test_messages_know_their_way(number: int, direction: Direction, sockets: set[str]) -> None:
    """Direction and sockets come from the operations and channels of the document."""
    contract = load_protocol().messages[number]
    assert (contract.direction, contract.sockets) == (direction, sockets)


def test_the_document_is_wired_up_completely() -> None:
    """Every reference leads somewhere, and every channel and enum is fully described."""
    file = read_document(spec_path("rtms-protocol.asyncapi.yaml"))

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [ref for child in node.values() for ref in references(child)]
        return (
            [ref for child in node for ref in references(child)] if isinstance(node, list) else []
        )

    for reference in references(file.content):
        assert isinstance(file.find(reference), dict)
    for schema in file.content["components"]["schemas"].values():
        if "x-enum-varnames" in schema:
            assert len(schema["enum"]) == len(schema["x-enum-varnames"])
            assert len(schema["enum"]) == len(schema["x-enum-descriptions"])
