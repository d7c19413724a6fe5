"""The reference receiver keeps the contracts by which every receiver is judged."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.run import verify
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Outcome, Verdict, counted
from mockzoom.receiver.receiver import Receiver

CREDENTIALS = Credentials("client", "secret", "token")


def test_the_reference_receiver_keeps_every_webhook_contract(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All pass over the network, advice too, none is skipped, and it logs no error."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as receiver:
        steps = verify(Assignment(receiver.url, CREDENTIALS), Selection("webhook"))
        verdicts = [step for step in steps if isinstance(step, Verdict)]
    assert [v for v in verdicts if v.outcome is not Outcome.PASSED] == []
    assert counted(verdicts)[Outcome.PASSED] > 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_the_reference_receiver_keeps_every_rtms_contract(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """All pass over real sockets, none is skipped, and it logs no error."""
    quick = Timings(backoff_ms=20, backoff_cap_ms=320)
    with Receiver(CREDENTIALS, recordings=tmp_path, timings=quick) as receiver:
        steps = verify(Assignment(receiver.url, CREDENTIALS), Selection("rtms"))
        verdicts = [step for step in steps if isinstance(step, Verdict)]
    assert [v for v in verdicts if v.outcome is not Outcome.PASSED] == []
    assert counted(verdicts)[Outcome.PASSED] > 80
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
