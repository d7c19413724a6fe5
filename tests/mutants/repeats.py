"""Mutants that have two connections where there is to be one, and one where there are to be two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, request
from mutant import Change, Mutant, around, before, put, skipped, with_app

from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import SIGNALING, Link, Step
from mockzoom.core.codes import MediaType
from mockzoom.core.messages import Message
from mockzoom.core.products import Product
from mockzoom.receiver import streams, webhook
from mockzoom.receiver.streams import Streams

__all__ = ["EVERY_DELIVERY", "REPEATS", "beside"]

Event = Mapping[str, Any]
Stream = streams._Stream
Urls = Callable[[ClientMachine, Message], dict[MediaType, str]]
Act = Callable[[Streams, Product, Event, Stream | None], None]

#: Repeats are not told by their bodies: what comes again is looked at again.
EVERY_DELIVERY = put(webhook._Seen, "first", lambda self, body: True)


def beside(when: Callable[[Event, Stream], object]) -> Change:
    """A start of a stream that runs opens a second set of sockets where `when` is true."""

    def made(original: Act) -> Act:
        def started(self: Streams, product: Product, event: Event, stream: Stream | None) -> None:
            if stream is not None and when(event, stream):
                second = Stream(self, product, event)
                second.client._on_change = lambda: None
                second.client.act(second.machine.start)
            else:
                original(self, product, event, stream)

        return started

    return around(Streams, "_started", made)


def move(machine: ClientMachine, server_urls: str, now_ms: int) -> None:
    """What `failover` does, also when the URLs are the same."""
    if SIGNALING.allows(machine.state, Step.FAILOVER):
        machine._hang_up()
        machine._signaling.urls = machine._usable(server_urls)
        machine._begin(Step.FAILOVER, now_ms)


def stop_all(self: Streams, *_: Any) -> None:
    for stream in list(self._live.values()):
        stream.client.act(stream.machine.stop)


def replace(self: Streams, product: Product, event: Event, stream: Stream | None) -> None:
    if stream is None:
        stop_all(self)


def stop_latest(original: Act) -> Act:
    def stopped(self: Streams, product: Product, event: Event, stream: Stream | None) -> None:
        original(self, product, event, next(reversed(self._live.values()), None))

    return stopped


def remember(original: Urls) -> Urls:
    known: dict[MediaType, str] = {}

    def media_urls(machine: ClientMachine, message: Message) -> dict[MediaType, str]:
        urls = original(machine, message)
        known.update({media: url for media, url in urls.items() if media not in known})
        return {media: known[media] for media in urls}

    return media_urls


def known_meeting(self: Streams, product: Product, event: Event, stream: Stream | None) -> bool:
    id_ = event["payload"][product.id_field]
    return stream is None and any(live.machine.id == id_ for live in self._live.values())


def deaf_to_known_ids(app: Flask) -> None:
    seen: set[str] = set()

    @app.before_request
    def look() -> Response | None:
        id_ = request.headers.get("x-zm-request-id", "")
        if id_ in seen:
            return Response(status=204)
        if id_:
            seen.add(id_)
        return None


REPEATS = (
    Mutant(
        "connects-again",
        "RT-301",
        "A start that comes again opens a second set of sockets.",
        gotchas=(1, 2),
        change=beside(lambda event, stream: True),
        also=(EVERY_DELIVERY,),
    ),
    Mutant(
        "reconnects-on-repeats",
        "RT-301",
        "A start that comes again, with the same URLs, has all sockets closed and opened anew.",
        gotchas=(2,),
        change=put(ClientMachine, "failover", move),
        also=(EVERY_DELIVERY,),
    ),
    Mutant(
        "knows-joined-streams-only",
        "RT-302",
        "A start that comes again before the stream is joined opens a second set of sockets.",
        gotchas=(2,),
        change=beside(lambda event, stream: stream.machine.state is not Link.JOINED),
        also=(EVERY_DELIVERY,),
    ),
    Mutant(
        "dials-what-was-stopped",
        "RT-308",
        "A stop that comes before its start is forgotten.",
        change=skipped(Streams, "_stopped", lambda *args: args[-1] is None),
    ),
    Mutant(
        "forgets-what-ended",
        "RT-310",
        "A start that comes again after the end of its stream is dialled.",
        gotchas=(22,),
        change=put(Streams, "_remember", lambda *_: None),
        also=(EVERY_DELIVERY,),
    ),
    Mutant(
        "has-one-stream",
        "RT-311",
        "A second stream takes the place of the first.",
        gotchas=(28,),
        change=before(Streams, "_started", replace),
    ),
    Mutant(
        "stops-the-latest",
        "RT-311",
        "A stop is taken for one of the stream that was started last.",
        gotchas=(28,),
        change=around(Streams, "_stopped", stop_latest),
    ),
    Mutant(
        "dials-the-media-of-the-first",
        "RT-311",
        "Media URLs are remembered from one stream to the next.",
        gotchas=(28,),
        change=around(ClientMachine, "_media_urls", remember),
    ),
    Mutant(
        "goes-by-the-meeting",
        "RT-312",
        "A second stream of a meeting is taken for a repeat.",
        gotchas=(28,),
        change=skipped(Streams, "_started", known_meeting),
    ),
    Mutant(
        "skips-known-request-ids",
        "RT-313",
        "An event under a request id that was seen before is skipped.",
        gotchas=(30,),
        change=with_app(deaf_to_known_ids),
    ),
    Mutant(
        "goes-by-unknown-request-ids",
        "RT-313",
        "An event under a request id that is new is new, whatever its body.",
        gotchas=(30,),
        change=beside(lambda event, stream: True),
        also=(EVERY_DELIVERY,),
    ),
)
