"""The control API over the network, as any language would use it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from mockzoom import MockZoom
from mockzoom.web.app import MAX_BODY_BYTES

TEXT = "Good morning."
NAMES = ["Zoë O'Neill", "a/b", "😀", "50% off?#", "/", "..", "x/say", "//", "名前"]


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=1) as zoom:
        yield zoom


@pytest.fixture
def zoom(server: MockZoom) -> MockZoom:
    server.reset()
    return server


class Api:
    """Requests to the API of `zoom`: JSON in, status and JSON out."""

    def __init__(self, zoom: MockZoom) -> None:
        self._host = zoom.url.removeprefix("http://")

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        status, headers, answer = self.raw(method, "/_mockzoom" + path, data)
        told = json.loads(answer)
        if status >= 400:
            assert headers["content-type"] == "application/problem+json"
            assert told["status"] == status
            assert told.keys() >= {"type", "title", "detail"}
        else:
            assert headers["content-type"] == "application/json"
        return status, told

    def raw(
        self, method: str, path: str, data: bytes | None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any, bytes]:
        connection = http.client.HTTPConnection(self._host, timeout=5)
        try:
            connection.request(method, path, data, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def meeting(self, *names: str, **fields: Any) -> Any:
        status, meeting = self.ask("POST", "/meetings", {"participants": names, **fields})
        assert status == 201
        return meeting

    def journal(self, kind: str) -> list[dict[str, Any]]:
        _, journal = self.ask("GET", "/journal")
        return [entry for entry in journal["entries"] if entry["kind"] == kind]


@pytest.fixture
def api(zoom: MockZoom) -> Api:
    return Api(zoom)


def test_health(api: Api) -> None:
    """Whoever waits for the mock to be up asks here."""
    assert api.ask("GET", "/health") == (200, {"status": "ok"})


def test_a_meeting_is_made(api: Api) -> None:
    """The answer holds its ids and its people; without a body there is one of each default."""
    status, meeting = api.ask(
        "POST", "/meetings", {"topic": "Weekly 😀", "participants": ["Alice", "Bob"]}
    )
    assert status == 201
    assert meeting["topic"] == "Weekly 😀"
    assert meeting["product"] == "meeting"
    assert isinstance(meeting["meeting_id"], int)
    assert isinstance(meeting["meeting_uuid"], str)
    assert [p["user_name"] for p in meeting["participants"]] == ["Alice", "Bob"]
    assert len({p["user_id"] for p in meeting["participants"]}) == 2
    status, other = api.ask("POST", "/meetings")
    assert status == 201
    assert [p["user_name"] for p in other["participants"]] == ["Alice"]
    assert other["meeting_id"] != meeting["meeting_id"]


@pytest.mark.parametrize(
    ("product", "key"),
    [
        ("meeting", "meeting_id"),
        ("webinar", "webinar_id"),
        ("session", "session_key"),
        ("contact_center", "engagement_id"),
    ],
)
def test_a_meeting_is_addressed_by_its_key(api: Api, product: str, key: str) -> None:
    """Every product has an id that fits into a path, and its streams start and stop."""
    meeting = api.meeting("Alice", product=product)
    path = f"/meetings/{meeting[key]}"
    status, stream = api.ask("POST", f"{path}/rtms/start")
    assert status == 202
    assert stream["state"] == "INACTIVE"
    assert api.ask("GET", path) == (200, {**meeting, "streams": [stream]})
    status, stopped = api.ask("POST", f"{path}/rtms/stop")
    assert status == 202
    assert stopped == {**stream, "state": "TERMINATED"}
    assert api.ask("GET", path)[1]["streams"] == [stopped]


@pytest.mark.parametrize("name", NAMES)
def test_people_have_any_name(api: Api, name: str) -> None:
    """Spaces, slashes, emoji: percent-encoded, every name can be addressed."""
    meeting = api.meeting("Alice")
    path = f"/meetings/{meeting['meeting_id']}/participants"
    status, joined = api.ask("POST", path, {"name": name})
    assert (status, joined["user_name"]) == (201, name)
    status, said = api.ask("POST", f"{path}/{quote(name, safe='')}/say", {"text": TEXT})
    assert status == 202
    assert said["duration_ms"] % 20 == 0
    (speech,) = api.journal("speech")
    assert speech.items() >= {"user_name": name, "text": TEXT, **said}.items()


def test_the_journal_tells_what_happened(api: Api, zoom: MockZoom) -> None:
    """Entries, counters, findings, and how many entries are gone."""
    zoom.meeting().start_rtms()
    status, journal = api.ask("GET", "/journal")
    assert status == 200
    assert set(journal) == {"entries", "next", "dropped", "counters", "findings"}
    assert journal["dropped"] == 0
    ids = [entry["id"] for entry in journal["entries"]]
    assert ids == sorted(ids)


def test_one_of_several_streams_is_stopped_by_its_id(api: Api) -> None:
    """Two streams of a meeting: which one has to be said."""
    path = f"/meetings/{api.meeting('Alice')['meeting_id']}/rtms"
    first, second = (api.ask("POST", f"{path}/start")[1] for _ in range(2))
    status, told = api.ask("POST", f"{path}/stop")
    assert (status, told["detail"].count("rtms_stream_id")) == (400, 1)
    body = {"rtms_stream_id": first["rtms_stream_id"], "stop_reason": 3}
    assert api.ask("POST", f"{path}/stop", body)[0] == 202
    assert api.ask("POST", f"{path}/stop", body)[0] == 404
    _, stopped = api.ask("POST", f"{path}/stop")
    assert stopped["rtms_stream_id"] == second["rtms_stream_id"]


@pytest.mark.parametrize("reason", [0, 27, -1, "6", 6.5, True, None, [], 10**30])
def test_a_stop_reason_is_one_of_the_protocol(api: Api, reason: Any) -> None:
    """Anything but the number of a reason is refused, and the stream goes on."""
    path = f"/meetings/{api.meeting('Alice')['meeting_id']}/rtms"
    api.ask("POST", f"{path}/start")
    status, told = api.ask("POST", f"{path}/stop", {"stop_reason": reason})
    assert status == 400
    assert told["type"] == "urn:mockzoom:invalid-request"
    assert told["errors"][0]["field"] == "stop_reason"
    assert api.ask("POST", f"{path}/stop", {"stop_reason": 26})[0] == 202


def test_people_do_things(api: Api) -> None:
    """They leave, turn the camera on, and share; the meeting knows who is still there."""
    meeting = api.meeting("Alice", "a/b")
    path = f"/meetings/{meeting['meeting_id']}"
    api.ask("POST", f"{path}/rtms/start")
    for on in (True, False):
        assert api.ask("POST", f"{path}/participants/a%2Fb/camera", {"on": on}) == (202, {})
        assert api.ask("POST", f"{path}/participants/Alice/share", {"on": on}) == (202, {})
    assert api.ask("POST", f"{path}/events", {"event_type": 10, "group": "x"}) == (202, {})
    assert api.ask("DELETE", f"{path}/participants/a%2Fb") == (200, {})
    _, shown = api.ask("GET", path)
    assert [p["user_name"] for p in shown["participants"]] == ["Alice"]
    assert api.ask("DELETE", f"{path}/participants/a%2Fb")[0] == 404
    assert api.ask("POST", f"{path}/participants", {"name": "a/b"})[0] == 201
    assert api.journal("failure") == []


def test_people_chat(api: Api) -> None:
    """A message gets an id, by which it is corrected; mistakes name the field."""
    path = f"/meetings/{api.meeting('Alice', 'Bob')['meeting_id']}/participants/Alice/chat"
    status, told = api.ask("POST", path, {"text": "Helo", "to": "Bob"})
    assert status == 202
    edit = {"text": "Hello", "operation_type": 3, "message_id": told["message_id"]}
    assert api.ask("POST", path, edit) == (202, told)
    assert api.ask("POST", path, {"text": "Hi", "to": "Bop"})[0] == 404
    status, told = api.ask("POST", path, {"text": "Hi", "operation_type": 7})
    assert (status, "at most 5" in told["detail"]) == (400, True)


def test_a_stream_is_paused_resumed_and_relocated(api: Api, zoom: MockZoom) -> None:
    """What cannot be done in its state is a 400 in one line."""
    meeting = api.meeting("Alice")
    path = f"/meetings/{meeting['meeting_id']}/rtms"
    _, before = api.ask("POST", f"{path}/start")
    status, moved = api.ask("POST", f"{path}/relocate")
    assert status == 202
    assert moved["rtms_stream_id"] == before["rtms_stream_id"]
    assert moved["server_urls"] != before["server_urls"]
    assert api.ask("POST", f"{path}/pause", {"rtms_stream_id": "x"})[0] == 404
    assert api.ask("POST", f"{path}/pause")[0] == 202
    status, told = api.ask("POST", f"{path}/pause")
    assert (status, "PAUSE is not possible" in told["detail"]) == (400, True)
    assert api.ask("POST", f"{path}/resume")[0] == 202
    assert api.ask("POST", f"{path}/jump")[0] == 404


def test_faults_are_switched_on_listed_and_lifted(api: Api) -> None:
    """What is shown of a fault can be sent again; cuts are done at once and never on."""
    status, delay = api.ask("POST", "/faults", {"kind": "delay", "ms": 200, "socket": "audio"})
    assert (status, delay["hits"], delay["ms"]) == (201, 0, 200)
    again = {k: v for k, v in delay.items() if k not in ("id", "hits")}
    status, twin = api.ask("POST", "/faults", again)
    assert (status, twin) == (201, {**delay, "id": delay["id"] + 1})
    assert api.ask("POST", "/faults", {"kind": "reset"})[0] == 201
    assert api.ask("GET", "/faults") == (200, {"faults": [delay, twin]})
    assert api.ask("DELETE", f"/faults/{twin['id']}") == (200, {})
    assert api.ask("DELETE", f"/faults/{twin['id']}")[0] == 404
    assert api.ask("DELETE", "/faults") == (200, {})
    assert api.ask("GET", "/faults") == (200, {"faults": []})
    told = [(e["number"] - delay["id"], e["happened"]) for e in api.journal("fault")]
    assert told == [(0, "on"), (1, "on"), (2, "on"), (1, "lifted"), (0, "lifted")]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "line"),
    [
        ("GET", "/meetings/1", None, 404, "meeting '1': there is none"),
        ("POST", "/meetings/1/rtms/start", None, 404, "meeting '1': there is none"),
        ("POST", "/meetings/1/rtms/stop", None, 404, "meeting '1': there is none"),
        ("POST", "/meetings/KEY/rtms/stop", None, 400, "expected one live stream, found 0"),
        ("POST", "/meetings", b"{", 400, "body: is not application/json"),
        ("POST", "/meetings", b"\xff", 400, "body: is not application/json"),
        ("POST", "/meetings", [], 400, "body: expected object, found []"),
        ("POST", "/meetings", {"topic": 5}, 400, "topic: expected string, found 5"),
        ("POST", "/meetings", {"topic": ""}, 400, "topic: '' should be non-empty"),
        ("POST", "/meetings", {"participants": "Al"}, 400, "participants: expected array"),
        ("POST", "/meetings", {"participants": [1]}, 400, "participants.0: expected string"),
        ("POST", "/meetings", {"participants": ["A", "A"]}, 400, "'A' is in it already"),
        ("POST", "/meetings", {"participants": [" "]}, 400, "a participant's name, found ' '"),
        ("POST", "/meetings", {"participants": ["\ud800"]}, 400, "name, found '\\ud800'"),
        ("POST", "/meetings", {"product": "x"}, 400, 'product: expected one of "meeting", '),
        ("POST", "/meetings/KEY/participants", {}, 400, "name: is required"),
        ("POST", "/meetings/KEY/participants", {"name": "Alice"}, 400, "is in it already"),
        ("POST", "/meetings/KEY/participants/Alise/say", {"text": "x"}, 404, "mean 'Alice'?"),
        ("POST", "/meetings/KEY/participants/Alice/say", {}, 400, "text: is required"),
        ("POST", "/meetings/KEY/participants/Alice/say", {"text": "\udc00"}, 400, "found '\\udc00"),
        ("POST", "/meetings/KEY/participants/Alice/say", {"text": "la " * 9000}, 400, "in parts"),
        ("DELETE", "/meetings/1/participants/Alice", None, 404, "meeting '1': there is none"),
        ("DELETE", "/meetings/KEY/participants/Alise", None, 404, "mean 'Alice'?"),
        ("POST", "/meetings/KEY/participants/Alise/camera", {"on": True}, 404, "mean 'Alice'?"),
        ("POST", "/meetings/KEY/participants/Alice/camera", {}, 400, "on: is required"),
        ("POST", "/meetings/KEY/participants/Alice/share", {"on": 1}, 400, "on: expected boolean"),
        ("POST", "/meetings/KEY/events", {}, 400, "event_type: is required"),
        ("POST", "/meetings/KEY/events", {"event_type": True}, 400, "expected integer"),
        ("POST", "/meetings/KEY/events", {"event_type": 15}, 400, "expected 1 to 14"),
        ("POST", "/meetings/KEY/events", {"event_type": 2, "x": "\ud800"}, 400, "fields of JSON"),
        (
            "POST",
            "/meetings/KEY/events",
            b'{"event_type": 2, "x": NaN}',
            400,
            "is not application/json",
        ),
        ("POST", "/meetings/KEY/rtms/pause", None, 400, "expected one live stream, found 0"),
        ("POST", "/meetings/1/rtms/relocate", None, 404, "meeting '1': there is none"),
        ("POST", "/faults", {}, 400, "kind: is required"),
        ("POST", "/faults", {"kind": "dely"}, 400, "did you mean 'delay'?"),
        ("POST", "/faults", {"kind": "delay", "ms": "1"}, 400, "ms: expected int, found '1'"),
        ("DELETE", "/faults/99999", None, 404, "fault 99999: it is not on"),
        ("DELETE", "/faults/x", None, 404, "Not Found"),
        ("GET", "/nothing", None, 404, "GET /_mockzoom/nothing: Not Found"),
        ("PUT", "/meetings", None, 405, "PUT /_mockzoom/meetings: Method Not Allowed"),
        ("DELETE", "/health", None, 405, "Method Not Allowed"),
    ],
)
def test_mistakes_are_one_line(
    api: Api, method: str, path: str, body: Any, status: int, line: str
) -> None:
    """404 for what does not exist, 400 for the rest, and a line that says what to change."""
    path = path.replace("KEY", str(api.meeting("Alice")["meeting_id"]))
    found, told = api.ask(method, path, body)
    assert found == status
    assert line in told["detail"]
    assert "\n" not in told["detail"]


def test_another_method_is_told(api: Api) -> None:
    """A 405 says which methods there are."""
    _, headers, _ = api.raw("PUT", "/_mockzoom/meetings", None)
    assert "POST" in headers["allow"]


def test_too_large_a_body_is_refused(api: Api) -> None:
    """More than a megabyte is a mistake, and is told as one."""
    status, told = api.ask("POST", "/meetings", b" " * (MAX_BODY_BYTES + 1))
    assert status == 413
    assert told["detail"].endswith("Request Entity Too Large")


def test_a_bug_is_500_and_json(api: Api, zoom: MockZoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even what nobody thought of is answered as JSON, without a traceback."""

    def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(zoom._world, "create_meeting", broken)
    status, told = api.ask("POST", "/meetings")
    assert status == 500
    assert told == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "POST /_mockzoom/meetings: Internal Server Error",
    }


def test_the_token_is_asked_for() -> None:
    """Off this machine, for everything but health and the document, in every world."""
    with MockZoom(api_token="the-api-token") as zoom:
        api = Api(zoom)
        for prefix in ("", "/w/default", "/w/nobody"):
            status, headers, told = api.raw("GET", f"{prefix}/_mockzoom/journal", None)
            assert (status, headers["www-authenticate"]) == (401, "Bearer")
            assert "API token" in json.loads(told)["detail"]
        assert api.raw("GET", "/_mockzoom/health", None)[0] == 200
        assert api.raw("GET", "/_mockzoom/openapi.json", None)[0] == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200),
        ({"Host": "[::1]:1"}, 200),
        ({"Origin": "https://shop.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "shop.example", "Origin": "http://shop.example"}, 403),
        ({"Host": "127.0.0.1.shop.example"}, 403),
    ],
)
def test_pages_of_other_sites_are_kept_out(
    zoom: MockZoom, headers: dict[str, str], expected: int
) -> None:
    """A browser on this machine does not let any page drive the mock or read what it tells."""
    status, _, answer = Api(zoom).raw("GET", "/_mockzoom/meetings", None, headers)
    assert status == expected, answer
