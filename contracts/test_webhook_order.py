"""Delivery is at least once and in no order: whatever comes again, late or early, is taken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mockzoom.core.products import PRODUCTS, Product
from mockzoom.judge.answer import ACCEPTED
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import MUST, contract, needs
from mockzoom.judge.receiver_under_test import ReceiverUnderTest

Event = dict[str, Any]
Example = Callable[..., Event]

ORDERS = {
    "stop before start": "stopped",
    "interrupted before start": "interrupted",
    "stop before start, then the start": "stopped started",
    "interrupted, then the start": "interrupted started stopped",
    "stopped twice": "started stopped stopped",
    "started twice": "started started stopped",
    "interrupted twice": "started interrupted interrupted stopped",
    "start again after the end": "started stopped started",
    "interrupted after the end": "started stopped interrupted",
    "everything twice, backwards": "stopped stopped interrupted interrupted started started",
}


@contract(
    "WH-401",
    MUST,
    source="webhooks: at least once, in no order",
    loses="A late or early event is answered with an error, and its stream leaks or is lost.",
    gotchas=[2, 20, 22],
)
@pytest.mark.parametrize(
    "product", [pytest.param(row, marks=needs(name), id=name) for name, row in PRODUCTS.items()]
)
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
def test_events_may_come_in_any_order(
    receiver: ReceiverUnderTest, example: Example, product: Product, order: str
) -> None:
    """Each event of a stream is accepted, whatever came before it or did not."""
    for happening in order.split():
        receiver.deliver(example(product.event(happening))).must_be(ACCEPTED)


@contract(
    "WH-402",
    MUST,
    source="webhooks: every attempt carries the same body, freshly signed",
    loses="A repeat is refused or fails, so Zoom repeats it until it gives up.",
    gotchas=[2, 30],
)
@pytest.mark.parametrize("happening", ["started", "stopped", "interrupted"])
def test_a_repeat_is_taken_like_the_first(
    receiver: ReceiverUnderTest, example: Example, assignment: Assignment, happening: str
) -> None:
    """The same body with a fresh signature and other delivery headers is accepted each time."""
    event = example(PRODUCTS[assignment.product].event(happening))
    for attempt in range(4):
        id_ = event["event_ts"] * 10 + attempt  # no other delivery has it
        headers = {"x-zm-request-id": f"{id_:032x}", "x-zm-trackingid": f"v=2.0;{id_}"}
        receiver.post(json.dumps(event).encode(), headers=headers).must_be(ACCEPTED)


@contract(
    "WH-403",
    MUST,
    source="webhooks: only the stamp and the body are signed",
    loses="Whoever repeats a header that nobody signed makes your app drop genuine events.",
    gotchas=[30],
)
def test_other_events_under_one_request_id_are_taken(
    receiver: ReceiverUnderTest, example: Example, harmless: Event
) -> None:
    """Different events with the same delivery headers are each accepted."""
    headers = {"x-zm-request-id": "1" * 32, "x-zm-trackingid": "v=2.0;1"}
    for event in (harmless, example("rtms.concurrency_limited"), example("meeting.rtms_stopped")):
        receiver.post(json.dumps(event).encode(), headers=headers).must_be(ACCEPTED)
