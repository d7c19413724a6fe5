"""What became of one case of one contract, as data that travels between processes as JSON.

Reports consume verdicts and know nothing of pytest; the plugin makes them and knows nothing of
reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from mockzoom.judge.contract import Contract, Severity

__all__ = ["Failure", "Outcome", "Verdict", "counted"]


class Outcome(StrEnum):
    """KNOWN is a failure that the baseline lists; ERROR is a contract that could not judge."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN = "known failure"
    DECLARED = "declared not done"
    NOT_TESTED = "not tested"
    ERROR = "error"


@dataclass(frozen=True)
class Failure:
    """Why it failed; `sent` is a line of shell that sends the same again, "" if there is none."""

    expected: str
    found: str
    sent: str = ""


@dataclass(frozen=True)
class Verdict:
    """`promise` is what the contract says, `case` which of its cases this is, "" if it has one.

    `reason` is why it was not tested, `wire` what was exchanged, a line each way, `place` the file
    and line of the contract, `took_s` its seconds.
    """

    contract: Contract
    promise: str
    case: str
    outcome: Outcome
    reason: str = ""
    failure: Failure | None = None
    wire: tuple[str, ...] = ()
    place: tuple[str, int] = ("", 0)
    took_s: float = 0.0

    @property
    def key(self) -> str:
        """What a baseline and ``--select`` call it: ``WH-101`` or ``WH-301[emoji]``."""
        return f"{self.contract.id}[{self.case}]" if self.case else self.contract.id

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it; `from_dict` is the way back."""
        return {**asdict(self), "place": list(self.place), "wire": list(self.wire)}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Verdict:
        row = dict(given["contract"])
        lists = {name: tuple(row[name]) for name in ("needs", "gotchas")}
        contract = Contract(**{**row, **lists, "severity": Severity(row["severity"])})
        failure = Failure(**given["failure"]) if given["failure"] else None
        file, line = given["place"]
        return cls(
            **{
                **given,
                "contract": contract,
                "outcome": Outcome(given["outcome"]),
                "failure": failure,
                "wire": tuple(given["wire"]),
                "place": (file, line),
            }
        )

    def explained(self) -> Iterator[tuple[str, str]]:
        """What there is to say about a case that did not pass: heading and text, in order."""
        row = self.contract
        yield "clause", f"{self.promise} ({row.severity}; {row.source})"
        if self.failure:
            yield "expected", self.failure.expected
            yield "found", self.failure.found
            if self.failure.sent:
                yield "sent", self.failure.sent
        if self.reason:
            yield "reason", self.reason
        yield "why it matters", row.loses


def counted(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """How many verdicts have each outcome."""
    counts = dict.fromkeys(Outcome, 0)
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    return counts
