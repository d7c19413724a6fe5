"""The scenarios that come along, each played to the reference receiver, at speed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mockzoom import MockZoom, Receiver, Timings
from mockzoom.core.spec import load_spec
from mockzoom.core.webhook_order import judge
from mockzoom.engine.scenario_library import load_scenario, shipped_scenarios

SHIPPED = shipped_scenarios()
SCHEMA = json.loads((Path(__file__).parents[1] / "spec" / "scenario.schema.json").read_text())

#: Five hundred times faster, with windows that a busy machine keeps: seconds of real time.
SPEED = 500
PATIENT = replace(Timings.named("50"), close_grace_ms=SPEED * 3_000)
RECEIVER = Timings(backoff_ms=200, backoff_cap_ms=800)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_reference_receiver_survives_it(name: str, tmp_path: Path) -> None:
    """Every step is done, nothing is found, and the webhooks are in an order that Zoom keeps."""
    with (
        MockZoom(seed=1, timings=PATIENT) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path, timings=RECEIVER) as app,
    ):
        zoom.subscribe(app.url)
        result = zoom.play(name, speed=SPEED)
        result.check()
        assert result.steps_done == result.steps
        expected = load_scenario(name, load_spec()).expect.out_of_order
        assert {finding.check for finding in judge(zoom.journal())} == set(expected)
        for stream, status in app.streams.items():
            if status.joined:
                assert app.wait_ended(stream).ending is not None


@pytest.mark.parametrize("name", SHIPPED)
def test_an_editor_finds_no_fault_with_it(name: str) -> None:
    """The schema takes it, it is called like its file, and tells what to expect."""
    content = yaml.safe_load(SHIPPED[name].read_text(encoding="utf-8"))
    # YAML's own idea of `on` is a truth; editors and this project take it for a word.
    steps = [
        {"on" if key is True else key: its for key, its in s.items()} for s in content["steps"]
    ]
    jsonschema.validate({**content, "steps": steps}, SCHEMA)
    assert content["name"] == name
    assert content["expect"]["webhooks"]


class Forgetful(Receiver):
    """It joins whatever stream it is told of, as one that never heard of its stop."""

    def _inbox(self, event: dict[str, Any]) -> None:
        if not event["event"].endswith("_stopped"):
            super()._inbox(event)


@pytest.mark.parametrize("speed", [50, 200])
def test_a_receiver_that_joins_what_is_over_is_found_out(speed: int, tmp_path: Path) -> None:
    """The story does not end before such a receiver has dialled."""
    with (
        MockZoom(seed=1) as zoom,
        Forgetful(zoom.credentials, recordings=tmp_path, timings=RECEIVER) as app,
    ):
        zoom.subscribe(app.url)
        result = zoom.play("stop-before-start", speed=speed)
    assert {finding.check for finding in result.findings} == {"rtms.stream-id"}


def test_there_is_a_story_for_all_that_is_asked_of_receivers() -> None:
    """No story is lost on the way."""
    assert set(SHIPPED) == {
        "buffered-start",
        "concurrency-limit",
        "contact-center-call",
        "duplicate-start",
        "emoji-and-rtl-names",
        "happy-meeting",
        "host-disables-app",
        "interruption-and-return",
        "interruption-and-timeout",
        "late-retry",
        "media-loss",
        "meeting-ends",
        "nameless-participant",
        "pause-and-resume",
        "server-failover",
        "session",
        "stop-before-start",
        "stream-revoked",
        "two-meetings",
        "webinar",
    }


def said(stream_folder: Path) -> list[tuple[str, str]]:
    lines = (stream_folder / "transcript.jsonl").read_text(encoding="utf-8").splitlines()
    return [(line["user_name"], line["text"]) for line in map(json.loads, lines)]


def test_a_story_at_speed_is_the_whole_story(tmp_path: Path) -> None:
    """What people say arrives with their names; what is said to nobody does not."""
    with (
        MockZoom(seed=1, timings=PATIENT) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path, timings=RECEIVER) as app,
    ):
        zoom.subscribe(app.url)
        zoom.play("happy-meeting", speed=1000).check()
        [stream] = app.streams
        folder = app.wait_ended(stream).folder
    names = {name for name, _ in said(folder)}
    texts = " ".join(text for _, text in said(folder))
    assert names == {"Alice", "Bob", "Carol"}
    assert "Shall we begin?" in texts
    assert "Nobody hears this" not in texts


def test_a_seed_repeats_a_story(tmp_path: Path) -> None:
    """The same ids in the same webhooks, but for times."""

    def ids() -> list[object]:
        with (
            MockZoom(seed=11, timings=PATIENT) as zoom,
            Receiver(zoom.credentials, recordings=tmp_path, timings=RECEIVER) as app,
        ):
            zoom.subscribe(app.url)
            zoom.play("concurrency-limit", speed=SPEED).check()
            entries = [entry for entry in zoom.journal() if entry["kind"] == "webhook"]
            return [{**entry["body"]["payload"], "server_urls": ""} for entry in entries]

    assert ids() == ids()


def test_the_page_about_scenarios_is_true(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its story has no mistake and is survived, its Python runs."""
    page = (Path(__file__).parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")
    [story] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    [script] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    path = tmp_path / "story.yaml"
    path.write_text(story, encoding="utf-8")
    with (
        MockZoom(seed=1, timings=PATIENT) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path, timings=RECEIVER) as app,
    ):
        zoom.subscribe(app.url)
        zoom.play(path, speed=SPEED).check()
    exec(compile(script, "scenarios.md", "exec"), {})
    assert "10 of 10 steps" in capsys.readouterr().out
