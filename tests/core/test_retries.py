"""What follows on an attempt: the table of answers, the schedule, and the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.retries import Delivery, Event, Then, after, is_accepted
from mockzoom.core.timings import DeliveryTimings

NOW_MS = 1_764_000_000_000
EVENT = Event("an.event", b'{"event":"an.event"}', "a-stream")
MINUTE_MS = 60_000

ANSWERS = [
    (200, Then.ACCEPTED),
    (204, Then.ACCEPTED),
    (100, Then.REFUSED),
    (199, Then.REFUSED),
    (201, Then.REFUSED),
    (202, Then.REFUSED),
    (203, Then.REFUSED),
    (205, Then.REFUSED),
    (301, Then.REFUSED),
    (302, Then.REFUSED),
    (307, Then.REFUSED),
    (308, Then.REFUSED),
    (400, Then.REFUSED),
    (401, Then.REFUSED),
    (404, Then.REFUSED),
    (408, Then.REFUSED),
    (410, Then.REFUSED),
    (429, Then.REFUSED),
    (499, Then.REFUSED),
    (500, Then.RETRY),
    (502, Then.RETRY),
    (503, Then.RETRY),
    (504, Then.RETRY),
    (599, Then.RETRY),
    (999, Then.RETRY),
    (None, Then.RETRY),
]


@pytest.mark.parametrize(("status", "then"), ANSWERS)
def test_what_an_answer_means(status: int | None, then: Then) -> None:
    """Only 500 and above and no answer at all are tried again; only 200 and 204 accept."""
    assert after(status, retries_left=1) is then
    assert is_accepted(status) is (then is Then.ACCEPTED)
    last = Then.DROPPED if then is Then.RETRY else then
    assert after(status, retries_left=0) is last


def test_the_schedule_is_the_vendors() -> None:
    """5 minutes after the first attempt, 20 after the second, 60 after the third; then dropped."""
    delivery, timings = Delivery(1, "http://x/", EVENT, NOW_MS), DeliveryTimings()
    at_ms, seen = NOW_MS, []
    for _ in range(4):
        delivery, then = delivery.attempted(503, at_ms, timings)
        seen.append(((at_ms - NOW_MS) // MINUTE_MS, delivery.attempts, then))
        at_ms = delivery.due_ms
    assert seen == [
        (0, 1, Then.RETRY),
        (5, 2, Then.RETRY),
        (25, 3, Then.RETRY),
        (85, 4, Then.DROPPED),
    ]


def test_without_retries_the_first_failure_is_the_end() -> None:
    """A schedule may be empty."""
    none = DeliveryTimings(retries_ms=())
    assert Delivery(1, "http://x/", EVENT, NOW_MS).attempted(None, NOW_MS, none)[1] is Then.DROPPED


@given(
    st.lists(st.none() | st.integers(100, 999), min_size=4, max_size=4),
    st.lists(st.integers(0, 10**7), min_size=4, max_size=4),
)
def test_every_delivery_ends(statuses: list[int | None], late_ms: list[int]) -> None:
    """After at most four attempts, none earlier than it is due, and with the same event."""
    delivery, timings = Delivery(1, "http://x/", EVENT, NOW_MS), DeliveryTimings()
    for number, (status, late) in enumerate(zip(statuses, late_ms, strict=True), 1):
        began_ms = delivery.due_ms + late
        delivery, then = delivery.attempted(status, began_ms, timings)
        assert (delivery.attempts, delivery.event) == (number, EVENT)
        if then is not Then.RETRY:
            break
        assert delivery.due_ms == began_ms + timings.retries_ms[number - 1]
    assert then is not Then.RETRY


def test_a_body_is_shown_as_what_it_says() -> None:
    """The journal has the event as JSON."""
    assert EVENT.told == {"event": "an.event"}
