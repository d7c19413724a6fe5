"""The README is true: its Python runs, its commands exist, its requests are answered."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import click
import pytest

from mockzoom import MockZoom
from mockzoom.cli.config import default_map
from mockzoom.cli.main import root

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = [README, (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")]

TIMEOUT_S = 10


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[str]:
    """The lines after `$` that start `program`, also inside `eval`."""
    lines = [
        line.removeprefix("$ ")
        for page in PAGES
        for block in blocks("console", page)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    bare = [re.sub(r'^eval "\$\((.*)\)"$', r"\1", line) for line in lines]
    return list(dict.fromkeys(line for line in bare if line.split()[0] == program))


def test_every_console_line_is_checked_by_a_test_here():
    """No command of the README is of a kind that the tests below do not know."""
    shown = [
        line for page in PAGES for block in blocks("console", page) for line in block.splitlines()
    ]
    assert all(line.startswith("$ ") for line in shown)
    checked = {*commands("make"), *commands("mockzoom"), *commands("curl")}
    assert {re.sub(r'^eval "\$\((.*)\)"$', r"\1", line[2:]) for line in shown} == checked


# --- Python ---


def test_the_tests_of_the_readme_pass(pytester):
    """The example of a test, with the example of a server of one's own, passes under pytest."""
    pytester.makepyfile(*[block for block in blocks("python") if "def test_" in block])
    pytester.makeconftest(*[block for block in blocks("python") if "@pytest.fixture" in block])
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_the_scripts_of_the_readme_run(capsys):
    """The examples for plain Python run and print what they promise."""
    scripts = [block for block in blocks("python") if "def " not in block]
    assert len(scripts) == 4
    for script in scripts:
        exec(compile(script, "README.md", "exec"), {})
    out = capsys.readouterr().out
    assert "Is anybody listening? takes 1" in out
    assert "state" in out


# --- shell ---


@pytest.mark.parametrize("line", commands("make"))
def test_targets_exist(line):
    """Every `make` of the README is a target of the Makefile."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    for target in line.split()[1:]:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


@pytest.mark.parametrize("line", commands("mockzoom"))
def test_commands_are_understood(line):
    """Every command line of the README is one that the program takes."""
    _parse(root, shlex.split(line)[1:])


def _parse(command: click.Command, args: list[str]) -> None:
    """Let click take `args` apart, but do nothing; it raises what is wrong with them."""
    context = command.make_context(command.name, args)
    if isinstance(command, click.Group):
        name, inner, rest = command.resolve_command(context, context._protected_args + context.args)
        assert inner is not None, name
        _parse(inner, rest)


@pytest.mark.parametrize("line", [c for c in commands("mockzoom") if c.split()[1] == "spec"])
def test_commands_that_end_are_run(line, capsys):
    """What only prints is run."""
    root.main(shlex.split(line)[1:], standalone_mode=False)
    assert capsys.readouterr().out


def test_the_settings_are_settings(tmp_path, monkeypatch):
    """The example of a mockzoom.toml is taken by the program."""
    [example] = blocks("toml")
    assert tomllib.loads(example)
    (tmp_path / "mockzoom.toml").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    defaults = default_map(root, click.Context(root))
    assert defaults is not None
    assert defaults["serve"] == {
        "secret_token": "my-secret-token",
        "port": 8700,
        "receivers": ["http://127.0.0.1:3000/webhook"],
    }


# --- HTTP ---


def test_the_requests_are_answered():
    """The story that the README tells with curl happens, request by request."""
    lines = commands("curl")
    answers = []
    with MockZoom() as zoom:
        known = {
            "127.0.0.1:8700": zoom.url,
            "$ZOOM_CLIENT_ID": zoom.credentials.client_id,
            "$ZOOM_CLIENT_SECRET": zoom.credentials.client_secret,
            "$ZOOM_ACCOUNT_ID": zoom.account_id,
        }
        for line in lines:
            for name, value in known.items():
                line = line.replace(name, value)
            assert "$" not in line
            answers.append(_curl(shlex.split(line)))
            for name in ("meeting_id", "access_token"):
                if name in answers[-1]:
                    known[f"${name.upper()}"] = str(answers[-1][name])
        [start] = [e for e in zoom.journal() if e.get("operation") == "updateMeetingRtmsStatus"]
    assert answers[0] == {"status": "ok"}
    assert [p["user_name"] for p in answers[1]["participants"]] == ["Alice", "Bob"]
    assert answers[2]["rtms_stream_id"] == answers[6]["rtms_stream_id"]
    assert answers[3]["duration_ms"] > 0
    assert [p["user_name"] for p in answers[5]["participants"]] == ["Alice", "Bob", "Carol"]
    assert {"speech", "state"} <= {entry["kind"] for entry in answers[7]["entries"]}
    assert answers[8]["entries"][0]["state"] == "TERMINATED"
    assert answers[9]["name"] == "job-7"
    assert answers[10]["expires_in"] == 3600
    assert (answers[11], start["status"]) == ({}, 204)


def _curl(args: list[str]) -> dict:
    """What curl would do with these arguments, as far as the README uses them."""
    method, url = None, ""
    data: list[str] = []
    headers: dict[str, str] = {}
    rest: Iterator[str] = iter(args[1:])
    for arg in rest:
        match arg:
            case "-s":
                continue
            case "-X":
                method = next(rest)
            case "-d":
                data.append(next(rest))
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-u":
                headers["Authorization"] = f"Basic {b64encode(next(rest).encode()).decode()}"
            case _:
                assert arg.startswith("http"), f"curl {arg}: not known here"
                url = arg
    body = "&".join(data).encode() if data else None
    with urlopen(Request(url, body, headers, method=method), timeout=TIMEOUT_S) as answer:
        return json.loads(answer.read() or b"{}")


# --- links ---


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_links_lead_somewhere(target):
    """Every link to a file of the repository has its file."""
    assert (REPOSITORY / target).exists()
