"""Mutants that do not prove to Zoom whose endpoint it is, or that prove it to anybody."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from mutant import CREDENTIALS, LATE_S, Mutant, around, before, put, skipped, spoilt, with_app
from werkzeug.datastructures import Headers

from mockzoom.core.signing import TIMESTAMP_HEADER, encrypted_token
from mockzoom.receiver import webhook

__all__ = ["VALIDATION"]

Event = dict[str, Any]
Validate = Callable[[str, Event], Response]
Authenticate = Callable[[str, Headers, bytes, float, int], None]


def asked(body: bytes) -> str | None:
    """The token of a validation; None for any other body."""
    try:
        event = json.loads(body)
        token = event["payload"]["plainToken"]
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
    is_one = event.get("event") == webhook.URL_VALIDATION and isinstance(token, str)
    return token if is_one and token.isprintable() else None


def once(original: Validate) -> Validate:
    seen: list[object] = []

    def validate(secret: str, event: Event) -> Response:
        token = event.get("payload")
        if token in seen:
            return Response(status=204)
        seen.append(token)
        return original(secret, event)

    return validate


def as_text(proof: Response, *_: Any) -> Response:
    proof.mimetype = "text/plain"
    return proof


def halved(proof: Response, *_: Any) -> Response:
    return jsonify(encryptedToken=proof.json["encryptedToken"])  # type: ignore[index]


def unguarded(secret: str, event: Event) -> Response:
    token = event["payload"]["plainToken"]
    return jsonify(plainToken=token, encryptedToken=encrypted_token(secret, token))


def in_base64(secret: str, token: str) -> str:
    return base64.b64encode(bytes.fromhex(encrypted_token(secret, token))).decode()


def at_any_time(original: Authenticate) -> Authenticate:
    def authenticate(secret: str, headers: Headers, body: bytes, now_s: float, w: int) -> None:
        stamp = headers.get(TIMESTAMP_HEADER, "")
        ageless = asked(body) is not None and stamp.isdigit() and len(stamp) <= 12
        original(secret, headers, body, int(stamp) if ageless else now_s, w)

    return authenticate


def answered_at_the_door(app: Flask) -> None:
    @app.before_request
    def sign() -> Response | None:
        token = asked(request.get_data()) if request.method == "POST" else None
        return token and jsonify(  # type: ignore[return-value]
            plainToken=token, encryptedToken=encrypted_token(CREDENTIALS.secret_token, token)
        )


VALIDATION = (
    Mutant(
        "proves-half",
        "WH-101",
        "The proof lacks the plain token.",
        change=spoilt(webhook, "_validate_url", halved),
    ),
    Mutant(
        "acknowledges-validation",
        "WH-101",
        "A validation is taken like any event, with 204 and no proof.",
        change=put(webhook, "_validate_url", lambda *_: Response(status=204)),
    ),
    Mutant(
        "proves-late",
        "WH-101",
        "The proof takes more than 3 s.",
        change=before(webhook, "_validate_url", lambda *_: threading.Event().wait(LATE_S)),
    ),
    Mutant(
        "proves-in-base64",
        "WH-101",
        "The HMAC in the proof is in Base64 and not in hex.",
        change=put(webhook, "encrypted_token", in_base64),
    ),
    Mutant(
        "proves-by-another-secret",
        "WH-101",
        "The token is encrypted with the client secret.",
        change=put(
            webhook,
            "encrypted_token",
            lambda _, token: encrypted_token(CREDENTIALS.client_secret, token),
        ),
    ),
    Mutant(
        "proves-once",
        "WH-102",
        "A validation with a token that was seen before is taken for a repeat.",
        change=around(webhook, "_validate_url", once),
    ),
    Mutant(
        "proves-in-text",
        "WH-103",
        "The proof is called text/plain.",
        change=spoilt(webhook, "_validate_url", as_text),
    ),
    Mutant(
        "proves-to-strangers",
        "WH-104",
        "The signature of a validation is not looked at.",
        gotchas=(4, 7),
        change=skipped(
            webhook, "_authenticate", lambda token, headers, body, *_: asked(body) is not None
        ),
    ),
    Mutant(
        "signs-for-strangers",
        "WH-105",
        "Whatever token a stranger gives is encrypted, and may be the text of a forged event.",
        gotchas=(7,),
        change=with_app(answered_at_the_door),
    ),
    Mutant(
        "signs-any-token",
        "WH-106",
        "A signed validation is answered also when its token is the text under a signature.",
        gotchas=(7,),
        change=put(webhook, "_is_token", bool),
    ),
    Mutant(
        "proves-at-any-time",
        "WH-107",
        "The stamp of a validation is not looked at.",
        gotchas=(6,),
        change=around(webhook, "_authenticate", at_any_time),
    ),
    Mutant(
        "trusts-validation",
        "WH-108",
        "A validation without a token crashes.",
        change=put(webhook, "_validate_url", unguarded),
    ),
)
