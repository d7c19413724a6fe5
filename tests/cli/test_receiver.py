"""`mockzoom receiver` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mockzoom.cli.receiver import receiver
from mockzoom.core.signing import Credentials
from mockzoom.errors import PortInUse
from mockzoom.receiver.receiver import Receiver

SECRETS = ["--client-id", "a", "--client-secret", "b", "--secret-token", "c"]
RUN = "from mockzoom.cli.receiver import receiver; receiver()"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """It says where it listens in one line, and ends with 0 and without a traceback."""
    variables = {"MOCKZOOM_CLIENT_ID": "a", "MOCKZOOM_CLIENT_SECRET": "b"}
    with subprocess.Popen(
        [sys.executable, "-c", RUN, "--port", "0", "--json", "--recordings", str(tmp_path)],
        env={**os.environ, **variables, "MOCKZOOM_SECRET_TOKEN": "c", "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert said["kind"] == "listening"
    assert said["url"].startswith("http://127.0.0.1:")
    assert (process.returncode, errors) == (0, "")


def test_a_port_in_use(tmp_path: Path) -> None:
    """The error goes up to the root command, which prints its line and exits with 2."""
    with Receiver(Credentials("a", "b", "c"), recordings=tmp_path) as other:
        result = CliRunner().invoke(receiver, [*SECRETS, "--port", str(other.port)])
    assert isinstance(result.exception, PortInUse)


def test_a_missing_secret() -> None:
    """It is named, with the variable that may hold it."""
    result = CliRunner().invoke(receiver, SECRETS[:4], env={"MOCKZOOM_SECRET_TOKEN": None})
    assert result.exit_code == 2
    assert "--secret-token" in result.output
    assert "MOCKZOOM_SECRET_TOKEN" in result.output
