"""Receivers of webhooks for tests: an app whose answers are set, and ports that answer by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from rig import CREDENTIALS

from mockzoom.core.signing import encrypted_token

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


def status(*codes: int) -> Answer:
    """Answers with these statuses, one after the other, and with the last one from then on."""
    left = list(codes)

    async def answer(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
        code = left.pop(0) if len(left) > 1 else left[0]
        return web.Response(status=code, headers={"Location": "/elsewhere"})

    return answer


def proof(event: dict[str, Any]) -> dict[str, str]:
    token = event["payload"]["plainToken"]
    encrypted = encrypted_token(CREDENTIALS.secret_token, token)
    return {"plainToken": token, "encryptedToken": encrypted}


async def validate(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    return web.json_response(proof(event))


async def hang_up(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def break_off(request: web.Request, event: dict[str, Any]) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


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
