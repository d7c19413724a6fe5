from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module

import click
import pytest

from mockzoom.cli.main import COMMANDS, _run, root
from mockzoom.cli.scenario import scenario
from mockzoom.cli.serve import serve
from mockzoom.clock import MAX_SPEED, MIN_SPEED

HEAVY = {
    "aiohttp",
    "asyncio",
    "av",
    "faker",
    "flask",
    "jsonschema",
    "jsonschema_rs",
    "numpy",
    "openapi_core",
    "picows",
    "rich",
    "trustme",
    "waitress",
    "yaml",
}


def test_help_loads_nothing_heavy():
    """The root's help imports no server, no media and no contract, so it answers at once."""
    script = (
        "import sys, json\n"
        "from mockzoom.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "finally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0
    assert "Usage: mockzoom" in done.stdout
    assert not HEAVY & set(json.loads(done.stderr))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_root_looks_for_it(cli, name):
    """Each module beside the root holds the command of its name, with a help of its own."""
    assert isinstance(getattr(import_module(f"mockzoom.cli.{name}"), name), click.Command)
    ended = cli(name, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"Usage: mockzoom {name}")


def test_speeds_are_those_that_a_clock_can_run_at():
    """Commands that make time run faster take what `Clock` takes, without loading it for help."""
    for command in (serve, scenario.commands["run"]):
        [option] = [option for option in command.params if option.name == "speed"]
        assert (option.type.min, option.type.max) == (MIN_SPEED, MAX_SPEED)


def test_version(cli):
    """`--version` names the program and its version."""
    from importlib.metadata import version

    assert cli("--version").out == f"mockzoom {version('mockzoom')}\n"


def test_no_command_shows_the_help(cli):
    """Without a command the help is shown, as an error of usage."""
    ended = cli()
    assert ended.status == 2
    assert "Commands:" in ended.err


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["serv"], "error: no command 'serv'; did you mean 'serve'?"),
        (["xyzzy"], "error: no command 'xyzzy'; there are demo, env, fault, fuzz, load, receiver"),
        (["serve", "--prot", "1"], "error: No such option"),
        (["serve", "--port", "x"], "error: Invalid value for '--port': 'x' is not a valid int"),
        (["serve", "--timings", "fats"], "error: timings: expected 'zoom'"),
        (["trigger", "meeting.rtms_started"], "error: Missing option '--to'."),
        (["spec", "show"], "error: Missing argument 'EVENT'."),
    ],
)
def test_usage_errors_are_one_line(cli, args, message):
    """What was asked for wrongly is answered with one line and status 2."""
    ended = cli(*args)
    assert ended.status == 2
    assert ended.err.startswith(message)
    assert ended.err.count("\n") == 1
    assert ended.out == ""


def test_our_own_fault_is_one_line_too(cli, monkeypatch):
    """An exception that nobody planned is an internal error, 5, and says how to see more."""

    def broken(*_: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("mockzoom.core.spec.load_spec", broken)
    ended = cli("spec", "events")
    assert ended.status == 5
    assert ended.err.startswith("internal error: RuntimeError: two lines (`mockzoom --debug …`")


def test_debug_shows_the_traceback(monkeypatch, capsys):
    """With `--debug` the line comes after the traceback."""
    monkeypatch.setattr("mockzoom.core.spec.load_spec", lambda *_: 1 / 0)
    assert _run(["--debug", "spec", "events"]) == 5
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("internal error: ZeroDivisionError")


def test_interruption_is_no_error(cli, monkeypatch):
    """Ctrl-C ends a command with the status that shells expect, and without a word."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mockzoom.core.spec.load_spec", interrupted)
    ended = cli("spec", "events")
    assert ended.status == 130
    assert ended.err.strip() == ""


def test_an_unwritable_file_is_a_line(cli, monkeypatch):
    """A file that the system refuses is named, with the system's reason."""

    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/spec.yaml")

    monkeypatch.setattr("mockzoom.core.spec.load_spec", refused)
    ended = cli("spec", "events")
    assert (ended.status, ended.err) == (2, "error: /somewhere/spec.yaml: Permission denied\n")


def test_the_list_of_commands_is_the_roots():
    """What the root lists is what it finds."""
    context = click.Context(root)
    assert root.list_commands(context) == list(COMMANDS)
    assert root.get_command(context, "nothing") is None
