"""`mockzoom receiver`: the reference receiver as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mockzoom.cli.terminal import on_a_line

__all__ = ["receiver"]


@click.command()
@click.option("--port", default=3000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--client-id", envvar="MOCKZOOM_CLIENT_ID", required=True, show_envvar=True)
@click.option("--client-secret", envvar="MOCKZOOM_CLIENT_SECRET", required=True, show_envvar=True)
@click.option("--secret-token", envvar="MOCKZOOM_SECRET_TOKEN", required=True, show_envvar=True)
@click.option(
    "--recordings",
    default="recordings",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to record: a folder per stream.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A PEM file of the authority to trust for wss:// instead of the system's.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    help="A host that streams may be on; may be repeated.  Default: this machine only.",
)
@click.option(
    "--timings",
    default="zoom",
    show_default=True,
    help="'zoom', 'fast' or a factor: how long to wait before and between reconnects.",
)
@click.option("--video", is_flag=True, help="Ask for cameras and screens too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line instead of prose.")
def receiver(
    port: int,
    client_id: str,
    client_secret: str,
    secret_token: str,
    recordings: Path,
    ca: Path | None,
    hosts: tuple[str, ...],
    timings: str,
    video: bool,
    as_json: bool,
) -> None:
    """Run the reference receiver: take webhooks, join streams, record them.

    It listens on 127.0.0.1 until it is interrupted.
    """
    from mockzoom.core.signing import Credentials
    from mockzoom.core.timings import Timings
    from mockzoom.receiver.receiver import LOOPBACK, Receiver
    from mockzoom.threads import wait_until

    report = _report_json if as_json else _report
    running = Receiver(
        Credentials(client_id, client_secret, secret_token),
        port=port,
        recordings=recordings,
        allowed_hosts=hosts or LOOPBACK,
        ca=ca,
        on_event=report,
        timings=Timings.named(timings),
        video=video,
    )
    with _interruptible() as interrupted, running:
        report("listening", {"url": running.url, "recordings": str(recordings.resolve())})
        wait_until(interrupted)


def _interruptible() -> Any:
    """A context in which Ctrl-C and SIGTERM set the event that it gives."""
    import signal
    import threading
    from collections.abc import Iterator
    from contextlib import contextmanager

    @contextmanager
    def context() -> Iterator[threading.Event]:
        interrupted = threading.Event()
        signals = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.getsignal(number) for number in signals}
        for number in signals:
            signal.signal(number, lambda *_: interrupted.set())
        try:
            yield interrupted
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    return context()


def _report_json(kind: str, fields: dict[str, Any]) -> None:
    import json

    click.echo(json.dumps({"kind": kind, **fields}, default=str))


def _report(kind: str, fields: dict[str, Any]) -> None:
    stream = str(fields.get("rtms_stream_id", ""))[:8]
    match kind:
        case "listening":
            line = f"listening on {fields['url']}, recording to {fields['recordings']}"
        case "webhook":
            line = f"webhook {fields['event']}"
        case "transcript":
            content = fields["content"] or {}
            line = f"{stream} {content.get('user_name', '')}: {content.get('data', '')}"
        case "finding":
            line = f"{stream} the server broke {fields['check']}: found {fields['actual']}"
        case "ended":
            line = f"{stream} ended: {fields['ending']}"
        case "joined" | "reconnecting":
            line = f"{stream} {kind}"
        case _:
            return
    click.echo(on_a_line(line))
