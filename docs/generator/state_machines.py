"""What may follow what, drawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mockzoom.core import client_sockets, sockets
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.machine import Table
from mockzoom.core.webhook_order import WEBHOOK_ORDER, Told

__all__ = ["page"]

_TABLES: tuple[tuple[str, Table[Any, Any], type[Any]], ...] = (
    ("A stream, as the server keeps it", LIFECYCLE, Happening),
    ("The webhooks of a stream", WEBHOOK_ORDER, Told),
    ("A signaling socket, as the server sees it", sockets.SIGNALING_SOCKET, sockets.SocketEvent),
    ("A media socket, as the server sees it", sockets.MEDIA_SOCKET, sockets.SocketEvent),
    ("The signaling socket, as the app sees it", client_sockets.SIGNALING, client_sockets.Step),
    ("A media socket, as the app sees it", client_sockets.MEDIA, client_sockets.Step),
)

_TEXT = """\
# State machines

Drawn from the tables in `mockzoom/core` by `python docs/generate.py`. A table is the whole of what
may follow what: a step that a diagram does not show is refused.
"""


def page() -> str:
    return _TEXT + "".join(_diagrams())


def _diagrams() -> Iterator[str]:
    for title, table, events in _TABLES:
        yield f"\n## {title}\n\n```mermaid\n{table.mermaid()}\n```\n\n"
        used = {event for _, event, _ in table}
        yield "| event | what happens |\n| --- | --- |\n"
        yield from (f"| {event.name} | {event.value} |\n" for event in events if event in used)
