"""No false alarm: good receivers keep every contract that they claim, whoever has written them.

One is our own.  One is on Node.js, and shares no code with it.  One is on Zoom's own SDK, and
declares what the SDK does not do.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from receivers import running

from mockzoom import Credentials, Receiver
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.run import verify
from mockzoom.judge.selection import Profile, Selection
from mockzoom.judge.verdict import Outcome, Verdict

CREDENTIALS = Credentials("client-of-others", "client-secret-of-others", "secret-token-of-others")

#: So many cases have to be passed, or the run was not whole.
ENOUGH: dict[Profile, int] = {"webhook": 250, "rtms": 75}

#: What a receiver on the SDK leaves undone, and what the SDK does in its place.
SDK_LEAVES_UNDONE = frozenset(
    {
        "all-in-one",  # opens no media socket
        "busy-retry",  # takes a refusal for final
        "chat",
        "early-keep-alive",  # answers keep-alives once the handshake is accepted
        "deskshare",
        "media-host-check",  # dials whatever the handshake names, before the app hears of it
        "media-only",  # does everything again
        "url-list",  # takes the list for one URL
        "video",
    }
)


def verdicts(url: str, without: frozenset[str] = frozenset()) -> list[Verdict]:
    """What becomes of the receiver at `url`; fails if a contract is broken, or too few judged.

    Both profiles at once, as streams are mostly waited for.
    """
    assignment = Assignment(url, CREDENTIALS, without=without, seed=1)
    with ThreadPoolExecutor() as judges:
        halves = judges.map(partial(half, assignment), ENOUGH)
        return [verdict for verdicts in halves for verdict in verdicts]


def half(assignment: Assignment, profile: Profile) -> list[Verdict]:
    steps = verify(assignment, Selection(profile=profile))
    judged = [step for step in steps if isinstance(step, Verdict)]
    harmless = (Outcome.PASSED, Outcome.DECLARED, Outcome.NOT_TESTED)
    told = [
        f"{verdict.key}: {verdict.failure or verdict.reason}\n" + "\n".join(verdict.wire)
        for verdict in judged
        if verdict.outcome not in harmless
    ]
    assert not told, "\n\n".join(told)
    assert sum(verdict.outcome is Outcome.PASSED for verdict in judged) >= ENOUGH[profile]
    return judged


@pytest.fixture
def node_url(node_app: Path, tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "log"
    command = ["node", str(node_app / "server.js")]
    with running(command, CREDENTIALS, log, {"RTMS_RETRY_MS": "200"}) as url:
        yield url


@pytest.fixture
def sdk_url(official_sdk: None, tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "log"
    command = [sys.executable, str(Path(__file__).with_name("sdk_receiver.py"))]
    sdk = {"ZM_RTMS_CLIENT": CREDENTIALS.client_id, "ZM_RTMS_SECRET": CREDENTIALS.client_secret}
    with running(command, CREDENTIALS, log, sdk) as url:
        yield url


def test_our_own_receiver_keeps_every_contract(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It declares nothing, nothing is found fault with, and it logs no error."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as app:
        judged = verdicts(app.url)
    assert all(verdict.outcome is not Outcome.DECLARED for verdict in judged)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_receiver_on_node_keeps_every_contract(node_url: str) -> None:
    """It declares nothing, and nothing is found fault with."""
    judged = verdicts(node_url)
    assert all(verdict.outcome is not Outcome.DECLARED for verdict in judged)


def test_the_receiver_on_the_sdk_keeps_what_it_claims(sdk_url: str) -> None:
    """What the SDK does not do is declared, and the verdicts say so; all else is kept."""
    judged = verdicts(sdk_url, SDK_LEAVES_UNDONE)
    for verdict in judged:
        undone = SDK_LEAVES_UNDONE & set(verdict.contract.needs)
        assert (verdict.outcome is Outcome.DECLARED) == bool(undone), verdict.key
        assert all(name in verdict.reason for name in undone)
    declared = {verdict.contract.id for verdict in judged if verdict.outcome is Outcome.DECLARED}
    assert declared >= {"RT-114", "RT-115", "RT-116", "RT-404", "RT-406", "RT-603"}
