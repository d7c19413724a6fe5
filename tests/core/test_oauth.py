"""Access tokens: who gets one, how long it is good, and tokens that apps make themselves."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.oauth import LIFETIME_S, Grant, Refusal, Tokens, jwt_expiry_ms
from mockzoom.core.signing import Credentials

CREDENTIALS = Credentials("the-client-id", "the-client-secret", "the-secret-token")
GRANT = Grant(CREDENTIALS, "the-account")
NOW_MS = 1_764_000_000_000


def tokens(kept: int = 3) -> Tokens:
    numbers = count(1)
    return Tokens(lambda: f"token-{next(numbers)}", kept)


# --- tokens ---


def test_a_token_is_good_for_an_hour():
    """It is good to the last millisecond of the hour, and known as expired afterwards."""
    issued = tokens()
    token = issued.issue(["a:scope"], NOW_MS)
    end_ms = NOW_MS + LIFETIME_S * 1_000
    assert LIFETIME_S == 3_600
    assert issued.find(token.value) is token
    assert not token.expired(end_ms - 1)
    assert token.expired(end_ms)


def test_several_are_good_at_once():
    """Another token leaves those that were given out before as they are, with their scopes."""
    issued = tokens()
    first, second = issued.issue(["a"], NOW_MS), issued.issue(["b"], NOW_MS + 1)
    assert issued.find(first.value) == first
    assert issued.find(second.value) == second
    assert (first.scopes, second.scopes) == ({"a"}, {"b"})


def test_the_oldest_is_forgotten():
    """So many are kept and no more."""
    issued = tokens(kept=3)
    given_out = [issued.issue([], NOW_MS) for _ in range(5)]
    assert len(issued) == 3
    known = [issued.find(token.value) is not None for token in given_out]
    assert known == [False, False, True, True, True]


def test_nobody_else_is_known():
    """What was never given out is nothing."""
    assert tokens().find("token-1") is None


def test_a_token_is_not_printed():
    """The value is in no repr, and so in no log or traceback."""
    assert "token-1" not in repr(tokens().issue([], NOW_MS))


# --- the grant ---

INVALID_CLIENT = Refusal("Invalid client_id or client_secret", "invalid_client")


@pytest.mark.parametrize(
    ("asked", "client", "refusal"),
    [
        ({"grant_type": "account_credentials", "account_id": "the-account"}, (), None),
        ({"grant_type": "client_credentials"}, (), None),
        ({"grant_type": "client_credentials", "account_id": "another"}, (), None),
        (
            {"grant_type": "account_credentials", "account_id": "another"},
            (),
            Refusal("Bad Request", "invalid_request"),
        ),
        ({"grant_type": "account_credentials"}, (), Refusal("Bad Request", "invalid_request")),
        ({"grant_type": "client_credentials"}, ("x", "the-client-secret"), INVALID_CLIENT),
        ({"grant_type": "client_credentials"}, ("the-client-id", "x"), INVALID_CLIENT),
        ({"grant_type": "client_credentials"}, ("", ""), INVALID_CLIENT),
        ({"grant_type": "client_credentials"}, ("ä\udc80", "\N{PILE OF POO}"), INVALID_CLIENT),
    ],
)
def test_who_gets_a_token(asked, client, refusal):
    """The app itself gets one, for its own account where it names one."""
    client_id, client_secret = client or ("the-client-id", "the-client-secret")
    assert GRANT.refusal(asked, client_id, client_secret) == refusal


# --- tokens that apps make ---


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def jwt(
    payload: Any, head: Any = None, key: str = CREDENTIALS.client_secret, digest: str = "sha256"
) -> str:
    signed = f"{part(head or {'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}"
    signature = hmac.new(key.encode(), signed.encode(), digest).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


PAYLOAD = {"iss": "the-client-id", "iat": NOW_MS // 1_000, "exp": NOW_MS // 1_000 + 60}


def test_a_signed_token_ends_when_it_says():
    """The app's own signature over its own id is taken, with the end in milliseconds."""
    assert jwt_expiry_ms(jwt(PAYLOAD), CREDENTIALS) == NOW_MS + 60_000


def test_one_signed_by_a_common_library_is_taken():
    """A token as the libraries make them, keys in another order, is understood."""
    head, payload = {"typ": "JWT", "alg": "HS256"}, dict(reversed(PAYLOAD.items()))
    assert jwt_expiry_ms(jwt(payload, head), CREDENTIALS) == NOW_MS + 60_000


@pytest.mark.parametrize(
    "token",
    [
        jwt(PAYLOAD, key="another secret"),
        jwt(PAYLOAD, head={"alg": "none"}),
        jwt(PAYLOAD, head={"alg": "HS512"}, digest="sha512"),
        jwt(PAYLOAD)[:-3] + "AAA",
        jwt(PAYLOAD).rpartition(".")[0] + ".",
        jwt(PAYLOAD | {"iss": "another-client"}),
        jwt({"iss": "the-client-id"}),
        jwt(PAYLOAD | {"exp": "soon"}),
        jwt([PAYLOAD]),
        jwt(PAYLOAD, head=["HS256"]),
        "",
        "...",
        "a.b.c",
        "opaque",
    ],
)
def test_other_tokens_are_nobodys(token):
    """Another signature, algorithm, issuer or shape is no proof of anything."""
    assert jwt_expiry_ms(token, CREDENTIALS) is None


@given(st.text() | st.lists(st.text(), min_size=3, max_size=3).map(".".join))
def test_any_text_is_judged(text):
    """Whatever stands in the header, the answer is no and never an exception."""
    assert jwt_expiry_ms(text, CREDENTIALS) is None


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_whatever_was_signed_is_judged(head, payload):
    """Parts that are no JSON are refused even when the app itself has signed them."""

    def encoded(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).decode()

    signed = f"{encoded(head)}.{encoded(payload)}"
    digest = hmac.new(CREDENTIALS.client_secret.encode(), signed.encode(), hashlib.sha256).digest()
    assert jwt_expiry_ms(f"{signed}.{encoded(digest)}", CREDENTIALS) is None
