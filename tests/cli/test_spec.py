from __future__ import annotations

from pathlib import Path

import pytest

from mockzoom.core.spec import load_spec
from mockzoom.resources import spec_path


def test_events_are_those_of_the_document(cli):
    """A line an event, in the document's order; as JSON with product and summary."""
    names = list(load_spec().events)
    assert [line.split()[0] for line in cli("spec", "events").out.splitlines()] == names
    rows = cli("spec", "events", "--json").json
    assert [row["name"] for row in rows] == names
    assert all(row["product"] and row["summary"] for row in rows)


def test_show_tells_fields_and_an_example(cli):
    """Name, type, whether it is required, its values, what it means; then a valid example."""
    ended = cli("spec", "show", "meeting.rtms_stopped", "--seed", 1)
    assert ended.status == 0
    assert "  payload.stop_reason: integer (int), required, one of 1, 2, 3" in ended.out
    assert '"event": "meeting.rtms_stopped"' in ended.out


@pytest.mark.parametrize("name", list(load_spec().events))
def test_show_knows_every_event(cli, name):
    """The example that JSON holds keeps the contract, and its fields are all described."""
    shown = cli("spec", "show", name, "--json").json
    assert shown["name"] == name
    fields = {field["name"]: field for field in shown["fields"]}
    assert {"event", "payload"} <= set(fields)
    assert {f"payload.{key}" for key in shown["example"]["payload"]} <= set(fields)
    facts = {"name", "type", "required", "enum", "description"}
    assert all(set(field) == facts for field in fields.values())
    assert load_spec().event(name).problems(shown["example"]) == []


def test_the_published_profile_has_its_mistakes(cli):
    """`--spec-profile published` shows the enum without our correction."""
    enums = [
        next(f["enum"] for f in shown["fields"] if f["name"] == "payload.stop_reason")
        for profile in ("corrected", "published")
        for shown in [
            cli("spec", "show", "meeting.rtms_stopped", "--json", "--spec-profile", profile).json
        ]
    ]
    assert set(enums[0]) - set(enums[1]) == {5, 6}


@pytest.mark.parametrize("command", [["spec", "show"], ["trigger", "--to", "http://127.0.0.1:9"]])
def test_an_unknown_event_gets_the_nearest_name(cli, command):
    """A slip of the pen is answered with the name that was meant."""
    ended = cli(*command, "meeting.rtms_stated")
    assert ended.status == 2
    assert ended.err == (
        "error: no event 'meeting.rtms_stated' in rtms-events.openapi.yaml; "
        "did you mean 'meeting.rtms_started'?\n"
    )


def test_lint_finds_nothing_in_ours(cli):
    """The document that comes along is sound."""
    ended = cli("spec", "lint")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.endswith("rtms-events.openapi.yaml: no problems\n")
    assert cli("spec", "lint", "--json").json["problems"] == []


def broken(text: str) -> Path:
    path = Path("broken.yaml")
    path.write_text(text, encoding="utf-8")
    return path


def test_lint_names_line_and_reason(cli):
    """A keyword that the loader does not understand is a line with its place, and status 1."""
    text = spec_path("rtms-events.openapi.yaml").read_text(encoding="utf-8")
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "type: object" in row)
    path = broken(text.replace("type: object", "typo: object", 1))
    ended = cli("spec", "lint", path)
    assert ended.status == 1
    assert ended.out.startswith(f"{path}:{line}: ")
    assert "'typo'" in ended.out.splitlines()[0]


@pytest.mark.parametrize(
    "command",
    [
        ["spec", "events", "--spec"],
        ["spec", "lint"],
        ["trigger", "meeting.rtms_started", "--to", "http://127.0.0.1:9", "--spec"],
        ["serve", "--port", "0", "--rtms-port", "0", "--spec"],
    ],
)
def test_a_broken_file_is_one_line_everywhere(cli, command):
    """What is no YAML ends every command with file, line and reason, and status 2."""
    path = broken("openapi: 3.1.0\nwebhooks: [\n")
    ended = cli(*command, path)
    assert ended.status == 2
    assert ended.err.startswith(f"error: {path}:")
    assert "is not YAML" in ended.err
    assert ended.err.count("\n") == 1


def test_a_missing_file_is_one_line(cli):
    """So does a file that is not there."""
    ended = cli("spec", "events", "--spec", "nowhere.yaml")
    assert ended.status == 2
    assert ended.err == "error: nowhere.yaml: cannot be read: No such file or directory\n"
