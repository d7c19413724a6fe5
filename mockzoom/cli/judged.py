"""What the commands that judge a receiver ask alike: where it is, whose it is, what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import Command, receivers_credential
from mockzoom.errors import ConfigurationError

if TYPE_CHECKING:
    from mockzoom.judge.assignment import Assignment

__all__ = ["assigned", "receiver_options"]


def receiver_options(command: Command) -> Command:
    """The URL, the credentials, `--product` and `--without`, as `assigned` takes them."""
    command = click.option(
        "--without",
        multiple=True,
        metavar="CAPABILITY",
        help="What the app does not do, such as rtms; may be repeated.",
    )(command)
    command = click.option(
        "--product",
        "products",
        multiple=True,
        metavar="NAME",
        help="A product that the app is for; may be repeated.  Default: all.",
    )(command)
    command = receivers_credential("--secret-token")(command)
    for flag in ("--client-secret", "--client-id"):
        command = receivers_credential(flag, "Its handshakes are judged by it.")(command)
    return click.argument("url")(command)


def assigned(command: str, url: str, given: Mapping[str, Any], **terms: Any) -> Assignment:
    """What the options of `command` come to; `terms` are other fields of the assignment.

    Raises `ConfigurationError` for what is no URL, and where the key of webhooks is missing;
    `UsageError` for an unknown capability or product.
    """
    from mockzoom.core.signing import Credentials
    from mockzoom.engine.sender import checked_url
    from mockzoom.judge.assignment import Assignment

    if not given["secret_token"]:
        raise ConfigurationError(f"{command} needs the receiver's --secret-token to sign webhooks")
    return Assignment(
        checked_url(url),
        Credentials(given["client_id"] or "", given["client_secret"] or "", given["secret_token"]),
        products=given["products"],
        without=frozenset(given["without"]),
        **terms,
    )
