"""The proxy that records: to Zoom it is the app, to the app it is Zoom.

Zoom's webhooks are sent to the proxy, which checks their signature, as any app must, and passes
them on to the receiver, freshly signed with the same secret; what the receiver answers is the
answer to Zoom.  URL validations go the same way, so that it is the receiver that proves itself.

Where a webhook, or later the answer to a signaling handshake, names the URLs of sockets, the proxy
puts its own in their place: one for each stream, kind of socket and URL, so that a repeated webhook
stays a repeat and a failover a failover.  When the receiver dials one of these the proxy dials
what it stands for, and only that.  From then on everything goes through (`record_bridge`).
Handshakes need no new signatures, because no id is changed.  What is written to the file is what
the proxy has received, before it has passed it on.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from mockzoom.clock import Clock
from mockzoom.core.examples import encode
from mockzoom.core.messages import Message, decode
from mockzoom.core.recording import APP, WEBHOOK, ZOOM
from mockzoom.core.redaction import Redactor
from mockzoom.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Credentials,
    same,
    webhook_signature,
)
from mockzoom.core.webhook_request import WINDOW_S
from mockzoom.core.zoom_ids import ZoomIds
from mockzoom.engine.record_bridge import LOST, Bridge, Dialled
from mockzoom.engine.record_routes import Route, Routes
from mockzoom.engine.sender import WebhookSender, checked_url
from mockzoom.engine.tape import Tape
from mockzoom.errors import ConfigurationError
from mockzoom.threads import LoopThread, listen

__all__ = ["RecordProxy"]

#: An event is less than a kilobyte.
_MAX_BODY_BYTES = 1024 * 1024

#: A picture of the largest size is about a megabyte as base64.
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024

_MAX_CONNECTIONS = 1_000
_DIAL_S = 5.0
_CLOSE_S = 2.0

#: The answer has to be back at the source within its three seconds.
_ANSWER_S = 2.8

_URL_VALIDATION = "endpoint.url_validation"

Listener = Callable[[str, Mapping[str, Any]], None]


class RecordProxy:
    """Records into `out` while it runs, between `with` and its end.

    Zoom's webhooks are to be sent to `url`; they are passed on to `receiver`.  `secret_token` is
    the key that they are signed with, on both sides.  `ca` is a PEM file to trust for the sockets
    of the source instead of the system's.  `tape` counts the lines that were written, and tells
    what kept it from writing more.  `on_event(kind, fields)` is called on the proxy's thread for
    "webhook", "opened", "closed", and "error" when nothing can be written any more.

    Raises `PortInUse`, and `ConfigurationError` for settings that cannot be.
    """

    def __init__(
        self,
        receiver: str,
        out: Path,
        secret_token: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        ca: Path | None = None,
        keep_text: bool = False,
        keep_media: bool = True,
        on_event: Listener | None = None,
    ) -> None:
        self._receiver = checked_url(receiver)
        self._out = out
        self._credentials = Credentials("", "", secret_token)
        self._host, self._port = host, port
        self._tls: ssl.SSLContext | bool = True
        if ca is not None:
            self._tls = _trusting(ca)
        ids = ZoomIds(secrets.randbits(128))
        self._redactor = Redactor(ids, keep_text=keep_text, keep_media=keep_media)
        self._on_event = on_event or (lambda kind, fields: None)
        self._complained = False
        self._conns = count(1)
        self._open: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> RecordProxy:
        self._listening = listen(self._host, self._port, "recorder", "--port")
        self.port: int = self._listening.getsockname()[1]
        self._routes = Routes(f"ws://{self._address}")
        try:
            self.tape = Tape(self._out, self._redactor, Clock())
        except BaseException:
            self._listening.close()
            raise
        self._loop = LoopThread("recorder")
        self._loop.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._close())
        self._loop.close()
        self.tape.close()

    @property
    def url(self) -> str:
        """Where the source is to send its webhooks."""
        return f"http://{self._address}/webhook"

    @property
    def _address(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self.port}"

    async def _start(self) -> None:
        self._sender = WebhookSender(self._credentials, _ANSWER_S)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            ws_response_class=Dialled,
            middlewares=(_refuse_redirects,),
        )
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/webhook", self._webhook)
        app.router.add_get("/{leg}/{token}", self._socket)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_S)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()

    async def _close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()
        await self._sender.close()

    # --- webhooks -----------------------------------------------------------------------------

    async def _webhook(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_genuine(request.headers, body):
            return web.json_response({"error": f"{SIGNATURE_HEADER} is wrong"}, status=401)
        event = decode(body)
        recorded = event is not None and event.get("event") != _URL_VALIDATION
        if event is not None and recorded:
            body = self._recorded(event, body)
        attempt = await self._sender.post(self._receiver, body)
        if event is not None and recorded:
            self.tape.add(WEBHOOK, APP, status=attempt.status or 0)
            self._tell("webhook", event=str(event.get("event")), answer=attempt.told)
        status = attempt.status or 502  # tried again by the source, as what it could not reach
        return web.Response(status=status, body=attempt.body, content_type="application/json")

    def _tell(self, kind: str, **fields: Any) -> None:
        self._on_event(kind, fields)
        if self.tape.error and not self._complained:
            self._complained = True
            self._on_event("error", {"error": self.tape.error})

    def _recorded(self, event: Message, body: bytes) -> bytes:
        """Record a webhook; returns the body that is passed on in place of `body`."""
        payload = event.get("payload")
        stream = str(payload.get("rtms_stream_id", "")) if isinstance(payload, dict) else ""
        self.tape.add(WEBHOOK, ZOOM, message=self._routes.aliased(stream, event))
        ours = self._routes.ours(stream, event)
        return body if ours == event else encode(ours)

    def _is_genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        stamp, given = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
            return False
        fresh = abs(time.time() - int(stamp)) <= WINDOW_S
        expected = webhook_signature(self._credentials.secret_token, stamp, body)
        return same(expected, given) and fresh

    # --- sockets ------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        route = self._routes.find(request.path)
        if route is None:
            return web.Response(status=404)
        if len(self._open) >= _MAX_CONNECTIONS:
            return web.Response(status=503)
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            return await self._carry(route, request)
        except LOST:
            return web.Response(status=502)  # the source is not there
        finally:
            self._open.discard(task)

    async def _carry(self, route: Route, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("sec-websocket-protocol", "").split(",")
        zoom = await self._dial(route.url, [name.strip() for name in asked if name.strip()])
        app = web.WebSocketResponse(
            timeout=_CLOSE_S,
            autoping=False,
            compress=False,
            max_msg_size=_MAX_MESSAGE_BYTES,
            protocols=[zoom.protocol] if zoom.protocol else (),
        )
        conn = next(self._conns)
        try:
            await app.prepare(request)
            self._tell("opened", leg=route.leg, conn=conn)
            bridge = Bridge(self._routes, self.tape, conn, route, request, app, zoom)
            by, code = await bridge.carry()
            self._tell("closed", leg=route.leg, conn=conn, by=by, code=code)
        finally:
            zoom.cut()
        return app

    async def _dial(self, url: str, protocols: list[str]) -> Dialled:
        async with asyncio.timeout(_DIAL_S):
            ws = await self._session.ws_connect(
                url,
                ssl=self._tls,
                protocols=protocols,
                autoping=False,
                compress=0,
                max_msg_size=_MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),
            )
        assert isinstance(ws, Dialled)
        return ws


async def _refuse_redirects(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    response = await handler(request)
    if 300 <= response.status < 400:
        response.close()
        raise aiohttp.ClientError("redirects, to where nobody has named")
    return response


def _trusting(ca: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise ConfigurationError(f"CA file {ca}: {error.strerror or error}") from None
