"""`mockzoom load`: many streams against one receiver."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Queue
from subprocess import Popen
from typing import Any

import pytest

from mockzoom import Credentials, Receiver

Cli = Callable[..., Any]
Process = Callable[..., AbstractContextManager[Popen[str]]]
TIMEOUT_S = 30

CREDENTIALS = Credentials("load-id", "load-secret", "load-token")
KEYS = ("--client-id", "load-id", "--client-secret", "load-secret", "--secret-token", "load-token")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Receiver]:
    with Receiver(CREDENTIALS, recordings=tmp_path) as app:
        yield app


def test_the_reference_receiver_bears_twenty_streams(cli: Cli, app: Receiver) -> None:
    """All are joined and sent sound and words, nobody does anything wrong, and status is 0."""
    ended = cli(
        *("load", "--receiver", app.url, "--streams", 20, "--ramp", 0.5, "--duration", 4),
        *(*KEYS, "--rtms-port", 0, "--json"),
    )
    assert (ended.status, ended.err) == (0, "")
    told = ended.json
    assert (told["streams"], told["joined"], told["failed"]) == (20, 20, 0)
    assert told["sent"]["audio"] >= 20 * 50
    assert told["messages"] == sum(told["sent"].values())
    assert set(told["late_ms"]) == {"p50", "p99", "p100"}
    assert told["findings"] == {}
    assert len(app.streams) == 20


def test_a_receiver_that_joins_nothing_is_no_test(cli: Cli, app: Receiver) -> None:
    """In a run that is over before anybody can join nothing was tested: status 3."""
    ended = cli(
        *("load", "--receiver", app.url, "--streams", 1, "--duration", 0.001),
        *(*KEYS, "--rtms-port", 0),
    )
    assert ended.status == 3
    assert "expected media on 1 streams, found none" in ended.err
    assert "media      nothing" in ended.out


def test_streams_that_fail_are_a_broken_contract(cli: Cli, app: Receiver) -> None:
    """The app has another client secret, so no handshake of its is right: findings and status 3."""
    keys = [key.replace("load-secret", "another") for key in KEYS]
    ended = cli(
        *("load", "--receiver", app.url, "--streams", 2, "--duration", 1),
        *(*keys, "--rtms-port", 0),
    )
    assert ended.status == 3
    assert "2 started, 0 joined, 2 failed" in ended.out
    assert "rtms.signature" in ended.out


def test_the_other_ends(cli: Cli, endpoint: Callable[..., Any]) -> None:
    """Nobody there is 4, an endpoint that does not validate 1, a missing key 2."""
    assert cli("load", "--receiver", "http://127.0.0.1:1/", *KEYS, "--rtms-port", 0).status == 4
    taken = endpoint(200)
    assert cli("load", "--receiver", taken.url, *KEYS, "--rtms-port", 0).status == 1
    missing = cli("load", "--receiver", taken.url)
    assert missing.status == 2
    assert "--client-id" in missing.err


def test_workers_share_the_streams(cli: Cli, app: Receiver) -> None:
    """Their figures are summed, and with a seed too no two streams have the same id."""
    ended = cli(
        *("load", "--receiver", app.url, "--streams", 9, "--duration", 3, "--workers", 2),
        *(*KEYS, "--rtms-port", 0, "--seed", 1, "--json"),
    )
    assert (ended.status, ended.err) == (0, "")
    told = ended.json
    assert (told["streams"], told["joined"], told["failed"]) == (9, 9, 0)
    assert told["sent"]["audio"] >= 9 * 25
    assert told["messages"] == sum(told["sent"].values())
    assert len(app.streams) == 9


def test_workers_end_as_one_process_does(cli: Cli, app: Receiver) -> None:
    """Whatever one of them is refused is one line, with the status that it always has."""
    shared = ("--workers", 2, *KEYS, "--rtms-port", 0, "--duration", 0.001)
    nobody = cli("load", "--receiver", "http://127.0.0.1:1/", *shared)
    assert (nobody.status, nobody.err.count("\n")) == (4, 1)
    nothing = cli("load", "--receiver", app.url, *shared)
    assert (nothing.status, nothing.err.count("\n")) == (3, 1)
    few = cli("load", "--receiver", app.url, "--streams", 1, *shared)
    assert (few.status, few.err.count("\n")) == (2, 1)
    assert "found 1 streams for 2 workers; give fewer --workers" in few.err


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_worker_is_left(
    process: Process, tmp_path: Path, workers: int, number: signal.Signals
) -> None:
    """However the command is ended: all who have its stderr are gone when that comes to its end."""
    joined: Queue[str] = Queue()
    tell = {"joined": joined.put}
    with Receiver(
        CREDENTIALS,
        recordings=tmp_path,
        on_event=lambda kind, fields: tell.get(kind, str)(fields.get("rtms_stream_id", "")),
    ) as app:
        args = ("--streams", "4", "--duration", "600", "--rtms-port", "0", *KEYS)
        with process("load", "--receiver", app.url, "--workers", str(workers), *args) as running:
            assert len({joined.get(timeout=TIMEOUT_S) for _ in range(4)}) == 4
            running.send_signal(number)
            out, err = running.communicate(timeout=TIMEOUT_S)
    assert (out, err.strip()) == ("", "")
    assert running.returncode == (-number if number is signal.SIGKILL else 130)
