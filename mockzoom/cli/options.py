"""Options that several commands have, with one meaning and one variable of the environment each.

Beside ``MOCKZOOM_<COMMAND>_<OPTION>``, which every option has, these listen to a shorter name, so
that one `eval "$(mockzoom env)"` makes all commands of a shell agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mockzoom.core.limits import Limits
from mockzoom.errors import UsageError

if TYPE_CHECKING:
    from mockzoom.core.signing import Credentials
    from mockzoom.core.zoom_ids import ZoomIds

__all__ = [
    "account_option",
    "account_or_generated",
    "credentials_options",
    "credentials_or_generated",
    "given",
    "json_option",
    "limits_options",
    "receivers_credential",
    "receivers_credentials",
    "receivers_credentials_options",
    "secret_token_option",
    "seed_option",
    "spec_options",
    "timings_option",
]

Command = TypeVar("Command", bound=Callable[..., Any])


def credentials_options(command: Command) -> Command:
    """`--client-id`, `--client-secret` and `--secret-token`; None where not given."""
    command = secret_token_option(command)
    command = _generated("--client-secret", "The key that handshakes are signed with.")(command)
    return _generated("--client-id", "The app's client id.")(command)


def secret_token_option(command: Command) -> Command:
    return _generated("--secret-token", "The key that webhooks are signed with.")(command)


def account_option(command: Command) -> Command:
    """`--account-id`; None where not given."""
    return _generated("--account-id", "The account that access tokens are for.")(command)


def receivers_credential(flag: str, told: str = "Required.") -> Callable[[Command], Command]:
    """A credential that nobody can make up, because the receiver has it already; see `given`."""
    return _credential(flag, f"The receiver's.  {told}")


def receivers_credentials_options(command: Command) -> Command:
    """All three of them; see `receivers_credentials`."""
    for flag in ("--secret-token", "--client-secret", "--client-id"):
        command = receivers_credential(flag)(command)
    return command


def receivers_credentials(
    command: str, client_id: str | None, client_secret: str | None, secret_token: str | None
) -> Credentials:
    """What was given for the three; raises `UsageError` for the first that is missing."""
    from mockzoom.core.signing import Credentials

    return Credentials(
        given(command, "--client-id", client_id),
        given(command, "--client-secret", client_secret),
        given(command, "--secret-token", secret_token),
    )


def given(command: str, flag: str, value: str | None) -> str:
    """The value of an option that must be there; raises `UsageError` where it is not."""
    if not value:
        hint = 'give the receiver\'s, or set it by `eval "$(mockzoom env)"`'
        raise UsageError(f"{command}: {flag} is missing: {hint}")
    return value


def _generated(flag: str, what: str) -> Callable[[Command], Command]:
    return _credential(flag, f"{what}  Default: generated.")


def _credential(flag: str, told: str) -> Callable[[Command], Command]:
    envvar = "MOCKZOOM_" + flag[2:].replace("-", "_").upper()
    return click.option(flag, envvar=envvar, show_envvar=True, help=told)


def spec_options(command: Command) -> Command:
    """`--spec` and `--spec-profile`: which contract, and read how."""
    command = click.option(
        "--spec-profile",
        envvar="MOCKZOOM_SPEC_PROFILE",
        type=click.Choice(["corrected", "published"]),
        default="corrected",
        show_default=True,
        help="With our corrections to the document, or as it was published.",
    )(command)
    return click.option(
        "--spec",
        envvar="MOCKZOOM_SPEC",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="An OpenAPI document of the webhooks, in place of the one that comes along.",
    )(command)


def seed_option(command: Command) -> Command:
    return click.option(
        "--seed",
        envvar="MOCKZOOM_SEED",
        type=int,
        help="Repeat a run: the same seed gives the same ids and examples.",
    )(command)


def timings_option(command: Command) -> Command:
    return click.option(
        "--timings",
        envvar="MOCKZOOM_TIMINGS",
        default="zoom",
        show_default=True,
        metavar="zoom|fast|FACTOR",
        help="The pace of keep-alives, windows and time-outs.",
    )(command)


_LIMITS = {
    "max_message_bytes": "The longest message that an app may send.",
    "max_connections": "Sockets at once.",
    "max_unread_bytes": "What may wait for an app that does not read; then it is cut.",
    "upgrade_timeout_ms": "How long a connection may take to become a WebSocket.",
    "heartbeat_timeout_ms": "How long an app may send no heartbeat on an event WebSocket.",
}


def limits_options(command: Command) -> Command:
    """One for each of `Limits`, such as `--max-connections`."""
    for limit in reversed(fields(Limits)):
        command = click.option(
            f"--{limit.name.replace('_', '-')}",
            type=click.IntRange(1),
            default=limit.default,
            show_default=True,
            help=_LIMITS[limit.name],
        )(command)
    return command


def json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def media_option(command: Command) -> Command:
    return click.option(
        "--media",
        multiple=True,
        metavar="NAME=FILE",
        callback=lambda _, __, given: files_by_name(given),
        help="What a participant plays: a recording or a transcript; may be repeated.",
    )(command)


def files_by_name(given: tuple[str, ...]) -> dict[str, list[str]]:
    """``alice=a.wav`` and ``Alice=a.vtt`` as the files of one participant."""
    media: dict[str, list[str]] = {}
    for pair in given:
        name, equals, file = pair.partition("=")
        if not (name.strip() and equals and file):
            raise click.BadParameter(f"expected NAME=FILE, such as alice=talk.wav, found {pair!r}")
        known = next((own for own in media if own.casefold() == name.casefold()), name)
        media.setdefault(known, []).append(file)
    return media


def credentials_or_generated(
    client_id: str | None,
    client_secret: str | None,
    secret_token: str | None,
    seed: int | None = None,
) -> Credentials:
    """The credentials given, and made-up ones in Zoom's shape for those that are missing."""
    from mockzoom.core.signing import Credentials

    ids = _ids(seed)
    made_up = ids.client_id(), ids.client_secret(), ids.secret_token()
    return Credentials(
        client_id or made_up[0], client_secret or made_up[1], secret_token or made_up[2]
    )


def account_or_generated(account_id: str | None, seed: int | None = None) -> str:
    """The account given, or a made-up one in Zoom's shape."""
    return account_id or _ids(seed).account_id()


def _ids(seed: int | None) -> ZoomIds:
    """Ids that the seed repeats, or that nobody can guess."""
    import secrets

    from mockzoom.core.zoom_ids import ZoomIds

    return ZoomIds(secrets.randbits(128) if seed is None else seed)
