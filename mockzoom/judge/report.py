"""What a run has come to: everything that the reports tell, and the status that it ends with."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from mockzoom.errors import ContractBroken, MockzoomError, NothingTested
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import ADVICE, Contract
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Outcome, Verdict, counted

__all__ = ["ContractResult", "Report"]

_JUDGED = (Outcome.PASSED, Outcome.FAILED, Outcome.KNOWN)


@dataclass(frozen=True)
class ContractResult:
    """A contract and the verdicts on its cases."""

    contract: Contract
    promise: str
    verdicts: tuple[Verdict, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of its cases; passed if any case passed and none was worse."""
        found = {verdict.outcome for verdict in self.verdicts}
        worst = (Outcome.FAILED, Outcome.ERROR, Outcome.KNOWN, Outcome.PASSED, Outcome.NOT_TESTED)
        return next((outcome for outcome in worst if outcome in found), Outcome.DECLARED)

    @property
    def tally(self) -> str:
        """How many of the judged cases have passed, as ``12/14``; "" when none was judged."""
        judged = [v for v in self.verdicts if v.outcome in _JUDGED]
        passed = sum(v.outcome is Outcome.PASSED for v in judged)
        return f"{passed}/{len(judged)}" if judged else ""


@dataclass(frozen=True)
class Report:
    """A run of `version` of mockzoom.

    `discovery` is what was found out before, by name; `fixed` are entries of the baseline that no
    longer fail; `started_at` is in ISO 8601, in UTC.
    """

    assignment: Assignment
    selection: Selection
    verdicts: tuple[Verdict, ...]
    discovery: tuple[tuple[str, str], ...] = ()
    fixed: tuple[str, ...] = ()
    version: str = ""
    started_at: str = ""
    took_s: float = 0.0
    counts: dict[Outcome, int] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", counted(self.verdicts))

    @property
    def results(self) -> list[ContractResult]:
        """The verdicts by contract, in the order in which they were judged."""
        cases: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            cases.setdefault(verdict.contract.id, []).append(verdict)
        return [ContractResult(of[0].contract, of[0].promise, tuple(of)) for of in cases.values()]

    def of(self, *outcomes: Outcome) -> list[Verdict]:
        """The verdicts with one of these outcomes."""
        return [verdict for verdict in self.verdicts if verdict.outcome in outcomes]

    @property
    def breaches(self) -> list[Verdict]:
        """The failures that break the contract: all but those of mere advice."""
        return [v for v in self.of(Outcome.FAILED) if v.contract.severity is not ADVICE]

    def rerun(self, verdict: Verdict) -> str:
        """The command that judges this case again, and nothing else."""
        words = ["mockzoom", "verify", self.assignment.url, "--select", verdict.key]
        for name in sorted(self.assignment.without):
            words += ["--without", name]
        if self.assignment.timings != "fast":
            words += ["--timings", self.assignment.timings]
        return shlex.join([*words, "--seed", str(self.assignment.seed)])

    def problem(self) -> MockzoomError | None:
        """The error with whose status the run ends; None when the receiver keeps its contract."""
        errors = self.of(Outcome.ERROR)
        if self.breaches:
            ids = dict.fromkeys(verdict.contract.id for verdict in self.breaches)
            return ContractBroken(f"{self.assignment.url}: contracts are broken: {', '.join(ids)}")
        if errors:
            return MockzoomError(f"{errors[0].key} could not judge: {errors[0].reason}")
        if not any(self.counts[outcome] for outcome in _JUDGED):
            return NothingTested(f"{self.assignment.url}: nothing was tested{self._why()}")
        return None

    def _why(self) -> str:
        if not self.verdicts:
            return ": no contract is selected; docs/contracts.md lists them all"
        return f": {self.verdicts[0].key}: {self.verdicts[0].reason}"
