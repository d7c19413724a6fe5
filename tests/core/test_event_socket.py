"""The event WebSocket of one subscription, fed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.effects import Close, Effect, Found, Send
from mockzoom.core.event_socket import (
    EventSocket,
    SocketSubscription,
    build_connection,
    checked_id,
    refusal,
)
from mockzoom.core.oauth import LIFETIME_S, Tokens
from mockzoom.errors import UsageError

NOW_MS = 1_790_000_000_000
TIMEOUT_MS = 90_000
HEARTBEAT = b'{"module":"heartbeat"}'


def connected(conn: int = 1) -> EventSocket:
    machine = EventSocket(TIMEOUT_MS)
    machine.opened(conn, "", NOW_MS)
    machine.take_effects()
    return machine


def found(effects: list[Effect]) -> list[str]:
    return [effect.finding.check for effect in effects if isinstance(effect, Found)]


def test_who_may_is_greeted_and_who_may_not_is_sent_away() -> None:
    """The first frame says whether, and why not."""
    machine = EventSocket(TIMEOUT_MS)
    machine.opened(1, "wrong access_token", NOW_MS)
    refused = {"module": "build_connection", "success": False, "content": "wrong access_token"}
    assert machine.take_effects() == [
        Send(1, refused),
        Close(1, reason="wrong access_token"),
    ]
    assert machine.next_timer() is None
    machine.opened(2, "", NOW_MS)
    assert machine.take_effects() == [Send(2, build_connection())]
    assert build_connection() == {
        "module": "build_connection",
        "success": True,
        "content": "connected",
    }


def test_a_second_connection_closes_the_first() -> None:
    """Events go to the second one; what the first still says is not heard, nor its end."""
    machine = connected(1)
    machine.opened(2, "", NOW_MS)
    assert Close(1, reason="another connection was opened") in machine.take_effects()
    machine.receive(1, HEARTBEAT, NOW_MS)
    machine.lost(1)
    assert machine.take_effects() == []
    machine.tell("{}", {})
    [sent] = machine.take_effects()
    assert isinstance(sent, Send)
    assert sent.conn == 2


def test_one_that_is_refused_closes_nobody() -> None:
    """Whoever has no token cannot take the place of the app."""
    machine = connected(1)
    machine.opened(2, "no", NOW_MS)
    machine.lost(2)
    machine.take_effects()
    assert machine.connected


def test_a_heartbeat_comes_back_and_buys_time() -> None:
    """One an answer, and the time-out counts from it."""
    machine = connected()
    later_ms = NOW_MS + 30_000
    machine.receive(1, HEARTBEAT, later_ms)
    assert machine.take_effects() == [Send(1, {"module": "heartbeat"})]
    assert machine.next_timer() == later_ms + TIMEOUT_MS


def test_who_sends_none_is_closed() -> None:
    """After the time-out there is nobody, and a finding; not before."""
    machine = connected()
    machine.handle_timer(NOW_MS + TIMEOUT_MS - 1)
    assert machine.take_effects() == []
    machine.handle_timer(NOW_MS + TIMEOUT_MS)
    effects = machine.take_effects()
    assert found(effects) == ["events.heartbeat"]
    assert effects[-1] == Close(1, reason="no heartbeat")
    assert not machine.connected
    assert machine.next_timer() is None


@pytest.mark.parametrize(
    "data", [b"", b"heartbeat", b"[]", b"{}", b'{"module":"message"}', b"\xff", b"[" * 9_000]
)
def test_anything_but_a_heartbeat_is_found(data: bytes) -> None:
    """It is not answered, buys no time, and does no harm."""
    machine = connected()
    machine.receive(1, data, NOW_MS + 1)
    assert found(machine.take_effects()) == ["events.message"]
    assert machine.next_timer() == NOW_MS + TIMEOUT_MS
    assert machine.connected


def test_an_event_is_a_string_with_its_headers() -> None:
    """The content is what was given, letter for letter."""
    machine = connected()
    content = '{"event":"meeting.rtms_started", "name":"Zoë 🎈"}'
    machine.tell(content, {"x-zm-signature": "v0=1"})
    message = {"module": "message", "content": content, "header": {"x-zm-signature": "v0=1"}}
    assert machine.take_effects() == [Send(1, message)]


@given(st.lists(st.tuples(st.sampled_from("olmet"), st.integers(1, 4), st.booleans())))
def test_at_most_one_is_connected(steps: list[tuple[str, int, bool]]) -> None:
    """Whatever happens in whatever order, events go to the last who was let in, or to nobody."""
    machine = EventSocket(TIMEOUT_MS)
    now_ms, conn, there = NOW_MS, 0, None
    for step, number, may in steps:
        now_ms += number * 10_000
        machine.handle_timer(now_ms)
        closed = {e.conn for e in machine.take_effects() if isinstance(e, Close)}
        there = None if there in closed else there
        if step == "o":
            conn += 1
            machine.opened(conn, "" if may else "no", now_ms)
            there = conn if may else there
        elif step == "l":
            machine.lost(number)
            there = None if there == number else there
        elif step == "m":
            machine.receive(number, HEARTBEAT if may else b"?", now_ms)
        machine.take_effects()
        assert machine.connected is (there is not None)
        machine.tell("{}", {})
        assert [e.conn for e in machine.take_effects() if isinstance(e, Send)] == (
            [] if there is None else [there]
        )
        assert (machine.next_timer() is None) == (there is None)


def test_a_token_opens_for_as_long_as_it_lives() -> None:
    """Missing, wrong, good, expired."""
    tokens = Tokens(iter(["good"]).__next__)
    tokens.issue((), NOW_MS)
    end_ms = NOW_MS + LIFETIME_S * 1_000
    assert refusal(tokens, "", NOW_MS) == "access_token is missing"
    assert refusal(tokens, "bad", NOW_MS) == "wrong access_token"
    assert refusal(tokens, "good", end_ms - 1) == ""
    assert refusal(tokens, "good", end_ms) == "expired access_token"


def test_an_id_can_stand_in_a_url() -> None:
    """Letters, digits, and two more signs."""
    assert checked_id("my-app_1") == "my-app_1"
    for bad in ("", "a b", "a&b", "é", "x" * 65):
        with pytest.raises(UsageError, match="expected 1 to 64"):
            checked_id(bad)


def test_a_subscription_is_to_some_events_or_all() -> None:
    """No names are every name."""
    assert SocketSubscription("a", "ws://x").wants("meeting.rtms_started")
    some = SocketSubscription("a", "ws://x", ("meeting.rtms_stopped",))
    assert not some.wants("meeting.rtms_started")
    assert some.as_dict() == {"id": "a", "url": "ws://x", "events": ["meeting.rtms_stopped"]}
