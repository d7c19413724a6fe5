"""Subscriptions and faults of webhooks over the control API."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from mockzoom import MockZoom, Receiver

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=1) as zoom:
        yield zoom


@pytest.fixture
def zoom(server: MockZoom) -> MockZoom:
    server.reset()
    return server


@pytest.fixture
def app(zoom: MockZoom, tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(zoom.credentials, recordings=tmp_path) as receiver:
        yield receiver


def ask(zoom: MockZoom, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{zoom.url}/_mockzoom{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_receiver_subscribes_and_gets_its_events(zoom: MockZoom, app: Receiver) -> None:
    """Saved, validated, listed, and sent the events of its list and no others."""
    wanted = {"url": app.url, "events": ["meeting.rtms_stopped"]}
    status, saved = ask(zoom, "POST", "/subscriptions", wanted)
    assert status == 201
    assert saved.items() >= {**wanted, "state": "validated", "failures": 0}.items()
    assert ask(zoom, "GET", "/subscriptions") == (200, {"subscriptions": [saved]})
    zoom.meeting().start_rtms().stop()
    names = [entry["event"] for entry in zoom.journal() if entry["kind"] == "webhook"]
    assert names == ["meeting.rtms_stopped"]
    path = f"/subscriptions/{saved['id']}"
    assert ask(zoom, "DELETE", path) == (200, {"webhooks_lost": 0})
    assert ask(zoom, "DELETE", path)[0] == 404
    assert ask(zoom, "GET", "/subscriptions") == (200, {"subscriptions": []})


def test_all_are_removed_at_once(zoom: MockZoom, app: Receiver) -> None:
    """Nothing goes anywhere then."""
    ask(zoom, "POST", "/subscriptions", {"url": app.url})
    assert ask(zoom, "DELETE", "/subscriptions") == (200, {"webhooks_lost": 0})
    zoom.meeting().start_rtms().stop()
    assert [entry for entry in zoom.journal() if entry["kind"] == "webhook"] == []


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ({}, 400, "url: expected a text, found None"),
        ({"url": 5}, 400, "url: expected a text, found 5"),
        ({"url": "nonsense"}, 400, "receiver 'nonsense': expected an address"),
        ({"url": NOWHERE}, 400, "URL validation: "),
        ({"url": NOWHERE, "events": "x"}, 400, "events: expected a list of names, found 'x'"),
        ({"url": NOWHERE, "events": ["meeting.x"]}, 400, "meeting.x"),
    ],
)
def test_mistakes_are_one_line(zoom: MockZoom, body: Any, status: int, line: str) -> None:
    """What is missing, unknown, or does not answer."""
    found, told = ask(zoom, "POST", "/subscriptions", body)
    assert found == status
    assert list(told) == ["error"]
    assert line in told["error"]
    assert "\n" not in told["error"]


def test_a_receiver_that_does_not_validate_stays_saved(zoom: MockZoom) -> None:
    """As in Python: it is asked again when an event is due."""
    ask(zoom, "POST", "/subscriptions", {"url": NOWHERE})
    _, told = ask(zoom, "GET", "/subscriptions")
    assert [(one["state"], one["failures"]) for one in told["subscriptions"]] == [("new", 1)]


def test_a_fault_of_webhooks_goes_through_the_door_of_all_faults(
    zoom: MockZoom, app: Receiver
) -> None:
    """Switched on, hit, told; the reference receiver refuses the forgery and breaks nothing."""
    zoom.subscribe(app.url)
    status, fault = ask(zoom, "POST", "/faults", {"kind": "tamper", "times": 1})
    assert (status, fault["kind"], fault["url"]) == (201, "tamper", "")
    zoom.meeting().start_rtms().stop()
    started, stopped = [entry for entry in zoom.journal() if entry["kind"] == "webhook"]
    assert (started["status"], started["faults"]) == (401, ["tamper"])
    assert stopped["status"] == 200
    zoom.check()
