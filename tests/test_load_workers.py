"""Processes that share a load: what becomes of all when one of them fails."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from mockzoom import Credentials, Receiver, load_workers
from mockzoom.errors import MockzoomError, PortInUse, UsageError
from mockzoom.load import Load
from mockzoom.load_workers import run_shared
from mockzoom.threads import listen

CREDENTIALS = Credentials("load-id", "load-secret", "load-token")
FOR_LONG_S = 600


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Popen[bytes]]:
    """The workers that were started."""
    workers: list[Popen[bytes]] = []

    def start(*args: Any, **how: Any) -> Popen[bytes]:
        workers.append(Popen(*args, **how))
        return workers[-1]

    monkeypatch.setattr(load_workers, "Popen", start)
    return workers


@contextmanager
def receiver(folder: Path, on_four: Callable[[], None] = lambda: None) -> Iterator[Load]:
    """What four streams are a load of; `on_four` is called when all of them are joined."""
    joined: set[str] = set()

    def heard(kind: str, fields: dict[str, Any]) -> None:
        if kind == "joined":
            joined.add(fields["rtms_stream_id"])
            if len(joined) == 4:
                on_four()

    with Receiver(CREDENTIALS, recordings=folder, on_event=heard) as app:
        yield Load(app.url, CREDENTIALS, streams=4, duration_s=FOR_LONG_S)


def test_two_workers_do_what_one_does(tmp_path: Path, started: list[Popen[bytes]]) -> None:
    """All streams are joined, and what either sent is counted, and when."""
    with receiver(tmp_path) as load:
        result = run_shared(replace(load, duration_s=3), 2)
    assert (result.streams, result.joined, result.failed) == (4, 4, 0)
    assert result.lateness.messages >= result.messages > 4 * 25
    assert result.findings == {}
    assert [worker.returncode for worker in started] == [0, 0]


def test_a_worker_that_is_killed_is_an_error(tmp_path: Path, started: list[Popen[bytes]]) -> None:
    """It is named with its signal, and the other one is ended."""
    with (
        receiver(tmp_path, lambda: os.kill(started[1].pid, signal.SIGKILL)) as load,
        pytest.raises(MockzoomError, match=r"worker \d of 2 was ended by signal 9 ") as caught,
    ):
        run_shared(load, 2)
    assert "\n" not in str(caught.value)
    assert all(worker.returncode is not None for worker in started)


def test_a_worker_that_does_not_listen_is_killed(
    tmp_path: Path, started: list[Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is stopped, so it cannot end by itself when the other one has died."""
    monkeypatch.setattr(load_workers, "_END_S", 0.2)

    def strike() -> None:
        os.kill(started[0].pid, signal.SIGSTOP)
        os.kill(started[1].pid, signal.SIGTERM)

    with (
        receiver(tmp_path, strike) as load,
        pytest.raises(MockzoomError, match="was ended by signal 15 "),
    ):
        run_shared(load, 2)
    assert started[0].returncode == -signal.SIGKILL
    assert all(worker.returncode is not None for worker in started)


def test_a_worker_that_goes_on_for_ever_is_ended(
    tmp_path: Path, started: list[Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its load, and some time beside that."""
    with receiver(tmp_path) as load:
        monkeypatch.setattr(load_workers, "_GRACE_S", 0.1 - FOR_LONG_S)
        with pytest.raises(MockzoomError, match=r"expected workers to end in 0\.1 s"):
            run_shared(load, 2)
    assert all(worker.returncode is not None for worker in started)


def test_what_a_worker_raises_is_raised(tmp_path: Path, started: list[Popen[bytes]]) -> None:
    """As it was, with the place in the worker as a note for who asks for it."""
    with receiver(tmp_path) as load, listen("127.0.0.1", 0, "a test", "") as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=r"127.0.0.1:\d+: .* use; give another --rtms-port"):
            run_shared(replace(load, rtms_port=port), 2)
        with pytest.raises(AttributeError) as caught:
            run_shared(replace(load, credentials="not credentials"), 2)  # type: ignore[arg-type]
    assert "Traceback" in caught.value.__notes__[0]
    assert all(worker.returncode is not None for worker in started)


def test_a_worker_that_cannot_be_started_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, which says why."""
    monkeypatch.setattr(sys, "executable", str(tmp_path / "absent"))
    load = Load("http://127.0.0.1:1/", CREDENTIALS, streams=2)
    with pytest.raises(UsageError, match="cannot be started: No such file") as caught:
        run_shared(load, 2)
    assert "\n" not in str(caught.value)
