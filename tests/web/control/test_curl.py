"""A whole story with curl alone: any language can drive the mock."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from mockzoom import MockZoom, Receiver

TIMEOUT_S = 20

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture
def zoom() -> Iterator[MockZoom]:
    with MockZoom(seed=1) as zoom:
        yield zoom


@pytest.fixture
def app(zoom: MockZoom, tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(zoom.credentials, recordings=tmp_path) as receiver:
        yield receiver


def curl(*args: str) -> tuple[int, Any]:
    """The status and the JSON that `curl` with these arguments gets."""
    command = ["curl", "-s", "-m", str(2 * TIMEOUT_S), "-w", "\n%{http_code}", *args]
    done = subprocess.run(command, capture_output=True, timeout=3 * TIMEOUT_S, check=True)
    body, _, status = done.stdout.decode().rpartition("\n")
    return int(status), json.loads(body)


class Api:
    """curl with the base URL of the control API in front."""

    def __init__(self, url: str) -> None:
        self._base = f"{url}/_mockzoom"

    def get(self, path: str) -> Any:
        return self._done(path)

    def post(self, path: str, body: Any = None) -> Any:
        return self._done(path, "-X", "POST", *([] if body is None else ["-d", json.dumps(body)]))

    def patch(self, path: str, body: Any) -> Any:
        return self._done(path, "-X", "PATCH", "-d", json.dumps(body))

    def delete(self, path: str) -> Any:
        return self._done(path, "-X", "DELETE")

    def wait_for(self, kind: str, count: int = 1, **fields: Any) -> list[dict[str, Any]]:
        body = {"kind": kind, "fields": fields, "count": count, "timeout_s": TIMEOUT_S}
        entries: list[dict[str, Any]] = self.post("/wait-for", body)["entries"]
        return entries

    def _done(self, path: str, *args: str) -> Any:
        status, told = curl(*args, self._base + path)
        assert status < 300, told
        return told


def test_a_story_is_told(zoom: MockZoom, app: Receiver, tmp_path: Path) -> None:
    """A world, a receiver, a meeting, speech, a fault, a retry by the clock, and the end of it."""
    world = Api(zoom.url).post("/worlds", {"name": "job-1"})
    api = Api(world["url"])
    saved = api.post("/subscriptions", {"url": app.url})
    assert saved["state"] == "validated"

    meeting = api.post("/meetings", {"topic": "Weekly", "participants": ["Alice"]})
    path = f"/meetings/{meeting['meeting_id']}"
    api.post(f"{path}/participants", {"name": "Zoë O/Neill"})
    stream = api.post(f"{path}/rtms/start")
    api.wait_for("webhook", event="meeting.rtms_started", status=200)
    api.wait_for("state", state="ACTIVE")
    api.post(f"{path}/participants/{quote('Zoë O/Neill', safe='')}/say", {"text": "Good morning."})
    api.post(f"{path}/participants/Alice/mute", {"on": True})
    api.post(f"{path}/participants/Alice/chat", {"text": "I am muted."})

    api.post("/faults", {"kind": "webhook_delay", "ms": 1, "times": 1})
    assert [fault["kind"] for fault in api.get("/faults")["faults"]] == ["webhook_delay"]
    api.patch("/clock", {"speed": 2})
    before = api.patch("/clock", {"frozen": True})["now_ms"]
    assert api.post("/clock/advance", {"by_ms": 60_000})["now_ms"] == before + 60_000
    api.patch("/clock", {"frozen": False})

    api.post(f"{path}/happenings", {"name": "host_disables_app"})
    [stopped] = api.wait_for("webhook", event="meeting.rtms_stopped", status=200)
    assert stopped["body"]["payload"]["rtms_stream_id"] == stream["rtms_stream_id"]
    assert api.get(f"/streams/{stream['rtms_stream_id']}")["state"] == "TERMINATED"
    accepted = api.get("/journal?kind=webhook&status=200")["entries"]
    names = [entry["event"] for entry in accepted]
    assert (names[0], names[-1]) == ("meeting.rtms_started", "meeting.rtms_stopped")

    wanted = '{"kind": "webhook", "timeout_s": 0.1, "fields": {"status": 500}}'
    status, told = curl("-d", wanted, f"{world['url']}/_mockzoom/wait-for")
    assert (status, "status: expected 500, found 200" in told["detail"]) == (408, True)

    assert Api(zoom.url).get("/journal")["entries"] == []
    api.post("/reset")
    assert api.get("/meetings") == {"meetings": []}
    assert api.get("/subscriptions") == {"subscriptions": []}
    Api(zoom.url).delete("/worlds/job-1")
    assert [one["name"] for one in Api(zoom.url).get("/worlds")["worlds"]] == ["default"]


def test_a_retry_is_a_leap_of_the_clock_away(zoom: MockZoom, app: Receiver) -> None:
    """What Zoom tries again after five minutes is tried again at once."""
    api = Api(zoom.url)
    api.post("/subscriptions", {"url": "http://127.0.0.1:1/", "validate": False})
    stopped = {"event": "meeting.rtms_stopped", "fields": {"payload": {"stop_reason": 6}}}
    api.post("/webhooks", stopped)
    api.wait_for("webhook", attempt=1)
    api.post("/clock/advance", {"by_ms": 300_000})
    [again] = api.wait_for("webhook", attempt=2)
    assert again["body"]["payload"]["stop_reason"] == 6
