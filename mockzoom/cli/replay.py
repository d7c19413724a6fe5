"""`mockzoom replay`: a recording, played to a receiver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import (
    json_option,
    receivers_credentials,
    receivers_credentials_options,
    seed_option,
)
from mockzoom.cli.terminal import printable
from mockzoom.errors import ContractBroken

if TYPE_CHECKING:
    from mockzoom.engine.replayer import Replayed

__all__ = ["replay"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--receiver", "url", required=True, metavar="URL", help="The webhook endpoint.")
@receivers_credentials_options
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True, max=1000),
    help="How much faster it goes, where it does not wait on the receiver.",
)
@click.option(
    "--patience",
    "patience_s",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long the receiver is waited for.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the sockets listen.")
@click.option(
    "--port", default=8711, show_default=True, type=click.IntRange(0, 65535), help="0: any."
)
@seed_option
@json_option
def replay(
    file: Path,
    url: str,
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    speed: float,
    patience_s: float,
    host: str,
    port: int,
    seed: int | None,
    as_json: bool,
) -> None:
    """Play the recording in FILE to a receiver, with ids, URLs, times and signatures of its own.

    The credentials are those of the receiver.  Status 0 when it did what the recorded one did, 1
    when it broke the contract, 2 for a broken file, 4 when it is not there.
    """
    from mockzoom.engine.replayer import Replayer

    def tell(kind: str, fields: Mapping[str, Any]) -> None:
        line = json.dumps({"kind": kind, **fields}) if as_json else printable(_line(kind, fields))
        click.echo(line)

    played = Replayer(
        file,
        url,
        receivers_credentials("replay", client_id, client_secret, secret_token),
        speed=speed,
        seed=seed,
        host=host,
        port=port,
        patience_s=patience_s,
        on_event=tell,
    ).play()
    tell("replayed", _counts(played))
    if played.findings:
        raise ContractBroken(f"{url}: {len(played.findings)} findings; {played.findings[0]}")


def _counts(played: Replayed) -> dict[str, int]:
    return {
        "streams": played.streams,
        "webhooks": played.webhooks,
        "messages": played.messages,
        "findings": len(played.findings),
    }


def _line(kind: str, of: Mapping[str, Any]) -> str:
    match kind:
        case "webhook":
            return f"{of['at_ms'] / 1000:8.2f} s  webhook {of['event']}: {of['answer']}"
        case "waiting":
            return f"{of['at_ms'] / 1000:8.2f} s  waiting for {of['for']}"
        case "finding":
            where = f"{of['check']}: {of['where']}"
            return f"FINDING     {where}: expected {of['expected']}, found {of['actual']}"
    return ", ".join(f"{count} {what}" for what, count in of.items())
