"""For people at a terminal: a table of what was tried, then what does harm, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mockzoom.judge.answer import excerpt
from mockzoom.judge.fuzz.findings import SEQUENCES, Failure, FuzzReport, Row, Taken
from mockzoom.judge.reports.terminal import printable

__all__ = ["summary"]

_BAD = (Taken.CRASHED, Taken.VALID_REFUSED, Taken.BROKE)
_INDENT = 12


def summary(report: FuzzReport, out: Path | None = None) -> RenderableType:
    """The table, every failure, and what it comes to; `out` is where the samples were written."""
    parts: list[RenderableType] = [_table(report.rows)]
    for name, failure in report.files.items():
        parts += [Text(), *_failure(failure, report.url, out and out / name)]
    return Group(*parts, Text(), _total(report))


def _table(rows: tuple[Row, ...]) -> Table:
    shown = [name for name in Taken if any(row.counts[name] for row in rows)]
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("event", no_wrap=True)
    for name in ("tried", *shown):
        table.add_column(name, justify="right", min_width=max(map(len, name.split())))
    for row in rows:
        table.add_row(row.what, str(row.counts.total()), *(_cell(row, name) for name in shown))
    return table


def _cell(row: Row, name: Taken) -> Text:
    count = row.counts[name]
    return Text(str(count or ""), "bold red" if name in _BAD else "")


def _failure(failure: Failure, url: str, file: Path | None) -> Iterator[Text]:
    yield Text(f"{failure.what}  {failure.harm.upper()}", "bold red")
    for heading, text in failure.explained():
        yield _field(heading, text)
    if failure.what == SEQUENCES:
        yield from _scenario(failure, url, file)
    else:
        yield _field("smallest", excerpt(failure.sample, 2_000))
        yield _field("send it", failure.again)
    if file is not None:
        yield _field("saved as", str(file))


def _scenario(failure: Failure, url: str, file: Path | None) -> Iterator[Text]:
    yield _field("smallest", "this scenario")
    for line in failure.sample.decode().splitlines():
        yield Text(f"    {printable(line)}")
    name = str(file) if file else "FILE"
    yield _field("play it", f"mockzoom scenario run {name} --receiver {url}")


def _field(heading: str, text: str) -> Text:
    return Text.assemble((f"  {heading:<{_INDENT}}", "dim"), printable(text))


def _total(report: FuzzReport) -> Text:
    harm = f"{len(report.failures)} way(s) to do harm" if report.failures else "nothing broke"
    ended = f"; ended early: {report.ended}" if report.ended else ""
    again = f" (--seed {report.seed})"
    style = "bold red" if report.problem() else "bold green"
    return Text(f"{report.tried} tried, {harm}{again}{ended}", style)
