"""For GitHub Actions: a workflow command a failure, which the page of the run shows."""

from __future__ import annotations

from mockzoom.judge.contract import ADVICE, MUST, SHOULD
from mockzoom.judge.report import Report
from mockzoom.judge.verdict import Outcome

__all__ = ["github_annotations"]

_LEVELS = {MUST: "error", SHOULD: "warning", ADVICE: "notice"}


def github_annotations(report: Report) -> str:
    """A line for each failure; "" when there is none."""
    lines = []
    for verdict in report.of(Outcome.FAILED):
        assert verdict.failure is not None
        told = (
            f"{verdict.promise} Expected {verdict.failure.expected}, found "
            f"{verdict.failure.found}. {verdict.contract.loses}\n{report.rerun(verdict)}"
        )
        title = _property(f"mockzoom {verdict.key}")
        lines.append(f"::{_LEVELS[verdict.contract.severity]} title={title}::{_data(told)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
