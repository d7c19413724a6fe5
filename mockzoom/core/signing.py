"""The three signatures of RTMS, each a lower-case hex HMAC-SHA256.

- A webhook is signed with the app's secret token over ``v0:<unix seconds>:<raw body>``.
- A URL validation is answered with the plain token signed by the same secret token.
- Both RTMS handshakes are signed with the client secret over
  ``<client id>,<meeting or other id>,<stream id>``.

Checks compare in constant time and over bytes, so that a signature with letters outside ASCII
is wrong instead of an error.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field

__all__ = [
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "Credentials",
    "encrypted_token",
    "handshake_signature",
    "same",
    "shortened",
    "webhook_signature",
    "without_signatures",
]

TIMESTAMP_HEADER = "x-zm-request-timestamp"
SIGNATURE_HEADER = "x-zm-signature"

#: In JSON, which may break off: the member `signature`, and its value with what is escaped in it.
_SIGNATURE = re.compile(r'("signature"\s*:\s*")((?:[^"\\]|\\.)*+)', re.DOTALL)


@dataclass(frozen=True)
class Credentials:
    """What an app is configured with: the client id is public, the other two are secrets."""

    client_id: str
    client_secret: str = field(repr=False)
    secret_token: str = field(repr=False)


def webhook_signature(secret_token: str, timestamp: str, body: bytes) -> str:
    """The value of `x-zm-signature` for `body`; `timestamp` is Unix seconds in decimal."""
    return "v0=" + _hex(secret_token, b"v0:" + timestamp.encode() + b":" + body)


def encrypted_token(secret_token: str, plain_token: str) -> str:
    """The `encryptedToken` that answers an `endpoint.url_validation` with `plain_token`."""
    return _hex(secret_token, plain_token.encode())


def handshake_signature(client_id: str, client_secret: str, id_: str, rtms_stream_id: str) -> str:
    """The `signature` of messages 1 and 3; `id_` is the product's own id of what is streamed."""
    return _hex(client_secret, f"{client_id},{id_},{rtms_stream_id}".encode())


def same(expected: str, given: str) -> bool:
    """Whether two signatures are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(expected.encode(), given.encode("utf-8", "surrogatepass"))


def shortened(signature: str) -> str:
    """A signature for people to recognise, and no more: somebody may have put a secret there."""
    return f"{signature[:4].partition(chr(92))[0]}… ({len(signature)} characters)"


def without_signatures(text: str) -> str:
    """`text`, which is JSON or a part of it, with each `signature` in it `shortened`."""
    return _SIGNATURE.sub(lambda found: found[1] + shortened(found[2]), text)


def _hex(key: str, message: bytes) -> str:
    return hmac.digest(key.encode(), message, "sha256").hex()
