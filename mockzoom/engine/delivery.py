"""Posts webhooks as Zoom does: signed, with its headers, within its time-out.

`WebhookSender` makes single attempts.  `Deliveries` keeps the endpoints: each is validated before
it gets its first event and has a queue of its own, so that its events stay in order and an
endpoint that hangs delays nobody else.  An event that cannot be sent because of a mistake of ours
is a failure in the journal, and the next one is sent all the same.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from mockzoom.clock import Clock
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.examples import encode
from mockzoom.core.findings import Finding
from mockzoom.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Credentials,
    encrypted_token,
    webhook_signature,
)
from mockzoom.engine.journal import Journal
from mockzoom.errors import ConfigurationError, ContractBroken, ReceiverUnreachable

__all__ = ["Attempt", "Deliveries", "WebhookSender"]

#: The vendor waits this long for an answer.
TIMEOUT_S = 3.0
#: More of an answer than this is not read: nobody needs it, and it may never end.
_MAX_ANSWER_BYTES = 64 * 1024
_ACCEPTED = (200, 204)


@dataclass(frozen=True)
class Attempt:
    """One POST: its `status`, or in `error` why there is none; `body` as far as it was read."""

    url: str
    status: int | None
    elapsed_ms: int
    error: str = ""
    body: bytes = b""
    request_id: str = ""

    @property
    def ok(self) -> bool:
        return self.status in _ACCEPTED

    @property
    def told(self) -> str:
        """What came back, in a few words."""
        return self.error or f"status {self.status}"


class WebhookSender:
    """Signs bodies and posts them; an async context manager."""

    def __init__(self, credentials: Credentials, timeout_s: float = TIMEOUT_S) -> None:
        self._credentials = credentials
        self._timeout_s = timeout_s

    async def __aenter__(self) -> WebhookSender:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes) -> Attempt:
        """Post `body` to `url` once, freshly signed; redirects are answers, not followed."""
        request_id = secrets.token_hex(16)
        headers = self._headers(body, request_id)
        began = time.monotonic()
        status, answer, error = None, b"", ""
        try:
            async with self._session.post(
                checked_url(url), data=body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
                answer = await _answer(response)
        except TimeoutError:
            status, error = None, f"no answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            status, error = None, _reason(failure)
        elapsed_ms = round((time.monotonic() - began) * 1000)
        return Attempt(url, status, elapsed_ms, error, answer, request_id)

    def _headers(self, body: bytes, request_id: str) -> dict[str, str]:
        timestamp = str(int(time.time()))
        return {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "Zoom Marketplace/1.0a",
            "accept-encoding": "gzip",
            "x-zm-request-id": request_id,
            "traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01",
            TIMESTAMP_HEADER: timestamp,
            SIGNATURE_HEADER: webhook_signature(self._credentials.secret_token, timestamp, body),
        }

    async def validate(self, url: str, now_ms: int) -> tuple[Attempt, str]:
        """Ask `url` to prove that it knows the secret token: the attempt, and what was wrong."""
        token = secrets.token_urlsafe(16)
        event = {
            "event": "endpoint.url_validation",
            "event_ts": now_ms,
            "payload": {"plainToken": token},
        }
        attempt = await self.post(url, encode(event))
        return attempt, self._validation_problem(attempt, token)

    def _validation_problem(self, attempt: Attempt, token: str) -> str:
        if attempt.status != 200:
            return attempt.told
        try:
            answer = json.loads(attempt.body)
        except ValueError:
            return "an answer that is not JSON"
        if not isinstance(answer, dict) or answer.get("plainToken") != token:
            return "an answer without the plainToken that was sent"
        given = answer.get("encryptedToken")
        expected = encrypted_token(self._credentials.secret_token, token)
        if not isinstance(given, str) or not hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), expected.encode()
        ):
            return "a wrong encryptedToken; is the receiver's secret token the mock's?"
        return ""


def checked_url(url: str) -> str:
    """`url`, if it is one that can be posted to; raises `ConfigurationError`."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigurationError(
            f"receiver {url!r}: expected an address such as http://127.0.0.1:3000/webhook"
        )
    return url


async def _answer(response: aiohttp.ClientResponse) -> bytes:
    """The body, as far as it is read; inflated, because the sender says that it takes gzip."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= _MAX_ANSWER_BYTES:
            break
    if response.headers.get("content-encoding", "").lower() != "gzip":
        return bytes(body[:_MAX_ANSWER_BYTES])
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_ANSWER_BYTES)
    except zlib.error:
        return b""


def _reason(failure: Exception) -> str:
    cause = getattr(failure, "os_error", None) or failure
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(str(text).split())[:200]


class _Endpoint:
    """A URL, whether it has validated, and its events in order: name, body, stream.

    An event stays in `queue` as unfinished until it was attempted.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.validated = False
        self.queue: asyncio.Queue[tuple[str, bytes, str]] = asyncio.Queue()
        self._busy = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return self.queue.empty() and not self._busy

    def work(self, attempt: Callable[[_Endpoint, str, bytes, str], Awaitable[None]]) -> None:
        self._worker = asyncio.get_running_loop().create_task(self._work(attempt))

    async def _work(self, attempt: Callable[[_Endpoint, str, bytes, str], Awaitable[None]]) -> None:
        while True:
            event = await self.queue.get()
            self._busy = True
            try:
                await attempt(self, *event)
            finally:
                self._busy = False
                self.queue.task_done()

    def close(self) -> None:
        """Send nothing more; who waits for the queue goes on."""
        if self._worker is not None:
            self._worker.cancel()
        while not self.queue.empty():
            self.queue.get_nowait()
            self.queue.task_done()


class Deliveries:
    """The app's endpoints and what is on its way to them; belongs to the loop's thread."""

    def __init__(self, sender: WebhookSender, clock: Clock, journal: Journal) -> None:
        self._sender = sender
        self._clock = clock
        self._journal = journal
        self._endpoints: dict[str, _Endpoint] = {}

    @property
    def urls(self) -> list[str]:
        return list(self._endpoints)

    async def subscribe(self, url: str) -> None:
        """Save `url` as an endpoint and validate it.

        Raises `ReceiverUnreachable` or `ContractBroken` when it does not validate; it stays saved
        and is validated again when the next event is due.
        """
        checked_url(url)
        endpoint = self._endpoints.get(url)
        if endpoint is None:
            endpoint = self._endpoints[url] = _Endpoint(url)
            endpoint.work(self._attempt)
        attempt, problem = await self._validate(endpoint)
        if problem and attempt.status is None:
            raise ReceiverUnreachable(
                f"receiver {url}: URL validation: {problem}; is it running and listening there?"
            )
        if problem:
            raise ContractBroken(
                f"receiver {url}: URL validation: expected 200 with plainToken and "
                f"encryptedToken, found {problem}"
            )

    def send(self, name: str, body: bytes, stream: str = "") -> None:
        """Send `body`, an event called `name`, to every endpoint."""
        for endpoint in self._endpoints.values():
            endpoint.queue.put_nowait((name, body, stream))

    async def drained(self, timeout_s: float) -> None:
        """Wait until all that was sent has been attempted; raises `TimeoutError`."""
        endpoints = list(self._endpoints.values())
        try:
            async with asyncio.timeout(timeout_s):
                for endpoint in endpoints:
                    await endpoint.queue.join()
        except TimeoutError:
            waiting = ", ".join(e.url for e in endpoints if not e.idle)
            raise TimeoutError(f"waited {timeout_s:g} s for webhooks to {waiting}") from None

    def forget(self) -> None:
        """Drop every endpoint and what was still on its way to it."""
        for endpoint in self._endpoints.values():
            endpoint.close()
        self._endpoints.clear()

    async def _attempt(self, endpoint: _Endpoint, name: str, body: bytes, stream: str) -> None:
        try:
            if not endpoint.validated and (await self._validate(endpoint))[1]:
                self._journal.add(
                    "webhook", stream, url=endpoint.url, event=name, outcome="not validated"
                )
                return
            attempt = await self._sender.post(endpoint.url, body)
            self._note("webhook", attempt, stream, event=name, body=json.loads(body))
            if not attempt.ok:
                self._found("webhook.answer", f"{name} to {endpoint.url}", attempt.told, stream)
        except Exception as error:
            self._journal.failed(f"webhook {name} to {endpoint.url}", error)

    async def _validate(self, endpoint: _Endpoint) -> tuple[Attempt, str]:
        attempt, problem = await self._sender.validate(endpoint.url, self._clock.now_ms())
        endpoint.validated = not problem
        self._note("validation", attempt, problem=problem)
        if problem:
            self._found("webhook.validation", endpoint.url, problem)
        return attempt, problem

    def _note(self, kind: str, attempt: Attempt, stream: str = "", **fields: Any) -> None:
        self._journal.counters[f"{kind}s"] += 1
        self._journal.add(
            kind,
            stream,
            url=attempt.url,
            status=attempt.status,
            outcome="accepted" if attempt.ok else attempt.told,
            elapsed_ms=attempt.elapsed_ms,
            request_id=attempt.request_id,
            **fields,
        )

    def _found(self, check: str, where: str, actual: str, stream: str = "") -> None:
        expected = "200 with both tokens" if check == "webhook.validation" else "200 or 204"
        self._journal.find(Finding(check, where, expected, actual, CLAUSES[check], stream))
