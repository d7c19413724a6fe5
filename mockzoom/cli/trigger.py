"""`mockzoom trigger`: one signed event, and what the receiver made of it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mockzoom.cli.options import (
    credentials_or_generated,
    json_option,
    secret_token_option,
    seed_option,
    spec_options,
)
from mockzoom.errors import ContractBroken, ReceiverUnreachable

if TYPE_CHECKING:
    from mockzoom.core.signing import Credentials
    from mockzoom.engine.sender import Attempt

__all__ = ["trigger"]

_UNAUTHORIZED = {401, 403}


@click.command()
@click.argument("event")
@click.option("--to", "url", required=True, metavar="URL", help="The receiver's webhook endpoint.")
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Give a field a value, as payload.stop_reason=6; may be repeated.",
)
@secret_token_option
@spec_options
@seed_option
@json_option
def trigger(
    event: str,
    url: str,
    assignments: tuple[str, ...],
    secret_token: str | None,
    spec: Path | None,
    spec_profile: Any,
    seed: int | None,
    as_json: bool,
) -> None:
    """Send one example of EVENT to a receiver, signed as Zoom signs.

    Status 0 when the receiver takes it (200 or 204), 1 when it does not, 4 when it is not there.
    """
    from mockzoom.core.examples import ExampleFactory, encode
    from mockzoom.core.spec import load_spec

    loaded = load_spec(spec, spec_profile)
    overrides = loaded.event(event).overrides(assignments)
    now_ms = time.time_ns() // 1_000_000
    body = encode(ExampleFactory(loaded, seed).event(event, overrides, now_ms=now_ms))
    credentials = credentials_or_generated(None, None, secret_token)
    attempt = _deliver(credentials, url, body)
    if as_json:
        click.echo(json.dumps(_outcome(event, url, body, attempt)))
    elif attempt.status is not None:
        click.echo(f"{event} to {url}: {attempt.status} in {attempt.elapsed_ms} ms")
    _judge(event, url, attempt, signed=secret_token is not None)


def _deliver(credentials: Credentials, url: str, body: bytes) -> Attempt:
    import asyncio

    from mockzoom.engine.sender import WebhookSender

    async def deliver() -> Attempt:
        async with WebhookSender(credentials) as sender:
            return await sender.post(url, body)

    return asyncio.run(deliver())


def _outcome(event: str, url: str, body: bytes, attempt: Attempt) -> dict[str, Any]:
    return {
        "event": event,
        "url": url,
        "ok": attempt.ok,
        "status": attempt.status,
        "elapsed_ms": attempt.elapsed_ms,
        "error": attempt.error,
        "sent": json.loads(body),
        "answer": _text(attempt.body),
    }


def _judge(event: str, url: str, attempt: Attempt, *, signed: bool) -> None:
    if attempt.ok:
        return
    if attempt.status is None:
        raise ReceiverUnreachable(f"{url}: {attempt.error}; is the receiver running?")
    found = f"{attempt.status} {_text(attempt.body)[:200]}".strip()
    hint = ""
    if attempt.status in _UNAUTHORIZED:
        hint = (
            "; is --secret-token the one that the receiver has?"
            if signed
            else "; it was signed with a made-up key: give the receiver's with --secret-token"
        )
    raise ContractBroken(f"{url}: {event}: expected 200 or 204, found {found}{hint}")


def _text(body: bytes) -> str:
    """An answer fit for a terminal: on one line, without control characters."""
    words = " ".join(body.decode(errors="replace").split())
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in words)
