"""`mockzoom scenario`: stories that a receiver must survive, told to one that runs."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import (
    credentials_options,
    credentials_or_generated,
    json_option,
    media_option,
    seed_option,
    spec_options,
)
from mockzoom.cli.terminal import footed, on_a_line, printable
from mockzoom.errors import ContractBroken, NothingTested, ScenarioError, UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from mockzoom.core.scenario import Scenario
    from mockzoom.core.spec import Spec
    from mockzoom.engine.scenario_player import Progress, ScenarioResult
    from mockzoom.server import MockZoom

__all__ = ["scenario"]


@click.group()
def scenario() -> None:
    """Play stories that a receiver must survive."""


@scenario.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the scenarios that come along, each with its story."""
    from mockzoom.core.spec import load_spec
    from mockzoom.engine.scenario_library import load_scenario, shipped_scenarios

    spec = load_spec()
    heads = [load_scenario(name, spec).head for name in shipped_scenarios()]
    if as_json:
        click.echo(json.dumps([{"name": head.name, "story": head.story} for head in heads]))
        return
    width = max(len(head.name) for head in heads)
    for head in heads:
        click.echo(f"{head.name:{width}}  {head.story}")


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@json_option
def show(name: str, as_json: bool) -> None:
    """Show a scenario as it is written, once it is known to have no mistake."""
    from mockzoom.core.spec import load_spec

    shown = _load(name, load_spec())
    if not as_json:
        click.echo(shown.source, nl=False)
        return
    steps = [{"at_ms": step.at_ms, "line": step.line, "do": step.do} for step in shown.steps]
    told = {"name": shown.head.name, "story": shown.head.story, "file": shown.file, "steps": steps}
    click.echo(json.dumps(told))


@scenario.command()
@click.argument("name", metavar="NAME|FILE")
@click.option("--receiver", "url", metavar="URL", help="The receiver's webhook endpoint.")
@credentials_options
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001, 1_000),
    help="How much faster time runs, where it does not wait on the receiver.",
)
@click.option(
    "--timings",
    envvar="MOCKZOOM_TIMINGS",
    metavar="zoom|fast|FACTOR",
    help="The pace of keep-alives, windows and time-outs.  Default: the scenario's, or zoom.",
)
@media_option
@spec_options
@seed_option
@json_option
def run(
    name: str,
    url: str | None,
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    speed: float,
    timings: str | None,
    media: dict[str, list[str]],
    spec: Path | None,
    spec_profile: Any,
    seed: int | None,
    as_json: bool,
) -> None:
    """Play a scenario that comes along, or one in a FILE, to a receiver.

    Nothing starts before the whole scenario is known to have no mistake.  Status 0 when the
    receiver survives it, 1 when it breaks the contract, 3 when no webhook was sent, 4 when it is
    not there.
    """
    from mockzoom.core.spec import load_spec
    from mockzoom.core.timings import Timings
    from mockzoom.server import MockZoom

    told = _paced(_load(name, load_spec(spec, spec_profile)), timings)
    if url is None:
        raise UsageError(
            'scenario run: --receiver is missing; to try it, run `eval "$(mockzoom env)"`, then '
            "`mockzoom receiver &`, and use --receiver http://127.0.0.1:3000/webhook"
        )
    seed = told.head.seed if seed is None else seed
    mock = MockZoom(
        credentials=credentials_or_generated(client_id, client_secret, secret_token, seed),
        seed=seed,
        spec=spec,
        spec_profile=spec_profile,
        timings=Timings.named(timings or "zoom"),
        media=media,
    )
    show = _Lines() if as_json else _Show()
    with mock:
        _subscribe(mock, url, given=secret_token is not None)
        with show.lit():
            result = mock.play(told, speed=speed, on_step=show.step)
        options = f"--receiver {url} --seed {mock.seed} --speed {speed:g}"
        show.summarise(result, f"mockzoom scenario run {name} {options}")
    _judge(result)


def _load(name: str, spec: Spec) -> Scenario:
    """The scenario, or all of its mistakes, a line each."""
    from mockzoom.engine.scenario_library import load_scenario

    try:
        return load_scenario(name, spec)
    except ScenarioError as error:
        for mistake in error.mistakes[:-1]:
            click.echo(mistake, err=True)
        many = len(error.mistakes) > 1
        last = f"{error.mistakes[-1]} ({len(error.mistakes)} mistakes)" if many else str(error)
        raise UsageError(f"{last}; nothing was started") from None


def _paced(told: Scenario, timings: str | None) -> Scenario:
    """Without the pace of its own where one is asked for; single intervals stay."""
    from mockzoom.core.timings import Timings

    if timings is None or not isinstance(told.head.timings, Timings):
        return told
    return replace(told, head=replace(told.head, timings=None))


def _subscribe(mock: MockZoom, url: str, *, given: bool) -> None:
    try:
        mock.subscribe(url)
    except ContractBroken as error:
        what = "is it the receiver's?" if given else "give the receiver's, this one is made up"
        raise ContractBroken(f"{error}; about --secret-token: {what}") from None


def _judge(result: ScenarioResult) -> None:
    wrong = len(result.unmet) + len(result.findings)
    if wrong:
        raise ContractBroken(f"scenario {result.name}: {wrong} thing(s) went wrong")
    if not result.attempts:
        raise NothingTested(f"scenario {result.name}: it sent no webhook, so it tested nothing")


# --- the show ---------------------------------------------------------------------------------


class _Lines:
    """A JSON object a line: every step as it starts and ends, and the result."""

    def lit(self) -> AbstractContextManager[None]:
        return nullcontext()

    def step(self, progress: Progress) -> None:
        click.echo(json.dumps({"kind": "step", **progress.as_dict()}))

    def summarise(self, result: ScenarioResult, again: str) -> None:
        click.echo(json.dumps({"kind": "result", **result.as_dict(), "again": again}))


class _Show:
    """A line a step; in a terminal the step that is under way stands at the bottom."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(highlight=False, soft_wrap=True)
        self._current: Progress | None = None

    def lit(self) -> AbstractContextManager[None]:
        return footed(self._console, self._footer)

    def step(self, progress: Progress) -> None:
        """Called on the loop's thread."""
        self._current = progress
        if progress.happened in ("done", "failed"):
            mark, style = ("ok", "green") if progress.happened == "done" else ("FAILED", "red")
            self._line(mark, style, progress)

    def _line(self, mark: str, style: str, progress: Progress) -> None:
        from rich.text import Text

        line = Text(f"{progress.at_ms / 1000:8.1f} s  ", style="dim")
        line.append(f"{mark:8}", style=f"not dim {style}")
        line.append(on_a_line(progress.step), style="not dim")
        self._console.print(line)

    def summarise(self, result: ScenarioResult, again: str) -> None:
        from rich.text import Text

        verdict, style = ("passed", "bold green") if result.passed else ("FAILED", "bold red")
        self._console.print()
        for problem in [*result.unmet, *(finding.report() for finding in result.findings)]:
            self._console.print(Text(printable(problem)))
        line = Text(verdict, style=style)
        line.append(
            f"  {result.name}: {result.steps_done} of {result.steps} steps, "
            f"{len(result.webhooks)} webhooks, {result.duration_ms / 1000:.1f} s",
            style="not bold default",
        )
        self._console.print(line)
        self._console.print(Text(f"The same again: {again}", style="dim"))

    def _footer(self) -> RenderableType:
        from rich.text import Text

        now = self._current
        if now is None:
            return Text("")
        waits = "waiting for the receiver: " if now.happened == "waiting" else ""
        return Text(f"{now.number:5}/{now.steps:<4}  {waits}{on_a_line(now.step)}", style="dim")
