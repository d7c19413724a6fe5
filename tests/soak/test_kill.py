"""`kill -9` at any moment: nothing is lost, and attempts are counted right.

A thousand events go to two receivers, one of which fails, hangs and hangs up.  Meanwhile the mock
is killed, by chance but for a seed: as soon as it is started, while it is asked for something, as
soon as it has answered, when an attempt arrives, when one was answered.  Each time it is started
again with the same state file.  `make test` kills ten times and `make soak` two hundred times;
`SOAK_KILLS` says how often.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

import pytest

from mockzoom.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    encrypted_token,
    webhook_signature,
)
from mockzoom.engine.store import StateFile

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="mocks are started by forking")

KILLS = int(os.environ.get("SOAK_KILLS", "10"))
EVENTS = 1_000
SEED = 4
PATIENCE_S = 60
CRADLE = Path(__file__).with_name("cradle.py")
SECRETS = {"secret_token": "a-very-secret-token", "client_secret": "a-very-secret-secret"}

#: An event, as its name and its stream.
Event = tuple[str, str]


# --- who kills ----------------------------------------------------------------------------------


class Reaper:
    """Kills the mock when a moment of a chosen kind has come a chosen number of times."""

    KINDS = ("started", "asking", "promised", "seen", "answered")

    def __init__(self, kills: int) -> None:
        self._random = Random(SEED)
        self._kinds = [self.KINDS[number % len(self.KINDS)] for number in range(kills + 1)]
        self._random.shuffle(self._kinds)
        self._every = EVENTS / (kills + 1)
        self._lock = threading.Lock()
        self._pid = 0
        self.left = kills
        self.killed: Counter[str] = Counter()

    def began(self, pid: int) -> None:
        """A mock runs: choose the moment of its end."""
        with self._lock:
            self._pid = pid
            self._kind = self._kinds.pop()
            spans = self._every * (2 if self._kind in ("seen", "answered") else 1)
            self._count = 1 if self._kind == "started" else 1 + int(self._random.random() * spans)

    def end(self) -> None:
        """Kill what still runs, and nothing after that."""
        with self._lock:
            if self._pid:
                with suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)
            self._pid = self.left = 0

    def moment(self, kind: str) -> None:
        """Something of `kind` happens now."""
        with self._lock:
            if not self.left or not self._pid or kind != self._kind:
                return
            self._count -= 1
            if not self._count:
                os.kill(self._pid, signal.SIGKILL)
                self._pid = 0
                self.left -= 1
                self.killed[kind] += 1


# --- who receives -------------------------------------------------------------------------------


@dataclass
class Seen:
    """What a receiver saw of one event: the id of each request, and how often it said yes."""

    requests: list[str] = field(default_factory=list)
    accepted: int = 0
    late: int = 0


class Receiver(ThreadingHTTPServer):
    """Says yes; with `moods` as well 500 and nothing at all, by chance."""

    daemon_threads = True
    moods = ("500", "500", "500", "500", "500", "500", "503", "hang up", "hang up", "hang")

    def __init__(self, reaper: Reaper, flaky: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self.reaper = reaper
        self.flaky = flaky
        self.validations = 0
        self.forged = 0
        self.seen: dict[Event, Seen] = {}
        self.random = Random(SEED)
        self.news = threading.Condition()

    def mood(self, attempt: int) -> str:
        """How it answers an attempt: after three bad ones the next one is well."""
        bad = self.flaky and attempt <= 3 and self.random.random() < 0.1
        return self.random.choice(self.moods) if bad else "200"

    def see(self, event: Event, request_id: str) -> str:
        with self.news:
            seen = self.seen.setdefault(event, Seen())
            seen.requests.append(request_id)
            seen.late += bool(seen.accepted)
            mood = self.mood(len(seen.requests))
            seen.accepted += mood == "200"
            self.news.notify_all()
        return mood

    def wait_accepted(self, events: list[Event]) -> None:
        """Until it said yes to all of them; fails with those that it did not get."""
        with self.news:
            self.news.wait_for(lambda: not self.missing(events), PATIENCE_S)
            assert self.missing(events) == []

    def missing(self, events: list[Event]) -> list[Event]:
        return [event for event in events if not self.seen.get(event, Seen()).accepted]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked was killed meanwhile; anything else is for pytest to see."""
        if not isinstance(sys.exception(), ConnectionError):
            raise


class Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        stamp = self.headers[TIMESTAMP_HEADER]
        signature = webhook_signature(SECRETS["secret_token"], stamp, body)
        self.server.forged += self.headers[SIGNATURE_HEADER] != signature
        told = json.loads(body)
        if told["event"] == "endpoint.url_validation":
            self.server.validations += 1
            plain = told["payload"]["plainToken"]
            encrypted = encrypted_token(SECRETS["secret_token"], plain)
            answer = {"plainToken": plain, "encryptedToken": encrypted}
            self.answer(200, json.dumps(answer).encode())
            return
        event = (told["event"], told["payload"]["rtms_stream_id"])
        mood = self.server.see(event, self.headers["x-zm-request-id"])
        self.server.reaper.moment("seen")
        self.react(mood)
        self.server.reaper.moment("answered")

    def react(self, mood: str) -> None:
        if mood.isdigit():
            self.answer(int(mood))
            return
        if mood == "hang":
            self.connection.recv(1)  # until the mock has had enough, or is dead
        self.close_connection = True

    def answer(self, status: int, body: bytes = b"") -> None:
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def receiving(reaper: Reaper, flaky: bool) -> Iterator[Receiver]:
    with Receiver(reaper, flaky) as receiver:
        thread = threading.Thread(target=receiver.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


# --- who lives and dies -------------------------------------------------------------------------


class Mock:
    """The mock of one state file, in life after life."""

    def __init__(self, state: Path, reaper: Reaper) -> None:
        self.lives = 0
        self._reaper = reaper
        self._cradle = subprocess.Popen(
            [sys.executable, str(CRADLE), json.dumps({"state": str(state), **SECRETS})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._cradle.stdin is not None
        assert self._cradle.stdout is not None
        self._in, self._out = self._cradle.stdin, self._cradle.stdout

    @contextmanager
    def life(self) -> Iterator[http.client.HTTPConnection | None]:
        """From its start to its death, with a connection to it unless it died at once."""
        self._in.write("!")
        self._in.flush()
        self.lives += 1
        self._reaper.began(int(self._out.readline()))
        self._reaper.moment("started")
        line = self._out.readline().strip()
        if line == "ended":
            yield None
            return
        with (
            closing(http.client.HTTPConnection(line[7:], timeout=PATIENCE_S)) as api,
            suppress(ConnectionError, http.client.HTTPException),
        ):
            yield api
        assert self._out.readline() == "ended\n"

    def stop(self) -> None:
        """End the last life, as Ctrl-C would."""
        self._in.close()

    def close(self) -> None:
        with self._cradle as cradle:
            self._reaper.end()
            cradle.kill()


def asked(api: http.client.HTTPConnection, path: str, body: dict[str, Any]) -> dict[str, Any]:
    api.request("POST", f"/_mockzoom/{path}", json.dumps(body))
    return answered(api)


def answered(api: http.client.HTTPConnection) -> dict[str, Any]:
    with api.getresponse() as response:
        told: dict[str, Any] = json.load(response)
        assert response.status < 300, told
        return told


def promise(api: http.client.HTTPConnection, reaper: Reaper, promised: list[Event]) -> None:
    """Start and stop streams; what was answered with yes is promised."""
    key = asked(api, "meetings", {})["meeting_id"]
    for name in cycle(("start", "stop")):
        if len(promised) == EVENTS:
            return
        api.request("POST", f"/_mockzoom/meetings/{key}/rtms/{name}", "{}")
        reaper.moment("asking")
        stream = answered(api)["rtms_stream_id"]
        promised.append((f"meeting.rtms_{name}{'ed' if name == 'start' else 'ped'}", stream))
        reaper.moment("promised")


# --- what must hold -----------------------------------------------------------------------------


def test_nothing_is_lost(tmp_path: Path) -> None:
    """Every event that was promised arrives at both, and every attempt is accounted for."""
    reaper, promised, state = Reaper(KILLS), list[Event](), tmp_path / "state"
    with (
        receiving(reaper, flaky=False) as sound,
        receiving(reaper, flaky=True) as flaky,
        closing(Mock(state, reaper)) as mock,
    ):
        both = (sound, flaky)
        while len(promised) < EVENTS:
            with mock.life() as api:
                if api is None:
                    continue
                if not sound.validations:
                    for receiver in both:
                        asked(api, "subscriptions", {"url": receiver.url})
                promise(api, reaper, promised)
                if len(promised) == EVENTS:
                    for receiver in both:
                        receiver.wait_accepted(promised)
                    mock.stop()
        assert (reaper.left, mock.lives) == (0, KILLS + 1)
    for receiver in both:
        assert (receiver.forged, receiver.validations) == (0, 1)
    told = assert_attempts_are_counted_right(state, {r.url: r for r in both})
    for path in tmp_path.iterdir():
        assert not any(secret.encode() in path.read_bytes() for secret in SECRETS.values())
    print(f"\nkilled {dict(reaper.killed)}; {told}")
    for receiver in both:
        late = sum(seen.late for seen in receiver.seen.values())
        print(f"{'flaky' if receiver.flaky else 'sound'}: {late} duplicates of {len(promised)}")


def assert_attempts_are_counted_right(state: Path, receivers: dict[str, Receiver]) -> str:
    """The journal and the receivers tell the same story, and nothing is on its way any more."""
    store = StateFile(state)
    entries = list(store.entries())
    assert [entry.id for entry in entries] == list(range(1, len(entries) + 1))
    left = {delivery.id for delivery in store.deliveries()}
    assert [one.state for one in store.subscriptions()] == ["validated"] * 2
    store.close()
    deliveries: dict[int, list[dict[str, Any]]] = {}
    for entry in entries:
        assert entry.kind != "failure"
        if entry.kind == "webhook":
            deliveries.setdefault(entry.fields["delivery"], []).append(entry.as_dict())
    for id_, attempts in deliveries.items():
        assert_a_delivery(attempts, receivers, is_left=id_ in left)
    events = Counter((a[0]["event"], a[0]["stream"]) for a in deliveries.values())
    assert set(events.values()) == {len(receivers)}
    interrupted = sum(a["outcome"] == "interrupted" for d in deliveries.values() for a in d)
    return f"{len(events)} events, {interrupted} attempts interrupted, {len(left)} left"


def assert_a_delivery(
    attempts: list[dict[str, Any]], receivers: dict[str, Receiver], is_left: bool
) -> None:
    """Counted without a gap to the one that is accepted, and none was made that is not told of.

    Who was answered was seen; one that timed out or was interrupted may or may not have been.
    """
    first = attempts[0]
    ended = [one for one in attempts if one["outcome"] != "interrupted"]
    assert [one["attempt"] for one in ended] == list(range(1, len(ended) + 1))
    for number, one in enumerate(attempts):
        before = [other for other in attempts[:number] if other["outcome"] != "interrupted"]
        assert one["attempt"] == len(before) + 1
    thens = [one["then"] for one in ended]
    assert thens[:-1] == ["retry"] * (len(thens) - 1)
    assert is_left or thens[-1] == "accepted"
    seen = receivers[first["url"]].seen[first["event"], first["stream"]].requests
    answered = {one["request_id"] for one in ended if one["status"] is not None}
    assert answered <= set(seen)
    assert len(answered) <= len(seen) <= len(attempts) + is_left
