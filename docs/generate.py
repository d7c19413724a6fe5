"""Writes the pages of this folder that follow from the code: ``python docs/generate.py``.

A test compares the pages with what this gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mockzoom.core import client_sockets, sockets
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.machine import Table

FOLDER = Path(__file__).parent

_TABLES: tuple[tuple[str, Table[Any, Any], type[Any]], ...] = (
    ("A stream, as the server keeps it", LIFECYCLE, Happening),
    ("A signaling socket, as the server sees it", sockets.SIGNALING_SOCKET, sockets.SocketEvent),
    ("A media socket, as the server sees it", sockets.MEDIA_SOCKET, sockets.SocketEvent),
    ("The signaling socket, as the app sees it", client_sockets.SIGNALING, client_sockets.Step),
    ("A media socket, as the app sees it", client_sockets.MEDIA, client_sockets.Step),
)

_STATE_MACHINES = """\
# State machines

Drawn from the tables in `mockzoom/core` by `python docs/generate.py`. A table is the whole of what
may follow what: a step that a diagram does not show is refused.
"""

_CLAUSES = """\
# Clauses

What the mock watches an app keep. A breach becomes a finding, which names its clause by its
id. Written from `mockzoom/core/clauses.py` by `python docs/generate.py`.

| id | clause |
| --- | --- |
"""


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    clauses = (f"| `{id_}` | {clause} |\n" for id_, clause in CLAUSES.items())
    return {
        "clauses.md": _CLAUSES + "".join(clauses),
        "state-machines.md": _STATE_MACHINES + "".join(_diagrams()),
    }


def _diagrams() -> Iterator[str]:
    for title, table, events in _TABLES:
        yield f"\n## {title}\n\n```mermaid\n{table.mermaid()}\n```\n\n"
        used = {event for _, event, _ in table}
        yield "| event | what happens |\n| --- | --- |\n"
        yield from (f"| {event.name} | {event.value} |\n" for event in events if event in used)


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
