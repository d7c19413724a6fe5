"""The users for locust: headless runs, with their exit status."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from mockzoom import Credentials, Receiver

pytestmark = pytest.mark.skipif(
    find_spec("locust") is None, reason='locust is not here: pip install "mockzoom[load]"'
)

CREDENTIALS = Credentials("load-id", "load-secret", "load-token")

LOCUSTFILE = """
from mockzoom.locust import StreamUser, WebhookUser

class Streams(StreamUser):
    talk_s = 0.5

class Webhooks(WebhookUser):
    fixed_count = 1
"""

IDLE = """
import time
import mockzoom.locust
from locust import User, task

class Idle(User):
    @task
    def nothing(self):
        time.sleep(0.1)
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(CREDENTIALS, recordings=tmp_path / "recordings") as app:
        yield app


def locust(app: Receiver, tmp_path: Path, script: str, seconds: int) -> tuple[int, str]:
    """The status of a run, and what was printed."""
    (tmp_path / "locustfile.py").write_text(script, encoding="utf-8")
    keys = {
        "MOCKZOOM_CLIENT_ID": CREDENTIALS.client_id,
        "MOCKZOOM_CLIENT_SECRET": CREDENTIALS.client_secret,
        "MOCKZOOM_SECRET_TOKEN": CREDENTIALS.secret_token,
    }
    users = ("--users", "3", "--spawn-rate", "10", "--stop-timeout", "20")
    run = (*users, "--run-time", f"{seconds}s", "--host", app.url)
    ended = subprocess.run(
        (sys.executable, "-m", "locust", "--headless", "--only-summary", *run),
        cwd=tmp_path,
        env={**os.environ, **keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return ended.returncode, ended.stdout


def test_locust_loads_a_receiver_with_streams_and_webhooks(app: Receiver, tmp_path: Path) -> None:
    """Whole streams are joined and talked into, events are posted, nothing fails: status 0."""
    status, told = locust(app, tmp_path, LOCUSTFILE, 2)
    assert status == 0, told
    for name in ("RTMS     join", "RTMS     stream", "POST     meeting.rtms_stopped"):
        assert name in told
    assert any(stream.joined for stream in app.streams.values())


def test_a_run_that_did_nothing_fails(app: Receiver, tmp_path: Path) -> None:
    """No request at all: status 3."""
    status, told = locust(app, tmp_path, IDLE, 1)
    assert status == 3, told
