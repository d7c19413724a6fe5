"""`mockzoom env`: one set of credentials under all the names by which programs look for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mockzoom.cli.options import (
    account_option,
    account_or_generated,
    credentials_options,
    credentials_or_generated,
    json_option,
    seed_option,
)

if TYPE_CHECKING:
    from mockzoom.core.signing import Credentials

__all__ = ["env", "variables"]

#: Who reads what: the official SDK (its samples add a secret token to its names), today's samples
#: of the vendor, its older ones, its sample of a webhook endpoint, and this command line.
CLIENT_ID = ("ZM_RTMS_CLIENT", "ZOOM_CLIENT_ID", "ZM_CLIENT_ID", "MOCKZOOM_CLIENT_ID")
CLIENT_SECRET = (
    "ZM_RTMS_SECRET",
    "ZOOM_CLIENT_SECRET",
    "ZM_CLIENT_SECRET",
    "MOCKZOOM_CLIENT_SECRET",
)
SECRET_TOKEN = (
    "ZM_RTMS_SECRET_TOKEN",
    "ZOOM_SECRET_TOKEN",
    "ZOOM_WEBHOOK_SECRET_TOKEN",
    "MOCKZOOM_SECRET_TOKEN",
)
ACCOUNT_ID = ("ZOOM_ACCOUNT_ID", "MOCKZOOM_ACCOUNT_ID")
CA = ("ZM_RTMS_CA", "MOCKZOOM_SERVE_CA", "MOCKZOOM_RECEIVER_CA")


def variables(
    credentials: Credentials, *, account_id: str, port: int, path: str, ca: Path | None
) -> dict[str, str]:
    """The environment of an app: `port` and `path` are where the SDK takes webhooks."""
    values = {
        **dict.fromkeys(CLIENT_ID, credentials.client_id),
        **dict.fromkeys(CLIENT_SECRET, credentials.client_secret),
        **dict.fromkeys(SECRET_TOKEN, credentials.secret_token),
        **dict.fromkeys(ACCOUNT_ID, account_id),
        "ZM_RTMS_PORT": str(port),
        "ZM_RTMS_PATH": path,
    }
    return values | (dict.fromkeys(CA, str(ca.resolve())) if ca else {})


@click.command()
@credentials_options
@account_option
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where the SDK listens for webhooks.",
)
@click.option("--path", default="/", show_default=True, help="The path of its webhook endpoint.")
@click.option(
    "--ca",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where `serve --tls` shall write its authority, and apps find it.",
)
@seed_option
@json_option
def env(
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    account_id: str | None,
    port: int,
    path: str,
    ca: Path | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Print the environment that the SDK and Zoom's samples read.

    Credentials and an account that are not given are generated.  After

        eval "$(mockzoom env)"

    the `serve`, `receiver` and `trigger` of the same shell use the same ones.
    """
    credentials = credentials_or_generated(client_id, client_secret, secret_token, seed)
    account_id = account_or_generated(account_id, seed)
    values = variables(credentials, account_id=account_id, port=port, path=path, ca=ca)
    if as_json:
        import json

        click.echo(json.dumps(values))
        return
    import shlex

    for name, value in values.items():
        click.echo(f"export {name}={shlex.quote(value)}")
