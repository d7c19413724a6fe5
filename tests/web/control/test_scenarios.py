"""Scenarios over the control API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from mockzoom import MockZoom, Receiver, Timings
from mockzoom.engine.scenario_library import shipped_scenarios

TIMEOUT_S = 60
NOBODY = "http://127.0.0.1:9/"
HEAD = "name: own\nstory: Mine.\nmeetings: {m: {people: [Ann]}}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=1, timings=Timings.named("50")) as zoom:
        yield zoom


@pytest.fixture
def zoom(server: MockZoom) -> MockZoom:
    server.reset()
    return server


def ask(zoom: MockZoom, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{zoom.url}/_mockzoom/scenarios", data)
    try:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_those_that_come_along_are_listed(zoom: MockZoom) -> None:
    """With their stories."""
    status, told = ask(zoom)
    assert status == 200
    assert [one["name"] for one in told["scenarios"]] == list(shipped_scenarios())


def test_one_is_played_by_its_name(zoom: MockZoom, tmp_path: Path) -> None:
    """The answer comes when it is over, and says what came of it."""
    fast = Timings.named("fast")
    with Receiver(zoom.credentials, recordings=tmp_path, timings=fast) as app:
        zoom.subscribe(app.url)
        status, told = ask(zoom, {"name": "webinar", "speed": 500})
    assert status == 200
    assert (told["passed"], told["unmet"], told["findings"]) == (True, [], [])
    assert told["webhooks"] == ["webinar.rtms_started", "webinar.rtms_stopped"]


def test_a_text_is_played(zoom: MockZoom) -> None:
    """What the receiver does wrong is in the answer, which is no error of the request."""
    zoom.subscribe(NOBODY, validate=False)
    text = f"{HEAD}steps: [{{do: start}}, {{do: stop}}]\n"
    status, told = ask(zoom, {"text": text})
    assert (status, told["passed"], told["steps_done"]) == (200, False, 2)
    assert {finding["check"] for finding in told["findings"]} == {"webhook.answer"}


def test_all_mistakes_of_a_text_are_in_the_problem(zoom: MockZoom) -> None:
    """Each with its line and column."""
    status, told = ask(zoom, {"text": f"{HEAD}steps: [{{do: strat}}, {{do: pause}}]\n"})
    assert (status, told["type"]) == (400, "urn:mockzoom:scenario-error")
    assert told["mistakes"] == [
        "scenario:4:10: do: expected a verb, found 'strat'; did you mean 'start'?",
        "scenario:4:22: stream: expected a stream, but there is none yet",
    ]


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({}, 400, "expected either name or text"),
        ({"name": "webinar", "text": "x"}, 400, "expected either name or text"),
        ({"name": "webinr"}, 404, "did you mean 'webinar'?"),
        ({"name": "/etc/passwd"}, 404, "there is none of that name"),
        ({"name": "webinar"}, 400, "there is nobody to hear it"),
        ({"name": "webinar", "speed": 5000}, 400, "speed"),
    ],
)
def test_what_cannot_be_played_is_a_problem(
    zoom: MockZoom, body: dict[str, Any], status: int, detail: str
) -> None:
    """Files of this machine are among that."""
    found, told = ask(zoom, body)
    assert found == status
    assert detail in told["detail"]


def test_a_story_that_takes_too_long_is_broken_off(zoom: MockZoom) -> None:
    """Its faults are lifted, and another one may be played."""
    zoom.subscribe(NOBODY, validate=False)
    steps = "steps: [{do: fault, kind: no_keep_alive}, {do: start}, {at: 1h, do: stop}]"
    status, told = ask(zoom, {"text": f"{HEAD}{steps}\n", "timeout_s": 0.2})
    assert (status, told["type"]) == (408, "urn:mockzoom:scenario-timed-out")
    faults = [entry["happened"] for entry in zoom.journal() if entry["kind"] == "fault"]
    assert faults == ["on", "lifted"]
    assert ask(zoom, {"text": f"{HEAD}steps: [{{do: start}}, {{do: stop}}]\n"})[0] == 200
