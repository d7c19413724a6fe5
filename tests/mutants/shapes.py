"""Mutants that read events too strictly, or without care."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from flask import Flask, Response, abort
from mutant import STARTS, Change, Mutant, after, before, put, with_app

from mockzoom.core.codes import StopReason
from mockzoom.core.spec import Spec
from mockzoom.core.validators import FastValidator
from mockzoom.receiver import webhook
from mockzoom.receiver.reading import relaxed

__all__ = ["SHAPES"]

Event = dict[str, Any]
Known = Mapping[str, FastValidator]


def refusing(wrong: Callable[[Event], bool]) -> Change:
    """Events that are `wrong` get 400 although nothing is wrong with them."""
    return after(webhook, "_check", lambda known, event: wrong(event) and abort(400))


def crashing(reads: Callable[[Any], object], *forgives: type[Exception]) -> Change:
    """The body is first read as JSON by `reads`, and only what it `forgives` is thought of."""

    def parse(body: bytes) -> None:
        with suppress(*forgives):
            reads(json.loads(body))

    return before(webhook, "_parse", parse)


def read_by(change: Callable[[Any], Any]) -> Change:
    """Events are held against what `change` makes of their schemas."""

    def readers(spec: Spec) -> dict[str, FastValidator]:
        return {name: FastValidator(change(one.schema)) for name, one in spec.events.items()}

    return put(webhook, "readers", readers)


class Everything:
    """Contains whatever it is asked for."""

    def __contains__(self, name: object) -> bool:
        return True


def closed(schema: Any) -> Any:
    """`schema` that takes no other fields than those that it names."""
    if not isinstance(schema, dict):
        return schema
    kept = {word: closed(value) for word, value in schema.items()}
    if "properties" in schema:
        kept["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
        kept["additionalProperties"] = False
    return kept


def payload_of(event: Event) -> Mapping[str, Any]:
    payload = event.get("payload")
    return payload if isinstance(payload, dict) else {}


def failing(known: Known, event: Event) -> None:
    if event["event"] in known and known[event["event"]].problems(event):
        raise ValueError("the event is not valid")


def shrug(known: Known, event: Event) -> None:
    if event["event"] in STARTS and known[event["event"]].problems(event):
        abort(Response(status=200))


def sorry(app: Flask) -> None:
    app.register_error_handler(413, lambda error: ("too large", 500))


SHAPES = (
    Mutant(
        "wants-whole-numbers",
        "WH-302",
        "A time that is written as 1.0 is refused.",
        gotchas=(27,),
        change=refusing(lambda event: isinstance(event.get("event_ts"), float)),
    ),
    Mutant(
        "wants-usual-ids",
        "WH-302",
        "The id of a stream that is not 32 hex digits is refused.",
        gotchas=(27,),
        change=refusing(
            lambda event: (
                not re.fullmatch(
                    "[0-9a-f-]{32,36}", str(payload_of(event).get("rtms_stream_id", "0" * 32))
                )
            )
        ),
    ),
    Mutant(
        "raises-on-invalid",
        "WH-303",
        "What the document forbids raises an error that nobody catches.",
        change=put(webhook, "_check", failing),
    ),
    Mutant(
        "splits-before-it-looks",
        "WH-304",
        "A start without URLs crashes.",
        gotchas=(27,),
        change=before(
            webhook,
            "_check",
            lambda known, event: (
                event["event"] in STARTS and payload_of(event)["server_urls"].split(",")
            ),
        ),
    ),
    Mutant(
        "shrugs",
        "WH-305",
        "A start with which nobody can do anything is answered with 200.",
        change=before(webhook, "_check", shrug),
    ),
    Mutant(
        "crashes-on-no-json",
        "WH-306",
        "A body that is not JSON crashes.",
        change=crashing(bool, RecursionError),
    ),
    Mutant(
        "crashes-on-deep-json",
        "WH-306",
        "JSON that is nested too deeply crashes.",
        change=crashing(bool, ValueError),
    ),
    Mutant(
        "crashes-on-lists",
        "WH-306",
        "JSON that is no object crashes.",
        change=crashing(lambda event: event.get("event"), ValueError, RecursionError),
    ),
    Mutant(
        "crashes-on-size",
        "WH-306",
        "A body that is too large is answered with 500.",
        change=with_app(sorry),
    ),
    Mutant(
        "crashes-on-new-events",
        "WH-309",
        "An event that it does not know crashes.",
        gotchas=(27,),
        change=put(
            webhook,
            "_check",
            lambda known, event: known[event["event"]].problems(event) and abort(400),
        ),
    ),
    Mutant(
        "refuses-new-events",
        "WH-309",
        "An event that it does not know is answered with 404.",
        gotchas=(27,),
        change=before(
            webhook, "_check", lambda known, event: event["event"] in known or abort(404)
        ),
    ),
    Mutant(
        "refuses-new-fields",
        "WH-310",
        "A field that it does not know is refused.",
        gotchas=(27,),
        change=read_by(lambda schema: closed(relaxed(schema))),
    ),
    Mutant(
        "refuses-old-shapes",
        "WH-311",
        "Every field of today's document is required, also of events of last year.",
        gotchas=(27,),
        change=read_by(lambda schema: relaxed(schema, Everything())),  # type: ignore[arg-type]
    ),
    Mutant(
        "refuses-the-usual-reason",
        "WH-311",
        "Stop reason 6 is refused, because Zoom's list lacks it.",
        gotchas=(26,),
        change=refusing(
            lambda event: payload_of(event).get("stop_reason") == StopReason.MEETING_ENDED
        ),
    ),
    Mutant(
        "refuses-new-reasons",
        "WH-311",
        "A stop reason that it does not know is refused.",
        gotchas=(26,),
        change=refusing(
            lambda event: payload_of(event).get("stop_reason", 1) not in list(StopReason)
        ),
    ),
)
