"""The WebSocket server behind every stream's URLs.

Each stream has paths of its own, with a random token in them: ``/signaling/TOKEN`` and
``/media/TOKEN/KEY``.  A path that was never given out, or was only made up, gets a 404.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from itertools import count

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

from mockzoom.core.clauses import CLAUSES
from mockzoom.core.findings import Finding
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamUrls
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.errors import PortInUse

__all__ = ["RtmsServer"]

#: Apps send handshakes and acknowledgements, all well under this many bytes.
_MAX_MESSAGE_BYTES = 1024 * 1024
_MAX_CONNECTIONS = 20_000
_HANDSHAKE_TIMEOUT_S = 5


class RtmsServer:
    """Belongs to the loop's thread.  `base_url` is known once it has started."""

    def __init__(self, journal: Journal) -> None:
        self.base_url = ""
        self.port = 0
        self._journal = journal
        self._paths: dict[str, tuple[LiveStream, str]] = {}
        self._numbers = count(1)
        self._open = 0

    async def start(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        """Listen; raises `PortInUse`.  With TLS the URLs name ``localhost``, as the certificate
        does: the official SDK does not accept one for an address.
        """
        try:
            self._server = await ws_create_server(
                self._accept,
                host,
                port,
                ssl=tls,
                websocket_handshake_timeout=_HANDSHAKE_TIMEOUT_S,
                max_frame_size=_MAX_MESSAGE_BYTES,
            )
        except OSError as error:
            raise PortInUse(
                f"RTMS server: cannot listen on {host}:{port}: {error.strerror}; "
                "give another --rtms-port, or 0 for any"
            ) from None
        self.port = self._server.sockets[0].getsockname()[1]
        local = host in ("127.0.0.1", "localhost")
        self.base_url = (
            f"wss://{'localhost' if local else host}:{self.port}"
            if tls
            else f"ws://{host}:{self.port}"
        )

    async def close(self) -> None:
        for stream in {stream for stream, _ in self._paths.values()}:
            stream.close()
        self._server.close()
        await self._server.wait_closed()

    def urls(self, token: str) -> StreamUrls:
        """The URLs for a stream that is given out as `token`."""
        media = {key: f"{self.base_url}/media/{token}/{key}" for key in MEDIA_KEYS.values()}
        return StreamUrls(f"{self.base_url}/signaling/{token}", media)

    def serve(self, stream: LiveStream) -> None:
        """Answer on the URLs that the stream has now, beside those that it had before."""
        urls = stream.machine.urls
        self._paths[urls.signaling.removeprefix(self.base_url)] = stream, SIGNALING
        for key, url in urls.media.items():
            self._paths[url.removeprefix(self.base_url)] = stream, key

    def forget(self, stream: LiveStream) -> None:
        self._paths = {path: at for path, at in self._paths.items() if at[0] is not stream}

    def _accept(self, request: WSUpgradeRequest) -> WSListener | None:
        path = request.path.decode("latin-1").partition("?")[0]
        known = self._paths.get(path)
        if known is None or self._open >= _MAX_CONNECTIONS:
            actual = path[:80] if known is None else f"{self._open} connections"
            self._journal.find(
                Finding(
                    "rtms.url", "upgrade request", "a URL given out", actual, CLAUSES["rtms.url"]
                )
            )
            return None
        stream, key = known
        return _Socket(stream, key, next(self._numbers), self._count)

    def _count(self, change: int) -> None:
        self._open += change


class _Socket(WSListener):
    """One connection: whole messages in, and the news that it is gone."""

    def __init__(
        self, stream: LiveStream, key: str, conn: int, count_open: Callable[[int], None]
    ) -> None:
        self._stream = stream
        self._key = key
        self._conn = conn
        self._count_open = count_open
        self._parts = bytearray()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._count_open(1)
        self._stream.opened(self._conn, self._key, transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            self._parts += frame.get_payload_as_bytes()
            if len(self._parts) > _MAX_MESSAGE_BYTES:
                transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
                transport.disconnect()
            elif frame.fin:
                data, self._parts = bytes(self._parts), bytearray()
                self._stream.received(self._conn, data)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._count_open(-1)
        self._stream.lost(self._conn)
