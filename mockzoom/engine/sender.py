"""Posts single webhooks as Zoom does: signed, with its headers, within its time-out.

Requests are stamped with the time of this machine and not with that of the mock's world, which may
run fast: a receiver compares the stamp with a clock of its own.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mockzoom.core.examples import encode
from mockzoom.core.retries import is_accepted
from mockzoom.core.signing import Credentials, encrypted_token
from mockzoom.core.timings import DeliveryTimings
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.errors import ConfigurationError

if TYPE_CHECKING:
    from mockzoom.engine.poster import Poster

__all__ = ["Attempt", "WebhookSender", "checked_url"]


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
        self._poster: Poster | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> WebhookSender:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Post nothing more."""
        async with self._opening:
            if self._poster is not None:
                await self._poster.close()

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
        poster = self._poster or await self._opened()
        began = time.monotonic()
        answer = await poster.post(url, request.body, headers)
        elapsed_ms = round((time.monotonic() - began) * 1000)
        return Attempt(url, answer.status, elapsed_ms, answer.error, answer.body, request_id)

    async def _opened(self) -> Poster:
        """Loaded for the first webhook, beside the loop: neither the start nor streams wait."""
        async with self._opening:
            if self._poster is None:
                self._poster = (await asyncio.to_thread(_poster_class))(self._timeout_s)
        return self._poster

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


def _poster_class() -> type[Poster]:
    from mockzoom.engine.poster import Poster

    return Poster
