"""For programs: one JSON object, as spec/verify-report.schema.json describes it."""

from __future__ import annotations

import json
from typing import Any

from mockzoom.judge.contract import Contract
from mockzoom.judge.report import ContractResult, Report
from mockzoom.judge.verdict import Verdict

__all__ = ["VERSION", "json_report"]

#: Of the shape; it goes up when something is taken away or changes its meaning.
VERSION = 1


def json_report(report: Report) -> str:
    """The whole report, secrets aside."""
    problem = report.problem()
    told = {
        "schema": VERSION,
        "mockzoom": report.version,
        "started_at": report.started_at,
        "took_s": round(report.took_s, 3),
        "receiver": report.assignment.url,
        "profile": report.selection.profile,
        "timings": report.assignment.timings,
        "seed": report.assignment.seed,
        "without": sorted(report.assignment.without),
        "discovery": dict(report.discovery),
        "ok": problem is None,
        "exit_code": problem.exit_code if problem else 0,
        "counts": {outcome.value: count for outcome, count in report.counts.items()},
        "contracts": [_contract(result, report) for result in report.results],
        "fixed": list(report.fixed),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _contract(result: ContractResult, report: Report) -> dict[str, Any]:
    return {
        **_row(result.contract),
        "promise": result.promise,
        "outcome": result.outcome.value,
        "cases": [_case(verdict, report) for verdict in result.verdicts],
    }


def _row(contract: Contract) -> dict[str, Any]:
    return {
        "id": contract.id,
        "severity": contract.severity.value,
        "source": contract.source,
        "loses": contract.loses,
        "needs": list(contract.needs),
        "gotchas": list(contract.gotchas),
    }


def _case(verdict: Verdict, report: Report) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": verdict.key,
        "case": verdict.case,
        "outcome": verdict.outcome.value,
        "took_s": verdict.took_s,
        "wire": list(verdict.wire),
    }
    if verdict.reason:
        told["reason"] = verdict.reason
    if verdict.failure:
        told["failure"] = {
            "expected": verdict.failure.expected,
            "found": verdict.failure.found,
            "sent": verdict.failure.sent,
            "rerun": report.rerun(verdict),
        }
    return told
