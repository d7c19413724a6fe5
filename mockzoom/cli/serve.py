"""`mockzoom serve`: the mock as a process of its own, for an app in any language."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import (
    account_option,
    credentials_options,
    credentials_or_generated,
    json_option,
    limits_options,
    media_option,
    seed_option,
    spec_options,
    timings_option,
)
from mockzoom.errors import ContractBroken, ReceiverUnreachable

if TYPE_CHECKING:
    from mockzoom.server import MockZoom

__all__ = ["serve"]

_PORT = click.IntRange(0, 65535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8700, show_default=True, type=_PORT, help="Of the control API; 0: any."
)
@click.option(
    "--rtms-port", default=8701, show_default=True, type=_PORT, help="Of the sockets; 0: any."
)
@click.option(
    "--receiver",
    "receivers",
    multiple=True,
    metavar="URL",
    help="Where webhooks go; may be repeated.",
)
@click.option(
    "--event-socket",
    metavar="ID",
    help="Let the app take events over a WebSocket too, as the subscription ID.",
)
@credentials_options
@account_option
@click.option("--tls", is_flag=True, help="Serve wss://, behind a certificate authority made up.")
@click.option(
    "--ca",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write that authority (PEM).  Default: a temporary file.",
)
@spec_options
@timings_option
@click.option(
    "--delivery-timings",
    default="zoom",
    show_default=True,
    metavar="zoom|fast|FACTOR",
    help="The pace of retries of webhooks, and of URL validation.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where journal, subscriptions and pending webhooks outlive the process.",
)
@click.option(
    "--journal-size",
    default=10_000,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How many entries the journal keeps.",
)
@click.option(
    "--max-streams",
    default=2_000,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="How many streams the app may have at once.",
)
@click.option(
    "--speed",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0.001, 1_000),
    metavar="FACTOR",
    help="How many times as fast as real time the mock's world runs.",
)
@media_option
@seed_option
@limits_options
@json_option
def serve(
    host: str,
    port: int,
    rtms_port: int,
    receivers: tuple[str, ...],
    event_socket: str | None,
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    account_id: str | None,
    tls: bool,
    ca: Path | None,
    spec: Path | None,
    spec_profile: Any,
    timings: str,
    delivery_timings: str,
    state: Path | None,
    journal_size: int,
    max_streams: int,
    speed: float,
    media: dict[str, list[str]],
    seed: int | None,
    as_json: bool,
    **limits: int,
) -> None:
    """Run the mock until Ctrl-C.

    It prints where it listens and what an app must be configured with.  Meetings are started over
    the control API; their streams there too, or by the app itself, as in production, at the same
    URL.  On a host other than this machine the control API wants a token, which is printed.
    """
    from mockzoom.core.limits import Limits
    from mockzoom.core.timings import DeliveryTimings, Timings
    from mockzoom.server import MockZoom
    from mockzoom.threads import wait_until

    mock = MockZoom(
        credentials=credentials_or_generated(client_id, client_secret, secret_token, seed),
        account_id=account_id,
        host=host,
        port=port,
        rtms_port=rtms_port,
        tls=tls,
        seed=seed,
        spec=spec,
        spec_profile=spec_profile,
        timings=Timings.named(timings),
        delivery_timings=DeliveryTimings.named(delivery_timings),
        limits=Limits(**limits),
        state=state,
        journal_size=journal_size,
        max_streams=max_streams,
        speed=speed,
        media=media,
    )
    with suppress(KeyboardInterrupt), mock:
        facts = _facts(mock, _published(mock.ca_path, ca))
        if event_socket is not None:
            facts["event_socket"] = mock.subscribe_socket(subscription_id=event_socket).url
        click.echo(json.dumps(facts) if as_json else _announcement(facts))
        for url in receivers:
            _subscribe(mock, url)
        wait_until(threading.Event())


def _published(written: Path | None, wanted: Path | None) -> Path | None:
    """The authority's file, copied to where it is wanted."""
    if written is None or wanted is None:
        return written
    shutil.copyfile(written, wanted)
    return wanted.resolve()


def _facts(mock: MockZoom, ca: Path | None) -> dict[str, Any]:
    """Where it listens and what apps need; this is the one place that shows secrets."""
    return {
        "url": mock.url,
        "rtms_url": mock.rtms_url,
        "client_id": mock.credentials.client_id,
        "client_secret": mock.credentials.client_secret,
        "secret_token": mock.credentials.secret_token,
        "account_id": mock.account_id,
        "ca": None if ca is None else str(ca),
        "api_token": mock.api_token,
        "seed": mock.seed,
    }


_LABELS = {
    "url": "control API",
    "rtms_url": "RTMS sockets",
    "client_id": "client id",
    "client_secret": "client secret",
    "secret_token": "secret token",
    "account_id": "account id",
    "ca": "CA to trust",
    "api_token": "API token",
    "seed": "seed",
    "event_socket": "event socket",
}


def _announcement(facts: dict[str, Any]) -> str:
    rows = [f"  {_LABELS[name]:14} {value}" for name, value in facts.items() if value is not None]
    return "\n".join(["mockzoom is listening; Ctrl-C ends it", *rows])


def _subscribe(mock: MockZoom, url: str) -> None:
    try:
        mock.subscribe(url)
    except (ReceiverUnreachable, ContractBroken) as error:
        click.echo(f"warning: {error}; it is tried again when an event is due", err=True)
    else:
        click.echo(f"receiver {url} is validated", err=True)
