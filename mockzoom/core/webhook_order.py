"""Which webhooks may follow which: the rules of a run, as an app gets to see it.

`WebhookOrder` is fed with the webhooks of a run in the order in which they left, and gives a
`Finding` for each that breaks a rule.  What the events of one stream may do is a table:

- a started comes first; it comes again only with new `server_urls`, after the server was lost;
- an interrupted tells that the app is missed.  That the app is back is told by no webhook, so
  another interrupted may follow, or a started, or the stop;
- a stopped comes once, and nothing after it;
- delivery is at least once, so every body may come once more, at any time.

Beside it, each for itself: a stream keeps its ids and its product, its times never go back, the
webhooks about concurrency are consistent, and an event is tried a limited number of times with the
same bytes.  Events that the table does not know are no concern of it: the vendor adds some.

After a breach the machine goes on as if the event had been right, so that one mistake is not found
again in all that follows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from mockzoom.core.app_limit import LIMITED, NEAR_LIMIT, AppLimit
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.examples import encode
from mockzoom.core.findings import Finding
from mockzoom.core.machine import Table
from mockzoom.core.products import ID_FIELDS, PRODUCTS, Product
from mockzoom.core.timings import DeliveryTimings

__all__ = ["WEBHOOK_ORDER", "Seen", "Told", "WebhookOrder", "judge"]

#: More than so much of the limit of concurrent streams is near it.
_NEAR_PERCENT = AppLimit().near_percent

_MAX_ATTEMPTS = 1 + len(DeliveryTimings().retries_ms)


#: A clause, what was expected, what was found.
_Problem = tuple[str, str, str]


class Told(Enum):
    """What a webhook tells of its stream."""

    STARTED = "the first started"
    FAILOVER = "another started, with new server_urls"
    INTERRUPTED = "an interrupted"
    STOPPED = "a stopped"
    AGAIN = "an earlier body once more"


class Seen(Enum):
    """What an app that got every webhook knows of a stream."""

    NOTHING = "no webhook yet"
    RUNNING = "it runs"
    INTERRUPTED = "the app was missed, and may be back"
    STOPPED = "it is over"


_LIVE = {
    Told.FAILOVER: Seen.RUNNING,
    Told.INTERRUPTED: Seen.INTERRUPTED,
    Told.STOPPED: Seen.STOPPED,
}

WEBHOOK_ORDER = Table(
    "webhooks of a stream",
    {
        Seen.NOTHING: {Told.STARTED: Seen.RUNNING},
        Seen.RUNNING: {**_LIVE, Told.AGAIN: Seen.RUNNING},
        Seen.INTERRUPTED: {**_LIVE, Told.AGAIN: Seen.INTERRUPTED},
        Seen.STOPPED: {Told.AGAIN: Seen.STOPPED},
    },
)

#: Where a webhook leads that the table has no place for.
_ANYWAY: Mapping[Told, Seen] = {Told.STARTED: Seen.RUNNING, **_LIVE}

_HAPPENINGS: Mapping[str, Told] = {
    "started": Told.STARTED,
    "interrupted": Told.INTERRUPTED,
    "stopped": Told.STOPPED,
}
_OF_STREAMS: Mapping[str, tuple[Product, Told]] = {
    product.event(happening): (product, told)
    for product in PRODUCTS.values()
    for happening, told in _HAPPENINGS.items()
}


@dataclass
class _Stream:
    """What is known of one stream; `unseen` are events whose body was not to be seen."""

    product: Product
    seen: Seen = WEBHOOK_ORDER.initial
    ids: dict[str, Any] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    bodies: set[bytes] = field(default_factory=set)
    urls: set[Any] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)
    event_ts: int = 0


@dataclass(frozen=True)
class _Try:
    """An attempt; `body` is None while none of a delivery's was to be seen as it is."""

    attempt: int
    body: bytes | None
    stamp_s: int


class WebhookOrder:
    """The rules over one endpoint's webhooks; `max_attempts` is how often an event is tried."""

    def __init__(self, max_attempts: int = _MAX_ATTEMPTS) -> None:
        self._max_attempts = max_attempts
        self._streams: dict[str, _Stream] = {}
        self._tries: dict[Hashable, _Try] = {}

    def feed(
        self,
        event: Mapping[str, Any],
        at_ms: int,
        attempt: int = 1,
        *,
        delivery: int | None = None,
        stamp_s: int = 0,
    ) -> list[Finding]:
        """What is wrong with `event` as the next webhook, which left at `at_ms` (Unix).

        `attempt` counts from 1.  `delivery` tells apart deliveries of one body that are under way
        at the same time, and `stamp_s` is what the attempt was stamped with, in Unix seconds, if
        that is known.
        """
        name, body = str(event.get("event", "")), encode(event)
        key = body if delivery is None else delivery
        found = [
            *self._attempted(key, attempt, body, stamp_s),
            *_concurrency_problems(name, _payload(event)),
            *self._told(name, event, body),
        ]
        return [_finding(problem, name, at_ms) for problem in found]

    def missed(
        self, name: str, stream: str, at_ms: int, attempt: int = 0, *, delivery: int | None = None
    ) -> list[Finding]:
        """The same for the event `name` of `stream` when its body was not to be seen as it is.

        It was forged on the way, or with `attempt` 0 never sent.  Its body may still come.
        """
        found: list[_Problem] = []
        if attempt:
            found += self._attempted(delivery, attempt, None, 0)
        if attempt <= 1 and name in _OF_STREAMS:
            found += self._happened(name, stream)
        return [_finding(problem, name, at_ms) for problem in found]

    # --- the events of a stream ---------------------------------------------------------------

    def _told(self, name: str, event: Mapping[str, Any], body: bytes) -> Iterator[_Problem]:
        if name not in _OF_STREAMS:
            return
        product, told = _OF_STREAMS[name]
        payload = _payload(event)
        id_ = payload.get("rtms_stream_id")
        if not isinstance(id_, str) or not id_:
            yield "order.ids", "an rtms_stream_id", repr(id_)
            return
        stream = self._streams.setdefault(id_, _Stream(product))
        if body in stream.bodies:
            yield from _step(stream, Told.AGAIN)
            return
        stream.names.add(name)
        stream.bodies.add(body)
        yield from _id_problems(stream, product, payload)
        yield from _time_problems(stream, event.get("event_ts"))
        new_urls = told is Told.STARTED and _takes_new_urls(stream, payload)
        if name in stream.unseen:
            stream.unseen.remove(name)
        elif told is Told.STARTED and stream.seen is not Seen.NOTHING:
            yield from _restarted(stream, new_urls)
        else:
            yield from _step(stream, told)
        if told is Told.STOPPED:
            yield from _reason_problems(product, payload.get("stop_reason"))

    def _happened(self, name: str, id_: str) -> Iterator[_Problem]:
        product, told = _OF_STREAMS[name]
        stream = self._streams.setdefault(id_, _Stream(product))
        if told is Told.STARTED and stream.seen is not Seen.NOTHING:
            told = Told.FAILOVER
        known = name in stream.names
        stream.names.add(name)
        if known and not WEBHOOK_ORDER.allows(stream.seen, told):
            return  # it is one of the earlier bodies, then
        stream.unseen.append(name)
        yield from _step(stream, told)

    # --- attempts -----------------------------------------------------------------------------

    def _attempted(
        self, key: Hashable, attempt: int, body: bytes | None, stamp_s: int
    ) -> Iterator[_Problem]:
        first = _Try(0, None, 0)
        last = first if attempt == 1 else self._tries.get(key, first)
        self._tries[key] = _Try(attempt, body or last.body, stamp_s or last.stamp_s)
        if attempt > self._max_attempts:
            yield "order.attempts", f"at most {self._max_attempts} attempts", f"attempt {attempt}"
        elif attempt != last.attempt + 1:
            yield "order.attempts", f"attempt {last.attempt + 1}", f"attempt {attempt}"
        if body and last.body not in (None, body):
            yield "order.attempts", "the same bytes in every attempt", "other bytes"
        if 0 < stamp_s < last.stamp_s:
            yield "order.attempts", f"a stamp not before {last.stamp_s}", str(stamp_s)


def _finding(problem: _Problem, name: str, at_ms: int) -> Finding:
    check, expected, actual = problem
    return Finding(check, f"{name} at {at_ms}", expected, actual, CLAUSES[check])


def _payload(event: Mapping[str, Any]) -> Mapping[str, Any]:
    payload = event.get("payload")
    return payload if isinstance(payload, Mapping) else {}


# --- a stream ---------------------------------------------------------------------------------


def _step(stream: _Stream, told: Told) -> Iterator[_Problem]:
    if WEBHOOK_ORDER.allows(stream.seen, told):
        stream.seen = WEBHOOK_ORDER.after(stream.seen, told)
        return
    if stream.seen is Seen.STOPPED:
        yield "order.stopped", "nothing new after the stop", told.value
    else:
        yield "order.started", "a started first", told.value
    stream.seen = _ANYWAY[told]


def _restarted(stream: _Stream, new_urls: bool) -> Iterator[_Problem]:
    if new_urls or stream.seen is Seen.STOPPED:
        yield from _step(stream, Told.FAILOVER)
    else:
        yield "order.failover", "new server_urls, or the same body", "another body with the old"


def _takes_new_urls(stream: _Stream, payload: Mapping[str, Any]) -> bool:
    """Whether a started names URLs that the stream has not had; they are its from now on."""
    urls = set(str(payload.get("server_urls", "")).split(","))
    new = not urls <= stream.urls
    stream.urls |= urls
    return new


def _id_problems(
    stream: _Stream, product: Product, payload: Mapping[str, Any]
) -> Iterator[_Problem]:
    if product is not stream.product:
        yield "order.ids", f"an event of product {stream.product.name}", product.name
        return
    for name in dict.fromkeys((product.id_field, product.key_field)):
        value = payload.get(name)
        if value is None and name != product.id_field:
            continue  # not every event has the other one
        expected = stream.ids.setdefault(name, value)
        if value is None or value != expected:
            yield "order.ids", f"{name} {expected or 'in the payload'}", str(value)


def _time_problems(stream: _Stream, event_ts: object) -> Iterator[_Problem]:
    if type(event_ts) is not int or event_ts < stream.event_ts:
        yield "order.time", f"event_ts not before {stream.event_ts}", repr(event_ts)
    else:
        stream.event_ts = event_ts


def _reason_problems(product: Product, reason: object) -> Iterator[_Problem]:
    known = sorted(set(product.stop_reasons.values()))
    if reason not in known:
        yield "order.stop-reason", f"a stop_reason of {known}", repr(reason)


# --- concurrency ------------------------------------------------------------------------------


def _concurrency_problems(name: str, payload: Mapping[str, Any]) -> Iterator[_Problem]:
    if name == LIMITED:
        refused = payload.get("id_field")
        named = list(refused) if isinstance(refused, Mapping) else []
        if len(named) != 1 or named[0] not in ID_FIELDS:
            yield "order.limited", f"id_field with one of {', '.join(ID_FIELDS)}", repr(refused)
        if "rtms_stream_id" in payload:
            yield "order.limited", "no rtms_stream_id: no stream was started", "one"
    elif name == NEAR_LIMIT:
        yield from _near_limit_problems(payload)


def _near_limit_problems(payload: Mapping[str, Any]) -> Iterator[_Problem]:
    names = ("concurrency_number", "concurrency_limit", "percentage")
    number, limit, percentage = (payload.get(name) for name in names)
    if not (type(number) is type(limit) is type(percentage) is int) or limit < 1:
        yield "order.near-limit", "whole numbers, and a limit above 0", repr(dict(payload))
        return
    if not _NEAR_PERCENT < 100 * number / limit <= 100:
        expected = f"more than {_NEAR_PERCENT} % of {limit} streams, and at most all"
        yield "order.near-limit", expected, str(number)
    if abs(percentage - 100 * number / limit) >= 1:
        yield "order.near-limit", f"percentage of {number} in {limit}", str(percentage)


# --- a journal --------------------------------------------------------------------------------


def judge(entries: Iterable[Mapping[str, Any]], max_attempts: int = _MAX_ATTEMPTS) -> list[Finding]:
    """What is wrong with the order of a journal's ``webhook`` entries, endpoint by endpoint.

    Each endpoint is judged by itself, as one that gets every event of its streams, in the order in
    which the events left for it: what is late, forged or lost on the way (by a fault, or because
    the endpoint was not there) has left as well.  Other entries are passed over.
    """
    by_url: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        if entry["kind"] == "webhook" and "delivery" in entry:
            by_url.setdefault(entry["url"], []).append(entry)
    return [
        finding
        for tried in by_url.values()
        for finding in _judge_endpoint(tried, WebhookOrder(max_attempts))
    ]


def _judge_endpoint(entries: list[Mapping[str, Any]], order: WebhookOrder) -> Iterator[Finding]:
    begun: set[tuple[int, str, str]] = set()
    for entry in sorted(entries, key=lambda entry: (entry["delivery"], entry["id"])):
        delivery, at_ms = entry["delivery"], entry["at_ms"]
        name, stream = entry["event"], entry["stream"]
        # One without a body was never made, or nobody knows how it ended: it does not count.
        attempt = entry.get("attempt", 0) if "body" in entry else 0
        if attempt and not entry.get("faults"):
            stamp_s = entry.get("stamp_s", 0)
            yield from order.feed(entry["body"], at_ms, attempt, delivery=delivery, stamp_s=stamp_s)
        elif attempt or (delivery, name, stream) not in begun:
            yield from order.missed(name, stream, at_ms, attempt, delivery=delivery)
        begun.add((delivery, name, stream))
