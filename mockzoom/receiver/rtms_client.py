"""One stream's `ClientMachine` with real sockets: what it wants done is done here, with aiohttp.

Everything runs on one asyncio loop, so nothing here needs a lock.  Each socket is a task that
dials, reads until the end, and always reports that it was lost; a second task writes what the
machine says, so that a peer that does not read cannot hold up anybody else.  All is bounded: the
size of a message, what waits to be written, and the time that closing may take (for dialling the
machine has a timer).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any

import aiohttp
from yarl import URL

from mockzoom.core.client import ClientMachine
from mockzoom.core.effects import Close, Dial, Effect, Found, Received, Send
from mockzoom.core.findings import Finding
from mockzoom.core.messages import Message, encode

__all__ = ["RtmsClient", "allowed", "open_session"]

#: A minute of 16 kHz audio is 2.5 MB as base64; frames are some hundred bytes.
MAX_MESSAGE_BYTES = 4 * 1024 * 1024

#: Answers that wait to be written; a peer that lets as many pile up has stopped reading.
_MAX_WAITING = 256

_CLOSE_S = 2

#: TLS closes a connection in its own time, which nothing reports; aiohttp's manual says to wait.
_TLS_GOODBYE_S = 0.25

_LOST = (aiohttp.ClientError, OSError, ValueError, RecursionError)  # TimeoutError is an OSError


def allowed(hosts: Collection[str]) -> Callable[[str], bool]:
    """A predicate: is this a WebSocket URL on one of `hosts`?

    `server_urls` come from outside, and an app that dials whatever it is told can be sent into its
    own network.  The URL is read by the library that dials it, so that both see the same host.
    """
    known = frozenset(host.lower() for host in hosts)

    def allows(url: str) -> bool:
        try:
            parsed = URL(url)
            return parsed.scheme in ("ws", "wss") and parsed.user is None and parsed.host in known
        except ValueError:
            return False

    return allows


def open_session() -> aiohttp.ClientSession:
    """A session for any number of sockets that keeps no cookies and follows no redirect."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_refuse_redirects,),
    )


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise aiohttp.ClientError(f"{request.url} redirects, which could lead anywhere")
    return response


class RtmsClient:
    """Feeds `machine` and carries out its effects.

    `on_received` gets each message for the app, `on_found` each finding, and `on_change` is called
    after the machine's state has changed.  `now_ms` gives Unix milliseconds and never steps back.
    """

    def __init__(
        self,
        machine: ClientMachine,
        session: aiohttp.ClientSession,
        tls: ssl.SSLContext | bool,
        now_ms: Callable[[], int],
        *,
        on_received: Callable[[Message], None],
        on_found: Callable[[Finding], None],
        on_change: Callable[[], None],
    ) -> None:
        self.machine = machine
        self._session = session
        self._tls = tls
        self._now_ms = now_ms
        self._on_received = on_received
        self._on_found = on_found
        self._on_change = on_change
        self._state = machine.state
        self._sockets: dict[int, _Socket] = {}
        self._timer: asyncio.TimerHandle | None = None

    def act(self, method: Callable[..., None], *args: Any) -> None:
        """Call a method of the machine, with the time as last argument, and do what follows."""
        method(*args, self._now_ms())
        for effect in self.machine.take_effects():
            self._carry_out(effect)
        self._arm()
        if self.machine.state is not self._state:
            self._state = self.machine.state
            self._on_change()

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Dial(conn, url):
                socket = self._sockets[conn] = _Socket(self, conn, url)
                socket.task.add_done_callback(lambda _: self._sockets.pop(conn))
            case Send(conn, message):
                self._sockets[conn].send(message)
            case Close(conn, code):
                self._sockets[conn].close(code)
            case Received(_, message):
                self._on_received(message)
            case Found(finding):
                self._on_found(finding)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at_ms = self.machine.next_timer()
        if at_ms is not None:
            delay_s = max(0, at_ms - self._now_ms()) / 1000
            self._timer = asyncio.get_running_loop().call_later(
                delay_s, self.act, self.machine.handle_timer
            )

    async def dial(self, url: str) -> aiohttp.ClientWebSocketResponse:
        return await self._session.ws_connect(
            url,
            ssl=self._tls,
            compress=0,
            max_msg_size=MAX_MESSAGE_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
        )


class _Socket:
    """One WebSocket, from dialling to its last frame."""

    def __init__(self, client: RtmsClient, conn: int, url: str) -> None:
        self._client = client
        self._conn = conn
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(_MAX_WAITING)
        self._code = 1000
        self.task = asyncio.create_task(self._live(url), name=f"rtms socket {conn}")

    def send(self, message: Message) -> None:
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.task.cancel()

    def close(self, code: int) -> None:
        self._code = code
        self.task.cancel()

    async def _live(self, url: str) -> None:
        try:
            ws = await self._client.dial(url)
            try:
                await self._talk(ws)
            finally:
                await self._say_goodbye(ws)
        except _LOST:
            pass  # the machine does not ask why: it dials again, or gives up
        finally:
            self._feed(self._client.machine.lost)
            if url.startswith("wss"):
                await asyncio.sleep(_TLS_GOODBYE_S)

    async def _talk(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self._feed(self._client.machine.opened)
        writer = asyncio.create_task(self._write(ws))
        try:
            async for frame in ws:
                if frame.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    break
                self._feed(self._client.machine.receive, frame.data)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, *_LOST):
                await writer

    def _feed(self, method: Callable[..., None], *args: Any) -> None:
        self._client.act(method, self._conn, *args)

    async def _write(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                await ws.send_str(encode(await self._waiting.get()))
        except _LOST:
            # Also an echo of something that JSON can hold and UTF-8 cannot.
            self.task.cancel()

    async def _say_goodbye(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        """Send what is waiting and a close frame, to a peer that may not be listening any more."""
        try:
            with suppress(*_LOST):
                async with asyncio.timeout(_CLOSE_S):
                    while not (self._waiting.empty() or ws.closed):
                        await ws.send_str(encode(self._waiting.get_nowait()))
        finally:
            with suppress(*_LOST):
                async with asyncio.timeout(_CLOSE_S):
                    await ws.close(code=self._code)
