"""Several worlds in one server, which see nothing of one another."""

from __future__ import annotations

import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockzoom import Credentials, MockZoom, Receiver, World
from mockzoom.errors import UnknownObject

TIMEOUT_S = 10


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(credentials=Credentials("id", "secret", "token"), seed=1) as zoom:
        yield zoom


@pytest.fixture
def zoom(server: MockZoom) -> Iterator[MockZoom]:
    server.reset()
    yield server
    for name in server.worlds[1:]:
        server.remove_world(name)


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    """What the control API at `url` answers."""
    at = urlsplit(url)
    data = None if body is None else json.dumps(body).encode()
    connection = http.client.HTTPConnection(at.netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, f"{at.path}/_mockzoom{path}", data, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_world_is_made_used_and_removed(zoom: MockZoom) -> None:
    """By its prefix or by a header; its name is made up if none is given."""
    status, made = ask(zoom.url, "POST", "/worlds", {"name": "job-1"})
    assert (status, made) == (
        201,
        {"name": "job-1", "url": f"{zoom.url}/w/job-1", "meetings": 0, "streams": 0},
    )
    assert ask(zoom.url, "POST", "/worlds")[1]["name"] == "world-1"
    assert ask(made["url"], "POST", "/meetings")[0] == 201
    status, told = ask(zoom.url, "GET", "/meetings", **{"X-Mockzoom-World": "job-1"})
    assert (status, len(told["meetings"])) == (200, 1)
    assert ask(zoom.url, "GET", "/meetings") == (200, {"meetings": []})
    assert ask(f"{zoom.url}/w/default", "GET", "/meetings") == (200, {"meetings": []})
    listed = ask(made["url"], "GET", "/worlds")[1]["worlds"]
    assert [world["name"] for world in listed] == ["default", "job-1", "world-1"]
    assert listed[1] == {**made, "meetings": 1}
    assert ask(zoom.url, "DELETE", "/worlds/job-1") == (200, {"webhooks_lost": 0})
    assert ask(made["url"], "GET", "/meetings")[0] == 404


@pytest.mark.parametrize(
    ("path", "headers", "detail"),
    [
        ("/w/job-l", {}, "world 'job-l': there is none, make it by POST /_mockzoom/worlds; did"),
        ("", {"X-Mockzoom-World": "job-l"}, "did you mean 'job-1'?"),
        ("/w/a%2Fb", {}, "Not Found"),
        ("/w/", {}, "Not Found"),
    ],
)
def test_a_world_that_is_not_there(
    zoom: MockZoom, path: str, headers: dict[str, str], detail: str
) -> None:
    """Is no new and empty one: the name was mistyped."""
    zoom.world("job-1")
    status, told = ask(zoom.url + path, "GET", "/meetings", **headers)
    assert (status, detail in told["detail"]) == (404, True), told


def test_two_at_once_do_not_see_each_other(zoom: MockZoom, tmp_path: Path) -> None:
    """Meetings, webhooks, faults, findings and clocks are each world's own, and sockets work."""
    worlds = [zoom.world("left"), zoom.world("right")]
    first = worlds[0]
    first.clock.freeze()
    first.fault("webhook_duplicate")

    def story(world: World) -> str:
        folder = tmp_path / world.url.rpartition("/")[2]
        with Receiver(zoom.credentials, recordings=folder) as app:
            world.subscribe(app.url)
            stream = world.meeting().start_rtms()
            stream.wait_ready()
            stream.stop()
            world.wait_for("webhook", event="meeting.rtms_stopped")
            assert [one.rtms_stream_id for one in app.streams.values()] == [stream.rtms_stream_id]
            return stream.rtms_stream_id

    with ThreadPoolExecutor(2) as jobs:
        left, right = jobs.map(story, worlds)
    for world, own, webhooks in zip(worlds, (left, right), (4, 2), strict=True):
        told = world.journal()
        assert {entry["stream"] for entry in told} == {"", own}
        assert len([entry for entry in told if entry["kind"] == "webhook"]) == webhooks
        assert world.findings == []
    assert [first.clock.frozen, worlds[1].clock.frozen, zoom.clock.frozen] == [True, False, False]
    assert zoom.journal() == []
    first.reset()
    assert first.journal() == []
    assert worlds[1].journal() != []


def test_what_goes_wrong_on_a_socket_is_told_in_its_world(
    zoom: MockZoom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A bug that a message meets is a failure where the stream is, and nowhere else."""
    world = zoom.world("unlucky")

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    with Receiver(zoom.credentials, recordings=tmp_path) as app:
        world.subscribe(app.url)
        monkeypatch.setattr("mockzoom.engine.live_stream.LiveStream.received", broken)
        world.meeting().start_rtms()
        failure = world.wait_for("failure")
    assert failure["error"] == "RuntimeError: a bug"
    assert zoom.journal() == []


def test_an_app_is_pointed_at_a_world(zoom: MockZoom) -> None:
    """Zoom's REST is there too, and the URL in the token leads back to the same world."""
    world = zoom.world("app")
    meeting = world.meeting()
    at = urlsplit(world.url)
    basic = b64encode(b"id:secret").decode()

    def rest(method: str, url: str, body: str, authorization: str, kind: str) -> tuple[int, bytes]:
        at = urlsplit(url)
        connection = http.client.HTTPConnection(at.netloc, timeout=TIMEOUT_S)
        try:
            headers = {"Authorization": authorization, "Content-Type": kind}
            connection.request(method, at.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    form = "application/x-www-form-urlencoded"
    _, token = rest(
        "POST",
        f"{world.url}/oauth/token",
        f"grant_type=account_credentials&account_id={world.account_id}",
        f"Basic {basic}",
        form,
    )
    told = json.loads(token)
    assert told["api_url"] == world.url
    path = f"/v2/live_meetings/{meeting.key}/rtms_app/status"
    bearer = f"Bearer {told['access_token']}"
    start = ("PATCH", '{"action": "start"}', bearer, "application/json")
    assert rest(start[0], f"http://{at.netloc}{path}", *start[1:])[0] == 401  # of another world
    assert rest(start[0], told["api_url"] + path, *start[1:])[0] == 204
    assert [s["meeting"] for s in ask(world.url, "GET", "/streams")[1]["streams"]] == [meeting.key]
    assert ask(zoom.url, "GET", "/streams") == (200, {"streams": []})
    status, told = rest(start[0], f"{zoom.url}/w/nobody{path}", *start[1:])
    assert (status, "world 'nobody'" in json.loads(told)["message"]) == (404, True)


def test_a_seed_repeats_the_ids_of_a_world(zoom: MockZoom) -> None:
    """It follows from the seed of the server and the name, or is given."""
    ids = zoom.world("a").meeting().ids
    assert zoom.world("b").meeting().ids != ids
    zoom.remove_world("a")
    assert zoom.world("a").meeting().ids == ids
    jobs = zoom.world("c", seed=5), zoom.world("d", seed=5)
    for _ in range(3):
        one, other = (job.meeting() for job in jobs)
        assert one.ids == other.ids
        assert one.start_rtms().rtms_stream_id == other.start_rtms().rtms_stream_id


def test_a_world_is_removed(zoom: MockZoom) -> None:
    """With all that is in it; who waits in it is told."""
    world = zoom.world("short")
    stream = world.meeting().start_rtms()
    with ThreadPoolExecutor(1) as waiting:
        wait = waiting.submit(ask, world.url, "POST", "/wait-for", {"kind": "never"})
        rest_of_it = waiting.submit(lambda: None)
        while not zoom._worlds["short"].journal._waiting:
            assert not rest_of_it.done()
        zoom.remove_world("short")
        status, told = wait.result(TIMEOUT_S)
    assert (status, told["type"]) == (503, "urn:mockzoom:closing")
    assert stream.rtms_stream_id not in zoom._world.streams
    with pytest.raises(UnknownObject):
        zoom.remove_world("short")
