"""The reference receiver keeps the contracts by which every receiver is judged."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mockzoom.core.signing import Credentials
from mockzoom.receiver.receiver import Receiver
from mockzoom.resources import contracts_path

CREDENTIALS = Credentials("client", "secret", "token")


def test_the_reference_receiver_keeps_every_contract(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All contracts pass over the network, none is skipped, and it says nothing to its log."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as receiver:
        run = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", str(contracts_path()), "-q"),
                *("-p", "no:cacheprovider", "--receiver-url", receiver.url),
                *("--client-id", "client", "--client-secret", "secret", "--secret-token", "token"),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^\d+ passed in", run.stdout, re.MULTILINE), run.stdout
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_without_a_receiver_nothing_is_judged() -> None:
    """No URL: every contract is skipped, and the reason says which option is missing."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", str(contracts_path()), "-q", "-rs"),
            *("-p", "no:cacheprovider", "-k", "token_is_encrypted", "-o", "addopts="),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "1 skipped" in run.stdout, run.stdout + run.stderr
    assert "give --receiver-url or MOCKZOOM_RECEIVER_URL" in run.stdout
