"""The three signatures, against the standard library and a value from openssl."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from mockzoom.core.signing import (
    Credentials,
    encrypted_token,
    handshake_signature,
    same,
    webhook_signature,
)


def digest(key: str, text: str) -> str:
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def test_a_webhook_is_signed_over_version_time_and_body() -> None:
    """x-zm-signature is v0= and the digest of v0:<timestamp>:<body>, byte for byte."""
    body = '{"event":"meeting.rtms_started","name":"Zoë"}'
    signature = webhook_signature("token", "1790000000", body.encode())
    assert signature == "v0=" + digest("token", f"v0:1790000000:{body}")


def test_a_body_need_not_be_text() -> None:
    """The signature is over raw bytes, whatever they are."""
    assert webhook_signature("token", "1", b"\xff") != webhook_signature("token", "1", b"\xfe")


def test_a_plain_token_is_signed_with_the_secret_token() -> None:
    """The answer to a URL validation is the digest of its plain token."""
    assert encrypted_token("token", "qgg8vlvZRS6UYooatFL8Aw") == digest(
        "token", "qgg8vlvZRS6UYooatFL8Aw"
    )


def test_a_handshake_is_signed_over_three_ids() -> None:
    """Client id, product id and stream id, joined by commas, keyed by the client secret."""
    signature = handshake_signature("client", "secret", "4444AAA==", "609340fb")
    assert signature == digest("secret", "client,4444AAA==,609340fb")
    assert signature == "d8d053c5ac4e819f93868878ef6b46b4617e3a1b4193e3bc7a40ac3886982a5f"


@pytest.mark.parametrize(
    ("given", "equal"),
    [("abc", True), ("abd", False), ("", False), ("é", False), ("\ud800", False)],
)
def test_comparing_takes_any_text(given: str, equal: bool) -> None:
    """A signature outside ASCII is wrong, not an error."""
    assert same("abc", given) is equal


def test_credentials_do_not_show_their_secrets() -> None:
    """Printing credentials gives away the client id alone."""
    shown = repr(Credentials("client-id", "client-secret", "secret-token"))
    assert shown == "Credentials(client_id='client-id')"
