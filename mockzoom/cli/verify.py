"""`mockzoom verify`: which clauses of the contract does a receiver break?"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.judged import assigned, receiver_options
from mockzoom.cli.options import seed_option
from mockzoom.errors import ConfigurationError

if TYPE_CHECKING:
    from rich.console import Console

    from mockzoom.judge.assignment import Assignment
    from mockzoom.judge.report import Report
    from mockzoom.judge.selection import Selection
    from mockzoom.judge.verdict import Verdict

__all__ = ["verify"]

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@receiver_options
@click.option(
    "--profile",
    type=click.Choice(["webhook", "rtms", "all"]),
    default="all",
    show_default=True,
    help="Which contracts to judge by.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="TERM",
    help="Only contracts with this id, severity or word; may be repeated.",
)
@click.option(
    "--skip",
    multiple=True,
    metavar="TERM",
    help="No contracts with this id, severity or word; may be repeated.",
)
@click.option(
    "--contracts",
    type=FOLDER,
    metavar="DIR",
    help="A folder with contracts of your own, beside ours.",
)
@click.option(
    "--timings",
    default="fast",
    show_default=True,
    metavar="fast|zoom|FACTOR",
    help="The pace of keep-alives, windows and time-outs.",
)
@seed_option
@click.option("--baseline", type=FILE, help="Known failures, which do not fail the run.")
@click.option(
    "--update-baseline", is_flag=True, help="Write the failures of this run to the baseline."
)
@click.option("--junit", "junit_file", type=FILE, help="Write a report for CI servers.")
@click.option("--json", "json_file", type=FILE, help="Write a report for programs.")
@click.option("--html", "html_file", type=FILE, help="Write a report to read and to share.")
@click.option("--sarif", "sarif_file", type=FILE, help="Write a report for code scanning.")
def verify(url: str, **given: Any) -> None:
    """Judge the receiver at URL by its contracts.

    Status 0 when it keeps them, 1 when it breaks one, 3 when nothing could be tested, 4 when nobody
    listens there.

    Without --seed each run has a seed of its own, which it tells.  A receiver remembers the streams
    that have ended, so start it anew before it is judged with the same seed again.
    """
    from rich.console import Console

    assignment, selection = _assignment(url, given), _selection(given)
    baseline = _baseline(given)
    console = Console(highlight=False, soft_wrap=True)
    report = _judged(assignment, selection, given["contracts"], baseline, console)
    _write(report, given)
    _tell(report, console)
    if given["update_baseline"]:
        _update(given["baseline"], baseline, report)
        return
    problem = report.problem()
    if problem:
        raise problem


def _assignment(url: str, given: dict[str, Any]) -> Assignment:
    from mockzoom.judge.assignment import new_seed
    from mockzoom.judge.stage import stage_timings

    stage_timings(given["timings"])  # refused here, before anything is asked
    seed = new_seed() if given["seed"] is None else given["seed"]
    return assigned("verify", url, given, timings=given["timings"], seed=seed)


def _selection(given: dict[str, Any]) -> Selection:
    from mockzoom.judge.selection import Selection

    return Selection(given["profile"], given["select"], given["skip"])


def _baseline(given: dict[str, Any]) -> list[str]:
    from mockzoom.judge.baseline import read_baseline

    path = given["baseline"]
    if given["update_baseline"]:
        if path is None:
            raise ConfigurationError("--update-baseline needs --baseline FILE to write to")
        if not path.exists():
            return []
    return read_baseline(path) if path else []


def _judged(
    assignment: Assignment,
    selection: Selection,
    contracts: Path | None,
    baseline: list[str],
    console: Console,
) -> Report:
    from importlib.metadata import version

    from mockzoom.judge.baseline import applied
    from mockzoom.judge.probe import probe
    from mockzoom.judge.report import Report
    from mockzoom.judge.reports.terminal import discovered

    started_at, began_s = datetime.now(UTC), time.monotonic()
    console.print(f"judging {assignment.url} with seed {assignment.seed}")
    discovery = probe(assignment, rtms=selection.profile != "webhook").lines()
    console.print(discovered(discovery))
    with _progress(console) as progress:
        verdicts = list(_verdicts(assignment, selection, contracts, progress))
    marked, fixed = applied(baseline, verdicts)
    return Report(
        assignment,
        selection,
        tuple(marked),
        discovery=tuple(discovery),
        fixed=tuple(fixed),
        version=version("mockzoom"),
        started_at=started_at.isoformat(timespec="seconds"),
        took_s=time.monotonic() - began_s,
    )


Progress = Callable[[int, int, str], None]


def _verdicts(
    assignment: Assignment, selection: Selection, contracts: Path | None, progress: Progress
) -> Iterator[Verdict]:
    from mockzoom.judge.run import Begun, Planned, verify

    total = done = 0
    for step in verify(assignment, selection, contracts=contracts):
        if isinstance(step, Planned):
            total = step.total
        elif isinstance(step, Begun):
            progress(done, total, step.key)
        else:
            done += 1
            yield step


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A line that is written anew on a terminal; elsewhere one for every tenth part."""
    from rich.markup import escape

    if console.is_terminal:
        with console.status("starting") as status:
            yield lambda done, total, key: status.update(escape(f"{done} of {total}  {key}"))
        return
    tenths = set()

    def tell(done: int, total: int, key: str) -> None:
        if done * 10 // total not in tenths:
            tenths.add(done * 10 // total)
            console.print(f"  {done} of {total} judged")

    yield tell


def _tell(report: Report, console: Console) -> None:
    from mockzoom.judge.reports.github import github_annotations
    from mockzoom.judge.reports.terminal import summary

    console.print()
    console.print(summary(report))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        click.echo(github_annotations(report), nl=False)


def _write(report: Report, given: dict[str, Any]) -> None:
    from mockzoom.judge.reports.html_page import html_page
    from mockzoom.judge.reports.json_report import json_report
    from mockzoom.judge.reports.junit import junit
    from mockzoom.judge.reports.sarif import sarif

    writers: dict[str, Callable[[Report], str]] = {
        "junit_file": junit,
        "json_file": json_report,
        "html_file": html_page,
        "sarif_file": sarif,
    }
    for name, write in writers.items():
        if given[name] is not None:
            given[name].write_text(write(report), encoding="utf-8")


def _update(path: Path, before: list[str], report: Report) -> None:
    from mockzoom.judge.baseline import written

    path.write_text(written(report.verdicts, before), encoding="utf-8")
    click.echo(f"{path} has the failures of this run")
