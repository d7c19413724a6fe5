"""Access tokens: how an app that shows who it is gets one, and what it may do with it.

A token is opaque, lives for an hour and cannot be refreshed: the app asks for another, and each
that was given out is good until its own end.  The oldest are forgotten when there are too many.

Video SDK apps get no token.  They make one themselves, a JSON Web Token signed with their secret;
of that standard only what they use is understood here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode
from binascii import Error as BadBase64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from mockzoom.core.signing import Credentials, same

__all__ = ["KEPT_TOKENS", "LIFETIME_S", "Grant", "Refusal", "Token", "Tokens", "jwt_expiry_ms"]

LIFETIME_S = 3_600
KEPT_TOKENS = 10_000


@dataclass(frozen=True)
class Token:
    value: str = field(repr=False)
    scopes: frozenset[str]
    expires_ms: int

    def expired(self, now_ms: int) -> bool:
        return now_ms >= self.expires_ms


class Tokens:
    """Those that were given out; `make` makes a value that nobody can guess."""

    def __init__(self, make: Callable[[], str], kept: int = KEPT_TOKENS) -> None:
        self._make = make
        self._kept = kept
        self._tokens: dict[str, Token] = {}

    def issue(self, scopes: Iterable[str], now_ms: int) -> Token:
        token = Token(self._make(), frozenset(scopes), now_ms + LIFETIME_S * 1_000)
        while len(self._tokens) >= self._kept:
            del self._tokens[next(iter(self._tokens))]
        self._tokens[token.value] = token
        return token

    def find(self, value: str) -> Token | None:
        """The token, also one that has expired; None for what was never one or is forgotten."""
        return self._tokens.get(value)

    def __len__(self) -> int:
        return len(self._tokens)


@dataclass(frozen=True)
class Refusal:
    """Why there is no token, in the vendor's two words for it."""

    reason: str
    error: str


@dataclass(frozen=True)
class Grant:
    """What is asked of an app before it gets a token: to be the one of these ids and secrets."""

    credentials: Credentials
    account_id: str

    def refusal(
        self, given: Mapping[str, str], client_id: str, client_secret: str
    ) -> Refusal | None:
        """Why a well-formed request with the parameters `given` gets no token; None if it does."""
        known = same(self.credentials.client_id, client_id)
        # Both are compared always, so that time does not tell which of them is wrong.
        if not known & same(self.credentials.client_secret, client_secret):
            return Refusal("Invalid client_id or client_secret", "invalid_client")
        for_account = given.get("grant_type") == "account_credentials"
        if for_account and not same(self.account_id, given.get("account_id", "")):
            return Refusal("Bad Request", "invalid_request")
        return None


def jwt_expiry_ms(token: str, credentials: Credentials) -> int | None:
    """The Unix time at which a JSON Web Token ends; None for one that these did not sign.

    Taken is HS256 by the client secret, with the client id as `iss` and an `exp` in seconds.
    """
    signed, _, signature = token.rpartition(".")
    head, _, body = signed.partition(".")
    key = credentials.client_secret.encode()
    expected = hmac.new(key, signed.encode("utf-8", "replace"), hashlib.sha256).digest()
    if not hmac.compare_digest(expected, _bytes(signature)):
        return None
    match _object(head), _object(body):
        case {"alg": "HS256"}, {"iss": issuer, "exp": int(end)} if issuer == credentials.client_id:
            return end * 1_000
    return None


def _bytes(part: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode("ascii") + b"==")
    except (BadBase64, UnicodeEncodeError):
        return b""


def _object(part: str) -> object:
    try:
        return json.loads(_bytes(part))
    except (ValueError, RecursionError):
        return None
