"""A receiver on the official SDK, with a webhook front of its own and no code of ours.

The SDK's own webhook server verifies nothing, so Flask stands in front.  The SDK wants one thread
for everything: webhooks are checked on waitress's threads and handed to the loop of the SDK.  What
the SDK does by itself (keep-alives, reconnecting, giving up) is left to it.

Configured by the environment, prints its URL, and logs to standard error.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import flask
import rtms
import waitress

SECRET_TOKEN = os.environ["ZOOM_SECRET_TOKEN"].encode()
HOSTS = os.environ.get("RTMS_HOSTS", "zoom.us").split(",")

MAX_BODY_BYTES = 1024 * 1024
WINDOW_S = 300
REMEMBERED = 10_000

#: What has to be in the payload of an event to act on it.
NEEDED = {
    f"{prefix}_{happening}": ("rtms_stream_id", *more)
    for prefix, id_field in {
        "meeting.rtms": "meeting_uuid",
        "webinar.rtms": "webinar_uuid",
        "session.rtms": "session_id",
        "contact_center.voice_rtms": "engagement_id",
    }.items()
    for happening, more in {"started": (id_field, "server_urls"), "stopped": ()}.items()
}

Event = dict[str, Any]


class Session:
    """One client of the SDK, on the SDK's loop.  `on_end` is called when the SDK has given up."""

    def __init__(self, payload: Event, started_at: int, on_end: Callable[[], None]) -> None:
        self.server_urls = payload["server_urls"]
        self.started_at = started_at
        self._on_end = on_end
        self._joined = self._leaving = False
        self._client = client = rtms.Client()
        client.on_audio_data(lambda data, size, timestamp, metadata: None)
        client.on_transcript_data(lambda data, size, timestamp, metadata: None)
        client.on_join_confirm(self._join_confirmed)
        client.on_leave(lambda reason: self._over())
        if "engagement_id" not in payload:  # voice calls have none of the events of this one
            client.on_user_update(lambda operation, user: None)
        client.join(payload)

    def leave(self) -> None:
        """Close every socket; a client that is still joining would leave its sockets behind."""
        if self._joined:
            self._client.leave()
        self._leaving = True

    def _join_confirmed(self, code: int) -> None:
        self._joined = code == 0
        if code or self._leaving:
            self._over()

    def _over(self) -> None:
        # Not from within the SDK's call, which goes on with the client.
        asyncio.get_running_loop().call_soon(self._client.leave)
        if not self._leaving:
            self._on_end()


class Sessions:
    """What webhooks mean: they come in any order, so event_ts says which of two is the newer."""

    def __init__(self) -> None:
        self._live: dict[str, Session] = {}
        self._past: dict[str, int] = {}

    def handle(self, event: Event) -> None:
        at, payload = event["event_ts"], event["payload"]
        stream = payload["rtms_stream_id"]
        if event["event"].endswith("_stopped"):
            self._leave(stream)
            self._past[stream] = max(at, self._past.get(stream, at))
        elif self._is_news(payload, at):
            self._leave(stream)
            self._join(payload, at)

    def _is_news(self, payload: Event, at: int) -> bool:
        """Whether a start is the first one, or a failover: no repeat, and not overtaken."""
        stream = payload["rtms_stream_id"]
        session = self._live.get(stream)
        if session is None:
            return at > self._past.get(stream, at - 1)
        return at >= session.started_at and payload["server_urls"] != session.server_urls

    def _join(self, payload: Event, at: int) -> None:
        stream = payload["rtms_stream_id"]
        if may_dial(payload["server_urls"]):
            self._live[stream] = Session(payload, at, partial(self._ended, stream))

    def _leave(self, stream: str) -> None:
        if stream in self._live:
            self._live.pop(stream).leave()

    def _ended(self, stream: str) -> None:
        self._past[stream] = self._live.pop(stream).started_at


def may_dial(server_urls: str) -> bool:
    """Whether the SDK may be given this; it takes no list, and looks at no host."""
    try:
        url = urlsplit(server_urls)
        known = url.hostname in HOSTS and url.username is None
    except ValueError:
        return False
    return known and url.scheme in ("ws", "wss") and not set(server_urls) & {",", "\\"}


def front(on_event: Callable[[Event], object]) -> flask.Flask:
    """The webhook endpoint; `on_event` is told of each new start and stop of a stream."""
    app = flask.Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    bodies: dict[bytes, None] = {}
    lock = threading.Lock()

    def is_new(body: bytes) -> bool:
        digest = hashlib.sha256(body).digest()
        with lock:
            if digest in bodies:
                return False
            bodies[digest] = None
            if len(bodies) > REMEMBERED:
                del bodies[next(iter(bodies))]
            return True

    @app.post("/webhook")
    def webhook() -> Any:
        body = flask.request.get_data()
        if not authentic(body):
            flask.abort(401)
        event = parsed(body)
        if event["event"] == "endpoint.url_validation":
            return proof(event)
        if event["event"] in NEEDED:
            check(event)
            if is_new(body):
                on_event(event)
        return {}

    return app


def authentic(body: bytes) -> bool:
    stamp = flask.request.headers.get("x-zm-request-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return False
    signed = f"v0:{stamp}:".encode() + body
    expected = "v0=" + hmac.new(SECRET_TOKEN, signed, hashlib.sha256).hexdigest()
    given = flask.request.headers.get("x-zm-signature", "")
    return hmac.compare_digest(expected.encode(), given.encode()) and (
        abs(time.time() - int(stamp)) <= WINDOW_S
    )


def parsed(body: bytes) -> Event:
    try:
        event = json.loads(body.decode())
    except (ValueError, RecursionError):
        flask.abort(400)
    if not isinstance(event, dict) or not isinstance(event.get("event"), str):
        flask.abort(400)
    return event


def proof(event: Event) -> Event:
    payload = event.get("payload")
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(token, str) or not token.isascii() or token[:3] in ("", "v0:"):
        flask.abort(400)
    sealed = hmac.new(SECRET_TOKEN, token.encode(), hashlib.sha256).hexdigest()
    return {"plainToken": token, "encryptedToken": sealed}


def check(event: Event) -> None:
    """What is needed to act on the event is there; the rest is not looked at."""
    payload = event.get("payload")
    if not isinstance(payload, dict) or not isinstance(event.get("event_ts"), int | float):
        flask.abort(400)
    if not all(isinstance(payload.get(name), str) for name in NEEDED[event["event"]]):
        flask.abort(400)


async def listen() -> None:
    """Take webhooks, once the SDK's loop runs: before that each client would get its own."""
    loop, sessions = asyncio.get_running_loop(), Sessions()
    app = front(lambda event: loop.call_soon_threadsafe(sessions.handle, event))
    server = waitress.create_server(app, host="127.0.0.1", port=0, threads=8)
    threading.Thread(target=server.run, daemon=True).start()
    print(f"listening on http://127.0.0.1:{server.effective_port}/webhook", flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # where the SDK logs


async def main() -> None:
    await asyncio.gather(rtms.run_async(), listen())


if __name__ == "__main__":
    asyncio.run(main())
