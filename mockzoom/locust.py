"""Load from many machines: users for locust, which spreads them over its workers.

    # locustfile.py
    from mockzoom.locust import StreamUser, WebhookUser

    class Streams(StreamUser):
        host = "http://127.0.0.1:3000/webhook"

    class Webhooks(WebhookUser):
        host = "http://127.0.0.1:3000/webhook"

`host` is the receiver's webhook endpoint.  Its credentials come from the environment, as for the
command line (`eval "$(mockzoom env)"`).  Each process of locust has a mock of its own as a child,
because locust replaces the threads and sockets of its process, which an event loop cannot live
with; a receiver elsewhere has to reach it at ``MOCKZOOM_LOAD_HOST``.

A run in which nothing was asked for, or from which a worker got lost, ends with status 3.  It needs
``pip install "mockzoom[load]"``.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

from locust import FastHttpUser, User, constant, events, task
from locust.runners import MasterRunner

from mockzoom.core.examples import ExampleFactory, encode
from mockzoom.core.retries import is_accepted
from mockzoom.core.spec import load_spec
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.errors import ConfigurationError, NothingTested

__all__ = ["StreamUser", "WebhookUser"]

_ANSWER_S = 30.0
_LOOK_S = 0.1
_MAX_STREAMS = 10_000

_WORDS = "This is one of many meetings, and whoever listens to all of them has a lot to do. " * 20


class WebhookUser(FastHttpUser):
    """Posts signed example events, one after the other, each of which must be answered 200 or 204.

    `event_names` are sent in turn; they are about streams that the receiver has never heard of.
    """

    abstract = True
    wait_time = constant(0)
    event_names = ("meeting.rtms_stopped",)

    @task
    def webhook(self) -> None:
        """One event."""
        for name in self.event_names:
            now_ns = time.time_ns()
            body = encode(_examples().event(name, now_ms=now_ns // 1_000_000))
            request = WebhookRequest.genuine(body, now_ns // 1_000_000_000)
            ids = os.urandom(40).hex()
            traceparent = f"00-{ids[32:64]}-{ids[64:]}-01"
            headers = request.headers(_secret_token(), ids[:32], traceparent)
            with self.client.post(
                _url(self),
                data=body,  # type: ignore[arg-type]  # the very bytes that were signed
                headers=headers,
                name=name,
                catch_response=True,
            ) as answer:
                if not is_accepted(answer.status_code):
                    answer.failure(f"expected 200 or 204, found {answer.status_code}")


class StreamUser(User):
    """A meeting after the other: its stream starts, is joined, talked into, and stopped.

    ``join`` is the time from the start to the first media, ``stream`` tells of each whole stream,
    with the media messages that were sent as its size.
    """

    abstract = True
    wait_time = constant(0)
    #: How long the app may take to join, and how long it is talked to then.
    join_s = 20.0
    talk_s = 5.0

    @task
    def stream(self) -> None:
        """One meeting."""
        mock = _mock(_url(self))
        meeting = mock.ask("/meetings", {"topic": "Load", "participants": ["Alice"]})["meeting_id"]
        stream = mock.ask(f"/meetings/{meeting}/rtms/start", {})["rtms_stream_id"]
        mock.ask(f"/meetings/{meeting}/participants/Alice/say", {"text": _WORDS})
        began_s = time.monotonic()
        joined = self._joined(mock, stream, began_s)
        _tell("join", began_s, 0, None if joined else f"no media within {self.join_s:g} s")
        if joined:
            time.sleep(self.talk_s)
        now = mock.ask(f"/streams/{stream}")
        mock.ask(f"/meetings/{meeting}/end", {})
        if joined:
            alive = now["state"] in ("ACTIVE", "RESUMED")
            wrong = None if alive else f"it was {now['state']} before its end"
            _tell("stream", began_s, sum(now["sent"].values()), wrong)

    def _joined(self, mock: _Mock, stream: str, began_s: float) -> bool:
        while time.monotonic() - began_s < self.join_s:
            if mock.ask(f"/streams/{stream}")["sent"]:
                return True
            time.sleep(_LOOK_S)
        return False


def _url(user: User) -> str:
    if not user.host:
        raise ConfigurationError("locust: expected the receiver's webhook endpoint as --host")
    return user.host


def _tell(name: str, began_s: float, size: int, wrong: str | None) -> None:
    events.request.fire(  # type: ignore[no-untyped-call]
        request_type="RTMS",
        name=name,
        response_time=(time.monotonic() - began_s) * 1000,
        response_length=size,
        exception=None if wrong is None else TimeoutError(wrong),
    )


class _Mock:
    """The child in which the mock of this process runs, by its control API."""

    def __init__(self, receiver: str) -> None:
        where = ("--host", os.environ.get("MOCKZOOM_LOAD_HOST", "127.0.0.1"))
        ports = ("--port", "0", "--rtms-port", "0", "--max-streams", str(_MAX_STREAMS))
        serve = (sys.executable, "-m", "mockzoom", "serve", "--json", "--receiver", receiver)
        self._process = subprocess.Popen(  # noqa: S603 - it is ourselves
            (*serve, *ports, *where), stdout=subprocess.PIPE
        )
        atexit.register(self._process.terminate)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ConfigurationError("locust: the mock did not start; what it said is above")
        facts = json.loads(line)
        self._url = f"{facts['url']}/_mockzoom"
        self._headers = {"content-type": "application/json"}
        if facts["api_token"]:
            self._headers["authorization"] = f"Bearer {facts['api_token']}"

    def ask(self, path: str, body: Any = None) -> Any:
        """GET what is at `path`, or POST `body` to it; raises `HTTPError` when it is refused."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, data, self._headers)  # noqa: S310 - it is http
        with urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
            return json.loads(answer.read() or b"null")


_mocks: dict[str, _Mock] = {}
_starting = threading.Lock()


def _mock(receiver: str) -> _Mock:
    """The one of this process; its users come at once, and only the first one starts it."""
    with _starting:
        if receiver not in _mocks:
            _mocks[receiver] = _Mock(receiver)
        return _mocks[receiver]


@cache
def _examples() -> ExampleFactory:
    return ExampleFactory(load_spec())


@cache
def _secret_token() -> str:
    token = os.environ.get("MOCKZOOM_SECRET_TOKEN")
    if not token:
        raise ConfigurationError(
            'locust: MOCKZOOM_SECRET_TOKEN is missing: set it by `eval "$(mockzoom env)"`'
        )
    return token


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _fail_when_idle(environment: Any, **_: Any) -> None:
    """Nothing asked is nothing tested, and so is what a lost worker would have asked."""
    runner = environment.runner
    lost = isinstance(runner, MasterRunner) and (runner.clients.missing or not runner.clients)
    if lost or not environment.stats.total.num_requests:
        environment.process_exit_code = NothingTested.exit_code
