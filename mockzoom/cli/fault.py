"""`mockzoom fault`: switch faults on and off in a mock that runs, over its control API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from mockzoom.cli.options import json_option
from mockzoom.errors import MockUnreachable, UsageError

__all__ = ["fault"]

Command = TypeVar("Command", bound=Callable[..., Any])

_TIMEOUT_S = 10


def _mock_options(command: Command) -> Command:
    """`--url`, `--world` and `--api-token`: which mock, and the leave to use it."""
    command = click.option(
        "--world",
        envvar="MOCKZOOM_WORLD",
        show_envvar=True,
        help="One of the worlds of the mock, by its name.  Default: the one that is always there.",
    )(command)
    command = click.option(
        "--api-token",
        envvar="MOCKZOOM_API_TOKEN",
        show_envvar=True,
        help="The token that a mock off this machine has printed.",
    )(command)
    return click.option(
        "--url",
        envvar="MOCKZOOM_URL",
        show_envvar=True,
        default="http://127.0.0.1:8700",
        show_default=True,
        help="The control API of the mock.",
    )(command)


@click.group()
def fault() -> None:
    """Let things go wrong in a mock that runs, and let them be well again."""


@fault.command()
@json_option
def kinds(as_json: bool) -> None:
    """List the kinds of fault, what they do, and their fields."""
    from mockzoom.core.fault_kinds import FAULTS, effect, settings

    if as_json:
        rows = [{"kind": kind, "effect": effect(kind), "fields": _told(kind)} for kind in FAULTS]
        click.echo(json.dumps(rows))
        return
    for kind in FAULTS:
        fields = ", ".join(
            name if default is ... else f"{name}={json.dumps(default)}"
            for name, default in settings(kind).items()
        )
        click.echo(f"{kind}: {effect(kind)}\n    {fields}")


@fault.command()
@click.argument("kind")
@click.argument("assignments", metavar="[FIELD=VALUE]...", nargs=-1)
@_mock_options
@json_option
def add(kind: str, assignments: tuple[str, ...], as_json: bool, **mock: Any) -> None:
    """Switch a fault of KIND on; its number is printed.

    Fields that are not given have the defaults that `mockzoom fault kinds` shows.
    """
    from mockzoom.core.fault_kinds import parse_fault

    value = parse_fault(_fields(kind, assignments)).as_dict()
    on = _ask("POST", "/faults", value, **mock)
    click.echo(json.dumps(on) if as_json else f"fault {on['id']} is on")


@fault.command("list")
@_mock_options
@json_option
def list_(as_json: bool, **mock: Any) -> None:
    """List the faults that are on, with their fields and how often they have hit."""
    on = _ask("GET", "/faults", **mock)["faults"]
    if as_json:
        click.echo(json.dumps(on))
        return
    for its in on:
        number, kind, hits = its.pop("id"), its.pop("kind"), its.pop("hits")
        fields = " ".join(f"{k}={json.dumps(v)}" for k, v in its.items() if v not in ("", None))
        click.echo(f"{number}: {kind}, {hits} hits: {fields}")


@fault.command()
@click.argument("number", metavar="[ID]", required=False, type=int)
@_mock_options
def lift(number: int | None, **mock: Any) -> None:
    """Switch the fault with this ID off, or all of them."""
    _ask("DELETE", "/faults" if number is None else f"/faults/{number}", **mock)


def _told(kind: str) -> dict[str, Any]:
    from mockzoom.core.fault_kinds import settings

    return {name: None if value is ... else value for name, value in settings(kind).items()}


def _fields(kind: str, assignments: tuple[str, ...]) -> dict[str, Any]:
    """What `parse_fault` takes: texts as they are, everything else as JSON."""
    from mockzoom.core.fault_kinds import FAULTS, settings

    texts = (
        [name for name, default in settings(kind).items() if type(default) is str]
        if (kind in FAULTS)
        else []
    )
    value: dict[str, Any] = {"kind": kind}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"fault {kind}: expected FIELD=VALUE, found {assignment!r:.80}")
        value[name] = text if name in texts else _json(text)
    return value


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _ask(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    url: str | None,
    world: str | None,
    api_token: str | None,
) -> Any:
    """What the control API answers; raises `MockUnreachable`, and `UsageError` for a refusal."""
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {api_token}"} if api_token else {}
    if world:
        headers["X-Mockzoom-World"] = world
    try:
        if not url or not url.startswith(("http://", "https://")):
            raise ValueError("expected http://…")
        target = f"{url.rstrip('/')}/_mockzoom{path}"
        request = Request(target, data, headers, method=method)  # noqa: S310 - checked above
        with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            return json.loads(answer.read())
    except HTTPError as refused:
        with refused:
            raise UsageError(_reason(refused.read()) or f"{url}: {refused}") from None
    except (OSError, HTTPException, json.JSONDecodeError) as error:
        reason = getattr(error, "reason", error)
        raise MockUnreachable(f"{url}: {reason}; does `mockzoom serve` run there?") from None
    except ValueError as error:
        raise UsageError(f"--url {url!r}: {error}") from None


def _reason(body: bytes) -> str:
    try:
        return str(json.loads(body)["detail"])
    except (ValueError, LookupError, TypeError):
        return ""
