"""The WebSocket server, below the messages: paths, frames, sizes, and how connections end."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from raw_socket import BINARY, CLOSE, CONTINUATION, PING, TEXT, wire
from rig import FakeClock, in_loop, rig
from rtms_app import Conn, RtmsApp

from mockzoom import threads
from mockzoom.core.codes import MessageType, StatusCode
from mockzoom.core.effects import Drop
from mockzoom.core.limits import Limits
from mockzoom.engine import frames, rtms_server
from mockzoom.engine.certificates import server_context
from mockzoom.engine.journal import Journal
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.errors import ConfigurationError, PortInUse


def handshake(app: RtmsApp) -> bytes:
    """A signaling handshake that is refused for its signature alone."""
    message = {
        "msg_type": 1,
        "protocol_version": 1,
        "sequence": 1,
        "meeting_uuid": app.identity.id,
        "rtms_stream_id": app.identity.rtms_stream_id,
        "signature": "wrong",
    }
    return json.dumps(message).encode()


@pytest.mark.parametrize("path", ["/", "/signaling/made-up", "/media/made-up/audio", "/x/y/z/a"])
@in_loop
async def test_an_unknown_path_is_not_found(path: str) -> None:
    """A URL that was never given out gets a 404, and is a finding."""
    async with rig() as r:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await r.session.ws_connect(r.rtms.base_url + path)
        assert refused.value.status == 404
        assert r.found == ["rtms.url"]


@in_loop
async def test_a_media_key_that_does_not_exist_is_not_found() -> None:
    """A right token with a wrong key is no URL that was given out."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        url = app.server_urls.replace("signaling", "media") + "/smell"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await r.session.ws_connect(url)
        assert r.found == ["rtms.url"]


@pytest.mark.parametrize(
    ("offered", "taken"), [((), None), (("websocket",), "websocket"), (("other",), None)]
)
@in_loop
async def test_the_subprotocol_of_the_sdk_is_taken(offered: tuple[str, ...], taken: str) -> None:
    """Who offers it gets it, because clients may hang up otherwise; who does not gets none."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        async with r.session.ws_connect(app.server_urls, protocols=offered) as socket:
            assert socket.protocol == taken


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@in_loop
async def test_text_and_binary_whole_and_in_pieces(opcode: int) -> None:
    """A message is understood in one frame, in three, with a ping between, and with a query."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        data = handshake(app)
        async with wire(app.server_urls) as w:
            assert await w.upgrade(app.server_urls + "?a=b") == 101
            w.send(opcode, data)
            assert (await w.message())["status_code"] == StatusCode.INVALID_SIGNATURE
            w.send(opcode, data[:10], fin=False)
            w.send(CONTINUATION, data[10:20], fin=False)
            w.send(PING, b"ping")
            w.send(CONTINUATION, data[20:])
            assert await w.receive() == (10, b"ping")
            assert (await w.message())["status_code"] == StatusCode.INVALID_SIGNATURE


@pytest.mark.parametrize("pieces", [1, 3])
@in_loop
async def test_too_long_a_message_closes_the_socket(pieces: int) -> None:
    """One huge frame or many that make a huge message: 1009."""
    async with rig(limits=Limits(max_message_bytes=100_000)) as r:
        _, app = r.start(r.meeting())
        async with wire(app.server_urls) as w:
            await w.upgrade(app.server_urls)
            part = b"x" * (100_000 // pieces + 1)
            for number in range(pieces):
                w.send(CONTINUATION if number else TEXT, part, fin=number == pieces - 1)
            assert await w.close_code() == 1009
        await r.entry("socket", happened="closed")


@pytest.mark.parametrize(("payload", "code"), [(b"", 1000), (b"\x03\xe8bye", 1000)])
@in_loop
async def test_a_close_frame_is_answered(payload: bytes, code: int) -> None:
    """With a code or without one the answer is a code that may be sent."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        async with wire(app.server_urls) as w:
            await w.upgrade(app.server_urls)
            w.send(CLOSE, payload)
            assert await w.close_code() == code
            assert await w.reader.read() == b""


@in_loop
async def test_garbage_on_the_wire_harms_nobody() -> None:
    """Bytes that are no WebSocket frame end their connection; the next one is served."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        async with wire(app.server_urls) as w:
            await w.upgrade(app.server_urls)
            w.writer.write(b"\xff" * 100)
            assert await w.close_code() == 1002
        await app.join_signaling()


@in_loop
async def test_a_mistake_of_ours_closes_one_socket_with_1011(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception while a message is handled is a failure in the journal and no more."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        await app.join_signaling()

        def broken(*_: object) -> None:
            raise RuntimeError("a bug")

        monkeypatch.setattr(stream.machine, "receive", broken)
        await app.signaling.send({"msg_type": 19})
        assert await app.signaling.close_code() == 1011
        assert r.entries("failure")[0]["error"] == "RuntimeError: a bug"
        monkeypatch.undo()
        await r.app(stream).join_signaling()


@in_loop
async def test_a_server_that_is_full_says_so() -> None:
    """Past the limit of connections: 503, which is not the app's fault."""
    async with rig(limits=Limits(max_connections=1)) as r:
        stream, app = r.start(r.meeting())
        await app.join_signaling()
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await r.session.ws_connect(app.server_urls)
        assert refused.value.status == 503
        assert r.found == []
        await app.signaling.close()
        await r.entry("socket", stream=stream.id, happened="closed")
        await r.app(stream).dial(app.server_urls)


@in_loop
async def test_a_socket_that_does_not_shake_hands_is_closed() -> None:
    """After the time for a handshake the socket is closed, and a finding says why."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        conn = await app.dial(app.server_urls)
        r.clock.advance(10_000)
        assert await conn.close_code() == 1000
        assert r.found == ["rtms.handshake"]


@pytest.mark.parametrize("scheme", ["ws", "wss"])
@in_loop
async def test_a_drop_is_a_reset_connection(scheme: str, tmp_path: Path) -> None:
    """What is dropped ends with RST and no close frame, with TLS and without."""
    async with rig() as r:
        trust = None
        if scheme == "wss":
            await r.rtms.close()
            await r.rtms.start("127.0.0.1", 0, server_context("127.0.0.1", tmp_path / "ca.pem"))
            trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        stream, app = r.start(r.meeting())
        assert app.server_urls.startswith(f"{scheme}://")
        async with wire(app.server_urls, trust) as w:
            await w.upgrade(app.server_urls)
            opened = await r.entry("socket", happened="opened")
            stream.feed(lambda machine, _: machine.effects.append(Drop(opened["conn"])))
            with pytest.raises(ConnectionResetError):
                await w.reader.read()
        await r.entry("socket", happened="closed", conn=opened["conn"])


@in_loop
async def test_a_stream_answers_on_all_the_urls_it_had() -> None:
    """After a failover the old URLs are not strangers', until the stream is forgotten."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        r.rtms.serve("another", stream)
        await app.dial(r.rtms.urls("another").signaling)
        await app.dial(app.server_urls)
        r.rtms.forget(stream)
        assert not r.rtms.serves("another")
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await app.dial(app.server_urls)


@in_loop
async def test_closing_does_not_wait_for_who_never_says_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A half-open connection cannot hold up the end."""
    monkeypatch.setattr(rtms_server, "_CLOSE_S", 0.05)
    server = RtmsServer(Journal(FakeClock()))
    await server.start("127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with asyncio.timeout(1):
        await server.close()
    writer.transport.abort()


@in_loop
async def test_a_port_that_is_taken_is_told_in_one_line() -> None:
    """The line names the port and the option."""
    first, second = RtmsServer(Journal(FakeClock())), RtmsServer(Journal(FakeClock()))
    await first.start("127.0.0.1", 0)
    with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{first.port}: .*--rtms-port"):
        await second.start("127.0.0.1", first.port)
    with pytest.raises(ConfigurationError, match="RTMS server: cannot listen on no such host:0"):
        await second.start("no such host", 0)
    await first.close()


@in_loop
async def test_a_flood_of_nonsense() -> None:
    """A flood of what is no message: each is answered, the journal stays bounded, memory too."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        async with wire(app.server_urls) as w:
            await w.upgrade(app.server_urls)
            for _ in range(2_000):
                w.send(BINARY, os.urandom(20))
            for _ in range(2_000):
                await w.receive()
        await r.entry("socket", happened="closed")
        assert len(list(r.journal)) <= 10_000
        await r.app(stream).join_signaling()


@in_loop
async def test_keep_alives_go_out_and_a_silent_app_is_cut() -> None:
    """Three unanswered keep-alives, and the connection is dropped as a network would drop it."""
    async with rig(keep_alive_ms=1_000, handshake_ms=60_000) as r:
        stream, app = r.start(r.meeting())
        conn: Conn = await app.join_signaling(answers=False)
        for number in range(1, 4):
            r.clock.advance(1_000)
            asked = await conn.next(MessageType.KEEP_ALIVE_REQ, number)
            assert asked["sequence"] == number
        r.clock.advance(1_000)
        assert await conn.close_code() == 1006
        assert r.found == ["rtms.keep-alive"]
        assert stream.machine.state.name == "INTERRUPTED"


@in_loop
async def test_who_never_asks_for_an_upgrade_is_cut() -> None:
    """A connection on which nothing is said, or not all of a request, does not stay open."""
    async with rig(limits=Limits(upgrade_timeout_ms=50)) as r:
        for said in (b"", b"GET /signaling/x HTTP/1.1\r\nHost:"):
            async with wire(r.rtms.base_url) as w:
                w.writer.write(said)
                async with asyncio.timeout(1):
                    assert await w.reader.read() == b""


def little_is_underway(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system takes little off the server that nobody reads, so that less is to be asked."""

    def listen(*where: Any) -> socket.socket:
        listening = threads.listen(*where)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        return listening  # connections have its buffer

    monkeypatch.setattr(rtms_server, "listen", listen)


@pytest.mark.parametrize(("opcode", "scheme"), [(PING, "ws"), (PING, "wss"), (TEXT, "ws")])
@in_loop
async def test_who_asks_and_never_reads_is_cut(
    opcode: int, scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pongs and refusals that nobody reads do not pile up: past the limit the socket is cut."""

    little_is_underway(monkeypatch)
    async with rig(limits=Limits(max_unread_bytes=50_000)) as r:
        trust = None
        if scheme == "wss":
            await r.rtms.close()
            await r.rtms.start("127.0.0.1", 0, server_context("127.0.0.1", tmp_path / "ca.pem"))
            trust = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        _, app = r.start(r.meeting())
        async with wire(app.server_urls, trust) as w:
            await w.upgrade(app.server_urls)
            w.writer.transport.pause_reading()
            with suppress(ConnectionError):
                while not r.entries("socket")[1:]:
                    for _ in range(100):
                        w.send(opcode, b"x" * 125)
                    await w.writer.drain()
                    await asyncio.sleep(0)
        cut = await r.entry("socket", happened="cut: it does not read")
        await r.entry("socket", happened="closed", conn=cut["conn"])


@in_loop
async def test_who_says_goodbye_and_never_reads_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A close frame is answered behind what is underway, and that for no more than a while."""
    little_is_underway(monkeypatch)
    monkeypatch.setattr(frames, "_CLOSE_S", 0.05)
    async with rig() as r:
        _, app = r.start(r.meeting())
        async with wire(app.server_urls) as w:
            await w.upgrade(app.server_urls)
            opened = await r.entry("socket", happened="opened")
            w.writer.transport.pause_reading()
            for _ in range(5_000):
                w.send(PING, b"x" * 125)
            w.send(CLOSE, (1000).to_bytes(2, "big"))
            await r.entry("socket", happened="closed", conn=opened["conn"])


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process may open no file that it does not have open."""
    next_free = os.dup(0)
    os.close(next_free)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@in_loop
async def test_a_system_without_files_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """Who connects when no file can be opened is not served, nothing breaks, and it passes."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        with socket.socket() as client:
            client.setblocking(False)
            with no_more_files():
                loop = asyncio.get_running_loop()
                await loop.sock_connect(client, ("127.0.0.1", r.rtms.port))
                for _ in range(100):
                    await asyncio.sleep(0)
        await app.join_signaling()
    assert caplog.records == []


@in_loop
async def test_what_peers_do_wrong_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A log is for what the mock does wrong; nobody else can fill it."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        for said in (b"\x00" * 10, b"\xff" * 10, b"\x81\x7f" + b"\x7f" * 20):
            async with wire(app.server_urls) as w:
                await w.upgrade(app.server_urls)
                w.writer.write(said)
                await w.reader.read()
    assert caplog.records == []
