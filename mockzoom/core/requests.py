"""What an app may ask on either socket of a stream, and what it is answered.

`handle` takes one WebSocket message, finds the request in the table of its socket, and lets it
act on the stream.  A request that breaks a clause raises `Rejected` on its way; the app gets the
status code, and the clause goes into a finding.  A socket stays open after a refusal: the app may
try again on it until its time to shake hands is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING

from mockzoom.core import messages
from mockzoom.core.answers import refusal
from mockzoom.core.briefing import UNASKED_EVENTS
from mockzoom.core.codes import (
    EventType,
    MediaType,
    MessageType,
    StatusCode,
    StopReason,
    StreamState,
)
from mockzoom.core.handshake import Rejected, check_identity, check_media, check_shape
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.signing import without_signatures
from mockzoom.core.sockets import Socket

if TYPE_CHECKING:
    from mockzoom.core.stream import StreamMachine

__all__ = ["handle"]

T = MessageType
C = StatusCode


def handle(stream: StreamMachine, socket: Socket, data: str | bytes, now_ms: int) -> None:
    """Act on one whole message from `socket`, text or binary."""
    message = messages.decode(data)
    kind = None if message is None else messages.message_type(message)
    if message is None or kind is None:
        stream.found("rtms.message", socket, "a JSON object with msg_type", _excerpt(data))
        if not socket.joined:
            _refuse_handshake(stream, socket, C.INVALID_PAYLOAD, "not a message")
        return
    handler = (_ON_SIGNALING if socket.is_signaling else _ON_MEDIA).get(kind)
    if handler is None or not (socket.joined or kind in _BEFORE_HANDSHAKE):
        _unexpected(stream, socket, kind)
        return
    if stream.refuse_next[MessageType(kind)]:
        status = stream.refuse_next[MessageType(kind)].popleft()
        stream.send(socket, refusal(message, kind, status, status.name, now_ms))
        return
    try:
        handler(stream, socket, message, now_ms)
    except Rejected as rejected:
        if rejected.check:
            stream.found(rejected.check, socket, rejected.expected, rejected.actual)
        stream.send(socket, refusal(message, kind, rejected.status, str(rejected), now_ms))


# --- requests on the signaling socket ---------------------------------------------------------


def _on_signaling_handshake(
    stream: StreamMachine, socket: Socket, message: Message, now_ms: int
) -> None:
    _check_handshake(stream, message, now_ms)
    live = stream.signaling
    if live is not None and (not stream.policy.replace_signaling or live is socket):
        raise Rejected(
            C.DUPLICATE_SIGNAL_REQUEST,
            "rtms.duplicate",
            "one signaling connection",
            f"{live} is connected",
        )
    stream.join_signaling(socket, message.get("buffer_data") is not False, now_ms)
    keys = {MEDIA_KEYS[media] for media in (*stream.offered, MediaType.ALL)}
    urls = stream.reoffer({key: url for key, url in stream.urls.media.items() if key in keys})
    sequence = message["sequence"]
    stream.send(socket, messages.signaling_handshake_resp(sequence, urls))


def _on_ready(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    check = "rtms.ready-ack"
    if socket is not stream.signaling:
        wanted = "the signaling socket after its handshake"
        raise Rejected(C.INVALID_CLIENT_READY_ACK, check, wanted, str(socket))
    if message.get("rtms_stream_id") != stream.identity.rtms_stream_id:
        raise Rejected(
            C.INVALID_CLIENT_READY_ACK,
            check,
            stream.identity.rtms_stream_id,
            f"{message.get('rtms_stream_id')!s:.80}",
        )
    if not stream.media_sockets:
        raise Rejected(C.INVALID_CLIENT_READY_ACK, check, "a media handshake before it", "none yet")
    stream.ready(socket, now_ms)


def _on_subscription(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    events = message.get("events")
    if not isinstance(events, list):
        raise Rejected(C.INVALID_EVENTS, "rtms.subscription", "events: a list", _short(events))
    known = stream.identity.product.events
    for event in events:
        kind = event.get("event_type") if isinstance(event, dict) else None
        if not _may_ask_for(kind, known):
            raise Rejected(
                C.INVALID_EVENT_TYPE, "rtms.subscription", "a known event_type", _short(kind)
            )
        if not isinstance(event.get("subscribe"), bool):
            raise Rejected(
                C.INVALID_EVENT_SUBSCRIBE,
                "rtms.subscription",
                "subscribe: true or false",
                _short(event.get("subscribe")),
            )
    stream.subscribe({event["event_type"]: event["subscribe"] for event in events}, now_ms)


def _may_ask_for(kind: object, known: type[IntEnum]) -> bool:
    if type(kind) is not int or kind not in tuple(known):
        return False
    return known is not EventType or kind not in UNASKED_EVENTS


def _on_session_state(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    session = message.get("rtms_session_id")
    state = stream.sessions.get(session) if isinstance(session, str) else None
    if state is None:
        raise Rejected(
            C.INVALID_RTMS_SESSION_ID,
            "rtms.session-id",
            "a session of the stream",
            f"{session!s:.80}",
        )
    stream.send(socket, messages.session_state_resp(str(session), state, now_ms))


def _on_stream_state(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    _check_stream_id(stream, message)
    id_ = stream.identity.rtms_stream_id
    stream.send(socket, messages.stream_state_resp(id_, stream.state, now_ms))


def _on_close(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    _check_stream_id(stream, message)
    stream.send(socket, messages.stream_close_resp(stream.identity.rtms_stream_id, now_ms))
    stream.stop(StopReason.RECEIVER_REQUEST_CLOSE, now_ms)


def _on_video_subscription(
    stream: StreamMachine, socket: Socket, message: Message, now_ms: int
) -> None:
    check_shape(message)
    user_id, subscribe = int(message["user_id"]), message["subscribe"]
    if user_id not in stream.roster:
        raise Rejected(
            C.INVALID_PAYLOAD, "rtms.video-subscription", "a participant", f"user {user_id}"
        )
    if subscribe and user_id == stream.subscriptions.video_user_id:
        raise Rejected(
            C.DUPLICATE_VIDEO_SUBSCRIPTION,
            "rtms.video-subscription",
            "one subscription a participant",
            f"user {user_id} twice",
        )
    if subscribe:
        stream.subscriptions.video_user_id = user_id
    elif user_id == stream.subscriptions.video_user_id:
        stream.subscriptions.video_user_id = None
    stream.send(socket, messages.video_subscription_resp(user_id, now_ms))


# --- requests on a media socket ---------------------------------------------------------------


def _on_media_handshake(
    stream: StreamMachine, socket: Socket, message: Message, now_ms: int
) -> None:
    _check_handshake(stream, message, now_ms)
    if stream.signaling is None:
        raise Rejected(
            C.INVALID_RTMS_STREAM_ID,
            "rtms.media-without-signaling",
            "a signaling handshake first",
            "none",
        )
    types, params = check_media(message, socket.key, stream.offered, stream.media_sockets)
    if socket.joined:
        status = C.DUPLICATE_MEDIA_DATA_CONNECTION
        raise Rejected(status, "rtms.duplicate", "one handshake a socket", "a second one")
    params = stream.regrant(socket.key, params)
    all_media = message["media_type"] == MediaType.ALL
    stream.join_media(socket, types, params, all_media=all_media, now_ms=now_ms)
    stream.send(socket, messages.data_handshake_resp(message.get("sequence", 0), params))


def _on_keep_alive(stream: StreamMachine, socket: Socket, message: Message, now_ms: int) -> None:
    expected, excused = socket.keep_alive.unanswered, socket.keep_alive.excused
    answered = message.get("timestamp")
    if not socket.keep_alive.answer(answered):
        wanted = f"timestamp {expected[-1]}" if expected else "no answer, none was asked"
        stream.found("rtms.keep-alive", socket, wanted, f"timestamp {answered!r:.40}")
    elif answered in expected[excused:-1]:
        stream.found("rtms.keep-alive", socket, "an answer before the next one", "a late one")


def _check_handshake(stream: StreamMachine, message: Message, now_ms: int) -> None:
    check_shape(message)
    if stream.state is StreamState.TERMINATED:
        # Who came while the webhook of the end was on its way cannot have known of it.
        known = now_ms >= stream.ended_ms + stream.timings.close_grace_ms
        check = "rtms.stream-id" if known else ""
        raise Rejected(C.INVALID_RTMS_STREAM_ID, check, "a live stream", "one that has ended")
    check_identity(message, stream.identity, stream.credentials)


def _check_stream_id(stream: StreamMachine, message: Message) -> None:
    given = message.get("rtms_stream_id")
    if given != stream.identity.rtms_stream_id:
        raise Rejected(
            C.INVALID_RTMS_STREAM_ID,
            "rtms.stream-id",
            stream.identity.rtms_stream_id,
            f"{given!s:.80}",
        )


def _unexpected(stream: StreamMachine, socket: Socket, kind: int) -> None:
    kinds = _ON_SIGNALING if socket.is_signaling else _ON_MEDIA
    wanted = [k for k in kinds if socket.joined or k in _BEFORE_HANDSHAKE]
    stream.found("rtms.message-type", socket, f"one of {wanted}", str(kind))
    if not socket.joined:
        _refuse_handshake(stream, socket, C.INVALID_MESSAGE_TYPE, f"msg_type {kind}")


def _refuse_handshake(
    stream: StreamMachine, socket: Socket, status: StatusCode, reason: str
) -> None:
    """For what cannot be read as a handshake at all."""
    asked = T.SIGNALING_HAND_SHAKE_REQ if socket.is_signaling else T.DATA_HAND_SHAKE_REQ
    stream.send(socket, refusal({}, asked, status, reason, 0))


_Handler = Callable[["StreamMachine", Socket, Message, int], None]

_ON_SIGNALING: Mapping[int, _Handler] = {
    T.SIGNALING_HAND_SHAKE_REQ: _on_signaling_handshake,
    T.EVENT_SUBSCRIPTION: _on_subscription,
    T.CLIENT_READY_ACK: _on_ready,
    T.SESSION_STATE_REQ: _on_session_state,
    T.KEEP_ALIVE_RESP: _on_keep_alive,
    T.STREAM_STATE_REQ: _on_stream_state,
    T.STREAM_CLOSE_REQ: _on_close,
    T.VIDEO_SUBSCRIPTION_REQ: _on_video_subscription,
}

_ON_MEDIA: Mapping[int, _Handler] = {
    T.DATA_HAND_SHAKE_REQ: _on_media_handshake,
    T.CLIENT_READY_ACK: _on_ready,
    T.KEEP_ALIVE_RESP: _on_keep_alive,
}

#: What an app may send on a socket that has not shaken hands; a CLIENT_READY_ACK is wrong there
#: too, but has a status code of its own.
_BEFORE_HANDSHAKE = (
    T.SIGNALING_HAND_SHAKE_REQ,
    T.DATA_HAND_SHAKE_REQ,
    T.KEEP_ALIVE_RESP,
    T.CLIENT_READY_ACK,
)


def _excerpt(data: str | bytes) -> str:
    text = data if isinstance(data, str) else data.decode("utf-8", "replace")
    return repr(without_signatures(text)[:80])


def _short(value: object) -> str:
    return f"{value!r:.80}"
