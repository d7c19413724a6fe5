"""Which message answers which, and what an answer tells back of its request.

A server says the same of a request whether it accepts or refuses it: its sequence, or the id that
it is about.  What is no sound value there is not told back, so that a broken request never makes
a broken answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from mockzoom.core import messages
from mockzoom.core.codes import MessageType, SessionState, StatusCode, StreamState
from mockzoom.core.messages import Message

__all__ = ["ANSWERS", "HANDSHAKES", "echoing", "refusal"]

T = MessageType

#: The answers of handshakes, and those of other requests, by their request.
HANDSHAKES: Mapping[int, MessageType] = {
    T.SIGNALING_HAND_SHAKE_REQ: T.SIGNALING_HAND_SHAKE_RESP,
    T.DATA_HAND_SHAKE_REQ: T.DATA_HAND_SHAKE_RESP,
}
ANSWERS: Mapping[int, MessageType] = {
    T.SESSION_STATE_REQ: T.SESSION_STATE_RESP,
    T.STREAM_STATE_REQ: T.STREAM_STATE_RESP,
    T.STREAM_CLOSE_REQ: T.STREAM_CLOSE_RESP,
    T.VIDEO_SUBSCRIPTION_REQ: T.VIDEO_SUBSCRIPTION_RESP,
}

#: Fields that an answer has in common with its request, and what they are where that had none.
_ECHOED: Mapping[int, Mapping[str, object]] = {
    T.SIGNALING_HAND_SHAKE_RESP: {"protocol_version": 1, "sequence": 0},
    T.DATA_HAND_SHAKE_RESP: {"protocol_version": 1, "sequence": 0},
    T.SESSION_STATE_RESP: {"rtms_session_id": ""},
    T.STREAM_STATE_RESP: {"rtms_stream_id": ""},
    T.STREAM_CLOSE_RESP: {"rtms_stream_id": ""},
    T.VIDEO_SUBSCRIPTION_RESP: {"user_id": 0},
}

#: Answers that carry the time, and what else they must hold.
_STAMPED: Mapping[int, Mapping[str, int]] = {
    T.SESSION_STATE_RESP: {"state": SessionState.INACTIVE},
    T.STREAM_STATE_RESP: {"state": StreamState.INACTIVE},
    T.STREAM_CLOSE_RESP: {},
    T.VIDEO_SUBSCRIPTION_RESP: {},
}

#: Whole numbers on the wire have 32 bits.
_WHOLE = range(-(2**31), 2**31)


def echoing(answer: Message, request: Message) -> Message:
    """`answer`, with the fields that it has in common with `request` as they are there."""
    common = _ECHOED.get(answer["msg_type"], {}).items()
    sound = (name for name, default in common if _is_like(default, request.get(name)))
    return {**answer, **{name: request[name] for name in sound if name in answer}}


def refusal(request: Message, kind: int, status: StatusCode, reason: str, now_ms: int) -> Message:
    """The negative answer to `request`, which is of type `kind` or was meant to be.

    5 and 7 have no answer when all is well; a refusal of them goes back under their own number,
    which no known client minds.
    """
    answer = HANDSHAKES.get(kind) or ANSWERS.get(kind) or kind
    fields: Message = dict(_ECHOED.get(answer, {}))
    if answer in _STAMPED:
        fields |= {**_STAMPED[answer], "timestamp": now_ms}
    return echoing(messages.refusal(answer, status, reason, **fields), request)


def _is_like(default: object, value: object) -> bool:
    return type(value) is type(default) and (not isinstance(value, int) or value in _WHOLE)
