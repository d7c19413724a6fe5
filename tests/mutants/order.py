"""Mutants that expect each event once, and all of them in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask, abort, request
from mutant import Change, Mutant, around, spoilt, with_app

from mockzoom.core.products import PRODUCTS
from mockzoom.receiver import webhook

__all__ = ["ORDER"]

Event = dict[str, Any]
Check = Callable[[Any, Event], None]

#: What each event of a stream tells, by its name.
HAPPENINGS = {
    product.event(happening): happening
    for product in PRODUCTS.values()
    for happening in ("started", "interrupted", "stopped")
}


def tracking(act: Callable[[set[str], str, str], object]) -> Change:
    """`act` is told of each event: the ids of the streams that have started, its name and its id.

    It may raise, or forget the id; the id of a start is noted afterwards.
    """

    def made(original: Check) -> Check:
        running: set[str] = set()

        def check(known: Any, event: Event) -> None:
            original(known, event)
            if event["event"] in HAPPENINGS:
                happening, id_ = HAPPENINGS[event["event"]], event["payload"]["rtms_stream_id"]
                act(running, happening, id_)
                if happening == "started":
                    running.add(id_)

        return check

    return around(webhook, "_check", made)


def once_a_header(name: str) -> Callable[[Flask], object]:
    """A second request with the same `name` is refused."""

    def spoil(app: Flask) -> None:
        seen: set[str] = set()

        @app.before_request
        def look() -> None:
            id_ = request.headers.get(name)
            if id_ in seen:
                abort(409)
            if id_:
                seen.add(id_)

    return spoil


ORDER = (
    Mutant(
        "stops-only-what-runs",
        "WH-401",
        "A stop that comes before its start, or twice, crashes.",
        gotchas=(22,),
        change=tracking(lambda running, told, id_: told == "stopped" and running.remove(id_)),
    ),
    Mutant(
        "starts-once",
        "WH-401",
        "A start of a stream that runs is refused as a conflict.",
        gotchas=(2,),
        change=tracking(
            lambda running, told, id_: told == "started" and id_ in running and abort(409)
        ),
    ),
    Mutant(
        "interrupts-only-what-runs",
        "WH-401",
        "An interruption of a stream that it does not know is answered with 404.",
        gotchas=(20,),
        change=tracking(
            lambda running, told, id_: told == "interrupted" and id_ not in running and abort(404)
        ),
    ),
    Mutant(
        "refuses-repeats",
        "WH-402",
        "A body that was seen before is refused as a replay.",
        gotchas=(2,),
        change=spoilt(webhook._Seen, "first", lambda first, *_: first or abort(409)),
    ),
    Mutant(
        "goes-by-the-request-id",
        "WH-403",
        "An event under a request id that was seen before is refused as a repeat.",
        gotchas=(30,),
        change=with_app(once_a_header("x-zm-request-id")),
    ),
    Mutant(
        "goes-by-the-tracking-id",
        "WH-403",
        "An event under a tracking id that was seen before is refused as a repeat.",
        gotchas=(30,),
        change=with_app(once_a_header("x-zm-trackingid")),
    ),
)
