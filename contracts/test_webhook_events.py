"""Every event that Zoom may send is taken in time; what is no event is refused and breaks nothing.

The events come from the contract document: schemathesis makes valid and broken bodies of each, and
they are sent as the exact bytes that are signed.  Runs are repeatable: the same document gives the
same bodies.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from mockzoom.core.fuzzing import as_paths
from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec

Example = Callable[[str], dict[str, Any]]

SPEC = load_spec()
EVENTS = list(SPEC.events)
EXAMPLES = 20

every_event = pytest.mark.parametrize("name", EVENTS)
every_product = pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)


@cache
def bodies(name: str, mode: GenerationMode) -> list[Any]:
    """What schemathesis makes of an event: JSON values, and bytes that are no JSON."""
    schema = schemathesis.openapi.from_dict(as_paths(SPEC))
    made: list[Any] = []

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=schema[f"/{name}"]["POST"].as_strategy(generation_mode=mode))
    def collect(case: Case) -> None:
        made.append(case.body)

    collect()
    return made


def broken(name: str) -> Iterator[bytes]:
    """Bodies that break the contract of `name` and are not some other event, which may pass."""
    for body in bodies(name, GenerationMode.NEGATIVE):
        if isinstance(body, bytes):
            yield body
        elif SPEC.event(name).problems(body):
            event = body.get("event") if isinstance(body, dict) else None
            if event == name or not isinstance(event, str):
                yield json.dumps(body).encode()


@every_event
def test_the_published_example_is_taken(receiver: Any, example: Example, name: str) -> None:
    """Each of the events is answered 200 or 204 within 3 s, or Zoom sends it again and again."""
    answer = receiver.deliver(example(name))
    assert answer.accepted, answer


@every_event
def test_valid_events_are_taken(receiver: Any, name: str) -> None:
    """Whatever the document allows: other ids, unknown fields, integers written as 228.0."""
    for body in bodies(name, GenerationMode.POSITIVE):
        answer = receiver.deliver(body)
        assert answer.accepted, (body, answer)


@every_event
def test_invalid_events_are_refused(receiver: Any, name: str) -> None:
    """What the document forbids gets 4xx: a 5xx would be sent again, a 200 hides the mistake."""
    for body in broken(name):
        answer = receiver.deliver(body)
        assert answer.refused, (body, answer)


NONSENSE = {
    "empty": b"",
    "not JSON": b"hello",
    "half an object": b'{"event": "meeting.rtms_',
    "array": b"[]",
    "null": b"null",
    "string": b'"meeting.rtms_started"',
    "number": b"1e999",
    "not UTF-8": b'{"event": "\xff\xfe"}',
    "byte order mark": b'\xef\xbb\xbf{"event": "meeting.rtms_started"}',
    "NaN": b'{"event": NaN}',
    "event is a number": b'{"event": 1}',
    "event is null": b'{"event": null}',
    "no event": b"{}",
    "deeply nested": b'{"event":' * 50_000,
    "deep array": b"[" * 100_000,
    "a long number": b'{"event": ' + b"9" * 10_000 + b"}",
    "2 MB": b'{"event": "' + b"x" * 2_000_000 + b'"}',
}


@pytest.mark.parametrize("body", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused(receiver: Any, body: bytes) -> None:
    """Signed or not, what is no event gets 4xx and never takes the receiver down."""
    answer = receiver.deliver(body)
    assert answer.refused, answer


def test_unknown_events_are_tolerated(receiver: Any) -> None:
    """Zoom adds events without asking; who fails on them is sent them again."""
    event = {"event": "meeting.rtms_reimagined", "event_ts": 1, "payload": {"object": {}}}
    answer = receiver.deliver(event)
    assert answer.accepted, answer


@every_event
def test_unknown_fields_are_tolerated(receiver: Any, example: Example, name: str) -> None:
    """Zoom adds fields, too: at the top and in the payload."""
    event = example(name)
    event["payload"]["added_later"] = {"deep": [1, 2, {"x": None}]}
    answer = receiver.deliver({**event, "added_later": "🎧"})
    assert answer.accepted, answer


ORDERS = {
    "stop before start": "stopped",
    "interrupted before start": "interrupted",
    "stopped twice": "started stopped stopped",
    "started twice": "started started stopped",
    "start again after the end": "started stopped started",
    "interrupted after the end": "started stopped interrupted",
    "everything twice, backwards": "stopped stopped interrupted interrupted started started",
}


@every_product
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_events_may_come_in_any_order(
    receiver: Any, example: Example, product: Any, order: str
) -> None:
    """Delivery is at least once and in no order: every event is taken, whatever came before."""
    stream = f"{time.time_ns():032x}"
    for happening in order.split():
        event = example(product.event(happening))
        event["payload"]["rtms_stream_id"] = stream
        answer = receiver.deliver(event)
        assert answer.accepted, (event, answer)


def test_the_same_body_twice(receiver: Any, harmless: dict[str, Any]) -> None:
    """A repeated delivery has the same body and a fresh signature, and is taken like the first."""
    body = json.dumps(harmless).encode()
    for offset_s in (0, 1, 2):
        answer = receiver.post(body, receiver.sign(body, offset_s))
        assert answer.accepted, answer
