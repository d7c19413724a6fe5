"""Mutants whose answers do not count: too late, of the wrong status, or none at all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import repeat
from typing import Any

from flask import Flask, Response, request
from mutant import LATE_S, STARTS, Change, Mutant, after, with_app

from mockzoom.receiver import webhook
from mockzoom.receiver.receiver import Receiver

__all__ = ["ANSWERS"]

Event = dict[str, Any]


def answering(change: Callable[[Response], Response]) -> Callable[[Flask], object]:
    """Every event that is taken is answered by what `change` makes of the answer."""

    def spoil(app: Flask) -> None:
        app.after_request(lambda answer: change(answer) if answer.status_code == 200 else answer)

    return spoil


def late(answer: Response) -> Response:
    threading.Event().wait(LATE_S)
    return answer


def accepted(answer: Response) -> Response:
    answer.status_code = 202
    return answer


def redirected(answer: Response) -> Response:
    return Response(status=307, headers={"location": f"{request.path}/"})


def endless(answer: Response) -> Response:
    return Response(repeat(b"x" * 65_536))


def cut(answer: Response) -> Response:
    return Response(iter([b"half"]), headers={"content-length": "8"})


def expecting(field: str, ending: str = "") -> Change:
    """Events whose names end so are taken to have `field` in their payload."""

    def read(known: Any, event: Event) -> None:
        if event["event"].endswith(ending):
            event["payload"][field]

    return after(webhook, "_check", read)


def for_json_only(app: Flask) -> None:
    @app.before_request
    def parse() -> None:
        if request.mimetype != "application/json":
            raise KeyError("event")


def for_post_only(app: Flask) -> None:
    @app.before_request
    def parse() -> None:
        if request.method != "POST":
            raise KeyError("event")


def join(receiver: Receiver, event: Event) -> None:
    if event["event"] in STARTS:
        with suppress(TimeoutError):
            receiver.wait_joined(event["payload"]["rtms_stream_id"], LATE_S)


def one_by_one(app: Flask) -> None:
    busy = threading.Lock()

    @app.before_request
    def work() -> None:
        with busy:
            threading.Event().wait(0.2)


ANSWERS = (
    Mutant(
        "answers-late",
        "WH-301",
        "The answer takes more than 3 s.",
        gotchas=(1,),
        change=with_app(answering(late)),
    ),
    Mutant(
        "answers-202",
        "WH-301",
        "Events are answered with 202, which Zoom takes for a failure.",
        change=with_app(answering(accepted)),
    ),
    Mutant(
        "redirects",
        "WH-301",
        "Events are redirected to the same path with a slash, and Zoom follows nobody.",
        change=with_app(answering(redirected)),
    ),
    Mutant(
        "answers-without-end",
        "WH-301",
        "The answer never ends.",
        change=with_app(answering(endless)),
    ),
    Mutant(
        "hangs-up-midway",
        "WH-301",
        "The connection is closed before the answer is complete.",
        change=with_app(answering(cut)),
    ),
    Mutant(
        "reads-payload-object",
        "WH-301",
        "Fields are looked for under `payload.object`, and their absence crashes.",
        gotchas=(10,),
        change=expecting("object"),
    ),
    Mutant(
        "dials-interruptions",
        "WH-301",
        "The interruption is expected to have a URL, and crashes without one.",
        gotchas=(20,),
        change=expecting("server_urls", ".rtms_interrupted"),
    ),
    Mutant(
        "fails-on-stops",
        "WH-301",
        "The stopped webhook crashes on a field that it does not have.",
        gotchas=(22,),
        change=expecting("server_urls", ".rtms_stopped"),
    ),
    Mutant(
        "wants-one-content-type",
        "WH-307",
        "Another content type than that of JSON crashes.",
        change=with_app(for_json_only),
    ),
    Mutant(
        "wants-one-method",
        "WH-308",
        "Another method than POST crashes.",
        change=with_app(for_post_only),
    ),
    Mutant(
        "joins-before-it-answers",
        "WH-312",
        "The answer to a start waits until the stream is joined.",
        gotchas=(1,),
        change=after(Receiver, "_inbox", join),
    ),
    Mutant(
        "takes-one-at-a-time",
        "WH-313",
        "Events wait for one another, a fifth of a second each.",
        change=with_app(one_by_one),
    ),
)
