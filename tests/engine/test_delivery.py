"""Webhooks on the wire: what is posted, what counts as an answer, and who waits for whom."""

from __future__ import annotations

import asyncio
import gzip
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from rig import CREDENTIALS, PATIENCE_S, PATIENT, Rig, in_loop, rig
from webhook_app import accept, an_app, break_off, hang, hang_up, proof, status, validate

from mockzoom.core.codes import StopReason
from mockzoom.core.signing import webhook_signature
from mockzoom.engine import delivery
from mockzoom.errors import ConfigurationError, ContractBroken, ReceiverUnreachable, UsageError

HOUR_MS = 3_600_000


async def send(r: Rig, *names: str) -> None:
    for name in names:
        r.world.deliveries.send(name, json.dumps({"event": name}).encode(), "a-stream")
    await r.world.deliveries.drained(PATIENCE_S)


@in_loop
async def test_a_webhook_is_posted_as_zoom_does() -> None:
    """The documented headers, and a signature over the very bytes of the body."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        meeting = r.meeting("Zoë 😀")
        stream = r.world.start_rtms(meeting)
        await r.world.deliveries.drained(PATIENCE_S)
        request, body = app.requests[-1]
        headers = request.headers
        stamp = headers["x-zm-request-timestamp"]
        assert headers["x-zm-signature"] == webhook_signature("the-secret-token", stamp, body)
        assert len(stamp) == 10
        assert headers["content-type"] == "application/json; charset=utf-8"
        assert headers["user-agent"] == "Zoom Marketplace/1.0a"
        assert headers["content-length"] == str(len(body))
        assert headers["accept-encoding"] == "gzip"
        assert headers["x-zm-request-id"]
        version, trace, parent, flags = headers["traceparent"].split("-")
        assert (version, len(trace), len(parent), flags) == ("00", 32, 16, "01")
        assert {name.lower() for name in headers} == {
            "host",
            "accept",
            "x-zm-request-timestamp",
            "x-zm-signature",
            "content-type",
            "user-agent",
            "content-length",
            "accept-encoding",
            "x-zm-request-id",
            "traceparent",
        }
        payload = json.loads(body)["payload"]
        assert payload["rtms_stream_id"] == stream.id
        assert payload["server_urls"] == stream.machine.urls.signaling
        assert payload["meeting_id"] == meeting.ids["meeting_id"]
        entry = await r.entry("webhook")
        assert entry["body"] == json.loads(body)
        assert entry["outcome"] == "accepted"
        assert entry["request_id"] == headers["x-zm-request-id"]


@pytest.mark.parametrize("code", [200, 204])
@in_loop
async def test_two_answers_accept_a_webhook(code: int) -> None:
    """200 and 204 are what a receiver may answer; nothing is pending then."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(code)
        await send(r, "an.event")
        assert r.found == []
        assert r.world.deliveries.pending == []
        assert r.entries("webhook")[0]["then"] == "accepted"


@pytest.mark.parametrize("code", [201, 206, 301, 302, 307, 400, 401, 404, 410, 429, 499])
@in_loop
async def test_other_answers_are_findings_and_final(code: int) -> None:
    """Redirects are not followed, refusals are not tried again: the event is lost, and counted."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(code)
        await send(r, "an.event")
        assert r.found == ["webhook.answer"]
        assert r.journal.findings[0].actual == f"status {code}"
        (entry,) = r.entries("webhook")
        assert (entry["status"], entry["attempt"], entry["then"]) == (code, 1, "refused")
        assert r.journal.counters["webhooks_lost"] == 1
        r.clock.advance(2 * HOUR_MS)
        await send(r, "another.event")
        assert app.names == ["endpoint.url_validation", "an.event", "another.event"]


# --- again ------------------------------------------------------------------------------------


async def retried(r: Rig, attempt: int) -> dict[str, Any]:
    """The entry of this attempt, once the time that its predecessor told has passed."""
    before = await r.entry("webhook", attempt=attempt - 1)
    r.clock.advance(before["retry_at_ms"] - r.clock.now_ms() - 1)
    await r.settle()
    assert not [one for one in r.entries("webhook") if one.get("attempt") == attempt]
    r.clock.advance(1)
    return await r.entry("webhook", attempt=attempt)


@pytest.mark.parametrize("code", [500, 502, 503, 504, 599])
@in_loop
async def test_an_event_that_fails_is_tried_four_times_and_dropped(code: int) -> None:
    """At 0, 5, 25 and 85 minutes: the same body, stamped and signed anew, then a finding."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(code)
        began_ms = r.clock.now_ms()
        await send(r, "an.event")
        entries = r.entries("webhook") + [await retried(r, attempt) for attempt in (2, 3, 4)]
        assert [e["then"] for e in entries] == ["retry", "retry", "retry", "dropped"]
        minutes = [(e["at_ms"] - began_ms) / 60_000 for e in entries]
        assert minutes == [0, 5, 25, 85]
        assert len({e["delivery"] for e in entries}) == 1
        assert len({e["request_id"] for e in entries}) == 4
        assert r.found == ["webhook.answer"] * 4 + ["webhook.delivered"]
        assert "4 that failed, the last one with status" in r.journal.findings[-1].actual
        assert r.journal.counters["webhooks_lost"] == 1
        r.clock.advance(2 * HOUR_MS)
        await r.settle()
        tries = app.requests[1:]
        assert len(tries) == 4
        assert len({body for _, body in tries}) == 1
        for request, body in tries:
            stamp = request.headers["x-zm-request-timestamp"]
            assert request.headers["x-zm-signature"] == webhook_signature(
                "the-secret-token", stamp, body
            )


@in_loop
async def test_a_receiver_recovers() -> None:
    """What was accepted at the third attempt is not tried a fourth time."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(503, 500, 204)
        await send(r, "an.event")
        await retried(r, 2)
        assert (await retried(r, 3))["then"] == "accepted"
        assert r.world.deliveries.pending == []
        r.clock.advance(2 * HOUR_MS)
        await r.settle()
        assert app.names[1:] == ["an.event"] * 3
        assert "webhook.delivered" not in r.found


@pytest.mark.parametrize("broken", [hang_up, break_off])
@in_loop
async def test_a_broken_connection_is_tried_again(broken: Any) -> None:
    """Hung up, reset: an attempt that failed, and the next one is accepted."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = broken
        await send(r, "an.event")
        (entry,) = r.entries("webhook")
        assert (entry["status"], entry["then"]) == (None, "retry")
        app.answer = accept
        assert (await retried(r, 2))["then"] == "accepted"
        assert app.names[1:] == ["an.event"] * 2


@in_loop
async def test_a_refused_connection_is_tried_again() -> None:
    """A receiver that went away after it was validated is tried four times like any other."""
    async with rig() as r:
        async with an_app() as app:
            await r.world.deliveries.subscribe(app.url)
        await send(r, "an.event")
        entries = r.entries("webhook") + [await retried(r, attempt) for attempt in (2, 3, 4)]
        assert [(e["status"], e["then"]) for e in entries[-2:]] == [
            (None, "retry"),
            (None, "dropped"),
        ]
        assert r.found[-1] == "webhook.delivered"


@in_loop
async def test_a_receiver_that_hangs_is_timed_out_and_tried_again() -> None:
    """No answer in time is a failed attempt; the retry is accepted."""
    async with rig(deliveries=replace(PATIENT, timeout_ms=100)) as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = hang
        await send(r, "an.event")
        (entry,) = r.entries("webhook")
        assert (entry["outcome"], entry["then"]) == ("no answer within 0.1 s", "retry")
        app.answer = accept
        await retried(r, 2)
        assert app.names[1:] == ["an.event"] * 2


@in_loop
async def test_an_event_that_waits_stands_in_nobodys_way() -> None:
    """The second event is accepted while the first waits: order is kept among first attempts."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(500, 200)
        await send(r, "first", "second", "third")
        assert [one.event.name for one in r.world.deliveries.pending] == ["first"]
        await retried(r, 2)
        assert app.names[1:] == ["first", "second", "third", "first"]


# --- validation and queues --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda event: web.Response(text="yes"), "not JSON"),
        (lambda event: web.json_response([]), "without the plainToken"),
        (lambda event: web.json_response({"plainToken": "x"}), "without the plainToken"),
        (lambda event: web.json_response(proof(event) | {"encryptedToken": "ab"}), "wrong encrypt"),
        (lambda event: web.json_response(proof(event) | {"encryptedToken": 5}), "wrong encrypt"),
        (lambda event: web.json_response(proof(event) | {"encryptedToken": "é"}), "wrong encrypt"),
        (lambda event: web.json_response(proof(event), status=201), "status 201"),
        (lambda event: web.Response(status=404), "status 404"),
    ],
)
@in_loop
async def test_a_receiver_that_does_not_validate(answer: Any, told: str) -> None:
    """What is wrong with the answer is told, is a finding, and no event goes there."""
    async with rig() as r, an_app() as app:

        async def wrong(request: web.Request, event: dict[str, Any]) -> web.Response:
            return answer(event)  # type: ignore[no-any-return]

        app.validate = wrong
        with pytest.raises(ContractBroken, match=told):
            await r.world.deliveries.subscribe(app.url)
        assert r.found == ["webhook.validation"]
        await send(r, "an.event")
        assert app.names == ["endpoint.url_validation"] * 2
        assert r.entries("webhook")[0]["outcome"] == "not validated"
        app.validate = validate
        await send(r, "an.event")
        assert app.names[-2:] == ["endpoint.url_validation", "an.event"]


@in_loop
async def test_a_validation_may_come_in_pieces_and_compressed() -> None:
    """The answer counts as a whole, however it was sent, with gzip as offered."""
    async with rig() as r, an_app() as app:

        async def pieces(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
            response = web.StreamResponse(headers={"content-encoding": "gzip"})
            await response.prepare(request)
            data = gzip.compress(json.dumps(proof(event)).encode())
            for byte in range(0, len(data), 20):
                await response.write(data[byte : byte + 20])
                await asyncio.sleep(0)
            return response

        app.validate = pieces
        await r.world.deliveries.subscribe(app.url)


@in_loop
async def test_a_receiver_that_is_not_there() -> None:
    """An endpoint that cannot be reached is another error than one that answers wrongly."""
    async with rig() as r:
        with pytest.raises(ReceiverUnreachable, match=r"http://127.0.0.1:1/: URL validation: .*is"):
            await r.world.deliveries.subscribe("http://127.0.0.1:1/")
        with pytest.raises(ConfigurationError):
            await r.world.deliveries.subscribe("nonsense")
        assert r.world.deliveries.urls == ["http://127.0.0.1:1/"]


@in_loop
async def test_a_hanging_endpoint_delays_nobody_else() -> None:
    """Each endpoint has a queue: the healthy one gets all in order while the other hangs."""
    async with rig() as r, an_app() as bad, an_app() as good:
        for app in (bad, good):
            await r.world.deliveries.subscribe(app.url)
        bad.answer = hang
        names = [f"event.{number}" for number in range(20)]
        for name in names:
            r.world.deliveries.send(name, json.dumps({"event": name}).encode())
        await r.entry("webhook", event=names[-1], url=good.url)
        assert good.names[1:] == names
        assert bad.names[1:] == names[:1]
        with pytest.raises(TimeoutError, match=bad.url):
            await r.world.deliveries.drained(0.01)


@in_loop
async def test_what_is_forgotten_is_not_waited_for() -> None:
    """Dropping endpoints cancels what is on its way, and whoever waits for it goes on."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        arrived = asyncio.Event()

        async def hang_visibly(*about: Any) -> web.StreamResponse:
            arrived.set()
            return await hang(*about)

        app.answer = hang_visibly
        for name in ("a", "b"):
            r.world.deliveries.send(name, json.dumps({"event": name}).encode())
        waiting = asyncio.create_task(r.world.deliveries.drained(PATIENCE_S))
        await arrived.wait()
        r.world.deliveries.forget()
        await waiting
        assert r.world.deliveries.urls == []
        assert r.entries("failure") == []


@in_loop
async def test_a_mistake_of_ours_costs_one_event_and_not_the_endpoint() -> None:
    """A body that cannot be journaled is a failure; the next event is delivered."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)

        r.world.deliveries.send("broken", object(), "s")  # type: ignore[arg-type]
        await send(r, "fine")
        assert app.names[-1] == "fine"
        (failure,) = r.entries("failure")
        assert failure["what"] == f"webhook broken to {app.url}"


@in_loop
async def test_secrets_are_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    """Neither journal nor findings nor log hold the secret token or the client secret."""
    async with rig() as r, an_app() as app, an_app() as wrong:
        await r.world.deliveries.subscribe(app.url)

        async def no(*_: Any) -> web.Response:
            return web.json_response({"plainToken": "x"})

        wrong.validate = no
        with pytest.raises(ContractBroken):
            await r.world.deliveries.subscribe(wrong.url)
        meeting = r.meeting()
        stream, rtms_app = r.start(meeting)
        await rtms_app.join()
        r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
        await r.world.deliveries.drained(PATIENCE_S)
        told = json.dumps([entry.as_dict() for entry in r.journal]) + caplog.text
        told += json.dumps([finding.as_dict() for finding in r.journal.findings])
        told += repr(CREDENTIALS) + "".join(map(str, r.journal.findings))
        assert "webhook" in told
        for secret in (CREDENTIALS.secret_token, CREDENTIALS.client_secret):
            assert secret not in told


# --- who gets what ----------------------------------------------------------------------------


@in_loop
async def test_an_endpoint_gets_the_events_that_it_wants() -> None:
    """Several receivers, each with its list; saving a URL again changes its list."""
    async with rig() as r, an_app() as all_of_them, an_app() as some:
        subscribe = r.world.deliveries.subscribe
        await subscribe(all_of_them.url)
        first = await subscribe(some.url, ["b"])
        await send(r, "a", "b", "c")
        assert all_of_them.names[1:] == ["a", "b", "c"]
        assert some.names[1:] == ["b"]
        again = await subscribe(some.url, ["a"])
        assert (again.id, again.events) == (first.id, ("a",))
        await send(r, "a", "b")
        assert some.names[2:] == ["endpoint.url_validation", "a"]


@in_loop
async def test_an_app_has_twenty_subscriptions() -> None:
    """The next one is refused, and none of the others is lost."""
    async with rig() as r, an_app() as app:
        urls = [f"{app.url}{number}" for number in range(21)]
        for url in urls[:20]:
            await r.world.deliveries.subscribe(url)
        with pytest.raises(UsageError, match="an app has at most 20"):
            await r.world.deliveries.subscribe(urls[20])
        assert r.world.deliveries.urls == urls[:20]


@in_loop
async def test_an_endpoint_is_validated_every_72_hours() -> None:
    """Mails after 2 and 4 failures in a row, disabled after 6, and well again by validating."""
    async with rig() as r, an_app() as app:
        saved = await r.world.deliveries.subscribe(app.url)
        app.validate = status(500)
        notices = []
        for failures in range(1, 7):
            await send(r, "an.event")
            r.clock.advance(72 * HOUR_MS)
            entry = await r.nth("validation", failures + 1)
            notices.append(entry.get("notice", ""))
        assert notices == ["", "mail", "", "mail", "", "disabled"]
        assert app.names.count("an.event") == 6
        await send(r, "for.nobody")
        assert (await r.entry("webhook", event="for.nobody"))["outcome"] == "disabled"
        assert "for.nobody" not in app.names
        app.validate = validate
        r.clock.advance(72 * HOUR_MS)
        await r.nth("validation", 8)
        await send(r, "well.again")
        assert app.names[-1] == "well.again"
        (now,) = r.world.deliveries.subscriptions
        assert (now.id, now.failures) == (saved.id, 0)


@in_loop
async def test_what_is_removed_gets_nothing_more() -> None:
    """What was on its way is cancelled and counted; the others go on."""
    async with rig() as r, an_app() as gone, an_app() as stays:
        one, _ = [await r.world.deliveries.subscribe(app.url) for app in (gone, stays)]
        gone.answer = status(500)
        await send(r, "an.event")
        assert r.world.deliveries.unsubscribe(one.id) == 1
        assert (await r.entry("webhook", outcome="cancelled"))["events"] == 1
        r.clock.advance(2 * HOUR_MS)
        await send(r, "another.event")
        assert gone.names == ["endpoint.url_validation", "an.event"]
        assert stays.names[1:] == ["an.event", "another.event"]


@in_loop
async def test_a_subscription_may_be_removed_while_it_is_validated() -> None:
    """Who waits for it is told, and nothing comes back to life."""
    async with rig() as r, an_app() as app:
        go_on, arrived = asyncio.Event(), asyncio.Event()

        async def late(*about: Any) -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return await validate(*about)

        app.validate = late
        saving = asyncio.create_task(r.world.deliveries.subscribe(app.url))
        await arrived.wait()
        r.world.deliveries.forget()
        go_on.set()
        with pytest.raises(UsageError, match="removed while it was validated"):
            await saving
        assert r.clock.pending == []


@in_loop
async def test_a_reset_counts_what_it_cancels() -> None:
    """What was on its way is gone, and the counters say how much that was."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(500)
        await send(r, "a", "b")
        assert r.world.deliveries.pending
        r.world.reset()
        assert r.journal.counters == {"webhooks_lost": 2}
        assert (r.world.deliveries.pending, r.clock.pending) == ([], [])


@in_loop
async def test_too_many_that_wait_push_out_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, and what leaves it is told and counted."""
    monkeypatch.setattr(delivery, "KEPT_PENDING", 3)
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)
        app.answer = status(500)
        await send(r, *"abcde")
        assert [one.event.name for one in r.world.deliveries.pending] == ["c", "d", "e"]
        lost = [e["event"] for e in r.entries("webhook") if e["outcome"] == "too many wait"]
        assert lost == ["a", "b"]
        assert r.journal.counters["webhooks_lost"] == 2
        app.answer = accept
        r.clock.advance(HOUR_MS)
        await r.nth("webhook", 3 + 2 + 3)
        assert sorted(app.names[4:]) == ["c", "d", "e"]
