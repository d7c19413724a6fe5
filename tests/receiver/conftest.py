"""A small Zoom for the receiver's tests: it signs webhooks and serves the two kinds of socket.

It knows nothing of the real engine, so that the receiver is tested alone.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from mockzoom.core.signing import Credentials, handshake_signature, webhook_signature
from mockzoom.core.timings import Timings
from mockzoom.receiver.receiver import Receiver
from mockzoom.threads import LoopThread

CREDENTIALS = Credentials("client", "secret", "token")
UUID = "4444AAAiAAAAAiAiAiiAii=="
STREAM = "609340fb2a7946909659956c8aa9250c"
PATIENCE_S = 5.0

#: Reconnects a hundred times faster than in production; handshakes keep their patience.
QUICK = Timings(backoff_ms=10, backoff_cap_ms=160)


class SmallZoom:
    """Serves `/signaling` and `/<media key>` on a port of its own and notes what it was told."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.keys = ["audio", "transcript"]
        self.grant: dict[str, Any] = {}
        self.refusals: dict[str, list[int]] = {}
        self.binary = False
        self.scheme = "wss" if tls else "ws"
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.opened: list[str] = []
        self.codes: list[tuple[str, int | None]] = []
        self._changed = threading.Condition()
        self._loop = LoopThread("small Zoom")
        self.port: int = self._run(self._start(tls))

    def close(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.close()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/signaling"

    def say(self, path: str, message: dict[str, Any]) -> None:
        text = json.dumps(message)
        send = self.sockets[path].send_bytes if self.binary else self.sockets[path].send_str
        self._run(send(text.encode() if self.binary else text))  # type: ignore[arg-type]

    def say_bytes(self, path: str, data: bytes) -> None:
        with suppress(ConnectionError):  # it may be cut before it has taken all of it
            self._run(self.sockets[path].send_bytes(data))

    def speak(self, user_id: int, name: str, timestamp: int, data: bytes) -> None:
        content = {"user_id": user_id, "user_name": name, "timestamp": timestamp}
        content["data"] = base64.b64encode(data).decode()
        self.say("audio", {"msg_type": 14, "content": content})

    def drop(self, path: str) -> None:
        """Cut the connection under a socket, with no close frame."""
        self._loop.post(self.sockets[path]._req.transport.abort)  # type: ignore[union-attr]

    def wait(self, what: str, reached: Callable[[], Any]) -> Any:
        with self._changed:
            found = self._changed.wait_for(reached, PATIENCE_S)
        assert found, f"{what}: not within {PATIENCE_S} s; told {self.told}, opened {self.opened}"
        return found

    def wait_told(self, msg_type: int, times: int = 1) -> list[dict[str, Any]]:
        def reached() -> list[dict[str, Any]]:
            found = [message for _, message in self.told if message["msg_type"] == msg_type]
            return found if len(found) >= times else []

        found: list[dict[str, Any]] = self.wait(f"message {msg_type}", reached)
        return found

    def wait_closed(self) -> None:
        self.wait("all sockets closed", lambda: len(self.codes) == len(self.opened))

    async def _start(self, tls: ssl.SSLContext | None) -> int:
        app = web.Application()
        app.router.add_get("/elsewhere", self._redirect)
        app.router.add_get("/{path}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _redirect(self, request: web.Request) -> web.Response:
        raise web.HTTPFound("/signaling")

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        path = request.match_info["path"]
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        self._note(lambda: self.opened.append(path))
        self.sockets[path] = ws
        async for frame in ws:
            if frame.type is WSMsgType.TEXT:
                message = json.loads(frame.data)
                self._note(lambda message=message: self.told.append((path, message)))
                if message["msg_type"] in (1, 3):
                    await ws.send_json(self._answer(path, message))
        self._note(lambda: self.codes.append((path, ws.close_code)))
        return ws

    def _answer(self, path: str, message: dict[str, Any]) -> dict[str, Any]:
        answer = {"msg_type": message["msg_type"] + 1, "status_code": 0, "reason": ""}
        wrong = message["signature"] != handshake_signature("client", "secret", UUID, STREAM)
        refusals = self.refusals.get(path, [])
        if wrong or refusals:
            return answer | {"status_code": 3 if wrong else refusals.pop(0), "reason": "no"}
        if path == "signaling":
            urls = {key: self.url.replace("signaling", key) for key in self.keys}
            return answer | {"media_server": {"server_urls": urls}}
        granted = dict(message["media_params"] or {})
        for key, params in self.grant.items():
            granted[key] = {**granted.get(key, {}), **params}
        return answer | {"payload_encrypted": False, "media_params": granted}

    def _note(self, act: Callable[[], None]) -> None:
        with self._changed:
            act()
            self._changed.notify_all()

    def _run(self, work: Any) -> Any:
        return self._loop.run(work, PATIENCE_S)


@pytest.fixture
def another_zoom() -> Iterator[Callable[..., SmallZoom]]:
    """Makes a small Zoom, with TLS when it is given a context; closed after the test."""
    with ExitStack() as stack:

        def make(tls: ssl.SSLContext | None = None) -> SmallZoom:
            small = SmallZoom(tls)
            stack.callback(small.close)
            return small

        yield make


@pytest.fixture
def zoom(another_zoom: Callable[..., SmallZoom]) -> SmallZoom:
    """A small Zoom without TLS."""
    return another_zoom()


class Running:
    """A receiver, and the webhooks of one meeting to it."""

    def __init__(self, receiver: Receiver, heard: list[tuple[str, dict[str, Any]]]) -> None:
        self.receiver = receiver
        self.heard = heard

    def send(self, happening: str, stream: str = STREAM, **fields: Any) -> int:
        """Deliver ``meeting.rtms_<happening>``; the status of the answer."""
        payload: dict[str, Any] = {"meeting_uuid": UUID, "rtms_stream_id": stream}
        if happening == "started":
            payload |= {"operator_id": "o", "account_id": "a", "meeting_id": 95123456789}
            payload |= {"is_original_host": True}
        event_ts = fields.pop("event_ts", time.time_ns() // 1_000_000)
        event = {"event": f"meeting.rtms_{happening}", "event_ts": event_ts}
        return self.post(json.dumps({**event, "payload": {**payload, **fields}}).encode())

    def post(self, body: bytes) -> int:
        stamp = str(int(time.time()))
        headers = {
            "x-zm-request-timestamp": stamp,
            "x-zm-signature": webhook_signature("token", stamp, body),
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.receiver.port, timeout=PATIENCE_S)
        try:
            connection.request("POST", "/webhook", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def settle(self) -> None:
        """Until the receiver has worked through all webhooks so far: they are handled in order."""
        self.receiver._loop.call(lambda: None)

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.heard]


@pytest.fixture
def run_receiver(tmp_path: Path) -> Callable[..., AbstractContextManager[Running]]:
    """A context in which a receiver runs that records to `tmp_path` and reconnects quickly."""

    @contextmanager
    def run(**settings: Any) -> Iterator[Running]:
        heard: list[tuple[str, dict[str, Any]]] = []
        settings.setdefault("on_event", lambda kind, fields: heard.append((kind, fields)))
        with Receiver(CREDENTIALS, recordings=tmp_path, timings=QUICK, **settings) as receiver:
            yield Running(receiver, heard)

    return run


@pytest.fixture
def running(run_receiver: Callable[..., AbstractContextManager[Running]]) -> Iterator[Running]:
    """A receiver that runs for the test."""
    with run_receiver() as run:
        yield run
