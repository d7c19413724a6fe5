"""For CI servers: JUnit's XML, a suite a contract and a test a case."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mockzoom.judge.report import ContractResult, Report
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["junit"]

#: What XML 1.0 has no way to write; a receiver may send it all the same.
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_NOT_RUN = (Outcome.KNOWN, Outcome.DECLARED, Outcome.NOT_TESTED)


def junit(report: Report) -> str:
    """The whole report as a document."""
    root = Element("testsuites", {"name": "mockzoom verify", **_totals(report.verdicts)})
    for result in report.results:
        _suite(root, result, report)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(root: Element, result: ContractResult, report: Report) -> None:
    name = _text(f"{result.contract.id} {result.promise}")
    suite = SubElement(root, "testsuite", {"name": name, **_totals(result.verdicts)})
    for verdict in result.verdicts:
        case = SubElement(
            suite,
            "testcase",
            classname=verdict.contract.id,
            name=_text(verdict.case or result.promise),
            time=f"{verdict.took_s:.3f}",
        )
        _outcome(case, verdict, report)


def _outcome(case: Element, verdict: Verdict, report: Report) -> None:
    if verdict.outcome in _NOT_RUN:
        SubElement(case, "skipped", message=_text(f"{verdict.outcome}: {verdict.reason}"))
    elif verdict.outcome is Outcome.ERROR:
        SubElement(case, "error", message=_text(verdict.reason))
    elif verdict.failure:
        told = [f"{heading}: {text}" for heading, text in verdict.explained()]
        message = _text(f"expected {verdict.failure.expected}, found {verdict.failure.found}")
        failure = SubElement(case, "failure", type=verdict.contract.severity.value, message=message)
        failure.text = _text("\n".join([*told, f"again: {report.rerun(verdict)}"]))
    if verdict.wire:
        SubElement(case, "system-out").text = _text("\n".join(verdict.wire))


def _totals(verdicts: tuple[Verdict, ...]) -> dict[str, str]:
    outcomes = [verdict.outcome for verdict in verdicts]
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count(Outcome.FAILED)),
        "errors": str(outcomes.count(Outcome.ERROR)),
        "skipped": str(sum(outcome in _NOT_RUN for outcome in outcomes)),
        "time": f"{sum(verdict.took_s for verdict in verdicts):.3f}",
    }


def _text(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
