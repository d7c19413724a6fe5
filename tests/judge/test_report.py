"""What a run comes to: outcomes of contracts, the status, and how to judge one case again."""

from __future__ import annotations

import pytest
from sample_report import CLOCKS, FAILURE, FORGERIES, OWN, USELESS, VERDICTS, report, verdict

from mockzoom.errors import ContractBroken, MockzoomError, NothingTested
from mockzoom.judge.contract import Broken
from mockzoom.judge.report import ContractResult
from mockzoom.judge.verdict import Outcome, Verdict, counted

PASSED = verdict(FORGERIES, "a", Outcome.PASSED)
FAILED = verdict(FORGERIES, "b", Outcome.FAILED, failure=FAILURE)
KNOWN = verdict(FORGERIES, "c", Outcome.KNOWN, failure=FAILURE)
ADVISED = verdict(USELESS, "", Outcome.FAILED, failure=FAILURE)
DECLARED = verdict(CLOCKS, "", Outcome.DECLARED)
UNTESTED = verdict(OWN, "", Outcome.NOT_TESTED, reason="why")
ERROR = verdict(OWN, "", Outcome.ERROR, reason="KeyError")


@pytest.mark.parametrize(
    ("verdicts", "error"),
    [
        ((PASSED,), None),
        ((PASSED, DECLARED, UNTESTED), None),
        ((KNOWN,), None),
        ((PASSED, ADVISED), None),
        ((PASSED, FAILED), ContractBroken),
        ((FAILED, ERROR), ContractBroken),
        ((PASSED, ERROR), MockzoomError),
        ((DECLARED, UNTESTED), NothingTested),
    ],
)
def test_what_it_comes_to(verdicts: tuple[Verdict, ...], error: type[Exception] | None) -> None:
    """Advice and known failures break nothing; what was not judged does not count as passed."""
    problem = report(*verdicts).problem()
    assert (type(problem) if problem else None) is error


@pytest.mark.parametrize("one", VERDICTS)
def test_a_verdict_travels(one: Verdict) -> None:
    """From one process to another, as JSON."""
    assert Verdict.from_dict(one.as_dict()) == one


@pytest.mark.parametrize(
    ("cases", "outcome", "tally"),
    [
        ((PASSED, FAILED), Outcome.FAILED, "1/2"),
        ((PASSED, KNOWN, DECLARED), Outcome.KNOWN, "1/2"),
        ((PASSED, DECLARED), Outcome.PASSED, "1/1"),
        ((DECLARED,), Outcome.DECLARED, ""),
        ((UNTESTED, DECLARED), Outcome.NOT_TESTED, ""),
    ],
)
def test_a_contract_is_as_good_as_its_worst_case(
    cases: tuple[Verdict, ...], outcome: Outcome, tally: str
) -> None:
    """And a case that nobody judged is neither good nor bad."""
    result = ContractResult(FORGERIES, "promise", cases)
    assert (result.outcome, result.tally) == (outcome, tally)


def test_every_outcome_is_counted() -> None:
    """Also those that do not occur."""
    assert counted([PASSED, PASSED, FAILED])[Outcome.PASSED] == 2
    assert set(counted([])) == set(Outcome)


def test_a_broken_contract_survives_pickling() -> None:
    """As pytest-xdist would have it."""
    import pickle

    error = pickle.loads(pickle.dumps(Broken("a", "b", sent="c", wire=["d"])))
    assert (error.expected, error.found, error.sent, error.wire) == ("a", "b", "c", ("d",))
