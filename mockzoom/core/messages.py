"""The messages of both sockets as JSON: reading what came, building what goes.

A builder returns the dict that goes on the wire, so fields and their order stand here once.
What an app sends is checked against `spec/rtms-protocol.asyncapi.yaml`, not here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from math import isinf
from typing import Any

from mockzoom.core.codes import MediaType, MessageType, SessionState, StatusCode, StreamState

__all__ = [
    "MAX_DEPTH",
    "MEDIA_KEYS",
    "Message",
    "client_ready_ack",
    "data_handshake_req",
    "data_handshake_resp",
    "decode",
    "encode",
    "event_subscription",
    "event_update",
    "is_json",
    "keep_alive_req",
    "keep_alive_resp",
    "media_data",
    "message_type",
    "refusal",
    "session_state_req",
    "session_state_resp",
    "session_state_update",
    "signaling_handshake_req",
    "signaling_handshake_resp",
    "stream_close_req",
    "stream_close_resp",
    "stream_state_req",
    "stream_state_resp",
    "stream_state_update",
    "video_subscription_req",
    "video_subscription_resp",
]

Message = dict[str, Any]

T = MessageType

#: Media types under their names in `media_server.server_urls` and in `media_params`.
MEDIA_KEYS: Mapping[MediaType, str] = {
    MediaType.AUDIO: "audio",
    MediaType.VIDEO: "video",
    MediaType.DESKSHARE: "deskshare",
    MediaType.TRANSCRIPT: "transcript",
    MediaType.CHAT: "chat",
    MediaType.ALL: "all",
}

#: Levels of objects and arrays in a message; the protocol's own need four.
MAX_DEPTH = 32

_MEDIA_DATA = {
    MediaType.AUDIO: T.MEDIA_DATA_AUDIO,
    MediaType.VIDEO: T.MEDIA_DATA_VIDEO,
    MediaType.DESKSHARE: T.MEDIA_DATA_SHARE,
    MediaType.TRANSCRIPT: T.MEDIA_DATA_TRANSCRIPT,
    MediaType.CHAT: T.MEDIA_DATA_CHAT,
}


def encode(message: Message) -> str:
    return _ENCODER.encode(message)


def decode(data: str | bytes) -> Message | None:
    """The message in one frame, text or binary; None when it is not one JSON object.

    Nothing comes through that could not go out again as JSON in UTF-8: no NaN, no number beyond
    a double, no half of a surrogate pair, and no nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
        message = _DECODER.decode(text)
        if "\\u" in text:
            json.dumps(message, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and _is_flat(text, message) else None


def is_json(message: Message) -> bool:
    """Whether `message` could have come through `decode`."""
    try:
        return decode(json.dumps(message)) is not None
    except (TypeError, ValueError):
        return False


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def _finite(digits: str) -> float:
    if isinf(number := float(digits)):
        raise ValueError(f"{digits} is beyond a double")
    return number


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)


def _is_flat(text: str, message: object) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return True
    level = [message]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item)]
    return not level


def _children(item: object) -> Iterable[object]:
    if isinstance(item, dict):
        return item.values()
    return item if isinstance(item, list) else ()


def message_type(message: Message) -> int | None:
    """`msg_type` when it is an integer (a boolean is not), else None."""
    value = message.get("msg_type")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# --- handshakes -------------------------------------------------------------------------------


def signaling_handshake_req(
    id_field: str, id_: str, rtms_stream_id: str, signature: str, *, sequence: int, buffer: bool
) -> Message:
    return {
        "msg_type": T.SIGNALING_HAND_SHAKE_REQ,
        "protocol_version": 1,
        "sequence": sequence,
        id_field: id_,
        "rtms_stream_id": rtms_stream_id,
        "signature": signature,
        "buffer_data": buffer,
    }


def signaling_handshake_resp(sequence: int, media_urls: Mapping[str, str]) -> Message:
    return {
        "msg_type": T.SIGNALING_HAND_SHAKE_RESP,
        "protocol_version": 1,
        "sequence": sequence,
        "status_code": StatusCode.OK,
        "reason": "",
        "media_server": {"server_urls": dict(media_urls)},
    }


def data_handshake_req(
    id_field: str,
    id_: str,
    rtms_stream_id: str,
    signature: str,
    *,
    sequence: int,
    media_type: int,
    media_params: Mapping[str, Any] | None,
) -> Message:
    return {
        "msg_type": T.DATA_HAND_SHAKE_REQ,
        "protocol_version": 1,
        "sequence": sequence,
        id_field: id_,
        "rtms_stream_id": rtms_stream_id,
        "signature": signature,
        "media_type": media_type,
        "payload_encryption": False,
        "media_params": None if media_params is None else dict(media_params),
    }


def data_handshake_resp(sequence: int, media_params: Mapping[str, Any]) -> Message:
    # `payload_encrypted` is what the official SDK needs; one page of the vendor spells it
    # `payload_encryption`, which the SDK takes for a broken answer.
    return {
        "msg_type": T.DATA_HAND_SHAKE_RESP,
        "protocol_version": 1,
        "sequence": sequence,
        "status_code": StatusCode.OK,
        "reason": "",
        "payload_encrypted": False,
        "media_params": dict(media_params),
    }


def refusal(msg_type: int, status: StatusCode, reason: str, **fields: Any) -> Message:
    """A negative answer of type `msg_type` (2, 4, 22, 29 and what has no answer of its own)."""
    return {"msg_type": msg_type, **fields, "status_code": status, "reason": reason}


# --- liveness ---------------------------------------------------------------------------------


def keep_alive_req(sequence: int, timestamp: int) -> Message:
    # The documented shape has no `sequence`, but the official SDK does not answer without it.
    return {"msg_type": T.KEEP_ALIVE_REQ, "sequence": sequence, "timestamp": timestamp}


def keep_alive_resp(request: Message) -> Message:
    """The echo of everything that a keep-alive carried."""
    return {**request, "msg_type": T.KEEP_ALIVE_RESP}


# --- events and states ------------------------------------------------------------------------


def event_subscription(events: Iterable[tuple[int, bool]]) -> Message:
    return {
        "msg_type": T.EVENT_SUBSCRIPTION,
        "events": [{"event_type": event, "subscribe": subscribe} for event, subscribe in events],
    }


def event_update(event_type: int, fields: Mapping[str, Any]) -> Message:
    return {"msg_type": T.EVENT_UPDATE, "event": {"event_type": event_type, **fields}}


def client_ready_ack(rtms_stream_id: str) -> Message:
    return {"msg_type": T.CLIENT_READY_ACK, "rtms_stream_id": rtms_stream_id}


def stream_state_update(
    rtms_stream_id: str, state: StreamState, timestamp: int, reason: int = 0
) -> Message:
    return {
        "msg_type": T.STREAM_STATE_UPDATE,
        "rtms_stream_id": rtms_stream_id,
        "state": state,
        "reason": reason,
        "timestamp": timestamp,
    }


def session_state_update(
    rtms_session_id: str, state: SessionState, timestamp: int, stop_reason: int | None = None
) -> Message:
    message: Message = {
        "msg_type": T.SESSION_STATE_UPDATE,
        "rtms_session_id": rtms_session_id,
        "state": state,
        "timestamp": timestamp,
    }
    if stop_reason is not None:
        message["stop_reason"] = stop_reason
    return message


def session_state_req(rtms_session_id: str) -> Message:
    return {"msg_type": T.SESSION_STATE_REQ, "rtms_session_id": rtms_session_id}


def session_state_resp(rtms_session_id: str, state: SessionState, timestamp: int) -> Message:
    return {
        "msg_type": T.SESSION_STATE_RESP,
        "rtms_session_id": rtms_session_id,
        "state": state,
        "timestamp": timestamp,
    }


def stream_state_req(rtms_stream_id: str) -> Message:
    return {"msg_type": T.STREAM_STATE_REQ, "rtms_stream_id": rtms_stream_id}


def stream_state_resp(rtms_stream_id: str, state: StreamState, timestamp: int) -> Message:
    return {
        "msg_type": T.STREAM_STATE_RESP,
        "rtms_stream_id": rtms_stream_id,
        "state": state,
        "timestamp": timestamp,
    }


def stream_close_req(rtms_stream_id: str) -> Message:
    return {"msg_type": T.STREAM_CLOSE_REQ, "rtms_stream_id": rtms_stream_id}


def stream_close_resp(rtms_stream_id: str, timestamp: int) -> Message:
    return {
        "msg_type": T.STREAM_CLOSE_RESP,
        "rtms_stream_id": rtms_stream_id,
        "status_code": StatusCode.OK,
        "reason": "",
        "timestamp": timestamp,
    }


def video_subscription_req(user_id: int, subscribe: bool, timestamp: int) -> Message:
    return {
        "msg_type": T.VIDEO_SUBSCRIPTION_REQ,
        "user_id": user_id,
        "subscribe": subscribe,
        "timestamp": timestamp,
    }


def video_subscription_resp(user_id: int, timestamp: int) -> Message:
    return {
        "msg_type": T.VIDEO_SUBSCRIPTION_RESP,
        "user_id": user_id,
        "status_code": StatusCode.OK,
        "reason": "",
        "timestamp": timestamp,
    }


# --- media ------------------------------------------------------------------------------------


def media_data(media: MediaType, content: Mapping[str, Any]) -> Message:
    return {"msg_type": _MEDIA_DATA[media], "content": dict(content)}
