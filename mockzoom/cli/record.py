"""`mockzoom record`: a proxy between Zoom and an app, which writes down what goes through."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from mockzoom.cli.options import given, json_option, receivers_credential
from mockzoom.cli.terminal import printable
from mockzoom.errors import ConfigurationError

__all__ = ["record"]


@click.command()
@click.option("--receiver", "url", required=True, metavar="URL", help="Where webhooks go on to.")
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The file to write; it must not be there yet.",
)
@receivers_credential("--secret-token")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8710, show_default=True, type=click.IntRange(0, 65535), help="0: any."
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The authority to trust for the source's wss:// (PEM).  Default: the system's.",
)
@click.option("--keep-text", is_flag=True, help="Keep what was said and written.")
@click.option("--without-media", is_flag=True, help="Leave sound and pictures out.")
@json_option
def record(
    url: str,
    out: Path,
    secret_token: str | None,
    host: str,
    port: int,
    ca: Path | None,
    keep_text: bool,
    without_media: bool,
    as_json: bool,
) -> None:
    """Record what goes between Zoom and a receiver, until Ctrl-C.

    Zoom's webhooks are to be sent here; they and the sockets that they lead to are passed on.  Ids,
    names, words and signatures are not in the file.  `mockzoom replay` plays it.
    """
    from mockzoom.engine.record_proxy import RecordProxy
    from mockzoom.threads import wait_until

    def tell(kind: str, fields: Mapping[str, Any]) -> None:
        line = json.dumps({"kind": kind, **fields}) if as_json else printable(_line(kind, fields))
        click.echo(line)

    proxy = RecordProxy(
        url,
        out,
        given("record", "--secret-token", secret_token),
        host=host,
        port=port,
        ca=ca,
        keep_text=keep_text,
        keep_media=not without_media,
        on_event=tell,
    )
    with suppress(KeyboardInterrupt), proxy:
        tell("listening", {"url": proxy.url, "receiver": url, "file": str(out)})
        wait_until(threading.Event())
    if proxy.tape.error:
        raise ConfigurationError(proxy.tape.error)
    tell("recorded", {"file": str(out), "lines": proxy.tape.lines})


def _line(kind: str, of: Mapping[str, Any]) -> str:
    match kind:
        case "listening":
            return (
                f"webhooks to   {of['url']}\npassed on to  {of['receiver']}\nrecording to  "
                f"{of['file']}"
            )
        case "webhook":
            return f"webhook {of['event']}: {of['answer']}"
        case "opened":
            return f"{of['leg']} socket #{of['conn']} opened"
        case "closed":
            return f"{of['leg']} socket #{of['conn']} closed by {of['by']} ({of['code']})"
        case "recorded":
            return f"{of['lines']} lines in {of['file']}"
    return f"error: {of['error']}"
