"""Subscriptions and faults of webhooks over the control API."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import aiohttp
import pytest

from mockzoom import Credentials, MockZoom, Receiver, World
from mockzoom.errors import UsageError

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


def test_an_app_takes_events_over_a_websocket(zoom: MockZoom, app: Receiver) -> None:
    """Made, listed beside the others, dialled with a token of the REST, told of, and removed."""
    wanted = {"delivery": "websocket", "events": ["meeting.rtms_stopped"], "id": "my-app"}
    status, saved = ask(zoom, "POST", "/subscriptions", wanted)
    assert (status, saved["id"], saved["delivery"]) == (201, "my-app", "websocket")
    ask(zoom, "POST", "/subscriptions", {"url": app.url})
    _, told = ask(zoom, "GET", "/subscriptions")
    assert [one["delivery"] for one in told["subscriptions"]] == ["http", "websocket"]
    event = asyncio.run(told_of(zoom, zoom.credentials, saved["url"]))
    assert event["event"] == "meeting.rtms_stopped"
    assert ask(zoom, "DELETE", "/subscriptions/my-app") == (200, {"webhooks_lost": 0})
    assert ask(zoom, "DELETE", "/subscriptions/my-app")[0] == 404


async def told_of(world: World, keys: Credentials, url: str, ca: Path | None = None) -> Any:
    """What an app that connects to `url` is told when a stream starts and ends."""
    grant = {
        "grant_type": "client_credentials",
        "client_id": keys.client_id,
        "client_secret": keys.client_secret,
    }
    trust = ssl.create_default_context(cafile=ca) if ca else True
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{world.url}/oauth/token", data=grant) as answer:
            token = (await answer.json())["access_token"]
        async with session.ws_connect(f"{url}&access_token={token}", ssl=trust) as socket:
            assert (await socket.receive_json(timeout=10))["success"]
            await asyncio.to_thread(lambda: world.meeting().start_rtms().stop())
            message = await socket.receive_json(timeout=10)
    return json.loads(message["content"])


def test_events_come_over_tls_too() -> None:
    """As the sockets of streams do, on the same port."""
    with MockZoom(seed=1, tls=True) as zoom:
        url = zoom.subscribe_socket().url
        assert url.startswith(f"{zoom.rtms_url}/ws?subscriptionId=")
        assert url.startswith("wss://")
        told = asyncio.run(told_of(zoom, zoom.credentials, url, zoom.ca_path))
        assert told["event"] == "meeting.rtms_started"


def test_worlds_share_the_listener_and_no_subscription(zoom: MockZoom) -> None:
    """An id is used once on a server, and what happens in one world is not told in another."""
    other = zoom.world("other", seed=zoom.seed)
    try:
        one, two = zoom.subscribe_socket(), other.subscribe_socket()
        assert one.id != two.id
        with pytest.raises(UsageError, match="there is one already"):
            other.subscribe_socket(subscription_id=one.id)
        assert (
            asyncio.run(told_of(other, zoom.credentials, two.url))["event"]
            == "meeting.rtms_started"
        )
        assert [entry for entry in zoom.journal() if entry["kind"] == "webhook"] == []
    finally:
        zoom.remove_world("other")


def test_all_are_removed_at_once(zoom: MockZoom, app: Receiver) -> None:
    """Nothing goes anywhere then."""
    ask(zoom, "POST", "/subscriptions", {"url": app.url})
    assert ask(zoom, "DELETE", "/subscriptions") == (200, {"webhooks_lost": 0})
    zoom.meeting().start_rtms().stop()
    assert [entry for entry in zoom.journal() if entry["kind"] == "webhook"] == []


@pytest.mark.parametrize(
    ("body", "status", "line"),
    [
        ({}, 400, "url: is required"),
        ({"url": 5}, 400, "url: expected string, found 5"),
        ({"url": "nonsense"}, 400, "receiver 'nonsense': expected an address"),
        ({"url": NOWHERE}, 400, "URL validation: "),
        ({"url": NOWHERE, "delivery": "websocket"}, 400, "url: of a websocket"),
        ({"url": NOWHERE, "id": "x"}, 400, "id: only that of a websocket"),
        ({"delivery": "websocket", "id": "a b"}, 400, "expected 1 to 64"),
        ({"delivery": "mail"}, 400, "delivery: "),
        ({"url": NOWHERE, "events": "x"}, 400, 'events: expected array, found "x"'),
        ({"url": NOWHERE, "events": ["meeting.x"]}, 400, "meeting.x"),
    ],
)
def test_mistakes_are_one_line(zoom: MockZoom, body: Any, status: int, line: str) -> None:
    """What is missing, unknown, or does not answer."""
    found, told = ask(zoom, "POST", "/subscriptions", body)
    assert found == status
    assert line in told["detail"]
    assert "\n" not in told["detail"]


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
