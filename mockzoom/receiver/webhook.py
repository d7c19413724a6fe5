"""The webhook endpoint: who is it, is it fresh, what does it say; then answer at once.

The order is the point.  The signature is over the raw bytes of the body, so it is checked on those
before anything parses them, and a stranger learns nothing but 401, whatever he sends.  The stamp
must lie in a window on both sides of now: a past-only window would let a captured request with a
stamp of tomorrow be replayed until tomorrow.  Only a signed URL validation is answered, and no
token that looks like the text under a webhook's signature: such an endpoint would sign forgeries.

Deliveries come at least once.  What tells a repeat is the body, which stays the same when a
delivery is tried again, while its stamp, its signature and its delivery headers change.

The work that an event causes is somebody else's (`inbox`), because Zoom waits three seconds for
the answer and then sends the event again.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from flask import Flask, Response, abort, jsonify, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from mockzoom.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    encrypted_token,
    same,
    webhook_signature,
)
from mockzoom.core.spec import Spec, load_spec
from mockzoom.core.validators import FastValidator
from mockzoom.receiver.reading import readers

__all__ = ["MAX_BODY_BYTES", "Inbox", "create_app"]

#: An event is less than a kilobyte; nobody has reason to send more than this.
MAX_BODY_BYTES = 1024 * 1024

#: How many bodies are remembered to tell repeats.  A delivery is tried four times in 85 minutes.
REMEMBERED_BODIES = 10_000

URL_VALIDATION = "endpoint.url_validation"

Event = dict[str, Any]
Inbox = Callable[[Event], None]


def create_app(
    secret_token: str,
    inbox: Inbox,
    *,
    spec: Spec | None = None,
    window_s: int = 300,
    now_s: Callable[[], float] = time.time,
) -> Flask:
    """A Flask app that answers webhooks at ``POST /webhook`` and hands each event to `inbox` once.

    `inbox` is called on the thread of the request and must return at once.  `window_s` is how far
    the stamp of a request may be off, to either side.  Answers: 200 with the event itself, as the
    document has it; 401 without a valid signature and stamp; 400 for what is no event, or lacks
    what must be known to act on it (see `reading`); 413 for a body over `MAX_BODY_BYTES`.  Events
    that the document does not know get 200: the vendor adds some without asking.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.register_error_handler(HTTPException, _in_json)
    known = readers(spec or load_spec())
    seen = _Seen(REMEMBERED_BODIES)

    @app.post("/webhook")
    def webhook() -> Response:
        body = request.get_data()
        _authenticate(secret_token, request.headers, body, now_s(), window_s)
        event = _parse(body)
        if event["event"] == URL_VALIDATION:
            return _validate_url(secret_token, event)
        _check(known, event)
        if seen.first(body):
            inbox(event)
        return Response(body, mimetype="application/json")

    return app


def _authenticate(
    secret_token: str, headers: Headers, body: bytes, now_s: float, window_s: int
) -> None:
    stamp = headers.get(TIMESTAMP_HEADER, "")
    given = headers.get(SIGNATURE_HEADER, "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        abort(401, f"{TIMESTAMP_HEADER}: expected Unix seconds")
    if not same(webhook_signature(secret_token, stamp, body), given):
        abort(401, f"{SIGNATURE_HEADER} does not match the body")
    if abs(now_s - int(stamp)) > window_s:
        abort(401, f"{TIMESTAMP_HEADER} is more than {window_s} s off")


def _parse(body: bytes) -> Event:
    """The event in `body`: a JSON object with a name, in UTF-8."""
    try:
        event = json.loads(body.decode(), parse_constant=_no_json)
        json.dumps(event, ensure_ascii=False).encode()  # fails on half a surrogate pair
    except (ValueError, RecursionError):
        abort(400, "the body is not JSON")
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        abort(400, "the body is not an object with the name of an event")
    return event


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _validate_url(secret_token: str, event: Event) -> Response:
    payload = event.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(token, str) or not _is_token(token):
        abort(400, "payload.plainToken is not a token")
    return jsonify(plainToken=token, encryptedToken=encrypted_token(secret_token, token))


def _is_token(text: str) -> bool:
    return bool(text) and text.isprintable() and not text.startswith("v0:")


def _check(known: Mapping[str, FastValidator], event: Event) -> None:
    if event["event"] not in known:
        return
    problems = known[event["event"]].problems(event)
    if problems:
        abort(400, str(problems[0]))


def _in_json(error: HTTPException) -> tuple[Response, int]:
    return jsonify(error=error.description), error.code or 500


class _Seen:
    """The bodies seen lately, by their hashes, for the threads of a web server."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._hashes: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def first(self, body: bytes) -> bool:
        """Whether `body` was not seen before; it counts as seen from now on."""
        digest = hashlib.sha256(body).digest()
        with self._lock:
            if digest in self._hashes:
                return False
            self._hashes[digest] = None
            if len(self._hashes) > self._limit:
                self._hashes.popitem(last=False)
            return True
