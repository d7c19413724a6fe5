"""`mockzoom fuzz` as a command: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attacks import FORGETS, REVOKED, SOUND
from mutant import CREDENTIALS

from mockzoom.core.products import PRODUCTS
from mockzoom.judge.fuzz import run

Cli = Callable[..., Any]

SECRETS = ("--client-id", CREDENTIALS.client_id, "--client-secret", CREDENTIALS.client_secret)
SECRETS += ("--secret-token", CREDENTIALS.secret_token)
STOPPED = ("--event", "meeting.rtms_stopped", "--max-examples", "20", "--without", "rtms")


def test_a_sound_receiver(cli: Cli) -> None:
    """Status 0, and a table of what was tried."""
    with SOUND.running() as receiver:
        done = cli("fuzz", receiver.url, *SECRETS, *STOPPED)
    assert done.status == 0, done.out + done.err
    assert re.search(r"^meeting.rtms_stopped +51 +31 ", done.out, re.MULTILINE)
    assert re.search(r"^sequences +20 ", done.out, re.MULTILINE)
    assert "71 tried, nothing broke (--seed 0)" in done.out


def test_a_body_that_crashes(cli: Cli, tmp_path: Path) -> None:
    """Status 1; the body is shown with a line that sends it, and written with the report."""
    out = tmp_path / "found"
    with REVOKED.running() as receiver:
        done = cli("fuzz", receiver.url, *SECRETS, *STOPPED, "--only", "bodies", "--out", out)
    assert done.status == 1
    assert "it does not survive: meeting.rtms_stopped (crashed)" in done.err
    failure = done.out[done.out.index("meeting.rtms_stopped  CRASHED") :]
    for heading, text in {
        "expected": "any answer but a 5xx",
        "found": "status 500",
        "again": "the same",
        "smallest": '{"',
        "send it": "now=",
        "saved as": str(out / "meeting.rtms_stopped-crashed.body"),
    }.items():
        assert re.search(rf"^  {heading} +{re.escape(text)}", failure, re.MULTILINE), heading
    body = json.loads((out / "meeting.rtms_stopped-crashed.body").read_bytes())
    assert body["payload"]["stop_reason"] == 8
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (report["exit_code"], report["failures"][0]["harm"]) == (1, "crashed")
    assert CREDENTIALS.secret_token not in json.dumps(report) + done.out


def test_a_sequence_is_repeated_by_scenario_run(cli: Cli, tmp_path: Path) -> None:
    """What was saved fails again where it is played, until the bug is repaired."""
    options = ("--only", "sequences", "--without", "rtms", "--out", tmp_path, "--json")
    file = tmp_path / "sequences-crashed.yaml"
    with FORGETS.running() as receiver:
        done = cli("fuzz", receiver.url, *SECRETS, *options)
        assert (done.status, done.json["failures"][0]["repeats"]) == (1, True)
        again = cli("scenario", "run", file, "--receiver", receiver.url, *SECRETS)
    assert again.status == 1
    assert "status 500" in again.out
    with SOUND.running() as receiver:
        repaired = cli("scenario", "run", file, "--receiver", receiver.url, *SECRETS)
    assert repaired.status == 0, repaired.out


def test_an_interruption(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends it with a summary of what there was, and the shell's status for that."""

    class Interrupted(run.Bodies):
        def attack(self, name: str, row: Any) -> None:
            super().attack(name, row)
            raise KeyboardInterrupt

    monkeypatch.setattr(run, "Bodies", Interrupted)
    with SOUND.running() as receiver:
        done = cli("fuzz", receiver.url, *SECRETS, "--max-examples", "5", "--without", "rtms")
    assert done.status == 130
    assert "10 tried, nothing broke (--seed 0); ended early: interrupted" in done.out


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ((), 2, "fuzz needs the receiver's --secret-token"),
        ((*SECRETS, "--event", "meeting.rtms_stoped"), 2, "did you mean 'meeting.rtms_stopped'"),
        ((*SECRETS, "--product", "webinars"), 2, "did you mean 'webinar'"),
        ((*SECRETS, "--exec", "/nowhere"), 2, "--exec /nowhere: No such file"),
        ((*SECRETS, "--exec", "false"), 4, "--exec false: it ended"),
        (SECRETS, 4, "nobody listens; is the receiver running?"),
    ],
)
def test_other_ends(cli: Cli, options: tuple[str, ...], status: int, told: str) -> None:
    """A mistake of usage is 2, nobody there 4, each in one line."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/webhook"
    done = cli("fuzz", url, *options)
    assert (done.status, done.err.count("\n")) == (status, 1), done.err
    assert told in done.err


def test_nothing_was_tried(cli: Cli) -> None:
    """Status 3: an attack that never took place is not survived."""
    undone = [word for name in PRODUCTS for word in ("--without", name)]
    with SOUND.running() as receiver:
        options = (*SECRETS, *undone, "--event", "session.rtms_started")
        done = cli("fuzz", receiver.url, *options)
    assert done.status == 3
    assert "nothing was tested" in done.err
