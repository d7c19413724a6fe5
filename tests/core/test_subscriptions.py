"""Who is subscribed to what, and what becomes of an endpoint that does not validate."""

from __future__ import annotations

import pytest

from mockzoom.core.subscriptions import (
    MAX_SUBSCRIPTIONS,
    Notice,
    Subscription,
    Subscriptions,
    SubscriptionState,
)
from mockzoom.errors import UnknownObject, UsageError

NEW, VALIDATED, DISABLED = SubscriptionState
SAVED = Subscription(1, "http://x/")


@pytest.mark.parametrize(
    ("events", "event", "wanted"),
    [((), "a", True), (("a", "b"), "b", True), (("a",), "b", False), (("ab",), "a", False)],
)
def test_an_endpoint_wants_the_events_of_its_list(
    events: tuple[str, ...], event: str, wanted: bool
) -> None:
    """An empty list is every event."""
    assert Subscription(1, "http://x/", events).wants(event) is wanted


def test_six_failures_in_a_row_disable() -> None:
    """With mails after 2 and 4; disabled it stays, until it validates."""
    subscription = SAVED.proved(10)
    seen = []
    for number in range(1, 9):
        subscription = subscription.failed(number)
        seen.append((subscription.state, subscription.notice))
    mail = (VALIDATED, Notice.MAIL)
    quiet = (VALIDATED, None)
    assert seen[:6] == [quiet, mail, quiet, mail, quiet, (DISABLED, Notice.DISABLED)]
    assert seen[6:] == [(DISABLED, None)] * 2
    again = subscription.proved(99)
    assert (again.state, again.failures, again.validate_at_ms) == (VALIDATED, 0, 99)


def test_a_success_in_between_starts_the_count_anew() -> None:
    """Only failures in a row count."""
    subscription = SAVED.proved(0)
    for number in range(20):
        subscription = subscription.proved(0) if number % 6 == 5 else subscription.failed(0)
    assert subscription.state is VALIDATED


def test_a_url_that_never_validated_is_asked_for_ever() -> None:
    """A receiver that is started late is not shut out for it, and nobody gets mails."""
    subscription = SAVED
    for _ in range(10):
        subscription = subscription.failed(0)
        assert (subscription.state, subscription.notice) == (NEW, None)
    assert subscription.failures == 10


def test_twenty_are_the_limit() -> None:
    """Saving one again is no further one; removing one makes room."""
    subscriptions = Subscriptions()
    saved = [subscriptions.save(f"http://x/{n}") for n in range(MAX_SUBSCRIPTIONS)]
    assert MAX_SUBSCRIPTIONS == 20
    assert subscriptions.save("http://x/3", ("a",)).id == saved[3].id
    with pytest.raises(UsageError, match="at most 20; remove one first"):
        subscriptions.save("http://x/another")
    subscriptions.remove("http://x/0")
    assert subscriptions.save("http://x/another").id == 21
    assert [one.url for one in subscriptions][-1] == "http://x/another"


def test_one_that_is_not_there() -> None:
    """Its id is told."""
    subscriptions = Subscriptions()
    saved = subscriptions.save("http://x/")
    assert subscriptions.get(saved.id) is saved
    with pytest.raises(UnknownObject, match="subscription 2: there is none"):
        subscriptions.get(2)


def test_it_is_told_as_json() -> None:
    """Everything about it, in plain values."""
    assert Subscription(1, "http://x/", ("a",)).proved(7).as_dict() == {
        "id": 1,
        "url": "http://x/",
        "events": ["a"],
        "state": "validated",
        "failures": 0,
        "validate_at_ms": 7,
    }
