"""The sockets that a recording is played on: a WebSocket server with a URL for each in the file.

Here is only what a socket is and whether it lives; what is said on it is up to `replay_stage`.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from contextlib import suppress
from typing import Protocol

from aiohttp import WSMsgType, web

from mockzoom.core.codes import MessageType
from mockzoom.core.handshake import Identity
from mockzoom.core.limits import Limits
from mockzoom.core.messages import Message, encode, message_type
from mockzoom.core.recording import CUT
from mockzoom.engine.endings import cut, sendable
from mockzoom.threads import listen

__all__ = ["AppSocket", "Place", "ReplayServer"]

_CLOSE_S = 2.0
_PONG_S = 2.0
_MAX_CONNECTIONS = 1_000


class AppSocket:
    """One connection of the receiver.

    `heard` counts what it sent by type, `told` what it was sent, and `unanswered` holds requests,
    by the type of their answer, that wait for the recorded one.
    """

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        self.heard: Counter[int | None] = Counter()
        self.told: Counter[int | None] = Counter()
        self.unanswered: defaultdict[int, deque[Message]] = defaultdict(deque)
        self._ws = ws
        self._request = request
        self._ponged = asyncio.Event()
        self._deaf = False
        self._unread = False

    @property
    def alive(self) -> bool:
        return not self._ws.closed

    async def send(self, message: Message, *, binary: bool, timeout_s: float) -> bool:
        """Whether `message` could be sent; who takes nothing for `timeout_s` is cut."""
        text = encode(message)
        self._unread = True
        try:
            async with asyncio.timeout(timeout_s):
                await (self._ws.send_bytes(text.encode()) if binary else self._ws.send_str(text))
        except TimeoutError:
            self.cut()
            return False
        except (ConnectionError, RuntimeError):
            return False
        self.told[message_type(message)] += 1
        return True

    async def close(self, code: int) -> None:
        """A close frame with `code`, or none where that is what was recorded."""
        if code == CUT:
            await self.read()  # a reset takes away what was not
            self.cut()
            return
        with suppress(ConnectionError, RuntimeError):
            await self._ws.close(code=sendable(code))

    def cut(self) -> None:
        cut(self._request.transport)

    async def read(self) -> None:
        """Wait until the app has read what it was sent: a ping behind it comes back.

        Who does not answer pings is waited for once, and never again.
        """
        if not self._unread or not self.alive or self._deaf:
            return
        self._unread = False
        self._ponged.clear()
        try:
            async with asyncio.timeout(_PONG_S):
                await self._ws.ping()
                await self._ponged.wait()
        except TimeoutError:
            self._deaf = True
        except (ConnectionError, RuntimeError):
            pass

    def ponged(self) -> None:
        """The app has answered a ping, or never will."""
        self._ponged.set()

    @property
    def mute(self) -> bool:
        """Whether it was asked often enough to be sure that it answers no keep-alive."""
        asked, answered = MessageType.KEEP_ALIVE_REQ, MessageType.KEEP_ALIVE_RESP
        return self.told[asked] >= 3 and not self.heard[answered]


class Place:
    """One URL, which stands for the one that is `recorded`, and who is connected there.

    `waiting` are handshakes that are in order, and wait for what was recorded.  `accepted` is the
    socket whose handshake was answered with `answer`, in place of the recorded connection `conn`;
    `returned` says that the receiver came back to it without having been told to.  `awaited` counts
    the recorded handshakes that are over.  `requests` counts other requests by the type of their
    answer, and `held` has recorded answers that nobody has asked for yet.
    """

    def __init__(self, leg: str, url: str, recorded: str, identity: Identity) -> None:
        self.leg = leg
        self.url = url
        self.recorded = recorded
        self.identity = identity
        self.waiting: deque[tuple[AppSocket, Message]] = deque()
        self.accepted: AppSocket | None = None
        self.answer: Message | None = None
        self.conn = 0
        self.returned = False
        self.awaited = 0
        self.requests: Counter[int] = Counter()
        self.held: defaultdict[int, deque[Message]] = defaultdict(deque)

    def __str__(self) -> str:
        return f"{self.leg} socket"

    @property
    def came_back(self) -> bool:
        """Whether a receiver that came back by itself is still here."""
        return self.returned and self.accepted is not None and self.accepted.alive

    def next_handshake(self) -> tuple[AppSocket, Message] | None:
        """The handshake that has waited longest, of those whose sockets live."""
        while self.waiting and not self.waiting[0][0].alive:
            self.waiting.popleft()
        return self.waiting[0] if self.waiting else None


class Host(Protocol):
    """Who is told what happens on the sockets."""

    async def heard(self, place: Place, socket: AppSocket, data: str | bytes) -> None: ...

    def gone(self, place: Place, socket: AppSocket) -> None: ...

    def stranger(self, path: str) -> None:
        """A URL was dialled that was never given out."""


class ReplayServer:
    """Serves places; `sockets` are those that are open, and where."""

    def __init__(self, host: Host) -> None:
        self.sockets: dict[AppSocket, Place] = {}
        self._host = host
        self._places: dict[str, Place] = {}

    async def start(self, host: str, port: int) -> None:
        """Listen; raises what `listen` raises."""
        listening = listen(host, port, "replay", "--port")
        bracketed = f"[{host}]" if ":" in host else host
        self._base_url = f"ws://{bracketed}:{listening.getsockname()[1]}"
        app = web.Application()
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_S)
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def close(self, code: int) -> None:
        """Close the sockets that are open, and listen no more."""
        await asyncio.gather(*(socket.close(code) for socket in list(self.sockets)))
        await self._runner.cleanup()

    async def read(self) -> None:
        """Wait until everybody has read what was sent."""
        await asyncio.gather(*(socket.read() for socket in list(self.sockets)))

    def add(self, leg: str, token: str, recorded: str, identity: Identity) -> Place:
        path = f"/{leg}/{token}"
        self._places[path] = Place(leg, self._base_url + path, recorded, identity)
        return self._places[path]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        place = self._places.get(request.path)
        if place is None:
            self._host.stranger(request.path[:80])
            return web.Response(status=404)
        if len(self.sockets) >= _MAX_CONNECTIONS:
            return web.Response(status=503)
        ws = web.WebSocketResponse(
            timeout=_CLOSE_S,
            autoping=False,
            compress=False,
            max_msg_size=Limits().max_message_bytes,
        )
        await ws.prepare(request)
        socket = AppSocket(ws, request)
        self.sockets[socket] = place
        try:
            async for frame in ws:
                match frame.type:
                    case WSMsgType.TEXT | WSMsgType.BINARY:
                        await self._host.heard(place, socket, frame.data)
                    case WSMsgType.PING:
                        await ws.pong(frame.data)
                    case WSMsgType.PONG:
                        socket.ponged()
        except (ConnectionError, RuntimeError):
            pass  # it went away while it was answered
        finally:
            socket.ponged()
            del self.sockets[socket]
            self._host.gone(place, socket)
        return ws
