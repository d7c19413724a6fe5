"""The receiver that is judged, somewhere on the network, and all that was exchanged with it.

It is not trusted: every request has a connection of its own and ends after `PATIENCE_S` seconds at
the latest, whatever the other side does, and no more of an answer is read than anybody needs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from mockzoom.core.products import PRODUCTS
from mockzoom.core.signing import Credentials
from mockzoom.judge.answer import PATIENCE_S, Answer, Trouble, excerpt
from mockzoom.judge.events import example_of
from mockzoom.judge.request import GENUINE, Request, Signing
from mockzoom.threads import LoopThread

__all__ = ["ReceiverUnderTest"]

#: More of an answer than this is not read: nobody needs it, and it may never end.
_MAX_ANSWER_BYTES = 256 * 1024

#: After so many tests in a row without a single answer, the rest is not tried.
_MAX_SILENT_TESTS = 3

#: What is kept of the exchanges of one test.
_MAX_WIRE_LINES = 200

#: Shorter secrets are words that also stand elsewhere; only tests have such.
_MIN_REDACTED = 8


class ReceiverUnderTest:
    """Where events are posted: `deliver` sends a genuine one, `post` whatever is wanted.

    A context manager.  `wire` is what was exchanged in the current test, a line each way.
    """

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url = url
        self.credentials = credentials
        self.wire: list[str] = []
        self._started: dict[str, dict[str, Any]] = {}
        self._answered = True
        self._silent_tests = 0

    def __enter__(self) -> ReceiverUnderTest:
        self._loop = LoopThread("receiver under test")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    # --- what contracts do --------------------------------------------------------------------

    def deliver(self, event: object, *, offset_s: int = 0) -> Answer:
        """`event` as Zoom delivers it: signed, as JSON or, when it is bytes, as it is."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(body, GENUINE if not offset_s else Signing(offset_s=offset_s))

    def post(
        self,
        body: bytes,
        signing: Signing = GENUINE,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Exactly these bytes, signed as `signing` says; never raises for what comes back."""
        request = Request(body, signing, method, headers or {})
        self._note_start(body)
        answer = self._loop.run(self._exchange(request))
        self._answered = self._answered or answer.status is not None
        if answer.trouble in (Trouble.CRASHED, Trouble.CUT, Trouble.UNREACHABLE):
            answer = dataclasses.replace(answer, died=not self.listens())
        self._record(request, answer)
        return dataclasses.replace(answer, sent=request.curl(self.url), wire=tuple(self.wire))

    def listens(self) -> bool:
        """Whether anybody takes connections there."""
        parts = urlsplit(self.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), timeout=PATIENCE_S).close()
        except OSError:
            return False
        return True

    # --- what the plugin does -----------------------------------------------------------------

    @property
    def gave_up(self) -> bool:
        """Whether it has been silent for so long that nobody should wait for it again."""
        return self._silent_tests >= _MAX_SILENT_TESTS

    @contextmanager
    def one_test(self) -> Iterator[None]:
        """From here on to the end is one test: its own wire, and its streams stopped after it."""
        self.wire.clear()
        self._answered = False
        try:
            yield
        finally:
            posted = bool(self.wire)
            self._silent_tests = 0 if self._answered or not posted else self._silent_tests + 1
            if self._silent_tests == _MAX_SILENT_TESTS and self._takes_what_is_usual():
                self._silent_tests = 0
            if self._answered:
                self._stop_streams()
            self._started.clear()

    def _takes_what_is_usual(self) -> bool:
        """Whether it answers an ordinary event: one that hangs on odd ones only is not silent."""
        event = example_of("rtms.concurrency_near_limit")
        request = Request(json.dumps(event).encode())
        return self._loop.run(self._exchange(request)).status is not None

    # --- the wire -----------------------------------------------------------------------------

    async def _exchange(self, request: Request) -> Answer:
        credentials = self.credentials
        headers = request.all_headers(credentials.secret_token, int(time.time()))
        reading = _Reading((credentials.client_secret, credentials.secret_token))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._send(request, headers, reading)
        except TimeoutError:
            reading.trouble = Trouble.HUNG if reading.status is None else Trouble.ENDLESS
            reading.detail = f"within {PATIENCE_S:g} s"
        except Exception as error:  # whatever a hostile answer makes of the client
            reading.trouble = _trouble(error, reading.status)
        return reading.done()

    async def _send(self, request: Request, headers: Mapping[str, str], reading: _Reading) -> None:
        async with (
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            session.request(
                request.method,
                self.url,
                data=io.BytesIO(request.body),  # aiohttp warns of big ones in bytes
                headers=headers,
                allow_redirects=False,
            ) as response,
        ):
            await reading.read(response)

    def _record(self, request: Request, answer: Answer) -> None:
        if len(self.wire) >= _MAX_WIRE_LINES:
            del self.wire[:2]
        signing = "" if request.signing == GENUINE else f" ({request.signing})"
        self.wire.append(f"> {request.method} {excerpt(request.body)}{signing}")
        self.wire.append(f"< {answer}")

    # --- streams that a test has started ------------------------------------------------------

    def _note_start(self, body: bytes) -> None:
        stop = _stop_of(body)
        if stop is not None:
            self._started[stop["payload"]["rtms_stream_id"]] = stop

    def _stop_streams(self) -> None:
        """Nobody should go on dialling for a stream that was only told of to see the answer."""
        for stop in self._started.values():
            request = Request(json.dumps(stop).encode())
            if self._loop.run(self._exchange(request)).trouble is not None:
                return


@dataclass
class _Reading:
    """An answer while it comes in."""

    secrets: tuple[str, ...]
    status: int | None = None
    body: bytes = b""
    content_type: str = ""
    location: str = ""
    trouble: Trouble | None = None
    detail: str = ""
    began_s: float = field(default_factory=time.monotonic)

    async def read(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.content_type = response.headers.get("content-type", "")
        self.location = response.headers.get("location", "")
        async for chunk in response.content.iter_any():
            self.body += chunk
            if len(self.body) > _MAX_ANSWER_BYTES:
                self.trouble = Trouble.ENDLESS
                self.detail = f"more than {_MAX_ANSWER_BYTES:,} bytes"
                break

    def done(self) -> Answer:
        """What has come in, without the secrets that a careless receiver may have sent back."""
        for secret in self.secrets:
            if len(secret) >= _MIN_REDACTED:
                self.body = self.body.replace(secret.encode(), b"(secret)")
                self.location = self.location.replace(secret, "(secret)")
        return Answer(
            self.status,
            self.body,
            time.monotonic() - self.began_s,
            self.trouble,
            self.detail,
            self.content_type,
            self.location,
        )


def _trouble(error: Exception, status: int | None) -> Trouble:
    """Which trouble an exception of the HTTP client tells of."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return Trouble.UNREACHABLE
    if status is not None:
        return Trouble.CUT
    if isinstance(error, (aiohttp.ClientResponseError, ValueError)):
        return Trouble.GARBAGE
    return Trouble.CRASHED


def _stop_of(body: bytes) -> dict[str, Any] | None:
    """The event that ends the stream that `body` starts; None if it starts none."""
    try:
        started = json.loads(body)
        product = next(p for p in PRODUCTS.values() if p.event("started") == started["event"])
        given = dict(started["payload"])
        hash(given["rtms_stream_id"])
    except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
        return None
    stop = example_of(product.event("stopped"))
    stop["payload"] = {name: given.get(name, value) for name, value in stop["payload"].items()}
    return stop
