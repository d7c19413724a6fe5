"""What an app hears of a meeting on signaling, and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockzoom.core.codes import EventType, MessageType, SessionState, VoiceEventType
from mockzoom.core.products import CONTACT_CENTER
from mockzoom.errors import UnknownObject

T = MessageType
Make = Callable[..., Any]


def events(stage: Any, conn: int) -> list[int]:
    return [m["event"]["event_type"] for m in stage.sent(conn, T.EVENT_UPDATE)]


def test_an_app_that_is_ready_hears_who_is_there(stage: Make) -> None:
    """Sessions and participants from before come first, then each change."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    played.stream.session("one", SessionState.STARTED, played.now_ms)
    signaling, _ = played.ready()
    played.stream.join(2, "Bob", played.now_ms)
    played.stream.leave(1, played.now_ms)
    played.settle()
    assert [m["event"] for m in played.sent(signaling, T.EVENT_UPDATE)] == [
        {
            "event_type": 3,
            "timestamp": played.now_ms,
            "participants": [{"user_id": 1, "user_name": "Alice"}],
        },
        {
            "event_type": 3,
            "timestamp": played.now_ms,
            "participants": [{"user_id": 2, "user_name": "Bob"}],
        },
        {"event_type": 4, "timestamp": played.now_ms, "participants": [{"user_id": 1}]},
    ]
    assert [m["state"] for m in played.sent(signaling, T.SESSION_STATE_UPDATE)] == [2]


def test_nobody_leaves_who_is_not_there(stage: Make) -> None:
    """The leave of a stranger is an error of whoever asks."""
    with pytest.raises(UnknownObject, match="no participant 7"):
        stage().stream.leave(7, 0)


def test_who_leaves_is_not_seen_any_more(stage: Make) -> None:
    """The video subscription ends with its participant."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    played.ask(played.signaling(), T.VIDEO_SUBSCRIPTION_REQ)
    played.stream.leave(1, played.now_ms)
    assert played.stream.subscriptions.video_user_id is None


def test_nothing_is_told_before_the_acknowledgement(stage: Make) -> None:
    """Events are for an app that said it is ready."""
    played = stage()
    signaling = played.signaling()
    played.stream.tell(EventType.SHARING_START, {"timestamp": 1, "user_id": 1})
    played.stream.first_packet(1)
    played.settle()
    assert events(played, signaling) == []


def test_gated_events_wait_for_their_subscription(stage: Make) -> None:
    """As a setting, an app hears only what it asked for, and 1 and 7 without asking."""
    played = stage(gate_events=True)
    played.stream.join(1, "Alice", played.now_ms)
    signaling, audio = played.ready()
    played.stream.tell(EventType.SHARING_START, {"timestamp": 1, "user_id": 1})
    played.stream.first_packet(1)
    played.lose(audio)
    assert events(played, signaling) == [1, 7]
    asked = [{"event_type": kind, "subscribe": True} for kind in (3, 5)]
    played.ask(signaling, T.EVENT_SUBSCRIPTION, events=asked)
    played.stream.tell(EventType.SHARING_START, {"timestamp": 1, "user_id": 1})
    played.settle()
    assert events(played, signaling) == [1, 7, 3, 5]


def test_subscriptions_are_kept_over_reconnects(stage: Make) -> None:
    """The official SDK subscribes once and not again after a reconnect."""
    played = stage(gate_events=True)
    signaling, _ = played.ready()
    played.ask(signaling, T.EVENT_SUBSCRIPTION)
    played.lose(signaling)
    played.wait(1_000)
    again, _ = played.ready()
    played.stream.tell(EventType.ACTIVE_SPEAKER_CHANGE, {"timestamp": 1, "user_id": 1})
    played.settle()
    assert events(played, again) == [2]


def bodies(stage: Any, conn: int) -> list[dict[str, Any]]:
    return [m["event"] for m in stage.sent(conn, T.EVENT_UPDATE)]


def test_cameras_that_are_on_are_told_to_who_is_ready(stage: Make) -> None:
    """In one event; from then on each change, and turning on twice is none."""
    played = stage()
    for user_id, name in ((1, "Alice"), (2, "Bob")):
        played.stream.join(user_id, name, played.now_ms)
        played.stream.camera(user_id, True, played.now_ms)
    signaling, _ = played.ready()
    played.stream.camera(1, True, played.now_ms)
    played.stream.camera(1, False, played.now_ms)
    played.stream.camera(1, False, played.now_ms)
    played.settle()
    both = [{"user_id": 1}, {"user_id": 2}]
    assert bodies(played, signaling)[1:] == [
        {"event_type": 8, "timestamp": played.now_ms, "participants": both},
        {"event_type": 9, "timestamp": played.now_ms, "participants": both[:1]},
    ]


def test_who_left_has_no_camera_on(stage: Make) -> None:
    """An app that comes later hears of the cameras of those who are there."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    played.stream.camera(1, True, played.now_ms)
    played.stream.leave(1, played.now_ms)
    signaling, _ = played.ready()
    assert bodies(played, signaling) == []


def test_sharing_is_told_with_the_name(stage: Make) -> None:
    """Start and stop, each with who and when."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    signaling, _ = played.ready()
    for on in (True, False):
        played.stream.share(1, on, played.now_ms)
    played.settle()
    fields = {"timestamp": played.now_ms, "user_id": 1, "user_name": "Alice"}
    assert bodies(played, signaling)[1:] == [
        {"event_type": 5, **fields},
        {"event_type": 6, **fields},
    ]


def test_voice_tells_of_consumer_and_users(stage: Make) -> None:
    """Who calls is the consumer, all others are users; each has the channel of their media."""
    played = stage(CONTACT_CENTER)
    played.stream.call = {"queue_name": "Support"}
    for user_id, name in ((1, "Caller"), (2, "Agent")):
        played.stream.join(user_id, name, played.now_ms)
    signaling, _ = played.ready()
    played.stream.camera(1, True, played.now_ms)
    played.stream.share(1, True, played.now_ms)
    played.stream.leave(2, played.now_ms)
    played.stream.leave(1, played.now_ms)
    played.settle()
    told = bodies(played, signaling)
    assert [event["event_type"] for event in told] == [
        VoiceEventType.CONSUMER_ANSWERED,
        VoiceEventType.USER_ANSWERED,
        VoiceEventType.USER_END,
        VoiceEventType.CONSUMER_END,
    ]
    assert all(event["event_ts"] == played.now_ms for event in told)
    assert all("timestamp" not in event for event in told)
    assert [event["participant_info"] for event in told[:2]] == [
        {
            "channel_id": "1",
            "participant_mode": "caller",
            "queue_name": "Support",
            "phone_number": "+12025550100",
            "user_id": "1",
            "display_name": "Caller",
        },
        {
            "channel_id": "2",
            "participant_mode": "callee",
            "queue_name": "Support",
            "phone_number": "+12025550100",
            "user_id": "2",
            "display_name": "Agent",
        },
    ]
    assert told[2]["participant_info"] == told[1]["participant_info"]


def test_a_consumer_who_left_is_not_replaced(stage: Make) -> None:
    """The agent who stays on the line does not become the one who called."""
    played = stage(CONTACT_CENTER)
    for user_id, name in ((1, "Caller"), (2, "Agent")):
        played.stream.join(user_id, name, played.now_ms)
    played.stream.leave(1, played.now_ms)
    signaling, _ = played.ready()
    played.stream.leave(2, played.now_ms)
    played.settle()
    assert events(played, signaling) == [VoiceEventType.USER_ANSWERED, VoiceEventType.USER_END]


def test_voice_has_an_event_table_of_its_own(stage: Make) -> None:
    """Contact center: no first packet, no active speaker, and 8 is somebody who answered."""
    played = stage(CONTACT_CENTER)
    played.stream.join(1, "Alice", played.now_ms)
    signaling, _ = played.ready()
    played.stream.first_packet(1)
    played.stream.tell(VoiceEventType.CONSUMER_ANSWERED, {"event_ts": 1, "participant_info": {}})
    played.settle()
    assert events(played, signaling) == [VoiceEventType.CONSUMER_ANSWERED] * 2
