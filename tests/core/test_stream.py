"""The stories of a stream, told with explicit times: liveness, loss, return, pause, end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mockzoom.core.codes import (
    EventType,
    MediaType,
    MessageType,
    SessionState,
    StatusCode,
    StopReason,
    StreamState,
)
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.products import CONTACT_CENTER, PRODUCTS, SESSION, WEBINAR
from mockzoom.core.protocol import load_protocol
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamUrls
from mockzoom.core.timings import Timings
from mockzoom.errors import RefusedTransition

T = MessageType
S = StreamState
Make = Callable[..., Any]


def states(stage: Any, conn: int) -> list[tuple[StreamState, int]]:
    """State and reason of each message 8 on `conn`."""
    return [(m["state"], m["reason"]) for m in stage.sent(conn, T.STREAM_STATE_UPDATE)]


def events(stage: Any, conn: int) -> list[int]:
    return [m["event"]["event_type"] for m in stage.sent(conn, T.EVENT_UPDATE)]


def flows(stage: Any) -> dict[str, tuple[int | None, int | None]]:
    """From when on media and audio flow on each media socket, counted from the start."""
    start_ms = stage.stream.started_ms
    return {
        s.key: tuple(
            None if at_ms is None else at_ms - start_ms
            for at_ms in (s.flow_from_ms, s.audio_from_ms)
        )
        for s in stage.stream.media_sockets
    }


# --- how a stream begins ----------------------------------------------------------------------


def test_a_started_webhook_names_the_signaling_url(stage: Make) -> None:
    """A stream begins with its webhook, which says where to dial."""
    assert stage().webhooks() == [(0, "started", {"server_urls": "wss://127.0.0.1/signaling"})]


def test_media_flows_once_the_app_is_ready(stage: Make) -> None:
    """Neither a handshake on signaling nor one on media opens the flow: CLIENT_READY_ACK does."""
    played = stage()
    signaling = played.signaling()
    played.media("audio")
    assert (played.stream.flowing, flows(played)) == (False, {"audio": (None, None)})
    played.wait(3_000)
    played.ask(signaling, T.CLIENT_READY_ACK)
    assert (played.stream.flowing, flows(played)) == (True, {"audio": (3_000, 0)})
    assert states(played, signaling) == [(S.ACTIVE, 0)]


def test_a_media_socket_that_joins_later_flows_at_once(stage: Make) -> None:
    """After the first acknowledgement no other is needed."""
    played = stage()
    played.ready("audio")
    played.wait(1_000)
    played.media("video")
    assert flows(played) == {"audio": (0, 0), "video": (1_000, 1_000)}


def test_an_app_that_is_late_gets_the_last_minute_of_audio(stage: Make) -> None:
    """Audio is kept from the webhook on, but no more than 60 s of it."""
    played = stage(timings=replace(Timings(), connect_window_ms=300_000))
    played.wait(80_000)
    played.ready()
    assert flows(played) == {"audio": (80_000, 20_000)}


def test_buffer_data_false_drops_what_was_before_the_connection(stage: Make) -> None:
    """It drops audio from before the signaling handshake, and only that."""
    played = stage()
    played.wait(2_000)
    signaling = played.signaling(buffer_data=False)
    played.wait(1_000)
    played.media()
    played.ask(signaling, T.CLIENT_READY_ACK)
    assert flows(played) == {"audio": (3_000, 2_000)}


def test_no_connection_within_the_window_ends_the_stream(stage: Make) -> None:
    """Nobody dials for 60 s: a finding, and stop reason 11."""
    played = stage()
    played.wait(59_999)
    assert played.stream.state is S.INACTIVE
    played.wait(1)
    assert played.found() == ["rtms.connect"]
    assert played.webhooks()[1:] == [(60_000, "stopped", {"stop_reason": 11})]


@pytest.mark.parametrize("media", [(), ("audio",)], ids=["no media", "media"])
def test_a_missing_ready_ack_is_found(stage: Make, media: tuple[str, ...]) -> None:
    """An app that shakes hands and never acknowledges gets no media, and a finding after 10 s."""
    played = stage()
    played.signaling()
    for key in media:
        played.media(key)
    played.wait(25_000)
    assert (played.found(), played.stream.state) == (["rtms.ready-ack"], S.INACTIVE)


def test_a_second_ready_ack_changes_nothing(stage: Make) -> None:
    """The acknowledgement may come again, without effect."""
    played = stage()
    signaling, _ = played.ready()
    assert played.ask(signaling, T.CLIENT_READY_ACK) == []
    assert states(played, signaling) == [(S.ACTIVE, 0)]


# --- loss and return --------------------------------------------------------------------------


def test_a_lost_signaling_socket_interrupts_the_stream(stage: Make) -> None:
    """TCP gone at 5 s: media cut, a webhook, and after 60 s the end with 19, told as 11."""
    played = stage()
    signaling, audio = played.ready()
    played.wait(5_000)
    played.lose(signaling)
    assert (played.stream.state, played.ended(audio)) == (S.INTERRUPTED, "dropped")
    played.wait(60_000)
    assert played.stream.stop_reason is StopReason.AWAIT_RECONNECTION_TIMEOUT
    assert played.webhooks()[1:] == [
        (5_000, "interrupted", {}),
        (65_000, "stopped", {"stop_reason": 11}),
    ]


def test_an_app_that_does_everything_again_goes_on(stage: Make) -> None:
    """Back within the window: ACTIVE again, media from now on, nothing of the gap."""
    played = stage()
    signaling, _ = played.ready()
    played.wait(5_000)
    played.lose(signaling)
    played.wait(59_999)
    again, _ = played.ready()
    assert states(played, again) == [(S.ACTIVE, 0)]
    assert flows(played) == {"audio": (64_999, 64_999)}
    played.wait(120_000)
    assert (played.stream.state, played.found()) == (S.ACTIVE, [])


def test_media_does_not_flow_before_a_new_ready_ack(stage: Make) -> None:
    """After an interruption the flow opens as it did the first time."""
    played = stage()
    signaling, _ = played.ready()
    played.lose(signaling)
    played.wait(1_000)
    played.signaling()
    played.media()
    assert (played.stream.flowing, flows(played)) == (False, {"audio": (None, None)})


def test_a_second_loss_opens_a_new_window(stage: Make) -> None:
    """An app that came back and is lost again before it is ready has 60 s from then on."""
    played = stage()
    signaling, _ = played.ready()
    played.lose(signaling)
    played.wait(50_000)
    played.lose(played.signaling())
    played.wait(59_999)
    assert played.stream.state is S.INTERRUPTED
    played.wait(1)
    assert played.stream.state is S.TERMINATED


def test_failed_attempts_do_not_prolong_the_window(stage: Make) -> None:
    """Sockets that never shook hands change nothing."""
    played = stage()
    signaling, _ = played.ready()
    played.lose(signaling)
    for _ in range(5):
        played.wait(10_000)
        played.lose(played.open())
    played.wait(10_000)
    assert played.stream.state is S.TERMINATED


def test_a_lost_media_socket_has_65_seconds(stage: Make) -> None:
    """Event 7 at once; the stream ends after 65 s with 14, told as 11."""
    played = stage()
    signaling, audio = played.ready()
    played.lose(audio)
    assert events(played, signaling) == [EventType.MEDIA_CONNECTION_INTERRUPTED]
    played.wait(64_999)
    assert played.stream.state is S.ACTIVE
    played.wait(1)
    assert states(played, signaling)[1:] == [(S.TERMINATING, 14), (S.TERMINATED, 14)]
    assert played.webhooks()[1:] == [(65_000, "stopped", {"stop_reason": 11})]
    assert played.found() == ["rtms.reconnect"]


def test_a_media_socket_that_comes_back_flows_from_then_on(stage: Make) -> None:
    """Only that socket shakes hands again; no acknowledgement, no gap delivered."""
    played = stage()
    _, audio = played.ready("audio")
    played.wait(1_000)
    played.lose(audio)
    played.wait(30_000)
    played.media("audio")
    assert flows(played) == {"audio": (31_000, 31_000)}
    played.wait(100_000)
    assert (played.stream.state, played.found()) == (S.ACTIVE, [])


def test_a_lost_socket_for_all_types_comes_back_as_single_ones(stage: Make) -> None:
    """Event 7 says 32; every type that it carried has a window of its own."""
    played = stage(media=(MediaType.AUDIO, MediaType.TRANSCRIPT))
    signaling, all_media = played.ready("all")
    played.lose(all_media)
    [update] = played.sent(signaling, T.EVENT_UPDATE)
    assert update["event"]["media_type"] == MediaType.ALL
    played.wait(1_000)
    played.media("audio")
    played.wait(64_000)
    assert played.stream.state is S.TERMINATED


def test_signaling_lost_after_media_counts_alone(stage: Make) -> None:
    """The official SDK closes everything when one socket drops: that is one interruption."""
    played = stage()
    signaling, audio, _ = played.ready("audio", "video")
    played.lose(audio, signaling)
    played.wait(1_000)
    played.ready("video")
    played.wait(100_000)
    assert (played.stream.state, played.found()) == (S.ACTIVE, [])


def test_an_attempt_under_way_survives_the_interruption(stage: Make) -> None:
    """An app that dials anew before the server notices the loss keeps its new socket."""
    played = stage()
    signaling, _ = played.ready()
    played.silent.add(signaling)
    played.wait(39_000)
    fresh = played.open()
    played.ask(fresh, T.SIGNALING_HAND_SHAKE_REQ)
    played.wait(1_500)
    assert played.ended(fresh) == "open"
    played.ask(fresh, T.SIGNALING_HAND_SHAKE_REQ)
    assert played.stream.signaling.conn == fresh


@pytest.mark.parametrize(("pause_ms", "found"), [(499, ["rtms.reconnect"]), (500, [])])
def test_a_reconnect_too_fast_is_found(stage: Make, pause_ms: int, found: list[str]) -> None:
    """Whoever comes back within half a second of a loss did not wait."""
    played = stage()
    signaling, _ = played.ready()
    played.lose(signaling)
    played.wait(pause_ms)
    played.ready()
    assert played.found() == found


def test_a_media_reconnect_too_fast_is_found(stage: Make) -> None:
    """The same holds for a single media socket."""
    played = stage()
    _, audio, _ = played.ready("audio", "video")
    played.lose(audio)
    played.media("audio")
    assert played.found() == ["rtms.reconnect"]


# --- one signaling connection -----------------------------------------------------------------


def test_a_second_signaling_connection_is_refused(stage: Make) -> None:
    """By default the first one stays, untouched, and the second gets 8."""
    played = stage()
    signaling, _ = played.ready()
    [answer] = played.ask(played.open(), T.SIGNALING_HAND_SHAKE_REQ)
    assert answer["status_code"] == StatusCode.DUPLICATE_SIGNAL_REQUEST
    assert played.stream.signaling.conn == signaling
    assert played.stream.flowing


def test_a_second_signaling_connection_may_replace_the_first(stage: Make) -> None:
    """As a setting, the newer one pushes out the older with its media, and is ready by itself."""
    played = stage(replace_signaling=True)
    first, audio = played.ready()
    played.wait(1_000)
    second = played.signaling()
    assert (played.ended(first), played.ended(audio)) == ("closed", "closed")
    played.media()
    assert flows(played) == {"audio": (None, None)}
    played.ask(second, T.CLIENT_READY_ACK)
    assert states(played, second) == [(S.ACTIVE, 0)]
    assert played.webhooks()[1:] == []
    assert played.found() == []


# --- failover ---------------------------------------------------------------------------------


def test_failover_cuts_everything_and_names_new_urls(stage: Make) -> None:
    """A lost server: sockets dropped, a second started webhook, and the app has a window."""
    played = stage()
    signaling, audio = played.ready()
    played.wait(1_000)
    urls = StreamUrls("wss://127.0.0.1/other", {"audio": "wss://127.0.0.1/other/audio"})
    played.stream.relocate(urls, played.now_ms)
    played.settle()
    assert (played.ended(signaling), played.ended(audio)) == ("dropped", "dropped")
    assert played.webhooks()[1:] == [(1_000, "started", {"server_urls": urls.signaling})]
    again, _ = played.ready()
    assert (states(played, again), played.found()) == ([(S.ACTIVE, 0)], [])


def test_failover_to_which_nobody_comes_ends_the_stream(stage: Make) -> None:
    """The new URLs have a connection window as the first had."""
    played = stage()
    played.ready()
    played.stream.relocate(StreamUrls("wss://127.0.0.1/other", {}), played.now_ms)
    played.wait(60_000)
    assert played.stream.stop_reason is StopReason.CONNECTION_TIMEOUT
    assert played.found() == ["rtms.connect"]


# --- pause and resume -------------------------------------------------------------------------


def test_pause_and_resume(stage: Make) -> None:
    """Nothing flows while paused, and what was captured meanwhile is not delivered later."""
    played = stage()
    signaling, _ = played.ready()
    played.stream.pause(played.now_ms)
    assert not played.stream.flowing
    played.wait(7_000)
    played.stream.resume(played.now_ms)
    played.settle()
    assert (played.stream.flowing, flows(played)) == (True, {"audio": (7_000, 7_000)})
    assert [state for state, _ in states(played, signaling)] == [S.ACTIVE, S.PAUSED, S.RESUMED]


def test_an_app_can_come_into_a_paused_stream(stage: Make) -> None:
    """Paused before the app is there or while it is gone, the stream is PAUSED when it is ready."""
    played = stage()
    played.stream.pause(played.now_ms)
    signaling, _ = played.ready()
    assert (states(played, signaling), played.stream.flowing) == ([(S.PAUSED, 0)], False)
    played.lose(signaling)
    assert played.stream.state is S.INTERRUPTED
    played.stream.resume(played.now_ms)
    played.stream.pause(played.now_ms)
    played.wait(1_000)
    again, _ = played.ready()
    assert states(played, again) == [(S.PAUSED, 0)]
    played.stream.resume(played.now_ms)
    assert played.stream.flowing


@pytest.mark.parametrize("twice", ["pause", "resume"])
@pytest.mark.parametrize("ready", [True, False])
def test_pause_and_resume_take_turns(stage: Make, twice: str, ready: bool) -> None:
    """Pausing what is paused, or resuming what is not, is an error, whether an app is there."""
    played = stage()
    if ready:
        played.ready()
    if twice == "pause":
        played.stream.pause(played.now_ms)
    with pytest.raises(RefusedTransition, match=f"{twice.upper()} is not possible"):
        getattr(played.stream, twice)(played.now_ms)


# --- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))
@pytest.mark.parametrize("reason", StopReason, ids=lambda reason: reason.name)
def test_every_stop_reason_is_told_on_the_wire_and_in_the_webhook(
    stage: Make, product: Any, reason: StopReason
) -> None:
    """TERMINATING, the end of each session, TERMINATED, and then the webhook in its own numbers."""
    played = stage(product)
    signaling, _ = played.ready()
    played.stream.session("one", SessionState.STARTED, played.now_ms)
    played.stream.stop(reason, played.now_ms)
    played.settle()
    assert states(played, signaling)[1:] == [(S.TERMINATING, reason), (S.TERMINATED, reason)]
    session = played.sent(signaling, T.SESSION_STATE_UPDATE)[-1]
    assert (session["state"], session["stop_reason"]) == (SessionState.STOPPED, reason)
    told = product.stop_reasons[reason]
    assert played.webhooks()[1:] == [(0, "stopped", {"stop_reason": told})]


def test_a_graceful_close_is_answered_and_ends_the_stream(stage: Make) -> None:
    """21 gets 22, then TERMINATED with 20, then the webhook."""
    played = stage()
    signaling, _ = played.ready()
    answers = played.ask(signaling, T.STREAM_CLOSE_REQ)
    assert [(m["msg_type"], m.get("state")) for m in answers] == [
        (T.STREAM_CLOSE_RESP, None),
        (T.STREAM_STATE_UPDATE, S.TERMINATING),
        (T.STREAM_STATE_UPDATE, S.TERMINATED),
    ]
    assert played.stream.stop_reason is StopReason.RECEIVER_REQUEST_CLOSE
    assert played.webhooks()[1:] == [(0, "stopped", {"stop_reason": 2})]


def test_sockets_left_open_are_found_and_closed(stage: Make) -> None:
    """An app has 5 s to close its sockets once the stream has ended."""
    played = stage()
    signaling, audio = played.ready()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    played.settle()
    played.lose(audio)
    played.wait(5_000)
    assert (played.found(), played.ended(signaling)) == (["rtms.left-open"], "closed")
    assert played.stream.next_timer() is None


def test_an_app_that_closes_its_sockets_is_done(stage: Make) -> None:
    """No finding, no timer, and no second end."""
    played = stage()
    conns = played.ready()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    played.settle()
    played.lose(*conns)
    played.stream.stop(StopReason.HOST_TRIGGERED, played.now_ms)
    played.wait(100_000)
    assert played.found() == []
    assert played.stream.stop_reason is StopReason.MEETING_ENDED
    assert len(played.webhooks()) == 2
    assert played.stream.next_timer() is None


def test_the_end_of_an_interrupted_stream_closes_its_window(stage: Make) -> None:
    """Stopped while the app is away: it is not waited for any more."""
    played = stage()
    signaling, _ = played.ready()
    played.lose(signaling)
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    assert played.stream.next_timer() is None
    played.wait(100_000)
    assert (played.stream.stop_reason, played.found()) == (StopReason.MEETING_ENDED, [])


def test_an_acknowledgement_that_crosses_the_end_is_passed_over(stage: Make) -> None:
    """The app cannot know yet that the stream has ended: no answer, no finding."""
    played = stage()
    signaling = played.signaling()
    played.media()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    played.settle()
    assert played.ask(signaling, T.CLIENT_READY_ACK) == []
    assert (played.stream.state, played.found()) == (S.TERMINATED, [])


def test_a_handshake_that_crosses_the_end_is_refused_and_nobody_blamed(stage: Make) -> None:
    """Only who comes when the webhook of the end has long been there should have known."""
    played = stage()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    early = played.signaling()
    [answer] = played.sent(early, T.SIGNALING_HAND_SHAKE_RESP)
    assert (answer["status_code"], played.found()) == (StatusCode.INVALID_RTMS_STREAM_ID, [])
    played.wait(5_000)
    played.signaling()
    assert "rtms.stream-id" in played.found()


@pytest.mark.parametrize("call", ["start", "pause", "resume"])
def test_a_stream_that_has_ended_stays_so(stage: Make, call: str) -> None:
    """Nothing starts, pauses or resumes it again."""
    played = stage()
    played.stream.stop(StopReason.MEETING_ENDED, played.now_ms)
    with pytest.raises(RefusedTransition):
        getattr(played.stream, call)(played.now_ms)


# --- products ---------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [WEBINAR, SESSION, CONTACT_CENTER], ids=lambda p: p.name)
def test_the_official_sdk_joins_every_product(stage: Make, product: Any) -> None:
    """All ids come as meeting_uuid, on signaling and on media, and the stream becomes ACTIVE."""
    played = stage(product)
    ids = {product.id_field: None, "meeting_uuid": "4444AAAiAAAAAiAiAiiAii=="}
    signaling = played.signaling(**ids)
    opus = {"channel": 2, "codec": 4, "content_type": 2, "data_opt": 2, "sample_rate": 3}
    audio = played.media("audio", **ids, media_params={"audio": {**opus, "send_rate": 20}})
    played.media("transcript", **ids)
    played.ask(signaling, T.CLIENT_READY_ACK)
    [granted] = played.sent(audio, T.DATA_HAND_SHAKE_RESP)
    assert granted["media_params"]["audio"] == {**opus, "send_rate": 20}
    assert (played.stream.state, played.found()) == (S.ACTIVE, [])


def test_everything_sent_keeps_the_protocol(stage: Make) -> None:
    """Over a whole stream each message is valid, and travels on a socket that it belongs on."""
    played = stage()
    played.stream.join(1, "Alice", played.now_ms)
    played.stream.session("one", SessionState.STARTED, played.now_ms)
    signaling, *media = played.ready(*(key for key in MEDIA_KEYS.values() if key != "all"))
    played.stream.first_packet(played.now_ms)
    played.stream.leave(1, played.now_ms)
    played.wait(10_000)
    played.lose(media[0])
    played.wait(100_000)
    protocol = load_protocol()
    kinds = set()
    for conn in (signaling, *media):
        socket = SIGNALING if conn == signaling else "media"
        for message in played.sent(conn):
            assert protocol.problems(message) == []
            contract = protocol.messages[message["msg_type"]]
            assert socket in contract.sockets
            assert contract.direction == "server_to_app"
            kinds.add(contract.number)
    assert kinds == {2, 4, 6, 8, 9, 12}
