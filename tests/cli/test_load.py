"""`mockzoom load`: many streams against one receiver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockzoom import Credentials, Receiver

Cli = Callable[..., Any]

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
