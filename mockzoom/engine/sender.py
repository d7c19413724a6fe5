"""Posts single webhooks as Zoom does: signed, with its headers, within its time-out.

Requests are stamped with the time of this machine and not with that of the mock's world, which may
run fast: a receiver compares the stamp with a clock of its own.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

import aiohttp

from mockzoom.core.examples import encode
from mockzoom.core.retries import is_accepted
from mockzoom.core.signing import Credentials, encrypted_token
from mockzoom.core.timings import DeliveryTimings
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.errors import ConfigurationError

__all__ = ["Attempt", "WebhookSender", "checked_url"]

#: More of an answer than this is not read: nobody needs it, and it may never end.
_MAX_ANSWER_BYTES = 64 * 1024


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
        return is_accepted(self.status)

    @property
    def refused(self) -> bool:
        """Whether the receiver would not have it, which is what a forgery deserves."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def told(self) -> str:
        """What came back, in a few words."""
        return self.error or f"status {self.status}"


class WebhookSender:
    """Signs bodies and posts them; an async context manager."""

    def __init__(
        self,
        credentials: Credentials,
        timeout_s: float = DeliveryTimings().timeout_ms / 1000,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._secret_token = credentials.secret_token
        self._timeout_s = timeout_s
        self._time = now_s

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

    def now_s(self) -> int:
        """What a genuine request is stamped with: an app compares it with its own clock."""
        return int(self._time())

    async def post(self, url: str, body: bytes) -> Attempt:
        """Post `body` to `url` once, freshly signed; redirects are answers, not followed.

        Raises `ConfigurationError` for what is no URL.
        """
        return await self.send(checked_url(url), WebhookRequest.genuine(body, self.now_s()))

    async def send(self, url: str, request: WebhookRequest) -> Attempt:
        """Post `request` to `url`, which is a good one, once and as it is."""
        ids = secrets.token_hex(40)  # drawn at once: asking the system three times takes its time
        request_id = ids[:32]
        traceparent = f"00-{ids[32:64]}-{ids[64:]}-01"
        headers = request.headers(self._secret_token, request_id, traceparent)
        began = time.monotonic()
        status, answer, error = None, b"", ""
        try:
            async with self._session.post(
                url, data=request.body, headers=headers, allow_redirects=False
            ) as response:
                status = response.status
                answer = await _answer(response)
        except TimeoutError:
            status, error = None, f"no answer within {self._timeout_s:g} s"
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            status, error = None, _reason(failure)
        elapsed_ms = round((time.monotonic() - began) * 1000)
        return Attempt(url, status, elapsed_ms, error, answer, request_id)

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
        expected = encrypted_token(self._secret_token, token)
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
        url.encode()  # half a surrogate pair can neither be posted to nor kept
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
