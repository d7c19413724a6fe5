"""Between Zoom and an app a proxy changes nothing for either, and writes it all down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from recorded import Recorded, record_meeting, seconds_of
from webhook_app import App, an_app, break_off, status

from mockzoom import Credentials, MockZoom, Receiver
from mockzoom.core.codes import MessageType
from mockzoom.core.protocol import load_protocol
from mockzoom.core.signing import webhook_signature
from mockzoom.core.spec import load_spec
from mockzoom.engine.record_proxy import RecordProxy
from mockzoom.engine.sender import Attempt, WebhookSender
from mockzoom.engine.tape import opened_recording
from mockzoom.errors import ConfigurationError, PortInUse

CREDENTIALS = Credentials("client", "secret", "token")
STARTED = {"event": "meeting.rtms_started", "payload": {"meeting_uuid": "u", "rtms_stream_id": "s"}}
PATIENCE_S = 10


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record_meeting(tmp_path_factory.mktemp("recorded"))


def entries(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()[1:]]


def test_the_receiver_hears_all_of_it(recorded: Recorded) -> None:
    """Both people, before and after the interruption, to the end, as without the proxy."""
    counters = recorded.status.counters
    assert counters["audio_frames"] == recorded.seconds * 50
    assert counters["transcript_lines"] == len(recorded.spoken)
    assert seconds_of(recorded.status.folder) == pytest.approx(recorded.seconds)
    assert recorded.status.ending is not None


def test_the_file_tells_nobody(recorded: Recorded) -> None:
    """No id, name, secret, URL or word of the meeting is in it."""
    text = recorded.file.read_text("utf-8")
    words = [word for utterance in recorded.spoken for word in (utterance.text,)]
    secrets = [*recorded.secrets, *words, "Wonderland", "Liddell", "Sawyer", "127.0.0.1"]
    assert [secret for secret in secrets if secret in text] == []


def test_the_file_is_whole_and_valid(recorded: Recorded) -> None:
    """Every webhook and every message is what the contract has; each socket opens and closes."""
    told = entries(recorded.file)
    webhooks = [e["message"] for e in told if e["leg"] == "webhook" and "message" in e]
    names = [webhook["event"].rpartition("_")[2] for webhook in webhooks]
    assert names == ["started", "interrupted", "stopped"]
    assert not [load_spec().event(w["event"]).problems(w) for w in webhooks if not _valid(w)]
    messages = [e["message"] for e in told if e["leg"] != "webhook" and "message" in e]
    assert {m["msg_type"] for m in messages} >= {1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 17}
    assert [p for message in messages for p in load_protocol().problems(message)] == []
    opened = [e["conn"] for e in told if "opened" in e]
    assert sorted(opened) == sorted(e["conn"] for e in told if "closed" in e) == [1, 2, 3, 4, 5, 6]
    assert 1006 in {e["closed"] for e in told if "closed" in e and e["conn"] <= 3}
    with opened_recording(recorded.file) as (_, read):
        assert len(list(read)) == len(told)


def _valid(webhook: dict[str, Any]) -> bool:
    return load_spec().event(webhook["event"]).problems(webhook) == []


def test_tls_and_no_media(tmp_path: Path) -> None:
    """The source's wss:// is verified with the authority that is given; frames have no sound."""
    out = tmp_path / "a.jsonl"
    with (
        MockZoom(tls=True, seed=1) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path) as app,
        RecordProxy(
            app.url,
            out,
            zoom.credentials.secret_token,
            ca=zoom.ca_path,
            keep_media=False,
            keep_text=True,
        ) as proxy,
    ):
        zoom.subscribe(proxy.url)
        meeting = zoom.meeting(participants=["Alice"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        meeting.say("Alice", "Tea?")
        stream.wait_spoken()
        stream.stop()
        app.wait_ended(stream.rtms_stream_id)
        zoom.check()
    told = [e["message"] for e in entries(out) if "message" in e]
    frames = [m["content"] for m in told if m.get("msg_type") == MessageType.MEDIA_DATA_AUDIO]
    assert {(frame["data"], frame["length"]) for frame in frames} == {(None, 640)}
    assert [m["content"]["data"] for m in told if m.get("msg_type") == 17] == ["Tea?"]


# --- webhooks ---------------------------------------------------------------------------------


@contextmanager
def proxied(tmp_path: Path, receiver: str, **settings: Any) -> Iterator[RecordProxy]:
    with RecordProxy(receiver, tmp_path / "a.jsonl", CREDENTIALS.secret_token, **settings) as proxy:
        yield proxy


async def post(url: str, event: dict[str, Any], credentials: Credentials = CREDENTIALS) -> Attempt:
    async with WebhookSender(credentials, PATIENCE_S) as sender:
        return await sender.post(url, json.dumps(event).encode())


async def validated(url: str) -> str:
    async with WebhookSender(CREDENTIALS, PATIENCE_S) as sender:
        return (await sender.validate(url, 1763814001000))[1]


def test_a_validation_is_answered_by_the_receiver(tmp_path: Path) -> None:
    """What proves itself is the app behind the proxy; nothing of it is recorded."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as app, proxied(tmp_path, app.url) as proxy:
        assert asyncio.run(validated(proxy.url)) == ""
        assert proxy.tape.lines == 1


def with_app(tmp_path: Path, act: Callable[[RecordProxy, App], Awaitable[None]]) -> None:
    """Let something be done with a proxy before an app that accepts everything."""

    async def run() -> None:
        async with asyncio.timeout(PATIENCE_S), an_app() as app:
            with proxied(tmp_path, app.url) as proxy:
                await act(proxy, app)

    asyncio.run(run())


def test_only_what_is_signed_goes_on(tmp_path: Path) -> None:
    """By another key: 401, and neither the receiver nor the file hears of it."""

    async def act(proxy: RecordProxy, app: App) -> None:
        other = Credentials("client", "secret", "other")
        assert (await post(proxy.url, STARTED, other)).status == 401
        assert (await post(proxy.url, STARTED)).status == 200
        assert len(app.requests) == 1

    with_app(tmp_path, act)
    assert len(entries(tmp_path / "a.jsonl")) == 2


@pytest.mark.parametrize("code", [204, 301, 400, 503])
def test_the_answer_is_the_receivers(tmp_path: Path, code: int) -> None:
    """Whatever it is, it goes back to the source, and into the file."""

    async def act(proxy: RecordProxy, app: App) -> None:
        app.answer = status(code)
        assert (await post(proxy.url, STARTED)).status == code

    with_app(tmp_path, act)
    assert entries(tmp_path / "a.jsonl")[-1]["status"] == code


def test_no_receiver(tmp_path: Path) -> None:
    """The source hears 502, which it tries again, and the file has no answer."""

    async def act(proxy: RecordProxy, app: App) -> None:
        app.answer = break_off
        assert (await post(proxy.url, STARTED)).status == 502

    with_app(tmp_path, act)
    assert entries(tmp_path / "a.jsonl")[-1]["status"] == 0


def test_bytes_that_need_no_change_are_not_changed(tmp_path: Path) -> None:
    """A body without URLs goes on as it came, spaces and all, freshly signed."""
    body = b'{ "event":\t"meeting.rtms_stopped" , "payload": {"stop_reason": 6} }'

    async def act(proxy: RecordProxy, app: App) -> None:
        async with WebhookSender(CREDENTIALS, PATIENCE_S) as sender:
            assert (await sender.post(proxy.url, body)).ok
        [(request, given)] = app.requests
        assert given == body
        stamp = request.headers["x-zm-request-timestamp"]
        expected = webhook_signature(CREDENTIALS.secret_token, stamp, body)
        assert request.headers["x-zm-signature"] == expected

    with_app(tmp_path, act)


# --- sockets ----------------------------------------------------------------------------------


class Source:
    """A source with one signaling URL; `talk` is its side of a connection."""

    def __init__(self, talk: Callable[[web.WebSocketResponse], Awaitable[None]]) -> None:
        self.heard: list[Any] = []
        self._talk = talk

    async def __aenter__(self) -> Source:
        app = web.Application()
        app.router.add_get("/here", self._serve)
        app.router.add_get("/elsewhere", self._redirect)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/here?x=1"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _redirect(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/here")

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        self.heard.append(request.query_string)
        ws = web.WebSocketResponse(protocols=["websocket"], autoping=False)
        await ws.prepare(request)
        await self._talk(ws)
        return ws


async def told_url(proxy: RecordProxy, app: App, url: str) -> str:
    """The proxy's URL for the source's `url`, as the receiver is told it."""
    event = {**STARTED, "payload": {**STARTED["payload"], "server_urls": url}}
    assert (await post(proxy.url, event)).ok
    return str(json.loads(app.requests[-1][1])["payload"]["server_urls"])


Client = aiohttp.ClientWebSocketResponse


def on_socket(
    tmp_path: Path,
    talk: Callable[[web.WebSocketResponse], Awaitable[None]],
    act: Callable[[Client], Awaitable[None]],
) -> list[dict[str, Any]]:
    """Let both sides talk over the proxy: what was recorded of the socket."""

    async def on_proxy(proxy: RecordProxy, app: App) -> None:
        async with Source(talk) as source, aiohttp.ClientSession() as session:
            url = await told_url(proxy, app, source.url)
            assert await told_url(proxy, app, source.url) == url, "a repeat stays a repeat"
            async with session.ws_connect(url, protocols=["websocket"], autoping=False) as ws:
                assert ws.protocol == "websocket"
                await act(ws)
            assert source.heard == ["x=1"]

    with_app(tmp_path, on_proxy)
    return [entry for entry in entries(tmp_path / "a.jsonl") if entry["leg"] == "signaling"]


def test_frames_go_through_as_they_are(tmp_path: Path) -> None:
    """Text as text, bytes as bytes, pings and pongs, and what is no message at all."""

    async def echo(ws: web.WebSocketResponse) -> None:
        for _ in range(3):
            frame = await ws.receive()
            await (ws.send_str if frame.type is aiohttp.WSMsgType.TEXT else ws.send_bytes)(
                frame.data
            )
        assert (await ws.receive()).type is aiohttp.WSMsgType.PING
        await ws.pong(b"there")
        await ws.receive()

    async def act(ws: Client) -> None:
        for sent in ('{"msg_type":5}', b'{"msg_type":5}', b"\xff"):
            await (ws.send_str(sent) if isinstance(sent, str) else ws.send_bytes(sent))
            assert (await ws.receive()).data == sent
        await ws.ping(b"anybody")
        assert (await ws.receive())[:2] == (aiohttp.WSMsgType.PONG, b"there")

    told = on_socket(tmp_path, echo, act)
    by_zoom = [entry for entry in told if entry["by"] == "zoom"]
    assert [(e.get("binary", False), e.get("unreadable")) for e in by_zoom] == [
        (False, None),
        (True, None),
        (True, 1),
    ]


@pytest.mark.parametrize("code", [1000, 1011, 4321])
def test_close_codes_go_through(tmp_path: Path, code: int) -> None:
    """The app sees the code that the source gave, and so does the file."""

    async def close(ws: web.WebSocketResponse) -> None:
        await ws.close(code=code)

    async def act(ws: Client) -> None:
        await ws.receive()
        assert ws.close_code == code

    [_, closed] = on_socket(tmp_path, close, act)
    assert (closed["by"], closed["closed"]) == ("zoom", code)


def test_an_app_that_leaves(tmp_path: Path) -> None:
    """The source sees the code of the app."""
    codes: asyncio.Queue[int | None] = asyncio.Queue()

    async def listen(ws: web.WebSocketResponse) -> None:
        await ws.receive()
        codes.put_nowait(ws.close_code)

    async def act(ws: Client) -> None:
        await ws.close(code=4000)
        assert await codes.get() == 4000

    [_, closed] = on_socket(tmp_path, listen, act)
    assert (closed["by"], closed["closed"]) == ("app", 4000)


def test_a_break_is_a_break(tmp_path: Path) -> None:
    """A connection without a close frame ends without one on the other side."""

    async def cut(ws: web.WebSocketResponse) -> None:
        ws._req.transport.abort()  # type: ignore[union-attr]

    async def act(ws: Client) -> None:
        frame = await ws.receive()
        assert frame.type is not aiohttp.WSMsgType.CLOSE

    [_, closed] = on_socket(tmp_path, cut, act)
    assert (closed["by"], closed["closed"]) == ("zoom", 1006)


def test_only_what_was_named_is_dialled(tmp_path: Path) -> None:
    """Other paths are nobody's: 404; a source that is not there, or sends elsewhere: 502."""

    async def nothing(ws: web.WebSocketResponse) -> None:
        raise AssertionError("nobody comes here")

    async def dial(url: str) -> int:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(url)
            return refused.value.status

    async def act(proxy: RecordProxy, app: App) -> None:
        url = await told_url(proxy, app, "ws://127.0.0.1:1/nobody")
        assert await dial(url.replace("signaling", "audio")) == 404
        assert await dial(url[:-1]) == 404
        assert await dial(url) == 502
        async with Source(nothing) as source:
            redirecting = source.url.replace("here", "elsewhere")
            assert await dial(await told_url(proxy, app, redirecting)) == 502
            assert source.heard == []

    with_app(tmp_path, act)


# --- the file and the settings ----------------------------------------------------------------


def test_a_full_disk_costs_the_recording_and_nothing_else(tmp_path: Path) -> None:
    """Webhooks still go through; what happened is told, with the line."""

    with Path("/dev/full").open("wb", buffering=0) as full:

        async def act(proxy: RecordProxy, app: App) -> None:
            proxy.tape._file.close()
            proxy.tape._file = full
            assert (await post(proxy.url, STARTED)).ok
            assert (await post(proxy.url, STARTED)).ok
            assert "a.jsonl:2: cannot be written: No space left" in proxy.tape.error

        with_app(tmp_path, act)


def test_settings_that_cannot_be(tmp_path: Path) -> None:
    """A file that is there, a folder that is not, a port in use, and what is no URL."""
    url, out = "http://127.0.0.1:3000/", tmp_path / "a.jsonl"
    with proxied(tmp_path, url) as proxy:
        with pytest.raises(ConfigurationError, match=r"a\.jsonl: is there already"):
            RecordProxy(url, out, "token").__enter__()
        with pytest.raises(ConfigurationError, match="cannot be written"):
            RecordProxy(url, tmp_path / "no" / "a", "token").__enter__()
        with pytest.raises(PortInUse, match="--port"):
            RecordProxy(url, tmp_path / "b", "token", port=proxy.port).__enter__()
    with pytest.raises(ConfigurationError, match="receiver"):
        RecordProxy("nowhere", out, "token")
    with pytest.raises(ConfigurationError, match="CA file"):
        RecordProxy(url, out, "token", ca=tmp_path / "no.pem")
