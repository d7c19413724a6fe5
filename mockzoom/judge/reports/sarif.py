"""For code scanning: SARIF 2.1.0, a rule a contract and a result a failure."""

from __future__ import annotations

import json
from typing import Any

from mockzoom.judge.contract import ADVICE, MUST, SHOULD
from mockzoom.judge.report import ContractResult, Report
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["sarif"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_LEVELS = {MUST: "error", SHOULD: "warning", ADVICE: "note"}


def sarif(report: Report) -> str:
    """The whole report; known failures are in it, marked as suppressed."""
    driver = {
        "name": "mockzoom",
        "version": report.version,
        "rules": [_rule(result) for result in report.results],
    }
    indices = {result.contract.id: number for number, result in enumerate(report.results)}
    failures = report.of(Outcome.FAILED, Outcome.KNOWN)
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": not report.of(Outcome.ERROR)}],
        "results": [_result(verdict, indices, report) for verdict in failures],
    }
    told = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _rule(result: ContractResult) -> dict[str, Any]:
    row = result.contract
    return {
        "id": row.id,
        "shortDescription": {"text": result.promise},
        "fullDescription": {"text": f"{result.promise} Source: {row.source}."},
        "help": {"text": row.loses},
        "defaultConfiguration": {"level": _LEVELS[row.severity]},
    }


def _result(verdict: Verdict, indices: dict[str, int], report: Report) -> dict[str, Any]:
    assert verdict.failure is not None
    file, line = verdict.place
    told: dict[str, Any] = {
        "ruleId": verdict.contract.id,
        "ruleIndex": indices[verdict.contract.id],
        "level": _LEVELS[verdict.contract.severity],
        "message": {
            "text": f"{verdict.key}: expected {verdict.failure.expected}, "
            f"found {verdict.failure.found}. {verdict.contract.loses}"
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file},
                    "region": {"startLine": max(line, 1)},
                },
                "logicalLocations": [{"fullyQualifiedName": report.assignment.url}],
            }
        ],
        "partialFingerprints": {"contract/v1": verdict.key},
    }
    if verdict.outcome is Outcome.KNOWN:
        told["suppressions"] = [{"kind": "external", "justification": "listed in the baseline"}]
    return told
