"""Starts the same mock again and again, each time as a process of its own that may be killed.

Everything is imported once, and a start is a fork.  A byte on stdin asks for one; on stdout come
its process id, its URL when it serves, and ``ended``, a line each.  It ends by itself when stdin
does.

    python cradle.py '{"state": FILE, "secret_token": TOKEN}'
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from mockzoom import Credentials, DeliveryTimings
from mockzoom.core.spec import load_spec
from mockzoom.server import MockZoom

#: Quick, patient with a receiver that fails often, and not for long with one that hangs.
TIMINGS = DeliveryTimings(retries_ms=(20,) * 12, timeout_ms=250)
STDIN, STDOUT = 0, 1


def tell(line: str) -> None:
    os.write(STDOUT, line.encode() + b"\n")


def live(plan: dict[str, Any]) -> None:
    tell(str(os.getpid()))
    with MockZoom(
        credentials=Credentials("client-id", plan["client_secret"], plan["secret_token"]),
        delivery_timings=TIMINGS,
        state=plan["state"],
        journal_size=1_000_000,
    ) as zoom:
        tell(zoom.url)
        os.read(STDIN, 1)


def main() -> None:
    plan = json.loads(sys.argv[1])
    load_spec()
    while os.read(STDIN, 1):
        child = os.fork()
        if not child:
            live(plan)
            os._exit(0)
        os.waitpid(child, 0)
        tell("ended")


if __name__ == "__main__":
    main()
