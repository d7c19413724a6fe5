"""`mockzoom scenario`: listing, showing and playing, and the status with which that ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.engine.scenario_library import shipped_scenarios
from mockzoom.receiver.receiver import Receiver

KEYS = Credentials("app", "app-secret", "app-token")
GIVEN = ("--client-id", "app", "--client-secret", "app-secret", "--secret-token", "app-token")
STORY = "name: own\nstory: Mine.\nmeetings: {m: {people: [Ann]}}\n"
TIMEOUT_S = 60


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(KEYS, recordings=tmp_path / "rec", timings=Timings.named("fast")) as app:
        yield app


@pytest.fixture
def own(tmp_path: Path):
    """Writes a scenario with these steps."""

    def write(*steps: str, head: str = STORY) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(f"{head}steps:\n" + "".join(f"  - {{{s}}}\n" for s in steps), "utf-8")
        return path

    return write


def test_all_that_come_along_are_listed(cli):
    """A line each, or JSON: the name and the story."""
    ended = cli("scenario", "list")
    assert ended.status == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == list(shipped_scenarios())
    told = {head["name"]: head["story"] for head in cli("scenario", "list", "--json").json}
    assert "a second start of the same stream names the URLs" in told["server-failover"]


def test_one_is_shown_as_it_is_written(cli):
    """To be copied and changed; as JSON the steps with their times and lines."""
    shown = cli("scenario", "show", "webinar")
    assert shown.out == shipped_scenarios()["webinar"].read_text(encoding="utf-8")
    told = cli("scenario", "show", "webinar", "--json").json
    assert told["name"] == "webinar"
    assert told["steps"][0] == {"at_ms": 0, "line": 9, "do": "start"}


def test_a_receiver_survives_a_story(cli, receiver):
    """Status 0, a line a step, and how to have the same again."""
    run = (
        "scenario",
        "run",
        "meeting-ends",
        "--receiver",
        receiver.url,
        "--speed",
        50,
        "--seed",
        7,
    )
    ended = cli(*run, *GIVEN)
    assert ended.status == 0, ended.out
    assert "wait for=ended" in ended.out
    assert "passed  meeting-ends: 5 of 5 steps, 2 webhooks" in ended.out
    again = f"mockzoom scenario run meeting-ends --receiver {receiver.url} --seed 7 --speed 50"
    assert again in ended.out


def test_a_run_for_programs_is_a_json_object_a_line(cli, receiver):
    """Steps as they happen, and the result."""
    run = ("scenario", "run", "session", "--receiver", receiver.url, "--speed", 50, "--json")
    lines = [json.loads(line) for line in cli(*run, *GIVEN).out.splitlines()]
    assert {line["kind"] for line in lines[:-1]} == {"step"}
    assert lines[-1]["kind"] == "result"
    assert lines[-1]["passed"] is True
    assert lines[-1]["webhooks"] == ["session.rtms_started", "session.rtms_stopped"]


def test_a_receiver_that_fails_a_story_is_told_why(cli, receiver, own):
    """Status 1, and every expectation that did not come true."""
    path = own("do: start", "do: stop")
    ended = cli("scenario", "run", path, "--receiver", receiver.url, "--speed", 50, *GIVEN)
    assert ended.status == 1
    assert "expected the receiver to join it, which it never did" in ended.out
    assert "FAILED  own: 2 of 2 steps" in ended.out
    assert "went wrong" in ended.err


def test_all_mistakes_are_told_and_nothing_starts(cli, own):
    """Status 2, a line a mistake with its place, also without a receiver."""
    path = own("do: strat", "do: pause, x: 1")
    ended = cli("scenario", "run", path, "--receiver", "http://127.0.0.1:9/")
    assert ended.status == 2
    assert f"{path}:5:6: do: expected a verb, found 'strat'; did you mean 'start'?" in ended.err
    assert f"{path}:6:17: unknown field 'x'" in ended.err
    assert ended.err.rstrip().endswith("(3 mistakes); nothing was started")


def test_without_a_receiver_it_says_how_to_have_one(cli):
    """Status 2 with the commands for a first try."""
    ended = cli("scenario", "run", "webinar")
    assert ended.status == 2
    assert "--receiver is missing" in ended.err
    assert "mockzoom receiver" in ended.err


def test_a_name_that_is_none_is_a_mistake(cli):
    """With the one that was meant."""
    ended = cli("scenario", "run", "webinr")
    assert ended.status == 2
    assert "did you mean 'webinar'?" in ended.err


def test_a_story_without_webhooks_tests_nothing(cli, receiver, own):
    """Status 3."""
    path = own("do: join, who: Bob")
    ended = cli("scenario", "run", path, "--receiver", receiver.url, "--speed", 50, *GIVEN)
    assert ended.status == 3
    assert "it tested nothing" in ended.err


def test_a_receiver_that_is_not_there_is_told_of(cli):
    """Status 4."""
    assert cli("scenario", "run", "webinar", "--receiver", "http://127.0.0.1:9/").status == 4


def test_a_wrong_secret_is_told_of(cli, receiver):
    """Status 1; made-up keys are what most people forget about."""
    ended = cli("scenario", "run", "webinar", "--receiver", receiver.url)
    assert ended.status == 1
    assert "give the receiver's" in ended.err


def test_a_speed_that_there_is_not_is_refused(cli):
    """Status 2."""
    assert cli("scenario", "run", "webinar", "--speed", 0).status == 2


def test_ctrl_c_ends_it_cleanly(process, receiver, own):
    """In the middle of a wait, with no traceback and the status of shells."""
    path = own("do: start", "do: wait, for: ready", "at: 1h, do: stop")
    args = ("scenario", "run", str(path), "--receiver", receiver.url, "--json", *GIVEN)
    with process(*args) as running:
        for line in running.stdout:
            if '"waiting"' in line:
                break
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=TIMEOUT_S)
    assert running.returncode == 130
    assert err.strip() == ""
