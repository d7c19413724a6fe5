"""The journal over the control API: asked by kind and field, read in parts, and waited for."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockzoom import MockZoom
from mockzoom.web.control.blueprint import MAX_WAITS

TIMEOUT_S = 20

Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=1) as zoom:
        yield zoom


@pytest.fixture
def zoom(server: MockZoom) -> MockZoom:
    server.reset()
    return server


def asker(zoom: MockZoom) -> Ask:
    netloc = urlsplit(zoom.url).netloc

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(netloc, timeout=TIMEOUT_S)
        try:
            data = None if body is None else json.dumps(body).encode()
            connection.request(method, f"/_mockzoom{path}", data)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    return ask


@pytest.fixture
def ask(zoom: MockZoom) -> Ask:
    return asker(zoom)


@pytest.fixture
def spoken(zoom: MockZoom) -> str:
    """A stream that is over, of a meeting in which Alice and Bob have spoken."""
    meeting = zoom.meeting(participants=["Alice", "Bob"])
    stream = meeting.start_rtms()
    for text in ("one", "two"):
        meeting.say("Alice", text)
        meeting.say("Bob", text)
    stream.stop()
    return stream.rtms_stream_id


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("kind=speech", 4),
        ("kind=speech&user_name=Bob", 2),
        ("kind=speech&user_name=Bob&text=two", 1),
        ("user_name=Bob&text=two", 1),
        ("kind=speach", 0),
        ("kind=speech&limit=3", 3),
        ("stream=STREAM&kind=speech", 0),
        ("stream=STREAM&state=TERMINATED", 1),
    ],
)
def test_entries_are_asked_for(ask: Ask, spoken: str, query: str, found: int) -> None:
    """By kind, stream and any field."""
    status, told = ask("GET", f"/journal?{query.replace('STREAM', spoken)}")
    assert (status, len(told["entries"])) == (200, found), told["entries"]


def test_the_journal_is_read_in_parts(ask: Ask, spoken: str) -> None:
    """`next` is the `since` of the next part; at the end there is none."""
    _, whole = ask("GET", "/journal?kind=speech")
    assert whole["next"] is None
    _, first = ask("GET", "/journal?kind=speech&limit=3")
    _, second = ask("GET", f"/journal?kind=speech&limit=3&since={first['next']}")
    assert second["next"] is None
    assert first["entries"] + second["entries"] == whole["entries"]


@pytest.mark.parametrize("query", ["since=x", "since=-1", "limit=0", "limit=10001", "limit="])
def test_a_query_that_is_none_is_refused(ask: Ask, query: str) -> None:
    """The parameter is named."""
    status, told = ask("GET", f"/journal?{query}")
    assert (status, told["errors"][0]["field"]) == (400, query.partition("=")[0])


def test_what_comes_is_waited_for(ask: Ask, zoom: MockZoom, spoken: str) -> None:
    """Old and new entries count; the answer comes as soon as there are enough."""
    wanted = {"kind": "speech", "fields": {"text": "three"}, "count": 2}
    with ThreadPoolExecutor(1) as waiting:
        wait = waiting.submit(ask, "POST", "/wait-for", {**wanted, "timeout_s": TIMEOUT_S})
        for _ in range(2):
            zoom.meeting().say("Alice", "three")
        status, told = wait.result(TIMEOUT_S)
    assert status == 200
    assert [entry["text"] for entry in told["entries"]] == ["three", "three"]


def test_what_does_not_come_is_explained(ask: Ask, spoken: str) -> None:
    """408, with what was found, and which field of which entry differed."""
    wanted = {"kind": "speech", "fields": {"text": "one", "user_name": "Carol"}, "count": 2}
    status, told = ask("POST", "/wait-for", {**wanted, "timeout_s": 0.01})
    assert (status, told["type"], told["entries"]) == (408, "urn:mockzoom:wait-timed-out", [])
    assert told["detail"].startswith(
        'waited 0.01 s for speech with {"text": "one", "user_name": "Carol"}: expected 2, found 0; '
    )
    near = told["near_misses"][0]
    assert near["differences"] == [{"field": "user_name", "expected": '"Carol"', "found": '"Bob"'}]
    assert f"entry {near['id']} has 1 of 2" in told["detail"]


def test_so_many_may_wait_and_others_are_answered_all_the_same(ask: Ask, zoom: MockZoom) -> None:
    """One more is told to come again; who does not wait is not kept waiting."""
    with ThreadPoolExecutor(MAX_WAITS) as waiting:
        wanted = {"kind": "speech", "timeout_s": TIMEOUT_S}
        waits = [waiting.submit(ask, "POST", "/wait-for", wanted) for _ in range(MAX_WAITS)]
        while len(zoom._world.journal._waiting) < MAX_WAITS:
            assert not any(wait.done() for wait in waits)
        status, told = ask("POST", "/wait-for", {"kind": "speech", "timeout_s": 0.01})
        assert (status, told["type"]) == (429, "urn:mockzoom:too-many-waits")
        assert ask("GET", "/health")[0] == 200
        zoom.meeting().say("Alice", "enough")
        assert {wait.result(TIMEOUT_S)[0] for wait in waits} == {200}


def test_waits_end_with_the_mock() -> None:
    """At once, with a problem, not after their time."""
    with MockZoom() as zoom, ThreadPoolExecutor(1) as waiting:
        wanted = {"kind": "never", "timeout_s": 60}
        wait = waiting.submit(asker(zoom), "POST", "/wait-for", wanted)
        while not zoom._world.journal._waiting:
            assert not wait.done()
        began = time.monotonic()
        zoom.close()
        assert wait.result(TIMEOUT_S)[1]["type"] == "urn:mockzoom:closing"
        assert time.monotonic() - began < TIMEOUT_S


def test_findings_are_read(ask: Ask, zoom: MockZoom) -> None:
    """What an app broke, with the clause."""
    assert ask("GET", "/findings") == (200, {"findings": []})
    ask("POST", "/subscriptions", {"url": "http://127.0.0.1:1/"})
    [finding] = ask("GET", "/findings")[1]["findings"]
    assert finding["check"] == "webhook.validation"
