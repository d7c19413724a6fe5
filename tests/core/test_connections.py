"""Every socket shakes hands in time and answers its keep-alives, or is cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mockzoom.core.codes import EventType, MediaType, MessageType, StopReason, StreamState

T = MessageType
S = StreamState
Make = Callable[..., Any]


def test_a_silent_socket_is_closed(stage: Make) -> None:
    """A socket without a handshake is closed after 10 s, and leaves nothing behind."""
    played = stage()
    conn = played.open("audio")
    played.wait(10_000)
    assert (played.ended(conn), played.found()) == ("closed", ["rtms.handshake"])
    assert played.stream.sockets == {}


def test_sockets_unknown_to_the_stream_are_passed_over(stage: Make) -> None:
    """A word from, or the loss of, a socket that was cut before is nothing."""
    played = stage()
    played.stream.receive(99, "{}", played.now_ms)
    played.stream.lost(99, played.now_ms)
    assert played.stream.effects == []


def test_keep_alives_go_out_every_ten_seconds_on_every_socket(stage: Make) -> None:
    """Signaling and media sockets each get their own, with a sequence number and the time."""
    played = stage()
    conns = played.ready("audio", "video")
    played.wait(35_000)
    start_ms = played.stream.started_ms
    for conn in conns:
        assert played.sent(conn, T.KEEP_ALIVE_REQ) == [
            {"msg_type": 12, "sequence": n, "timestamp": start_ms + n * 10_000} for n in (1, 2, 3)
        ]
    assert (played.found(), played.stream.state) == ([], S.ACTIVE)


def test_three_missed_keep_alives_on_signaling_interrupt_the_stream(stage: Make) -> None:
    """10, 20, 30 s unanswered: all is cut at 40 s, and 60 s later it ends with 24, told as 11."""
    played = stage()
    signaling, audio = played.ready()
    played.silent.add(signaling)
    played.wait(39_999)
    assert played.stream.state is S.ACTIVE
    played.wait(1)
    assert played.stream.state is S.INTERRUPTED
    assert (played.ended(signaling), played.ended(audio)) == ("dropped", "dropped")
    played.wait(60_000)
    assert played.stream.stop_reason is StopReason.KEEP_ALIVE_TIMEOUT
    assert played.webhooks()[1:] == [
        (40_000, "interrupted", {}),
        (100_000, "stopped", {"stop_reason": 11}),
    ]
    assert played.found() == ["rtms.keep-alive", "rtms.reconnect"]


def test_three_missed_keep_alives_on_media_interrupt_that_socket(stage: Make) -> None:
    """The media socket is cut and named by event 7; signaling and the others live on."""
    played = stage()
    signaling, audio, video = played.ready("audio", "video")
    played.silent.add(audio)
    played.wait(40_000)
    assert [played.ended(conn) for conn in (signaling, audio, video)] == ["open", "dropped", "open"]
    [update] = played.sent(signaling, T.EVENT_UPDATE)
    assert update["event"] == {
        "event_type": EventType.MEDIA_CONNECTION_INTERRUPTED,
        "timestamp": played.now_ms,
        "media_type": MediaType.AUDIO,
    }
    assert played.stream.state is S.ACTIVE


def test_a_late_answer_keeps_the_socket_and_is_found(stage: Make) -> None:
    """An answer to the last but one settles all before it, but the clause is broken."""
    played = stage()
    signaling, _ = played.ready()
    played.silent.add(signaling)
    played.wait(30_000)
    second = played.sent(signaling, T.KEEP_ALIVE_REQ)[1]
    played.send(signaling, {**second, "msg_type": T.KEEP_ALIVE_RESP})
    assert played.found() == ["rtms.keep-alive"]
    played.wait(29_999)
    assert played.stream.state is S.ACTIVE
    played.wait(1)
    assert played.stream.state is S.INTERRUPTED


@pytest.mark.parametrize("fields", [{}, {"timestamp": 17}, {"timestamp": "x"}, {"timestamp": []}])
def test_an_answer_with_another_timestamp_is_none(stage: Make, fields: dict[str, Any]) -> None:
    """A keep-alive is answered by its own timestamp and by nothing else."""
    played = stage()
    signaling, _ = played.ready()
    played.silent.add(signaling)
    played.wait(10_000)
    played.send(signaling, {"msg_type": T.KEEP_ALIVE_RESP, "sequence": 1, **fields})
    assert played.found() == ["rtms.keep-alive"]
    played.wait(30_000)
    assert played.stream.state is S.INTERRUPTED


def test_an_answer_before_any_keep_alive_is_found(stage: Make) -> None:
    """Nobody may answer what was not asked."""
    played = stage()
    signaling, _ = played.ready()
    played.send(signaling, {"msg_type": T.KEEP_ALIVE_RESP, "timestamp": 1})
    assert played.found() == ["rtms.keep-alive"]


def test_who_lives_in_a_faster_world_keeps_their_time(stage: Make) -> None:
    """Half of an interval that is left is half of the longer one, and the next ones are longer."""
    played = stage()
    signaling, _ = played.ready()
    played.wait(5_000)
    faster = played.stream.timings.at_speed(500)
    played.stream.retime(faster, played.now_ms)
    assert faster.keep_alive_ms == 100_000
    played.wait(49_999)
    assert played.sent(signaling, T.KEEP_ALIVE_REQ) == []
    played.wait(1)
    assert len(played.sent(signaling, T.KEEP_ALIVE_REQ)) == 1
    played.wait(100_000)
    assert (len(played.sent(signaling, T.KEEP_ALIVE_REQ)), played.found()) == (2, [])


def test_a_leap_of_time_is_nobodys_silence(stage: Make) -> None:
    """What was asked before it does not count, and a late answer to that is no fault."""
    played = stage()
    signaling, _ = played.ready()
    played.silent.add(signaling)
    for _ in range(6):
        played.stream.leap()
        played.wait(10_000)
    first = played.sent(signaling, T.KEEP_ALIVE_REQ)[0]
    played.send(signaling, {**first, "msg_type": T.KEEP_ALIVE_RESP})
    assert (played.found(), played.stream.state) == ([], S.ACTIVE)
    played.wait(20_000)
    assert played.stream.state is S.ACTIVE
    played.wait(10_000)
    assert (played.found(), played.stream.state) == (["rtms.keep-alive"], S.INTERRUPTED)


def test_an_app_may_be_asked_at_once(stage: Make) -> None:
    """Every socket gets its keep-alive now, and the next one a whole interval later."""
    played = stage()
    conns = played.ready("audio")
    played.wait(4_000)
    played.stream.ask(played.now_ms)
    played.settle()
    played.wait(9_999)
    assert [len(played.sent(conn, T.KEEP_ALIVE_REQ)) for conn in conns] == [1, 1]
    played.wait(1)
    assert [len(played.sent(conn, T.KEEP_ALIVE_REQ)) for conn in conns] == [2, 2]
