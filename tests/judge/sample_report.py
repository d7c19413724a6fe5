"""A report of every outcome, with what a hostile receiver would like to see in one."""

from __future__ import annotations

from typing import Any

from mockzoom.core.signing import Credentials
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, Contract
from mockzoom.judge.report import Report
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Failure, Outcome, Verdict

HOSTILE = "<script>alert(1)</script> ]]> \x00\x1b[31m\u2028 %0A::error::x\nnext"

FORGERIES = Contract("WH-201", MUST, "webhooks: x-zm-signature", "Anybody can.", gotchas=(4,))
CLOCKS = Contract("WH-207", SHOULD, "webhooks", "Events are lost.", ("timestamp-window",))
USELESS = Contract("WH-305", ADVICE, "ours", "It is hidden.")
OWN = Contract("ACME-001", MUST, "house rule 1", "The audit fails.")

ASSIGNMENT = Assignment(
    "http://127.0.0.1:3000/webhook",
    Credentials("client", "a-client-secret", "a-secret-token"),
    without=frozenset({"chat"}),
    seed=7,
)


def verdict(contract: Contract, case: str, outcome: Outcome, **fields: Any) -> Verdict:
    told = {"place": ("contracts/test_x.py", 12), "took_s": 0.25, **fields}
    return Verdict(contract, f"What {contract.id} promises.", case, outcome, **told)


FAILURE = Failure("a refusal", f"status 200: {HOSTILE}", "curl …")

VERDICTS = (
    verdict(FORGERIES, "zeros", Outcome.PASSED, wire=("> POST {}", "< status 401")),
    verdict(FORGERIES, "no headers", Outcome.FAILED, failure=FAILURE, wire=("> POST", HOSTILE)),
    verdict(CLOCKS, "", Outcome.DECLARED, reason="timestamp-window"),
    verdict(USELESS, "a", Outcome.FAILED, failure=FAILURE),
    verdict(USELESS, "b", Outcome.KNOWN, failure=FAILURE),
    verdict(OWN, "", Outcome.NOT_TESTED, reason="the receiver does not answer any more"),
    verdict(OWN, "late", Outcome.ERROR, reason="KeyError: 'x' (in call)"),
)


def report(*verdicts: Verdict) -> Report:
    """Of these verdicts, or of one of each kind."""
    return Report(
        ASSIGNMENT,
        Selection("webhook"),
        verdicts or VERDICTS,
        discovery=(("answers", "yes"), ("URL validation", f"no: {HOSTILE}")),
        fixed=("WH-999",),
        version="0.1.0",
        started_at="2026-11-23T00:00:00+00:00",
        took_s=1.5,
    )
