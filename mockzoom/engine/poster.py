"""Where webhooks leave the process: a POST over HTTP, and what is read of the answer.

Apart from the sender because of aiohttp, which takes longer to import than the rest of the mock.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp

__all__ = ["Answer", "Poster"]

#: More of an answer than this is not read: nobody needs it, and it may never end.
_MAX_BODY_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """Its `status`, or in `error` why there is none; `body` as far as it was read."""

    status: int | None
    error: str = ""
    body: bytes = b""


class Poster:
    """Posts, each within `timeout_s`, over connections that it keeps; made on a running loop."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            connector=aiohttp.TCPConnector(limit=0),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """What came back, once; redirects are answers, not followed."""
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                return Answer(response.status, body=await _body(response))
        except TimeoutError:
            return Answer(None, f"no answer within {self._timeout_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            return Answer(None, _reason(failure))

    async def close(self) -> None:
        await self._session.close()


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """As far as it is read; inflated, because the sender says that it takes gzip."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) >= _MAX_BODY_BYTES:
            break
    if response.headers.get("content-encoding", "").lower() != "gzip":
        return bytes(body[:_MAX_BODY_BYTES])
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_BODY_BYTES)
    except zlib.error:
        return b""


def _reason(failure: Exception) -> str:
    cause = getattr(failure, "os_error", None) or failure
    text = getattr(cause, "strerror", None) or str(cause) or type(cause).__name__
    return " ".join(str(text).split())[:200]
