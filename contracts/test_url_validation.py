"""Zoom checks an endpoint before it sends anything there, and every three days after that."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from mockzoom.core.signing import SIGNATURE_HEADER, encrypted_token, webhook_signature

TOKEN = "qgg8vlvZRS6UYooatFL8Aw"


def validation(token: str = TOKEN) -> bytes:
    event = {
        "event": "endpoint.url_validation",
        "event_ts": int(time.time() * 1000),
        "payload": {"plainToken": token},
    }
    return json.dumps(event).encode()


def test_the_token_is_encrypted(receiver: Any) -> None:
    """A validation is answered with the token and its HMAC, or the endpoint cannot be saved."""
    body = validation()
    answer = receiver.post(body, receiver.sign(body))
    assert answer.status == 200, answer
    assert json.loads(answer.body) == {
        "plainToken": TOKEN,
        "encryptedToken": encrypted_token(receiver.credentials.secret_token, TOKEN),
    }


@pytest.mark.parametrize("signature", [None, "v0=" + "0" * 64], ids=["unsigned", "wrongly signed"])
def test_only_zoom_is_answered(receiver: Any, signature: str | None) -> None:
    """Anybody can ask for a validation; who answers strangers computes HMACs for them."""
    body = validation()
    headers = receiver.sign(body) | {SIGNATURE_HEADER: signature or ""}
    if signature is None:
        headers = {}
    answer = receiver.post(body, headers)
    secret = encrypted_token(receiver.credentials.secret_token, TOKEN)
    assert answer.refused, answer
    assert secret.encode() not in answer.body, "the answer holds the encrypted token"


def test_it_is_no_signing_oracle(receiver: Any) -> None:
    """A token with the text under a webhook's signature would come back as a forged signature."""
    stamp, forged = str(int(time.time())), b'{"event":"meeting.rtms_stopped"}'
    token = f"v0:{stamp}:{forged.decode()}"
    signature = webhook_signature(receiver.credentials.secret_token, stamp, forged)
    answer = receiver.post(validation(token), {})
    assert signature.removeprefix("v0=").encode() not in answer.body, answer
    assert answer.refused, answer
