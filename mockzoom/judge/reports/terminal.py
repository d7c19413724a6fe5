"""For people at a terminal: a table of the contracts, and then each failure in full."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mockzoom.judge.report import ContractResult, Report
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["discovered", "summary"]

_MARKS = {
    Outcome.PASSED: ("ok", "green"),
    Outcome.FAILED: ("BROKEN", "bold red"),
    Outcome.KNOWN: ("known", "yellow"),
    Outcome.DECLARED: ("declared", "cyan"),
    Outcome.NOT_TESTED: ("not tested", "dim"),
    Outcome.ERROR: ("ERROR", "bold magenta"),
}

_SHOWN_WIRE = 12
_INDENT = 16


def discovered(lines: list[tuple[str, str]]) -> RenderableType:
    """What was found out before anything was judged."""
    return Group(*(_field(name, text) for name, text in lines))


def summary(report: Report) -> RenderableType:
    """The table, every failure, and what it comes to."""
    failures = report.of(Outcome.FAILED, Outcome.ERROR)
    parts: list[RenderableType] = [_table(report)]
    for verdict in failures:
        parts += [Text(), *_failure(verdict, report)]
    if report.fixed:
        told = f"in the baseline and no longer failing: {', '.join(report.fixed)}"
        parts += [Text(), Text(told, "yellow")]
    return Group(*parts, Text(), _total(report))


def _table(report: Report) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("contract", no_wrap=True)
    table.add_column("severity", no_wrap=True)
    table.add_column("promise")
    table.add_column("cases", justify="right", no_wrap=True)
    table.add_column("outcome", no_wrap=True)
    for result in report.results:
        table.add_row(*_row(result))
    return table


def _row(result: ContractResult) -> list[RenderableType]:
    mark, style = _MARKS[result.outcome]
    row = result.contract
    return [row.id, row.severity.value, Text(result.promise), result.tally, Text(mark, style)]


def _failure(verdict: Verdict, report: Report) -> Iterator[Text]:
    mark, style = _MARKS[verdict.outcome]
    yield Text(f"{verdict.key}  {mark}", style)
    for heading, text in verdict.explained():
        yield _field(heading, text)
    yield _field("again", report.rerun(verdict))
    for line in verdict.wire[-_SHOWN_WIRE:]:
        yield _field("wire", line)


def _field(heading: str, text: str) -> Text:
    return Text.assemble((f"  {heading:<{_INDENT}}", "dim"), printable(text))


def _total(report: Report) -> Text:
    told = [f"{count} {outcome.value}" for outcome, count in report.counts.items() if count]
    problem = report.problem()
    advice = len(report.of(Outcome.FAILED)) - len(report.breaches)
    note = f" ({advice} of them against mere advice)" if advice else ""
    text = f"{', '.join(told) or 'nothing'}{note} in {report.took_s:.1f} s"
    return Text(text, "bold red" if problem else "bold green")


def printable(text: str) -> str:
    """`text` without what would move the cursor: some of it comes from a receiver."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)
