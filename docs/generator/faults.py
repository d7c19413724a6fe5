"""What can be made to go wrong."""

from __future__ import annotations

import json

from mockzoom.core import sockets
from mockzoom.core.fault_kinds import FAULTS, effect, settings
from mockzoom.core.messages import MEDIA_KEYS

__all__ = ["page"]

_TEXT = """\
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


def page() -> str:
    names = ", ".join(f"`{name}`" for name in (sockets.SIGNALING, *MEDIA_KEYS.values()))
    return _TEXT.replace("{sockets}", names) + "".join(map(_row, FAULTS))


def _row(kind: str) -> str:
    fields = ", ".join(
        f"`{name}`" if default is ... else f"`{name}={json.dumps(default)}`"
        for name, default in settings(kind).items()
    )
    return f"| `{kind}` | {effect(kind)} | {fields} |\n"
