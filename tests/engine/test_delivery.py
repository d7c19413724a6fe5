"""Webhooks on the wire: what is posted, what counts as an answer, and who waits for whom."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from rig import CREDENTIALS, PATIENCE_S, Rig, in_loop, rig

from mockzoom.core.codes import StopReason
from mockzoom.core.signing import encrypted_token, webhook_signature
from mockzoom.engine.delivery import WebhookSender
from mockzoom.errors import ConfigurationError, ContractBroken, ReceiverUnreachable

Answer = Callable[[web.Request, dict[str, Any]], Awaitable[web.StreamResponse]]


class App:
    """A receiver; `answer` is what it does with an event that is no validation."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.Request, bytes]] = []
        self.answer: Answer = accept
        self.validate: Answer = validate
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.requests.append((request, body))
        event = json.loads(body)
        if event["event"] == "endpoint.url_validation":
            return await self.validate(request, event)
        return await self.answer(request, event)

    @property
    def names(self) -> list[str]:
        return [json.loads(body)["event"] for _, body in self.requests]


async def accept(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    return web.Response()


def proof(event: dict[str, Any]) -> dict[str, str]:
    token = event["payload"]["plainToken"]
    encrypted = encrypted_token(CREDENTIALS.secret_token, token)
    return {"plainToken": token, "encryptedToken": encrypted}


async def validate(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    return web.json_response(proof(event))


async def hang(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


@asynccontextmanager
async def an_app(path: str = "/webhook") -> AsyncIterator[App]:
    app = App()
    site = web.Application()
    site.router.add_post("/{path}", app.handle)
    runner = web.AppRunner(site, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    app.url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    try:
        yield app
    finally:
        await runner.cleanup()


@asynccontextmanager
async def a_port(talk: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[str]:
    """A URL where `talk` answers by hand, once a request has come."""

    talking: list[asyncio.Task[None]] = []

    async def conversation(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        try:
            await talk(writer)
        except ConnectionError:
            pass
        finally:
            writer.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talking.append(asyncio.create_task(conversation(reader, writer)))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)


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


@pytest.mark.parametrize("status", [200, 204])
@in_loop
async def test_two_answers_accept_a_webhook(status: int) -> None:
    """200 and 204 are what a receiver may answer."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)

        async def answer(*_: Any) -> web.Response:
            return web.Response(status=status)

        app.answer = answer
        await send(r, "an.event")
        assert r.found == []


@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 401, 404, 500, 503])
@in_loop
async def test_any_other_answer_is_a_finding(status: int) -> None:
    """Redirects are not followed: they are an answer like any other wrong one."""
    async with rig() as r, an_app() as app:
        await r.world.deliveries.subscribe(app.url)

        async def answer(*_: Any) -> web.Response:
            return web.Response(status=status, headers={"Location": "/elsewhere"})

        app.answer = answer
        await send(r, "an.event")
        assert app.names == ["endpoint.url_validation", "an.event"]
        assert r.found == ["webhook.answer"]
        assert r.journal.findings[0].actual == f"status {status}"
        assert r.entries("webhook")[0]["status"] == status


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def nothing(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


async def garbage(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff SSH-2.0 who are you?\r\n\r\n" * 50)
    await writer.drain()


async def endless_header(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1000):
        writer.write(b"x-a: " + b"b" * 4000 + b"\r\n")
        await writer.drain()


async def endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000000\r\n\r\n")
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


async def dripping_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (silence, "no answer within 0.3 s"),
        (nothing, "Server disconnected"),
        (reset, ""),
        (garbage, ""),
        (endless_header, ""),
        (dripping_body, "no answer within 0.3 s"),
    ],
)
@in_loop
async def test_no_sound_answer_is_no_answer(talk: Any, told: str) -> None:
    """Whatever comes in place of HTTP, the attempt says in one short line why there is none."""
    async with a_port(talk) as url, WebhookSender(CREDENTIALS, timeout_s=0.3) as sender:
        attempt = await sender.post(url, b"{}")
    assert attempt.status is None
    assert attempt.error
    assert told in attempt.error
    assert "\n" not in attempt.error
    assert len(attempt.error) <= 200
    assert not attempt.ok


@in_loop
async def test_an_answer_without_end_is_read_to_a_bound() -> None:
    """The status counts; of the body 64 KiB are kept."""
    async with a_port(endless_body) as url, WebhookSender(CREDENTIALS, timeout_s=5) as sender:
        attempt = await sender.post(url, b"{}")
    assert attempt.ok
    assert len(attempt.body) == 64 * 1024


@in_loop
async def test_nobody_listens() -> None:
    """A refused connection, an unknown host, a scheme that is none."""
    async with WebhookSender(CREDENTIALS) as sender:
        attempt = await sender.post("http://127.0.0.1:1/", b"{}")
        assert (attempt.status, attempt.ok) == (None, False)
        assert "refused" in attempt.error.lower() or "connect call failed" in attempt.error.lower()
        for url in ("ftp://x", "127.0.0.1:3000", "http://", "http://[::1", "http://x:0/"):
            with pytest.raises(ConfigurationError, match=r"receiver .*: expected an address"):
                await sender.post(url, b"{}")


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
    async with rig(webhook_timeout_s=30) as r, an_app() as bad, an_app() as good:
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
    async with rig(webhook_timeout_s=30) as r, an_app() as app:
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
