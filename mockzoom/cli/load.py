"""`mockzoom load`: many streams against one receiver, from this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from mockzoom.cli.options import (
    json_option,
    receivers_credentials,
    receivers_credentials_options,
    seed_option,
    timings_option,
)
from mockzoom.errors import ContractBroken, NothingTested

if TYPE_CHECKING:
    from mockzoom.load import LoadResult

__all__ = ["load"]


@click.command()
@click.option("--receiver", "url", required=True, metavar="URL", help="The webhook endpoint.")
@click.option(
    "--streams",
    default=10,
    show_default=True,
    type=click.IntRange(1, 10_000),
    metavar="N",
    help="How many streams there are at once.",
)
@click.option(
    "--ramp",
    "ramp_s",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="Over how long they start.",
)
@click.option(
    "--duration",
    "duration_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long all of them go on after that.",
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Where the sockets of streams listen."
)
@click.option(
    "--rtms-port",
    default=8721,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Their port, of further workers the next ones; 0: any.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    metavar="N",
    help="How many processes share the streams; each uses one core.",
)
@receivers_credentials_options
@timings_option
@seed_option
@json_option
def load(
    url: str,
    streams: int,
    ramp_s: float,
    duration_s: float,
    host: str,
    rtms_port: int,
    workers: int,
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    timings: str,
    seed: int | None,
    as_json: bool,
) -> None:
    """Start many streams against a receiver, talk into all of them, and tell what came of it.

    The credentials are those of the receiver.  Status 0 when every stream was joined and nothing
    was wrong, 1 when not, 3 when no media was sent at all, 4 when the receiver is not there.
    """
    from mockzoom.core.timings import Timings
    from mockzoom.load import Load
    from mockzoom.load_workers import run_shared

    asked = Load(
        url,
        receivers_credentials("load", client_id, client_secret, secret_token),
        streams,
        ramp_s,
        duration_s,
        host=host,
        rtms_port=rtms_port,
        timings=Timings.named(timings),
        seed=seed,
    )
    result = asked.run() if workers == 1 else run_shared(asked, workers)
    click.echo(json.dumps(result.as_dict()) if as_json else _table(result))
    _judge(url, result)


def _table(result: LoadResult) -> str:
    told = result.as_dict()
    late = ", ".join(f"{name} {ms} ms" for name, ms in told["late_ms"].items())
    sent = ", ".join(f"{count:,} {kind}" for kind, count in told["sent"].items()) or "nothing"
    found = ", ".join(f"{count} {check}" for check, count in told["findings"].items()) or "none"
    return (
        f"streams    {result.streams} started, {result.joined} joined, {result.failed} failed\n"
        f"media      {sent}\n"
        f"lateness   {late}\n"
        f"findings   {found}"
    )


def _judge(url: str, result: LoadResult) -> None:
    if not result.messages:
        raise NothingTested(
            f"{url}: expected media on {result.streams} streams, found none: the receiver joined "
            f"{result.joined}; give it longer with --duration"
        )
    wrong = sum(result.findings.values())
    if result.failed or wrong:
        raise ContractBroken(
            f"{url}: expected {result.streams} streams that live and no finding, found "
            f"{result.failed} that failed and {wrong} findings"
        )
