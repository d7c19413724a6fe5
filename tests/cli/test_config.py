from __future__ import annotations

from pathlib import Path

import pytest

SEEDED = "pIxMOea1qo_E1EOjO3HVQe"


def write(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


def client_id(ended) -> str:
    return ended.json["MOCKZOOM_CLIENT_ID"]


def test_flag_then_environment_then_own_file_then_pyproject(cli, monkeypatch):
    """Each source gives way to the one before it."""
    write("pyproject.toml", '[tool.mockzoom]\nclient_id = "from-pyproject"\n')
    assert client_id(cli("env", "--json")) == "from-pyproject"
    write("mockzoom.toml", '[env]\nclient_id = "from-file"\n')
    assert client_id(cli("env", "--json")) == "from-file"
    monkeypatch.setenv("MOCKZOOM_CLIENT_ID", "from-environment")
    assert client_id(cli("env", "--json")) == "from-environment"
    assert client_id(cli("env", "--json", "--client-id", "from-flag")) == "from-flag"


def test_every_option_has_a_variable(cli, monkeypatch):
    """An option without a short name in the environment has the one with its command in it."""
    monkeypatch.setenv("MOCKZOOM_ENV_PORT", "1234")
    assert cli("env", "--json").json["ZM_RTMS_PORT"] == "1234"


def test_a_section_beats_what_all_share(cli):
    """A key on top is for every command that has the option; its section is for one command."""
    write("mockzoom.toml", 'client-id = "shared"\nspec_profile = "published"\n[env]\nport = 9\n')
    values = cli("env", "--json").json
    assert values["ZOOM_CLIENT_ID"] == "shared"
    assert values["ZM_RTMS_PORT"] == "9"
    shown = cli("spec", "show", "meeting.rtms_stopped", "--json").json
    reasons = next(f for f in shown["fields"] if f["name"] == "payload.stop_reason")
    assert 6 not in reasons["enum"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('client_di = "x"', "mockzoom.toml: no option 'client_di'; did you mean 'client_id'?"),
        ("[sevre]\nport = 1", "mockzoom.toml: no command 'sevre'; did you mean 'serve'?"),
        ("[serve]\nprot = 1", "mockzoom.toml [serve]: no option 'prot'; did you mean 'port'?"),
        ('[serve]\nreceiver = "http://x"', "mockzoom.toml [serve]: receiver: expected a list"),
        ("port = ", "mockzoom.toml: Invalid value (at end of document)"),
    ],
)
def test_what_is_unknown_fails_by_name(cli, text, message):
    """A mistake in a settings file is one line that names it, whatever command is run."""
    write("mockzoom.toml", text)
    ended = cli("spec", "events")
    assert ended.status == 2
    assert ended.err.startswith(f"error: {message}")
    assert ended.err.count("\n") == 1


def test_a_wrong_value_is_the_options_own_complaint(cli):
    """Values of a file are checked as those of a flag are."""
    write("mockzoom.toml", "[env]\nport = 70000\n")
    ended = cli("env")
    assert ended.status == 2
    assert "'--port': 70000 is not in the range 1<=x<=65535" in ended.err


def test_a_pyproject_of_others_is_no_settings(cli):
    """A pyproject.toml without our table changes nothing."""
    write("pyproject.toml", '[project]\nname = "x"\n')
    assert client_id(cli("env", "--json", "--seed", 3)) == SEEDED
