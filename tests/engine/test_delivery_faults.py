"""Faults of webhooks over real connections, against a receiver that checks what it gets."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from aiohttp import web
from rig import CREDENTIALS, PATIENCE_S, Rig, in_loop, rig
from webhook_app import App, accept, an_app, status

from mockzoom.core.delivery_faults import DeliveryFault
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.signing import same, webhook_signature
from mockzoom.errors import UnknownEvent

FORGERIES = [
    "tamper",
    "wrong_signature",
    "missing_signature",
    "stale_timestamp",
    "future_timestamp",
    "old_signature",
]


def careful(app: App) -> Any:
    """Refuses what is not signed for now, as a receiver must."""

    async def answer(request: web.Request, event: dict[str, Any]) -> web.Response:
        stamp = request.headers["x-zm-request-timestamp"]
        expected = webhook_signature(CREDENTIALS.secret_token, stamp, app.requests[-1][1])
        right = same(expected, request.headers.get("x-zm-signature", ""))
        fresh = abs(int(stamp) - time.time()) <= 300
        return web.Response(status=200 if right and fresh else 401)

    return answer


async def send(r: Rig, *names: str) -> None:
    for number, name in enumerate(names):
        body = json.dumps({"event": name, "event_ts": 1000 + number}).encode()
        r.world.deliveries.send(name, body, "a-stream")
    await r.settle()


@pytest.mark.parametrize("kind", FORGERIES)
@in_loop
async def test_a_careful_receiver_refuses_and_nobody_finds_fault(kind: str) -> None:
    """The event is lost as on a hostile line, the next one is genuine; the journal tells."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = careful(app)
        r.world.add_fault(parse_fault({"kind": kind, "times": 1}))
        await send(r, "forged", "genuine")
        await r.world.deliveries.drained(PATIENCE_S)
        forged, genuine = r.entries("webhook")
        assert (forged["status"], forged["then"], forged["faults"]) == (401, "refused", [kind])
        assert forged["body"] == json.loads(app.requests[1][1])
        assert genuine["status"] == 200
        assert "faults" not in genuine
        assert r.found == []


@pytest.mark.parametrize("kind", FORGERIES)
@pytest.mark.parametrize(
    ("code", "then"),
    [(200, "accepted"), (500, "retry"), (201, "refused"), (302, "refused")],
)
@in_loop
async def test_whoever_does_not_refuse_is_found_out(kind: str, code: int, then: str) -> None:
    """Accepting a forgery breaks the contract, in whatever words, and so does falling over it."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(code)
        r.world.add_fault(parse_fault({"kind": kind}))
        await send(r, "forged")
        await r.world.deliveries.drained(PATIENCE_S)
        assert r.entries("webhook")[0]["then"] == then
        assert r.found == ["webhook.forged"]
        assert r.journal.findings[0].actual == f"status {code}"


@in_loop
async def test_a_forgery_that_is_near_enough_is_none() -> None:
    """A stamp within the five minutes may be accepted."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = careful(app)
        r.world.add_fault(parse_fault({"kind": "stale_timestamp", "age_s": 250}))
        await send(r, "slow")
        await r.world.deliveries.drained(PATIENCE_S)
        assert r.entries("webhook")[0]["outcome"] == "accepted"
        assert r.found == []


@in_loop
async def test_an_event_comes_twice() -> None:
    """Two deliveries of the same bytes, each with a request of its own."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        r.world.add_fault(parse_fault({"kind": "webhook_duplicate", "event": "", "times": 1}))
        await send(r, "twice", "once")
        await r.world.deliveries.drained(PATIENCE_S)
        assert app.names[1:] == ["twice", "twice", "once"]
        (first, head), (second, tail) = [(b, r_.headers) for r_, b in app.requests[1:3]]
        assert first == second
        assert head["x-zm-request-id"] != tail["x-zm-request-id"]
        assert len({entry["delivery"] for entry in r.entries("webhook")}) == 3


@in_loop
async def test_a_late_event_holds_up_those_behind_it() -> None:
    """A delay keeps the order, and is waited for."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        r.world.add_fault(parse_fault({"kind": "webhook_delay", "ms": 5000, "times": 1}))
        await send(r, "late", "after")
        r.clock.advance(4999)
        await r.settle()
        with pytest.raises(TimeoutError):
            await r.world.deliveries.drained(0.01)
        assert app.names[1:] == []
        r.clock.advance(1)
        await r.world.deliveries.drained(PATIENCE_S)
        assert app.names[1:] == ["late", "after"]


@in_loop
async def test_an_event_is_overtaken() -> None:
    """Order broken on purpose, at one endpoint of two."""
    async with rig() as r, an_app() as app, an_app() as other:
        for one in (app, other):
            await r.world.deliveries.subscribe(one.url)
        hold = {"kind": "webhook_reorder", "probability": 1.0, "times": 1, "url": app.url}
        r.world.add_fault(parse_fault(hold))
        await send(r, "overtaken", "first")
        await r.nth("webhook", 3)
        r.clock.advance(1000)
        await r.world.deliveries.drained(PATIENCE_S)
        assert app.names[1:] == ["first", "overtaken"]
        assert other.names[1:] == ["overtaken", "first"]


@in_loop
async def test_a_forged_attempt_that_got_no_answer_is_tried_again_genuinely() -> None:
    """A fault that is over by then does not touch the retry."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(503)
        r.world.add_fault(parse_fault({"kind": "tamper", "times": 1}))
        await send(r, "an.event")
        await r.world.deliveries.drained(PATIENCE_S)
        app.answer = accept
        r.clock.advance(300_000)
        again = await r.entry("webhook", attempt=2)
        assert (again["outcome"], again["body"]["event_ts"]) == ("accepted", 1000)


@in_loop
async def test_a_fault_of_an_unknown_event_is_a_mistake() -> None:
    """A mistyped name would never hit."""
    async with rig() as r:
        fault = parse_fault({"kind": "tamper", "event": "meeting.rtms_startd"})
        assert isinstance(fault, DeliveryFault)
        with pytest.raises(UnknownEvent, match=r"did you mean 'meeting\.rtms_started'"):
            r.world.add_fault(fault)
        assert not r.world.faults


@in_loop
async def test_what_is_lost_on_the_way_is_told_and_counted() -> None:
    """It was never tried, and the journal knows that it was to be; the next one arrives."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        r.world.add_fault(parse_fault({"kind": "webhook_loss", "times": 1}))
        await send(r, "lost", "next")
        await r.world.deliveries.drained(PATIENCE_S)
        lost, after = r.entries("webhook")
        assert (lost["event"], lost["outcome"]) == ("lost", "lost on the way")
        assert "attempt" not in lost
        assert (after["event"], after["outcome"]) == ("next", "accepted")
        assert lost["delivery"] < after["delivery"]
        assert r.journal.counters["webhooks_lost"] == 1
