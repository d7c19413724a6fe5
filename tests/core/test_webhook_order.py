"""Which orders of webhooks are legal, and that whatever is not is found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mockzoom.core.products import CONTACT_CENTER, MEETING, PRODUCTS, Product
from mockzoom.core.webhook_order import WEBHOOK_ORDER, Seen, Told, WebhookOrder, judge
from mockzoom.errors import RefusedTransition

Event = dict[str, Any]

START_MS = 1_790_000_000_000
STREAM = "609340fb2a7946909659956c8aa9250c"
OTHER_STREAM = "f" * 32
URL = "http://127.0.0.1:3000/webhook"


def webhook(happening: str, at: int, product: Product = MEETING, **payload: Any) -> Event:
    """A webhook of the stream, `at` milliseconds after the start."""
    ids = {product.key_field: "83000000001", product.id_field: "4444AAAiAAAAAiAiAiiAii=="}
    return {
        "event": product.event(happening),
        "event_ts": START_MS + at,
        "payload": {**ids, "rtms_stream_id": STREAM, **payload},
    }


def started(at: int = 0, urls: str = "wss://one", **payload: Any) -> Event:
    return webhook("started", at, server_urls=urls, **payload)


def interrupted(at: int, **payload: Any) -> Event:
    return webhook("interrupted", at, **payload)


def stopped(at: int, reason: int = 6, **payload: Any) -> Event:
    return webhook("stopped", at, stop_reason=reason, **payload)


def limited(**payload: Any) -> Event:
    named = {"id_field": {"meeting_uuid": "a"}, "operator_id": "o", "concurrency_number": 2_000}
    return {"event": "rtms.concurrency_limited", "event_ts": START_MS, "payload": named | payload}


def near(number: int, limit: int, percentage: int) -> Event:
    payload = {
        "concurrency_number": number,
        "concurrency_limit": limit,
        "percentage": percentage,
    }
    return {"event": "rtms.concurrency_near_limit", "event_ts": START_MS, "payload": payload}


def checks(events: list[Event]) -> list[str]:
    """The ids of the clauses that `events`, one after the other, break."""
    order = WebhookOrder()
    return [finding.check for event in events for finding in order.feed(event, START_MS)]


# --- the table --------------------------------------------------------------------------------


@pytest.mark.parametrize("seen", Seen)
@pytest.mark.parametrize("told", Told)
def test_every_pair_is_in_the_table_or_refused(seen: Seen, told: Told) -> None:
    """There is a next state, or an error that names both."""
    if WEBHOOK_ORDER.allows(seen, told):
        assert WEBHOOK_ORDER.after(seen, told) in Seen
        return
    with pytest.raises(RefusedTransition, match=f"{told.name} .* {seen.name}"):
        WEBHOOK_ORDER.after(seen, told)


LEGAL: dict[str, list[Event]] = {
    "an ordinary stream": [started(), stopped(9)],
    "an app that came back": [started(), interrupted(3), stopped(9)],
    "an app that came back twice": [started(), interrupted(3), interrupted(5), stopped(9)],
    "failover": [started(), started(3, "wss://two"), stopped(9)],
    "failover of an app that was missed": [started(), interrupted(2), started(3, "wss://two")],
    "one of several new URLs": [started(urls="wss://a,wss://b"), started(3, "wss://a,wss://c")],
    "duplicates": [started(), started(), interrupted(3), interrupted(3), stopped(9), stopped(9)],
    "late duplicates": [started(), interrupted(3), stopped(9), started(), interrupted(3)],
    "two streams of one meeting": [
        started(),
        started(5, rtms_stream_id=OTHER_STREAM),
        stopped(6),
        stopped(6, rtms_stream_id=OTHER_STREAM),
    ],
    "all at the same time": [started(), stopped(0)],
    "events of others": [{"event": "meeting.ended", "event_ts": 1, "payload": {}}, {}],
    "limit reached": [limited(), limited(id_field={"session_id": "b"})],
    "limit near": [near(1_601, 2_000, 80), near(2, 2, 100), near(9, 11, 81), near(9, 11, 82)],
}


@pytest.mark.parametrize("events", LEGAL.values(), ids=LEGAL)
def test_a_legal_order_has_no_findings(events: list[Event]) -> None:
    """What the rules allow is found no fault with."""
    assert checks(events) == []


ILLEGAL: dict[str, tuple[str, list[Event]]] = {
    "interrupted first": ("order.started", [interrupted(0)]),
    "stopped first": ("order.started", [stopped(0)]),
    "an id that nobody knows": (
        "order.started",
        [started(), stopped(9, rtms_stream_id=OTHER_STREAM)],
    ),
    "started anew with the old URLs": ("order.failover", [started(), started(1)]),
    "back to the first URLs": (
        "order.failover",
        [started(), started(1, "wss://two"), started(2, "wss://one")],
    ),
    "stopped twice": ("order.stopped", [started(), stopped(8), stopped(9)]),
    "failover after the stop": ("order.stopped", [started(), stopped(8), started(9, "wss://two")]),
    "restart after the stop": ("order.stopped", [started(), stopped(8), started(9)]),
    "interrupted after the stop": ("order.stopped", [started(), stopped(8), interrupted(9)]),
    "a reason of no product": ("order.stop-reason", [started(), stopped(9, 99)]),
    "no reason": ("order.stop-reason", [started(), webhook("stopped", 9)]),
    "another meeting": ("order.ids", [started(), stopped(9, meeting_uuid="other==")]),
    "another meeting number": ("order.ids", [started(), stopped(9, meeting_id="1")]),
    "no meeting": ("order.ids", [started(meeting_uuid=None)]),
    "another product": ("order.ids", [started(), webhook("interrupted", 9, CONTACT_CENTER)]),
    "no stream": ("order.ids", [started(rtms_stream_id="")]),
    "back in time": ("order.time", [started(5), interrupted(4)]),
    "no time": ("order.time", [{**started(), "event_ts": "1"}]),
    "limited: no id": ("order.limited", [limited(id_field={})]),
    "limited: two ids": (
        "order.limited",
        [limited(id_field={"meeting_uuid": "", "session_id": 1})],
    ),
    "limited: an id of nobody": ("order.limited", [limited(id_field={"meeting_id": 1})]),
    "limited: a stream": ("order.limited", [limited(rtms_stream_id=STREAM)]),
    "near: not yet": ("order.near-limit", [near(1_600, 2_000, 80)]),
    "near: beyond": ("order.near-limit", [near(2_001, 2_000, 100)]),
    "near: wrong sum": ("order.near-limit", [near(1_800, 2_000, 91)]),
    "near: no limit": ("order.near-limit", [near(1, 0, 100)]),
    "near: no numbers": ("order.near-limit", [{"event": "rtms.concurrency_near_limit"}]),
}


@pytest.mark.parametrize(("check", "events"), ILLEGAL.values(), ids=ILLEGAL)
def test_an_illegal_order_is_one_finding(check: str, events: list[Event]) -> None:
    """Each mistake is found where it is made, once, and named by its clause."""
    assert checks(events) == [check]


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=lambda product: product.name)
def test_every_product_has_its_own_reasons(product: Product) -> None:
    """What a product's streams stop for is in its row."""
    begun = webhook("started", 0, product, server_urls="wss://one")
    for reason in range(13):
        expected = [] if reason in product.stop_reasons.values() else ["order.stop-reason"]
        assert checks([begun, webhook("stopped", 9, product, stop_reason=reason)]) == expected


# --- walks ------------------------------------------------------------------------------------


@st.composite
def walks(draw: st.DrawFn) -> list[Event]:
    """A legal order, walked along the table at times that grow; nothing comes twice."""
    product = draw(st.sampled_from(list(PRODUCTS.values())))
    steps = draw(st.lists(st.sampled_from([Told.FAILOVER, Told.INTERRUPTED]), max_size=6))
    steps = [Told.STARTED, *steps, *draw(st.sampled_from([[], [Told.STOPPED]]))]
    times = draw(
        st.lists(st.integers(1, 90_000), min_size=len(steps), max_size=len(steps), unique=True)
    )
    return [
        made(step, at, number, product)
        for number, (step, at) in enumerate(zip(steps, sorted(times), strict=True))
    ]


def made(step: Told, at: int, number: int, product: Product) -> Event:
    if step is Told.INTERRUPTED:
        return webhook("interrupted", at, product)
    if step is Told.STOPPED:
        return webhook(
            "stopped", at, product, stop_reason=next(iter(product.stop_reasons.values()))
        )
    return webhook("started", at, product, server_urls=f"wss://{number}")


@given(walks(), st.data())
def test_a_walk_along_the_table_is_legal(events: list[Event], data: st.DataObject) -> None:
    """Whatever the table allows is legal, also when earlier bodies come once more anywhere."""
    for _ in range(data.draw(st.integers(0, 3))):
        first = data.draw(st.integers(0, len(events) - 1))
        again = data.draw(st.integers(first + 1, len(events)))
        events = [*events[:again], copy.deepcopy(events[first]), *events[again:]]
    assert checks(events) == []


def swap(events: list[Event], place: int) -> None:
    """Two neighbours change places."""
    assume(place + 1 < len(events))
    events[place], events[place + 1] = events[place + 1], events[place]


def repeat_with_another_body(events: list[Event], place: int) -> None:
    """A started or stopped comes once more, and is not the same."""
    assume(not events[place]["event"].endswith("interrupted"))
    again = copy.deepcopy(events[place])
    again["event_ts"] = events[-1]["event_ts"] + 1
    events.append(again)


def drop_the_started(events: list[Event], place: int) -> None:
    """The app never hears that the stream began."""
    del events[0]
    assume(events and "server_urls" not in events[0]["payload"])


def change_the_id(events: list[Event], place: int) -> None:
    """A later webhook names another meeting."""
    assume(place > 0)
    product = next(p for p in PRODUCTS.values() if p.id_field in events[place]["payload"])
    events[place]["payload"][product.id_field] += "x"


def change_the_stream(events: list[Event], place: int) -> None:
    """An interrupted or stopped names a stream that was never started."""
    assume("server_urls" not in events[place]["payload"])
    events[place]["payload"]["rtms_stream_id"] = OTHER_STREAM


def go_on_after_the_stop(events: list[Event], place: int) -> None:
    """Something new follows the stop."""
    assume(events[-1]["event"].endswith("stopped"))
    last = copy.deepcopy(events[place])
    last["event_ts"] = events[-1]["event_ts"] + 1
    last["payload"]["server_urls"] = "wss://new"
    events.append(last)


@pytest.mark.parametrize(
    "mutate",
    [
        swap,
        repeat_with_another_body,
        drop_the_started,
        change_the_id,
        change_the_stream,
        go_on_after_the_stop,
    ],
)
@given(events=walks(), data=st.data())
def test_a_single_mutation_of_a_walk_is_found(
    mutate: Callable[[list[Event], int], None], events: list[Event], data: st.DataObject
) -> None:
    """One mistake in a legal order is enough."""
    mutate(events, data.draw(st.integers(0, len(events) - 1)))
    assert checks(events) != []


# --- attempts ---------------------------------------------------------------------------------

ATTEMPTS: dict[str, tuple[list[str], list[tuple[int, Event, int]]]] = {
    "four": ([], [(n, started(), START_MS // 1000 + n) for n in (1, 2, 3, 4)]),
    "in one second": ([], [(n, started(), 5) for n in (1, 2)]),
    "five": (["order.attempts"], [(n, started(), n) for n in (1, 2, 3, 4, 5)]),
    "one left out": (["order.attempts"], [(n, started(), n) for n in (1, 3)]),
    "one twice": (["order.attempts"], [(n, started(), n) for n in (1, 2, 2)]),
    "never a first": (["order.attempts"], [(2, started(), 1)]),
    "an old stamp": (["order.attempts"], [(1, started(), 5), (2, started(), 4)]),
    "an old stamp later": (
        ["order.attempts"],
        [(1, started(), 5), (2, started(), 6), (3, started(), 5)],
    ),
    "another body": (
        ["order.attempts", "order.failover"],
        [(1, started(), 5), (2, started(1), 6)],
    ),
}


@pytest.mark.parametrize(("expected", "tries"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_attempts_are_counted(expected: list[str], tries: list[tuple[int, Event, int]]) -> None:
    """At most four, one after the other, with the same bytes and stamps that do not go back."""
    order = WebhookOrder()
    found = [
        finding.check
        for attempt, event, stamp_s in tries
        for finding in order.feed(event, START_MS, attempt, delivery=1, stamp_s=stamp_s)
    ]
    assert found == expected


def test_the_order_of_keys_is_part_of_the_bytes() -> None:
    """A body that was serialised anew for the second attempt is found."""
    order = WebhookOrder()
    order.feed(started(), START_MS, delivery=1)
    anew = dict(reversed(started().items()))
    found = order.feed(anew, START_MS, 2, delivery=1)
    assert "order.attempts" in [finding.check for finding in found]


# --- a journal --------------------------------------------------------------------------------


def entry(id_: int, delivery: int, event: Event, **fields: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "at_ms": START_MS + id_,
        "kind": "webhook",
        "stream": event["payload"]["rtms_stream_id"],
        "url": URL,
        "event": event["event"],
        "body": event,
        "delivery": delivery,
        "attempt": 1,
        **fields,
    }


def unsent(id_: int, delivery: int, event: Event) -> dict[str, Any]:
    given_up = entry(id_, delivery, event, outcome="not validated")
    del given_up["body"], given_up["attempt"]
    return given_up


JOURNALS: dict[str, tuple[list[str], list[dict[str, Any]]]] = {
    "overtaken on the way": ([], [entry(1, 2, stopped(9)), entry(2, 1, started())]),
    "tried again after the stop": (
        [],
        [
            entry(1, 1, started()),
            entry(2, 2, stopped(9)),
            entry(3, 1, started(), attempt=2),
        ],
    ),
    "two endpoints": (
        [],
        [
            entry(1, 1, started()),
            entry(2, 2, started(), url="http://other"),
            entry(3, 3, stopped(9)),
            entry(4, 4, stopped(9), url="http://other"),
        ],
    ),
    "never sent": ([], [unsent(1, 1, started()), entry(2, 2, stopped(9))]),
    "given up after an attempt": (
        [],
        [entry(1, 1, started()), unsent(2, 1, started()), entry(3, 2, stopped(9))],
    ),
    "interrupted by the end of the process": (
        [],
        [
            entry(1, 1, started()),
            {**unsent(2, 2, stopped(9)), "attempt": 1, "outcome": "interrupted"},
            entry(3, 2, stopped(9)),
        ],
    ),
    "numbers that begin anew in another process": (
        [],
        [
            unsent(1, 1, started()),
            entry(2, 2, stopped(9)),
            unsent(3, 1, started(rtms_stream_id=OTHER_STREAM)),
            entry(4, 2, stopped(9, rtms_stream_id=OTHER_STREAM)),
        ],
    ),
    "forged, then genuine": (
        [],
        [
            entry(1, 1, started()),
            entry(2, 2, stopped(10), faults=["tamper"]),
            entry(3, 3, stopped(9)),
        ],
    ),
    "twice, and one of them forged": (
        [],
        [
            entry(1, 1, started()),
            entry(2, 2, interrupted(3)),
            entry(3, 3, stopped(9)),
            entry(4, 4, stopped(10), faults=["tamper"]),
            entry(5, 5, interrupted(4), faults=["tamper"]),
            entry(6, 6, started(1), faults=["tamper"]),
        ],
    ),
    "twice, and both forged": (
        [],
        [
            entry(1, 1, started()),
            entry(2, 2, stopped(10), faults=["tamper"]),
            entry(3, 3, stopped(10), faults=["tamper"]),
        ],
    ),
    "forged, tried again": (
        [],
        [
            entry(1, 1, started(1), faults=["tamper"]),
            entry(2, 1, started(), attempt=2),
            entry(3, 2, started(5, "wss://two"), faults=["tamper"]),
            entry(4, 3, stopped(9)),
        ],
    ),
    "a started that only one endpoint got": (
        ["order.started"],
        [entry(1, 1, started()), entry(2, 2, stopped(9), url="http://other")],
    ),
    "forged and stopped already": (
        ["order.stopped"],
        [
            entry(1, 1, started()),
            entry(2, 2, stopped(8)),
            entry(3, 3, interrupted(9), faults=["tamper"]),
        ],
    ),
    "forged too often": (
        ["order.attempts"],
        [entry(n, 1, started(), attempt=n, faults=["tamper"]) for n in range(1, 6)],
    ),
    "cancelled, and what is no webhook": (
        [],
        [
            {"id": 1, "kind": "webhook", "url": URL, "outcome": "cancelled", "events": 3},
            {"id": 2, "kind": "state", "state": "ACTIVE"},
        ],
    ),
}


@pytest.mark.parametrize(("expected", "entries"), JOURNALS.values(), ids=JOURNALS)
def test_a_journal_is_judged(expected: list[str], entries: list[dict[str, Any]]) -> None:
    """Endpoint by endpoint, in the order in which events left, not in that of their arrival."""
    assert [finding.check for finding in judge(entries)] == expected


def test_a_finding_says_what_and_where() -> None:
    """The event, its time, what was expected and found."""
    [finding] = WebhookOrder().feed(stopped(9), START_MS)
    assert str(finding).startswith(
        f"order.started: meeting.rtms_stopped at {START_MS}: expected a started first, found a"
    )
