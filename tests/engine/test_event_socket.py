"""Event WebSockets, over real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from rig import CREDENTIALS, Rig, in_loop, rig

from mockzoom.core.codes import StopReason
from mockzoom.core.delivery_faults import (
    DelayWebhook,
    DuplicateWebhook,
    LostWebhook,
    MissingSignature,
    ReorderWebhook,
    StaleTimestamp,
    Tamper,
)
from mockzoom.core.event_socket import SocketSubscription
from mockzoom.core.limits import Limits
from mockzoom.core.oauth import LIFETIME_S
from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.core.webhook_order import judge
from mockzoom.engine import event_socket
from mockzoom.errors import UnknownEvent, UnknownObject, UsageError

Message = dict[str, Any]
PATIENCE_S = 10.0
CONNECTED = {"module": "build_connection", "success": True, "content": "connected"}


class App:
    """An app at the other end of an event WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> Message:
        message: Message = await self.socket.receive_json(timeout=PATIENCE_S)
        return message

    async def event(self) -> Message:
        """The next event, whose signature is right."""
        message = await self.next()
        assert message["module"] == "message"
        assert is_signed(message)
        event: Message = json.loads(message["content"])
        return event

    async def closed(self) -> tuple[int | None, str]:
        """The code and the reason with which it is closed; nothing comes before that."""
        last = await self.socket.receive(timeout=PATIENCE_S)
        assert last.type is aiohttp.WSMsgType.CLOSE, last
        return self.socket.close_code, str(last.extra)


def is_signed(message: Message) -> bool:
    header = message["header"]
    expected = webhook_signature(
        CREDENTIALS.secret_token, header[TIMESTAMP_HEADER], message["content"].encode()
    )
    return bool(header.get(SIGNATURE_HEADER) == expected)


def token(r: Rig) -> str:
    return r.world.tokens.issue((), r.clock.now_ms()).value


@asynccontextmanager
async def dialled(r: Rig, url: str) -> AsyncIterator[App]:
    async with r.session.ws_connect(url) as socket:
        yield App(socket)


@asynccontextmanager
async def connected(r: Rig, subscription: SocketSubscription) -> AsyncIterator[App]:
    async with dialled(r, f"{subscription.url}&access_token={token(r)}") as app:
        assert await app.next() == CONNECTED
        yield app


def webhooks(r: Rig) -> list[tuple[str, str]]:
    return [(entry["event"], entry["outcome"]) for entry in r.entries("webhook")]


@in_loop
async def test_a_stream_is_told_of_on_the_socket() -> None:
    """Started and stopped, signed over the string; the order of it is legal, and in the journal."""
    async with rig() as r, connected(r, r.world.subscribe_socket()) as app:
        stream, _ = r.start(r.meeting())
        started = await app.event()
        assert started["event"] == "meeting.rtms_started"
        assert started["payload"]["server_urls"] == stream.machine.urls.signaling
        r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
        assert (await app.event())["payload"]["stop_reason"] == StopReason.MEETING_ENDED
        assert webhooks(r) == [
            ("meeting.rtms_started", "sent"),
            ("meeting.rtms_stopped", "sent"),
        ]
        assert r.entries("webhook")[0]["body"] == started
        assert judge(entry.as_dict() for entry in r.journal) == []
        assert r.found == []


@in_loop
async def test_who_is_not_there_misses_it_for_good() -> None:
    """It is counted as lost, and not sent to who comes later."""
    async with rig() as r:
        subscription = r.world.subscribe_socket()
        stream, _ = r.start(r.meeting())
        assert r.journal.counters["webhooks_lost"] == 1
        async with connected(r, subscription) as app:
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            assert (await app.event())["event"] == "meeting.rtms_stopped"
        assert webhooks(r)[0] == ("meeting.rtms_started", "nobody connected")
        assert judge(entry.as_dict() for entry in r.journal) == []


@in_loop
async def test_only_events_that_it_wants_come() -> None:
    """Others are not even lost."""
    async with rig() as r:
        subscription = r.world.subscribe_socket(["meeting.rtms_stopped"])
        async with connected(r, subscription) as app:
            stream, _ = r.start(r.meeting())
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            assert (await app.event())["event"] == "meeting.rtms_stopped"
            assert len(webhooks(r)) == 1


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("?subscriptionId=app", "access_token is missing"),
        ("?subscriptionId=app&access_token=x", "wrong access_token"),
        ("?subscriptionId=other&access_token=GOOD", "unknown subscriptionId"),
        ("?access_token=GOOD", "unknown subscriptionId"),
        ("?%ff&=&;&subscriptionId", "unknown subscriptionId"),
        ("", "unknown subscriptionId"),
    ],
)
def test_who_may_not_is_told_why_and_closed(query: str, why: str) -> None:
    """`success` is false; the token is in no journal."""

    @in_loop
    async def story() -> None:
        async with rig() as r:
            r.world.subscribe_socket(id_="app")
            good = token(r)
            url = f"{r.rtms.base_url}/ws{query.replace('GOOD', good)}"
            async with dialled(r, url) as app:
                told = await app.next()
                assert told == {"module": "build_connection", "success": False, "content": why}
                assert await app.closed() == (1000, why)
            assert good not in json.dumps([entry.as_dict() for entry in r.journal])
            assert r.entries("socket")[0]["happened"] == f"refused: {why}"

    story()


@in_loop
async def test_an_expired_token_opens_nothing() -> None:
    """By the clock of the world."""
    async with rig() as r:
        url = f"{r.world.subscribe_socket().url}&access_token={token(r)}"
        r.clock.advance(LIFETIME_S * 1_000)
        async with dialled(r, url) as app:
            assert (await app.next())["content"] == "expired access_token"


@in_loop
async def test_the_second_connection_closes_the_first() -> None:
    """Events come on the second one."""
    async with rig() as r:
        subscription = r.world.subscribe_socket()
        async with connected(r, subscription) as first, connected(r, subscription) as second:
            assert await first.closed() == (1000, "another connection was opened")
            r.start(r.meeting())
            assert (await second.event())["event"] == "meeting.rtms_started"


@in_loop
async def test_a_heartbeat_comes_back() -> None:
    """Also in a binary frame, and beside events."""
    async with rig() as r, connected(r, r.world.subscribe_socket()) as app:
        await app.socket.send_str('{"module": "heartbeat"}')
        assert await app.next() == {"module": "heartbeat"}
        await app.socket.send_bytes(b'{"module":"heartbeat"}')
        assert await app.next() == {"module": "heartbeat"}
        assert r.found == []


@in_loop
async def test_who_sends_no_heartbeat_is_closed() -> None:
    """In real time, while the clock of the world stands still."""
    async with (
        rig(limits=Limits(heartbeat_timeout_ms=20)) as r,
        connected(r, r.world.subscribe_socket()) as app,
    ):
        assert await app.closed() == (1000, "no heartbeat")
        assert r.found == ["events.heartbeat"]


@in_loop
async def test_two_apps_have_a_socket_each() -> None:
    """Both are told, under ids of their own."""
    async with rig() as r:
        one, other = r.world.subscribe_socket(), r.world.subscribe_socket()
        assert one.id != other.id
        async with connected(r, one) as first, connected(r, other) as second:
            r.start(r.meeting())
            assert await first.event() == await second.event()


@in_loop
async def test_forged_events_are_what_they_are() -> None:
    """Tampered with, unsigned, or old: each once, then a genuine one."""
    async with rig() as r, connected(r, r.world.subscribe_socket()) as app:
        for fault in (Tamper(times=1), MissingSignature(times=1), StaleTimestamp(times=1)):
            r.world.add_fault(fault)
            r.start(r.meeting())
            forged = await app.next()
            if isinstance(fault, StaleTimestamp):
                assert is_signed(forged)
            else:
                assert not is_signed(forged)
        entries = r.entries("webhook")
        assert [entry["faults"] for entry in entries] == [
            ["tamper"],
            ["missing_signature"],
            ["stale_timestamp"],
        ]
        assert entries[1]["stamp_s"] - entries[2]["stamp_s"] in range(590, 601)
        r.start(r.meeting())
        assert (await app.event())["event"] == "meeting.rtms_started"


@in_loop
async def test_events_come_twice_late_out_of_order_or_never() -> None:
    """Faults of the way concern this way too, narrowed down by its URL."""
    async with rig() as r:
        subscription = r.world.subscribe_socket()
        async with connected(r, subscription) as app:
            r.world.add_fault(DuplicateWebhook(times=1, url=subscription.url))
            r.start(r.meeting())
            assert await app.event() == await app.event()
            r.world.add_fault(LostWebhook(times=1))
            r.start(r.meeting())
            assert webhooks(r)[-1] == ("meeting.rtms_started", "lost on the way")
            r.world.add_fault(ReorderWebhook(times=1, probability=1.0, ms=1_000))
            stream, _ = r.start(r.meeting())
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            assert (await app.event())["event"] == "meeting.rtms_stopped"
            r.clock.advance(1_000)
            assert (await app.event())["event"] == "meeting.rtms_started"
            r.world.add_fault(DelayWebhook(times=1, ms=1_000))
            stream, _ = r.start(r.meeting())
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            assert len(webhooks(r)) == 5
            r.clock.advance(1_000)
            assert (await app.event())["event"] == "meeting.rtms_started"
            assert (await app.event())["event"] == "meeting.rtms_stopped"


@in_loop
async def test_who_is_not_there_uses_up_no_fault() -> None:
    """A forgery that is to come once comes to somebody."""
    async with rig() as r:
        subscription = r.world.subscribe_socket()
        r.world.add_fault(Tamper(times=1))
        r.start(r.meeting())
        async with connected(r, subscription) as app:
            r.start(r.meeting())
            assert not is_signed(await app.next())


@in_loop
async def test_only_so_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fault holds back is bounded; what is too much is lost, and told."""
    monkeypatch.setattr(event_socket, "KEPT_PENDING", 2)
    async with rig() as r, connected(r, r.world.subscribe_socket()) as app:
        r.world.add_fault(DelayWebhook(ms=1_000))
        for _ in range(3):
            r.start(r.meeting())
        assert webhooks(r) == [("meeting.rtms_started", "too many wait")]
        r.clock.advance(1_000)
        assert await app.event() != await app.event()


@in_loop
async def test_what_is_removed_is_closed_and_forgotten() -> None:
    """What was held back is lost, and counted; the id may be used again."""
    async with rig() as r:
        subscription = r.world.subscribe_socket(id_="app")
        async with connected(r, subscription) as app:
            r.world.add_fault(DelayWebhook(times=1, ms=1_000))
            r.start(r.meeting())
            assert r.world.unsubscribe("app") == 1
            assert await app.closed() == (1000, "the subscription was removed")
        r.clock.advance(1_000)
        assert r.journal.counters["webhooks_lost"] == 1
        with pytest.raises(UnknownObject, match="'app': there is none"):
            r.world.unsubscribe("app")
        assert r.world.subscribe_socket(id_="app") == subscription


@in_loop
async def test_a_reset_closes_what_is_open() -> None:
    """As if newly started."""
    async with rig() as r, connected(r, r.world.subscribe_socket()) as app:
        r.world.reset()
        assert (await app.closed())[0] == 1000
        assert r.world.event_sockets.subscriptions == []


@in_loop
async def test_subscriptions_are_limited_and_checked() -> None:
    """Twenty of both kinds together; an id is not used twice; events have to exist."""
    async with rig() as r:
        with pytest.raises(UnknownEvent):
            r.world.subscribe_socket(["meeting.rtms_startet"])
        for number in range(19):
            r.world.subscribe_socket(id_=f"app-{number}")
        with pytest.raises(UsageError, match="there is one already"):
            r.world.subscribe_socket(id_="app-1")
        r.world.subscribe_socket()
        with pytest.raises(UsageError, match="at most 20"):
            r.world.subscribe_socket()
        with pytest.raises(UsageError, match="at most 20"):
            await r.world.subscribe("http://127.0.0.1:1/")


@in_loop
async def test_too_many_connections_are_too_many_here_too() -> None:
    """The limit of the listener is everybody's."""
    async with rig(limits=Limits(max_connections=1)) as r:
        subscription = r.world.subscribe_socket()
        async with connected(r, subscription):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await r.session.ws_connect(subscription.url)
            assert refused.value.status == 503
