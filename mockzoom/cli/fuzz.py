"""`mockzoom fuzz`: what kills a receiver, and the smallest that does?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.judged import assigned, receiver_options
from mockzoom.cli.options import json_option, seed_option

if TYPE_CHECKING:
    from rich.console import Console

    from mockzoom.judge.fuzz.findings import FuzzReport, Row
    from mockzoom.judge.fuzz.run import Plan

__all__ = ["fuzz"]


@click.command()
@receiver_options
@click.option(
    "--max-examples",
    default=50,
    show_default=True,
    type=click.IntRange(1),
    help="Valid bodies of each event, as many invalid ones, and sequences.",
)
@seed_option
@click.option("--only", type=click.Choice(["bodies", "sequences"]), help="Nothing else.")
@click.option(
    "--event",
    "events",
    multiple=True,
    metavar="NAME",
    help="Send bodies of this event; may be repeated.  Default: all.",
)
@click.option(
    "--max-time",
    default=300.0,
    show_default=True,
    type=click.FloatRange(1),
    metavar="SECONDS",
    help="How long it may take as a whole.",
)
@click.option(
    "--exec",
    "command",
    default="",
    metavar="COMMAND",
    help="Start the receiver by this command, and again whenever it has died.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write the report, and whatever does harm, to files there.",
)
@json_option
def fuzz(url: str, **given: Any) -> None:
    """Attack the receiver at URL with events and sequences of them, valid and not.

    What does harm is made as small as it can be.  Status 0 when nothing broke, 1 when something
    did, 3 when nothing could be tried, 4 when nobody listens there.
    """
    from rich.console import Console

    from mockzoom.judge.fuzz.run import fuzz as attack

    assignment = assigned("fuzz", url, given, seed=given["seed"] or 0)
    plan = _plan(given)
    if given["out"]:
        given["out"].mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True, quiet=given["as_json"])
    console.print(f"attacking {assignment.url}")
    with _progress(console) as progress:
        report = attack(assignment, plan, progress)
    _tell(report, console, given)
    problem = report.problem()
    if problem:
        raise problem
    if report.ended == "interrupted":
        raise click.Abort


def _plan(given: dict[str, Any]) -> Plan:
    from mockzoom.judge.fuzz.run import Plan

    return Plan(
        max_examples=given["max_examples"],
        events=given["events"],
        bodies=given["only"] != "sequences",
        sequences=given["only"] != "bodies",
        max_time_s=given["max_time"],
        command=given["command"],
    )


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[Row], None]]:
    """A line that is written anew on a terminal; elsewhere one for each row."""
    if console.is_terminal and not console.quiet:
        with console.status("starting") as status:
            yield lambda row: status.update(f"{row.what}: {row.counts.total()} tried")
        return
    begun = set()

    def tell(row: Row) -> None:
        if row.what not in begun:
            begun.add(row.what)
            console.print(f"  {row.what}")

    yield tell


def _tell(report: FuzzReport, console: Console, given: dict[str, Any]) -> None:
    from mockzoom.judge.fuzz.terminal import summary

    told = json.dumps(report.as_dict(), ensure_ascii=False)
    if given["out"]:
        for name, failure in report.files.items():
            (given["out"] / name).write_bytes(failure.sample)
        (given["out"] / "report.json").write_text(told + "\n", encoding="utf-8")
    if given["as_json"]:
        click.echo(told)
        return
    console.print()
    console.print(summary(report, given["out"]))
