"""Writes the pages of this folder that follow from the code: ``python docs/generate.py``.

A test compares the pages with what this gives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mockzoom.core import client_sockets, sockets
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.fault_kinds import FAULTS, effect, settings
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.machine import Table
from mockzoom.core.messages import MEDIA_KEYS

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


_FAULTS = """\
# Faults

What can be made to go wrong while the mock runs, one by one or together. Written from the classes
in `mockzoom/core` by `python docs/generate.py`.

```python
from mockzoom import MockZoom

with MockZoom(seed=7) as zoom:
    number = zoom.fault("delay", ms=200, socket="audio")
    zoom.lift(number)
```

```console
$ curl -s 127.0.0.1:8700/_mockzoom/faults -d '{"kind": "delay", "ms": 200, "socket": "audio"}'
$ curl -s 127.0.0.1:8700/_mockzoom/faults
$ curl -s -X DELETE 127.0.0.1:8700/_mockzoom/faults/1
```

```console
$ mockzoom fault add delay ms=200 socket=audio
$ mockzoom fault list
$ mockzoom fault lift 1
```

`lift()`, `DELETE /_mockzoom/faults` and `mockzoom fault lift` without a number lift all of them.

Faults work on one another's outcome, in the order in which they were switched on, and all chance is
from the seed of the mock. The journal has an entry (`fault`) when one is switched on, when it is
lifted, and when it is over because it has hit `times` times; the last two tell the `hits`. What
an app does not do because a fault keeps it from hearing or being heard is no finding; the journal
then says `excused`.

## Where and how often

| field | meaning |
| --- | --- |
| `stream` | an `rtms_stream_id`; every stream if empty |
| `socket` | `any`, `media` for all but signaling, or the one that is called so: {sockets} |
| `msg_type` | only messages of this type |
| `times` | it ends by itself after so many hits; `null` is until it is lifted |
| `probability` | of a hit, above 0 and at most 1 |
| `url`, `event` | of webhooks: an endpoint, and the name of an event; every one if empty |

Kinds that have such a field say so below. Their own fields are named by their units: `ms` are
milliseconds, `age_s` seconds; `code` is a status code, or that of a close frame.

## Kinds

| kind | effect | fields and defaults |
| --- | --- | --- |
"""


def _faults() -> str:
    names = ", ".join(f"`{name}`" for name in (sockets.SIGNALING, *MEDIA_KEYS.values()))
    return _FAULTS.replace("{sockets}", names) + "".join(map(_fault_row, FAULTS))


def _fault_row(kind: str) -> str:
    fields = ", ".join(
        f"`{name}`" if default is ... else f"`{name}={json.dumps(default)}`"
        for name, default in settings(kind).items()
    )
    return f"| `{kind}` | {effect(kind)} | {fields} |\n"


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    clauses = (f"| `{id_}` | {clause} |\n" for id_, clause in CLAUSES.items())
    return {
        "faults.md": _faults(),
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
