"""One socket of the receiver and the one of the source behind it, and what goes between them.

Frames go through as they came, text or binary, pings too, and so do close codes; a connection that
breaks is broken on the other side as well.  The one message that is changed is the answer to the
signaling handshake, which names the media URLs.  A side that does not read is not read for: the
bridge waits with it, and holds no more than a frame and the buffers of its sockets.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TypeVar

import aiohttp
from aiohttp import WSMsgType, web

from mockzoom.core.codes import MessageType
from mockzoom.core.messages import Message, decode, encode, message_type
from mockzoom.core.recording import APP, CUT, ZOOM
from mockzoom.core.sockets import SIGNALING
from mockzoom.engine.endings import cut, sendable
from mockzoom.engine.record_routes import Route, Routes
from mockzoom.engine.tape import Tape

__all__ = ["LOST", "Bridge", "Dialled"]

Frame = TypeVar("Frame", str, bytes)

#: Who takes no frame for so long is not slow but gone.
_STUCK_S = 60.0

#: What it looks like when a peer is gone.
LOST = (aiohttp.ClientError, OSError, ValueError, RuntimeError)  # TimeoutError is an OSError


class Dialled(aiohttp.ClientWebSocketResponse):
    """A socket to the source, which can also be cut."""

    def cut(self) -> None:
        connection = self._response.connection
        cut(connection.transport if connection else None)
        self._response.close()


class Bridge:
    """Writes what goes over it on `tape`, as connection `conn`."""

    def __init__(
        self,
        routes: Routes,
        tape: Tape,
        conn: int,
        route: Route,
        request: web.Request,
        app: web.WebSocketResponse,
        zoom: Dialled,
    ) -> None:
        self._routes = routes
        self._tape = tape
        self._conn = conn
        self._route = route
        self._request = request
        self._app = app
        self._zoom = zoom

    async def carry(self) -> tuple[str, int]:
        """Carry frames until either side ends, and end the other side in the same way.

        Returns which side it was, and its close code.
        """
        self._tape.add(self._route.leg, APP, self._conn, opened=self._route.alias)
        pumps = [
            asyncio.create_task(self._pump(APP, self._app, self._zoom)),
            asyncio.create_task(self._pump(ZOOM, self._zoom, self._app)),
        ]
        by, code = ZOOM, CUT  # as it is when the proxy ends, and takes both sides with it
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            by, code = done.pop().result()
        finally:
            for pump in pumps:
                pump.cancel()
            # Before anything is waited for: this may be cancelled as well.
            self._tape.add(self._route.leg, by, self._conn, closed=code)
            if code == CUT:
                self._zoom.cut()
                cut(self._request.transport)
            await asyncio.gather(*pumps, return_exceptions=True)
        with suppress(*LOST):
            await (self._zoom if by == APP else self._app).close(code=sendable(code))
        return by, code

    async def _pump(
        self,
        by: str,
        source: web.WebSocketResponse | Dialled,
        target: web.WebSocketResponse | Dialled,
    ) -> tuple[str, int]:
        """Carry what comes from `source`: by whom the connection was ended, and with which code."""
        while True:
            frame = await source.receive()
            try:
                async with asyncio.timeout(_STUCK_S):
                    match frame.type:
                        case WSMsgType.TEXT:
                            await target.send_str(self._noted(by, frame.data))
                        case WSMsgType.BINARY:
                            await target.send_bytes(self._noted(by, frame.data))
                        case WSMsgType.PING:
                            await target.ping(frame.data)
                        case WSMsgType.PONG:
                            await target.pong(frame.data)
                        case WSMsgType.CLOSE:
                            return by, frame.data
                        case _:
                            return by, CUT
            except LOST:
                return (APP if by == ZOOM else ZOOM), CUT

    def _noted(self, by: str, data: Frame) -> Frame:
        """What goes on in the place of `data`, which is on the tape by then."""
        message, binary = decode(data), isinstance(data, bytes)
        note = partial(self._tape.add, self._route.leg, by, self._conn, binary=binary)
        if message is None:
            note(unreadable=len(data))
        elif not self._names_urls(by, message):
            note(message=message)
        else:
            note(message=self._routes.aliased(self._route.stream, message))
            text = encode(self._routes.ours(self._route.stream, message))
            return text.encode() if isinstance(data, bytes) else text
        return data

    def _names_urls(self, by: str, message: Message) -> bool:
        answer = message_type(message) == MessageType.SIGNALING_HAND_SHAKE_RESP
        return answer and by == ZOOM and self._route.leg == SIGNALING
