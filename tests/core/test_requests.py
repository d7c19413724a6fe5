"""What an app may ask on a socket, what it is answered, and every way to be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from causes import Cause, documented

from mockzoom.core import messages
from mockzoom.core.codes import (
    MediaType,
    MessageType,
    SessionState,
    StatusCode,
    StopReason,
    StreamState,
)
from mockzoom.core.products import CONTACT_CENTER, PRODUCTS
from mockzoom.core.protocol import load_protocol
from mockzoom.core.sockets import SIGNALING

T = MessageType
C = StatusCode
Make = Callable[..., Any]

CAUSES = documented()


def bring(make: Make, cause: Cause) -> Any:
    """A stage where the sockets that `cause` asks for are joined."""
    without = {step.removeprefix("no ") for step in cause.after if step.startswith("no ")}
    stage = make(media=tuple(m for m in MediaType if messages.MEDIA_KEYS[m] not in without))
    stage.stream.join(16_778_240, "Alice", stage.now_ms)
    for step in cause.after:
        if step == SIGNALING:
            stage.signaling()
        elif step in ("ready", "subscribed"):
            kind = T.CLIENT_READY_ACK if step == "ready" else T.VIDEO_SUBSCRIPTION_REQ
            stage.ask(stage.stream.signaling.conn, kind)
        elif step == "injected":
            stage.stream.refuse_next[T(cause.request["msg_type"])].append(StatusCode(cause.code))
        elif not step.startswith("no "):
            stage.media(step)
    return stage


def request_socket(stage: Any, cause: Cause) -> int:
    """The live signaling socket where one request on it is asked for, else a new socket."""
    live = stage.stream.signaling
    handshakes = (T.SIGNALING_HAND_SHAKE_REQ, T.DATA_HAND_SHAKE_REQ)
    if live is not None and cause.request["msg_type"] not in handshakes:
        return int(live.conn)
    return int(stage.open(cause.socket))


def test_every_status_code_is_documented_with_its_name() -> None:
    """The table in the docs has each code once, in order, under its own name."""
    assert [(cause.code, cause.name) for cause in CAUSES] == [(c.value, c.name) for c in StatusCode]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.code}-{cause.name}")
def test_every_status_code_has_a_cause(stage: Make, cause: Cause) -> None:
    """What the docs say provokes a code provokes it, and is found fault with unless injected."""
    played = bring(stage, cause)
    conn = request_socket(played, cause)
    before = played.found()
    [answer] = played.ask(conn, T(cause.request["msg_type"]), **cause.request)
    assert answer["status_code"] == cause.code, answer
    assert bool(answer["reason"]) is (cause.code != C.OK)
    innocent = cause.code == C.OK or "injected" in cause.after
    assert (played.found() == before) is innocent


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: str(cause.code))
def test_answers_keep_the_protocol(stage: Make, cause: Cause) -> None:
    """Every answer with a type of its own has the shape that the protocol gives it."""
    played = bring(stage, cause)
    conn = request_socket(played, cause)
    [answer] = played.ask(conn, T(cause.request["msg_type"]), **cause.request)
    if answer["msg_type"] in (T.EVENT_SUBSCRIPTION, T.CLIENT_READY_ACK):
        assert set(answer) == {"msg_type", "status_code", "reason"}
    else:
        assert load_protocol().problems(answer) == []


MORE_CAUSES = [
    pytest.param([], SIGNALING, '{"msg_type": 1', C.INVALID_PAYLOAD, id="truncated"),
    pytest.param([], SIGNALING, "[]", C.INVALID_PAYLOAD, id="not an object"),
    pytest.param([], SIGNALING, b"\xff\xfe", C.INVALID_PAYLOAD, id="not UTF-8"),
    pytest.param([], "audio", "{}", C.INVALID_PAYLOAD, id="no type"),
    pytest.param([], SIGNALING, {"msg_type": "1"}, C.INVALID_PAYLOAD, id="type is a string"),
    pytest.param([], SIGNALING, {"msg_type": True}, C.INVALID_PAYLOAD, id="type is a boolean"),
    pytest.param([], SIGNALING, {"msg_type": 77}, C.INVALID_MESSAGE_TYPE, id="unknown type"),
    pytest.param([], SIGNALING, {"msg_type": 21}, C.INVALID_MESSAGE_TYPE, id="too early"),
    pytest.param([], "audio", {"msg_type": 1}, C.INVALID_MESSAGE_TYPE, id="other socket's"),
    pytest.param([], "audio", {"msg_type": 7}, C.INVALID_CLIENT_READY_ACK, id="ack on media"),
]


@pytest.mark.parametrize(("after", "key", "sent", "status"), MORE_CAUSES)
def test_first_words_that_are_refused(
    stage: Make, after: list[str], key: str, sent: Any, status: StatusCode
) -> None:
    """Whatever comes in place of a handshake is answered with a code, and the socket stays."""
    played = stage()
    conn = played.open(key)
    [answer] = played.send(conn, sent)
    assert answer["status_code"] == status
    assert played.ended(conn) == "open"
    assert len(played.found()) == 1


HANDSHAKES = [
    pytest.param({"meeting_uuid": "another"}, C.INVALID_RTMS_STREAM_ID, "rtms.id", id="id"),
    pytest.param({"meeting_uuid": None}, C.INVALID_PAYLOAD, "rtms.payload", id="no id"),
    pytest.param({"rtms_stream_id": 7}, C.INVALID_PAYLOAD, "rtms.payload", id="stream is a number"),
    pytest.param({"signature": "é"}, C.INVALID_SIGNATURE, "rtms.signature", id="not ASCII"),
    pytest.param({"sequence": "1"}, C.INVALID_PAYLOAD, "rtms.payload", id="sequence is a string"),
    pytest.param(
        {"rtms_stream_id": "another", "signature": "00"},
        C.INVALID_RTMS_STREAM_ID,
        "rtms.stream-id",
        id="the stream is looked at before the signature",
    ),
]


@pytest.mark.parametrize("kind", [T.SIGNALING_HAND_SHAKE_REQ, T.DATA_HAND_SHAKE_REQ])
@pytest.mark.parametrize(("fields", "status", "clause"), HANDSHAKES)
def test_both_handshakes_make_the_same_first_checks(
    stage: Make, kind: MessageType, fields: dict[str, Any], status: StatusCode, clause: str
) -> None:
    """Shape, stream, id and signature are checked alike on signaling and on media."""
    played = stage()
    played.signaling()
    conn = played.open(SIGNALING if kind == T.SIGNALING_HAND_SHAKE_REQ else "audio")
    [answer] = played.ask(conn, kind, **fields)
    assert (answer["status_code"], played.found()) == (status, [clause])


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))
@pytest.mark.parametrize("field", ["meeting_uuid", "webinar_uuid", "session_id", "engagement_id"])
def test_the_id_may_come_under_any_name(stage: Make, product: Any, field: str) -> None:
    """The official SDK calls every id meeting_uuid, so the name of the id is never a fault."""
    played = stage(product)
    conn = played.open()
    request = played.request(T.SIGNALING_HAND_SHAKE_REQ)
    request[field] = request.pop(product.id_field)
    [answer] = played.send(conn, request)
    assert (answer["status_code"], played.found()) == (C.OK, [])


def test_a_signaling_handshake_names_the_media_urls(stage: Make) -> None:
    """The answer has a URL for each type that the app may have, and the one for all."""
    played = stage(CONTACT_CENTER)
    [answer] = played.ask(played.open(), T.SIGNALING_HAND_SHAKE_REQ, sequence=489_896)
    assert answer["sequence"] == 489_896
    assert set(answer["media_server"]["server_urls"]) == {"audio", "transcript", "all"}


def test_a_media_handshake_states_every_parameter(stage: Make) -> None:
    """The answer says what is in force, and payload_encrypted as a boolean: the SDK needs both."""
    played = stage()
    played.signaling()
    [answer] = played.ask(played.open("audio"), T.DATA_HAND_SHAKE_REQ)
    assert answer["payload_encrypted"] is False
    assert answer["media_params"] == {
        "audio": {
            "content_type": 2,
            "sample_rate": 1,
            "channel": 1,
            "codec": 1,
            "data_opt": 1,
            "send_rate": 20,
        }
    }


def test_media_before_signaling_is_refused(stage: Make) -> None:
    """A media handshake without a signaling connection gets 2 and a finding of its own."""
    played = stage()
    [answer] = played.ask(played.open("audio"), T.DATA_HAND_SHAKE_REQ)
    assert answer["status_code"] == C.INVALID_RTMS_STREAM_ID
    assert played.found() == ["rtms.media-without-signaling"]


def test_a_stream_that_has_ended_takes_nobody(stage: Make) -> None:
    """Both handshakes get 2 once the stream has terminated."""
    played = stage()
    played.signaling()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    for key, kind in ((SIGNALING, T.SIGNALING_HAND_SHAKE_REQ), ("audio", T.DATA_HAND_SHAKE_REQ)):
        [answer] = played.ask(played.open(key), kind)
        assert answer["status_code"] == C.INVALID_RTMS_STREAM_ID


def test_a_refused_handshake_may_be_tried_again_on_the_same_socket(stage: Make) -> None:
    """The socket of a refusal stays open, and a correct handshake on it is accepted."""
    played = stage()
    conn = played.open()
    played.ask(conn, T.SIGNALING_HAND_SHAKE_REQ, signature="00")
    [answer] = played.ask(conn, T.SIGNALING_HAND_SHAKE_REQ)
    assert answer["status_code"] == C.OK


@pytest.mark.parametrize("key", ["signaling", "audio", "all"])
def test_a_second_handshake_on_a_joined_socket_is_a_duplicate(stage: Make, key: str) -> None:
    """One socket shakes hands once: 8 on signaling, 16 on media, 15 on media of all types."""
    played = stage()
    signaling = played.signaling()
    conn = signaling if key == SIGNALING else played.media(key)
    kind = T.SIGNALING_HAND_SHAKE_REQ if key == SIGNALING else T.DATA_HAND_SHAKE_REQ
    [answer] = played.ask(conn, kind)
    expected = {"signaling": 8, "audio": 16, "all": 15}
    assert answer["status_code"] == expected[key]


def test_a_socket_does_not_take_a_second_type_later(stage: Make) -> None:
    """Video on the socket that was joined for audio is a duplicate, also on the URL of all."""
    played = stage()
    played.signaling()
    conn = played.media("all", media_type=1)
    [answer] = played.ask(conn, T.DATA_HAND_SHAKE_REQ, media_type=2)
    assert answer["status_code"] == C.DUPLICATE_MEDIA_DATA_CONNECTION
    assert played.stream.sockets[conn].media == (MediaType.AUDIO,)


@pytest.mark.parametrize(
    ("key", "asked", "status"),
    [
        ("all", 1, C.OK),
        ("all", 1 | 8, C.OK),
        ("all", 32, C.OK),
        ("all", 31, C.OK),
        ("audio", 32, C.INVALID_MEDIA_TYPE),
        ("audio", 3, C.INVALID_MEDIA_TYPE),
        ("audio", 8, C.INVALID_MEDIA_TYPE),
        ("audio", 1.0, C.OK),
        ("audio", 0, C.MEDIA_TYPE_INVALID_VALUE),
        ("audio", -1, C.MEDIA_TYPE_INVALID_VALUE),
        ("all", 64, C.MEDIA_TYPE_INVALID_VALUE),
        ("all", 2**70, C.MEDIA_TYPE_INVALID_VALUE),
    ],
)
def test_media_types_and_their_urls(
    stage: Make, key: str, asked: float, status: StatusCode
) -> None:
    """A URL of one type takes that type, the URL of all takes any mask."""
    played = stage()
    played.signaling()
    [answer] = played.ask(played.open(key), T.DATA_HAND_SHAKE_REQ, media_type=asked)
    assert answer["status_code"] == status


def test_all_excludes_the_single_ones(stage: Make) -> None:
    """Asking for all while one type is connected is a duplicate of that one."""
    played = stage()
    played.signaling()
    played.media("transcript")
    [answer] = played.ask(played.open("all"), T.DATA_HAND_SHAKE_REQ)
    assert answer["status_code"] == C.DUPLICATE_MEDIA_DATA_CONNECTION


def test_all_is_what_the_scopes_allow(stage: Make) -> None:
    """32 grants the types that the app may have, and parameters for each."""
    played = stage(media=(MediaType.AUDIO, MediaType.TRANSCRIPT))
    played.signaling()
    [answer] = played.ask(played.open("all"), T.DATA_HAND_SHAKE_REQ)
    assert set(answer["media_params"]) == {"audio", "transcript"}


EVENTS = [
    pytest.param([{"event_type": 1, "subscribe": True}], C.INVALID_EVENT_TYPE, id="unasked 1"),
    pytest.param([{"event_type": 15, "subscribe": True}], C.INVALID_EVENT_TYPE, id="voice only"),
    pytest.param([{"event_type": 2.0, "subscribe": True}], C.INVALID_EVENT_TYPE, id="float"),
    pytest.param([{"event_type": [], "subscribe": True}], C.INVALID_EVENT_TYPE, id="list"),
    pytest.param([{"subscribe": True}], C.INVALID_EVENT_TYPE, id="no type"),
    pytest.param([7], C.INVALID_EVENT_TYPE, id="a bare number"),
    pytest.param([{"event_type": 2}], C.INVALID_EVENT_SUBSCRIBE, id="no subscribe"),
    pytest.param(None, C.INVALID_EVENTS, id="no events"),
]


@pytest.mark.parametrize(("events", "status"), EVENTS)
def test_subscriptions_that_are_refused(stage: Make, events: Any, status: StatusCode) -> None:
    """One wrong event refuses the whole subscription under its own number, and nothing is kept."""
    played = stage()
    [answer] = played.ask(played.signaling(), T.EVENT_SUBSCRIPTION, events=events)
    assert (answer["msg_type"], answer["status_code"]) == (T.EVENT_SUBSCRIPTION, status)
    assert played.stream.subscriptions.events == set()


def test_a_subscription_has_no_answer(stage: Make) -> None:
    """Events that the product has are noted, or struck off, without a word."""
    played = stage()
    conn = played.signaling()
    assert played.ask(conn, T.EVENT_SUBSCRIPTION) == []
    assert played.stream.subscriptions.events == {2}
    both = [{"event_type": 2, "subscribe": False}, {"event_type": 8, "subscribe": True}]
    assert played.ask(conn, T.EVENT_SUBSCRIPTION, events=both) == []
    assert played.stream.subscriptions.events == {8}


@pytest.mark.parametrize(
    ("event", "status"),
    [(8, None), (29, None), (7, C.INVALID_EVENT_TYPE), (1, C.INVALID_EVENT_TYPE)],
)
def test_voice_has_events_of_its_own(stage: Make, event: int, status: StatusCode | None) -> None:
    """Contact-center voice takes subscriptions to 8 to 29 and to no other."""
    played = stage(CONTACT_CENTER)
    answers = played.ask(
        played.signaling(), T.EVENT_SUBSCRIPTION, events=[{"event_type": event, "subscribe": True}]
    )
    assert [answer["status_code"] for answer in answers] == ([status] if status else [])


def test_states_are_told_when_asked(stage: Make) -> None:
    """Messages 10 and 19 get the state of a session and of the stream."""
    played = stage()
    played.stream.session("one", SessionState.STARTED, played.now_ms)
    conn = played.signaling()
    [session] = played.ask(conn, T.SESSION_STATE_REQ)
    [stream] = played.ask(conn, T.STREAM_STATE_REQ)
    assert (session["msg_type"], session["state"]) == (T.SESSION_STATE_RESP, SessionState.STARTED)
    assert (stream["msg_type"], stream["state"]) == (T.STREAM_STATE_RESP, StreamState.INACTIVE)
    assert played.found() == []


@pytest.mark.parametrize("kind", [T.STREAM_STATE_REQ, T.STREAM_CLOSE_REQ])
def test_requests_name_their_own_stream(stage: Make, kind: MessageType) -> None:
    """Asking for the state or the end of another stream is refused with 2."""
    played = stage()
    [answer] = played.ask(played.signaling(), kind, rtms_stream_id="another")
    assert answer["status_code"] == C.INVALID_RTMS_STREAM_ID
    assert played.stream.state is StreamState.INACTIVE


def test_one_video_at_a_time(stage: Make) -> None:
    """A new video subscription replaces the old one; ending one that is not in force is fine."""
    played = stage()
    for user_id, name in ((1, "Alice"), (2, "Bob")):
        played.stream.join(user_id, name, played.now_ms)
    conn = played.signaling()
    for user_id, subscribe, then in ((1, True, 1), (2, True, 2), (1, False, 2), (2, False, None)):
        [answer] = played.ask(conn, T.VIDEO_SUBSCRIPTION_REQ, user_id=user_id, subscribe=subscribe)
        assert (answer["status_code"], answer["user_id"]) == (C.OK, user_id)
        assert played.stream.subscriptions.video_user_id == then


@pytest.mark.parametrize("fields", [{"user_id": 3}, {"user_id": "1"}, {"subscribe": None}])
def test_video_of_nobody_is_refused(stage: Make, fields: dict[str, Any]) -> None:
    """A video subscription needs a participant who is there, and all of its fields."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    [answer] = played.ask(played.signaling(), T.VIDEO_SUBSCRIPTION_REQ, **fields)
    assert (answer["msg_type"], answer["status_code"]) == (29, C.INVALID_PAYLOAD)


def test_a_wrong_type_on_a_joined_socket_is_only_found(stage: Make) -> None:
    """What does not belong on a joined socket is named in a finding and has no answer."""
    played = stage()
    signaling, audio = played.ready()
    for conn, sent in (
        (signaling, {"msg_type": 3}),
        (audio, {"msg_type": 21}),
        (audio, {"msg_type": 77}),
        (signaling, {"msg_type": 2}),
        (signaling, "junk"),
    ):
        assert played.send(conn, sent) == []
    assert played.found() == ["rtms.message-type"] * 4 + ["rtms.message"]
    assert played.stream.flowing


def test_text_and_binary_frames_are_alike(stage: Make) -> None:
    """The official SDK sends JSON in binary frames, with tabs and line ends; samples send text."""
    played = stage()
    request = played.request(T.SIGNALING_HAND_SHAKE_REQ)
    [answer] = played.send(played.open(), json.dumps(request, indent="\t").encode() + b"\n")
    assert answer["status_code"] == C.OK


@pytest.mark.parametrize("kind", [T.SIGNALING_HAND_SHAKE_REQ, T.DATA_HAND_SHAKE_REQ])
def test_the_next_handshakes_can_be_refused_with_any_code(stage: Make, kind: MessageType) -> None:
    """`refuse_next` refuses as many handshakes as it has codes, and then the mock is itself."""
    played = stage()
    if kind == T.DATA_HAND_SHAKE_REQ:
        played.signaling()
    played.stream.refuse_next[kind].extend([C.INTERNAL_EXCEPTION, C.CHAT_SESSION_KEY_NOT_AVAILABLE])
    conn = played.open(SIGNALING if kind == T.SIGNALING_HAND_SHAKE_REQ else "audio")
    answers = [played.ask(conn, kind)[0] for _ in range(3)]
    assert [answer["status_code"] for answer in answers] == [45, 47, 0]
    assert played.found() == []


def test_a_ready_ack_on_a_second_signaling_socket_is_refused(stage: Make) -> None:
    """Only the socket that shook hands can acknowledge."""
    played = stage()
    played.signaling()
    played.media()
    [answer] = played.ask(played.open(), T.CLIENT_READY_ACK)
    assert answer["status_code"] == C.INVALID_CLIENT_READY_ACK
    assert not played.stream.flowing
