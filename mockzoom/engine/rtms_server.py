"""The WebSocket server behind every stream's URLs.

Each stream has paths of its own, with a random token in them: ``/signaling/TOKEN`` and
``/media/TOKEN/KEY``.  A path that was never given out gets a 404 and is a finding, one of a stream
that was forgotten just the 404; a mock that has all the connections it takes answers 503.

Apps that take their webhooks over a socket come in here too, at ``/ws``
(`mockzoom.engine.event_socket`).

What a connection may cost is in `Limits`, and all of it is watched here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from itertools import count
from typing import Protocol

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from mockzoom.core.clauses import CLAUSES
from mockzoom.core.event_socket import EVENTS_PATH
from mockzoom.core.findings import Finding
from mockzoom.core.limits import Limits
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamUrls
from mockzoom.engine import frames
from mockzoom.engine.event_socket import EVENTS, EventDoor
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.threads import listen

__all__ = ["RtmsServer"]

#: Tokens of so many forgotten streams are told from made-up ones.
_MAX_RETIRED = 10_000
_CLOSE_S = 0.5

#: What the official SDK asks for.
_SUBPROTOCOL = "websocket"

#: What a peer does is not ours to log, and it may do it without end; picows calls a broken frame an
#: error.
_quiet = logging.getLogger("mockzoom.picows")
_quiet.setLevel(logging.CRITICAL)


class Peer(Protocol):
    """Whoever is fed with what happens on a connection; `id` is the stream's, or ""."""

    @property
    def id(self) -> str: ...

    @property
    def journal(self) -> Journal: ...

    def opened(self, conn: int, key: str, transport: WSTransport) -> None: ...

    def received(self, conn: int, data: bytes) -> None: ...

    def lost(self, conn: int) -> None: ...


class RtmsServer:
    """Belongs to the loop's thread.  `base_url` is known once it has started.

    Worlds share it; `journal` is told of what belongs to none of them, as a URL that was never
    given out.
    """

    def __init__(self, journal: Journal, limits: Limits | None = None) -> None:
        self.base_url = ""
        self.port = 0
        self._journal = journal
        self._limits = limits or Limits()
        self.events = EventDoor(journal, self._limits.heartbeat_timeout_ms)
        self._streams: dict[str, LiveStream] = {}
        self._retired: deque[str] = deque(maxlen=_MAX_RETIRED)
        self._numbers = count(1)
        self._open = 0

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen; raises what `listen` raises.

        With TLS the URLs name ``localhost``, as the certificate does: the official SDK does not
        accept one for an address.
        """
        listening = listen(host, port, "RTMS server", "--rtms-port")
        self._server = await ws_create_server(
            self._accept,
            sock=listening,
            ssl=tls,
            websocket_handshake_timeout=self._limits.upgrade_timeout_ms / 1000,
            max_frame_size=self._limits.max_message_bytes,
            logger_name=_quiet,
            # The loop's own transports: those of aiofastnet turn round and round, and log it, when
            # the system has no more files for those who connect.
            use_aiofastnet=False,
        )
        self.port = listening.getsockname()[1]
        named = "localhost" if tls and host == "127.0.0.1" else host
        bracketed = f"[{named}]" if listening.family == socket.AF_INET6 and ":" in named else named
        self.base_url = f"{'wss' if tls else 'ws'}://{bracketed}:{self.port}"
        self.events.base_url = self.base_url

    async def close(self) -> None:
        for stream in set(self._streams.values()):
            stream.close()
        self._server.close()
        # Who never finished the upgrade cannot be cut, and is not waited for: the loop's end does.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._server.wait_closed()

    def urls(self, token: str) -> StreamUrls:
        """The URLs for a stream that is given out as `token`."""
        media = {key: f"{self.base_url}/media/{token}/{key}" for key in MEDIA_KEYS.values()}
        return StreamUrls(f"{self.base_url}/signaling/{token}", media)

    def serve(self, token: str, stream: LiveStream) -> None:
        """Answer on the URLs of `token`, beside those that the stream had before."""
        self._streams[token] = stream

    def serves(self, token: str) -> bool:
        return token in self._streams

    def forget(self, stream: LiveStream) -> None:
        for token in [token for token, known in self._streams.items() if known is stream]:
            del self._streams[token]
            self._retired.append(token)

    def _accept(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener | None:
        peer, key = self._addressed(request.path.decode("latin-1"))
        if peer is None:
            return None
        if self._open >= self._limits.max_connections:
            peer.journal.add("socket", peer.id, socket=key, happened="refused: too many")
            full = WSUpgradeResponse.create_error_response(HTTPStatus.SERVICE_UNAVAILABLE)
            return WSUpgradeResponseWithListener(full, None)
        connection = _Socket(peer, key, next(self._numbers), self._limits, self._count)
        return WSUpgradeResponseWithListener(_granted(request), connection)

    def _addressed(self, target: str) -> tuple[Peer | None, str]:
        """Who is behind the path and query of an upgrade, and the key of the socket."""
        path, _, query = target.partition("?")
        if path == EVENTS_PATH:
            return self.events.visitor(query), EVENTS
        token, key = _told_by(path)
        stream = self._streams.get(token)
        if stream is None and token not in self._retired:
            clause = CLAUSES["rtms.url"]
            self._journal.find(
                Finding("rtms.url", "upgrade request", "a URL given out", path[:80], clause)
            )
        return stream, key

    def _count(self, change: int) -> None:
        self._open += change


def _granted(request: WSUpgradeRequest) -> WSUpgradeResponse:
    """The answer to an upgrade; some clients hang up unless a subprotocol of theirs is taken."""
    offered = request.headers.get("Sec-WebSocket-Protocol", "").split(",")
    taken = _SUBPROTOCOL in map(str.strip, offered)
    headers = {"Sec-WebSocket-Protocol": _SUBPROTOCOL} if taken else None
    response: WSUpgradeResponse = WSUpgradeResponse.create_101_response(headers)
    return response


class _Socket(WSListener):
    """One connection: whole messages in, and the news that it is gone.

    What goes wrong with a message closes its connection and no other, and an app that does not
    read what it is sent is cut before that eats the memory of the others.
    """

    def __init__(
        self,
        peer: Peer,
        key: str,
        conn: int,
        limits: Limits,
        count_open: Callable[[int], None],
    ) -> None:
        self._peer = peer
        self._key = key
        self._conn = conn
        self._limits = limits
        self._count_open = count_open
        self._parts = bytearray()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._count_open(1)
        self._transport = transport
        transport.underlying_transport.set_write_buffer_limits(self._limits.max_unread_bytes)
        self._guarded(transport, lambda: self._peer.opened(self._conn, self._key, transport))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            code = frame.get_close_code()
            # 1005 says that there was no code, and must not be sent itself.
            frames.end(transport, WSCloseCode.OK if code == WSCloseCode.NO_INFO else code)
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > self._limits.max_message_bytes:
                self._parts.clear()
                frames.end(transport, WSCloseCode.MESSAGE_TOO_BIG)
            elif frame.fin:
                data, self._parts = bytes(self._parts), bytearray()
                self._guarded(transport, lambda: self._peer.received(self._conn, data))

    def pause_writing(self) -> None:
        # Called by whatever wrote too much, which is left to finish first.
        self._peer.journal.add(
            "socket", self._peer.id, conn=self._conn, happened="cut: it does not read"
        )
        cut = self._transport.underlying_transport.abort
        asyncio.get_running_loop().call_soon(cut)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._count_open(-1)
        self._guarded(transport, lambda: self._peer.lost(self._conn))

    def _guarded(self, transport: WSTransport, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self._peer.journal.failed(f"{self._key} socket #{self._conn}", error)
            frames.end(transport, WSCloseCode.INTERNAL_ERROR)


def _told_by(path: str) -> tuple[str, str]:
    """The token and the key of a socket that `path` tells of; empty when it tells of none."""
    match path.split("/")[1:]:
        case ["signaling", token]:
            return token, SIGNALING
        case ["media", token, key] if key in MEDIA_KEYS.values():
            return token, key
    return "", ""
