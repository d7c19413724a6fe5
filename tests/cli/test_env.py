from __future__ import annotations

import subprocess
from pathlib import Path


def test_all_names_agree(cli):
    """The SDK, the samples and this command line are told the same credentials."""
    values = cli("env", "--json", "--client-id", "a", "--client-secret", "b", "--secret-token", "c")
    told = values.json
    assert {told[n] for n in told if n.endswith(("CLIENT", "CLIENT_ID"))} == {"a"}
    assert {told[n] for n in told if n.endswith(("RTMS_SECRET", "CLIENT_SECRET"))} == {"b"}
    assert {told[n] for n in told if n.endswith("TOKEN")} == {"c"}
    account = cli("env", "--json", "--account-id", "d").json
    assert {account[n] for n in account if n.endswith("ACCOUNT_ID")} == {"d"}
    assert (told["ZM_RTMS_PORT"], told["ZM_RTMS_PATH"]) == ("8080", "/")
    assert not any("CA" in name.split("_") for name in told)


def test_a_shell_takes_the_lines(cli):
    """The lines are safe to evaluate, whatever a secret holds."""
    secret = 'it\'s $HOME; `true` "q" \\'
    lines = cli("env", "--client-secret", secret).out
    script = lines + 'printf %s "$ZM_RTMS_SECRET"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout == secret


def test_generated_credentials_differ_unless_seeded(cli):
    """Made-up credentials are new every time; a seed repeats them."""
    assert cli("env").out != cli("env").out
    assert cli("env", "--seed", 1).out == cli("env", "--seed", 1).out


def test_the_authority_is_named_by_its_full_path(cli):
    """`--ca` tells apps where to find what `serve --tls` will write."""
    told = cli("env", "--json", "--ca", "ca.pem").json
    assert told["ZM_RTMS_CA"] == told["MOCKZOOM_SERVE_CA"] == str(Path.cwd() / "ca.pem")


def test_later_commands_use_them(cli, monkeypatch, endpoint):
    """What `env` exports, `trigger` signs with."""
    from mockzoom.core.signing import webhook_signature

    for name, value in cli("env", "--json").json.items():
        monkeypatch.setenv(name, value)
    receiver = endpoint()
    assert cli("trigger", "meeting.rtms_started", "--to", receiver.url).status == 0
    [(headers, body)] = receiver.taken
    token = cli("env", "--json").json["ZOOM_SECRET_TOKEN"]
    expected = webhook_signature(token, headers["x-zm-request-timestamp"], body)
    assert headers["x-zm-signature"] == expected
