"""Faults of webhooks as values: when events leave, and what attempts look like."""

from __future__ import annotations

import json

import pytest

from mockzoom.core.active_faults import Faults
from mockzoom.core.delivery_faults import (
    DELIVERY_FAULTS,
    DelayWebhook,
    Departure,
    DuplicateWebhook,
    FutureTimestamp,
    LostWebhook,
    MissingSignature,
    OldSignature,
    ReorderWebhook,
    RequestFault,
    StaleTimestamp,
    Tamper,
    WrongSignature,
)
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.retries import Event
from mockzoom.core.webhook_request import Signature, WebhookRequest
from mockzoom.errors import ConfigurationError

URL = "http://x/"
NOW_S = 1_764_000_000
EVENT = Event("an.event", b'{"event":"an.event","event_ts":5000000}', "a-stream")
GENUINE = WebhookRequest.genuine(EVENT.body, NOW_S)


@pytest.mark.parametrize("fault", DELIVERY_FAULTS, ids=lambda fault: fault.kind)
def test_each_can_be_written_as_json_and_read_back(fault: type) -> None:
    """The door is that of all faults, and each says what it does."""
    value = fault()
    assert parse_fault(json.loads(json.dumps(value.as_dict()))) == value
    assert fault.__doc__


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"kind": "tamper", "socket": "audio"}, "unknown field 'socket'"),
        ({"kind": "tampr"}, "did you mean 'tamper'?"),
        ({"kind": "stale_timestamp", "age_s": 0}, "age_s: expected 1 to 31536000, found 0"),
        ({"kind": "webhook_delay", "ms": -1}, "ms: expected 0 to 3600000, found -1"),
    ],
)
def test_a_wrong_one_is_told_in_one_line(value: dict[str, object], told: str) -> None:
    """What is known of sockets is unknown here."""
    with pytest.raises(ConfigurationError) as caught:
        parse_fault(value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("where", "hit"),
    [
        ({}, True),
        ({"url": URL}, True),
        ({"url": "http://other/"}, False),
        ({"event": "an.event"}, True),
        ({"event": "another.event"}, False),
        ({"stream": "a-stream"}, True),
        ({"stream": "another"}, False),
        ({"url": URL, "event": "another.event"}, False),
    ],
)
def test_a_fault_is_only_where_it_was_put(where: dict[str, str], hit: bool) -> None:
    """Endpoint, event and stream narrow it down."""
    faults = Faults(1)
    faults.add(WrongSignature(**where))  # type: ignore[arg-type]
    faults.add(DelayWebhook(ms=5, **where))  # type: ignore[arg-type]
    assert faults.request(GENUINE, URL, EVENT)[1] == (["wrong_signature"] if hit else [])
    assert faults.departures(URL, EVENT) == [Departure(5 if hit else 0)]


def test_without_faults_an_event_leaves_once_and_at_once() -> None:
    """And its attempts are genuine."""
    faults = Faults(1)
    assert faults.departures(URL, EVENT) == [Departure()]
    assert faults.request(GENUINE, URL, EVENT) == (GENUINE, [])


def test_an_event_is_lost() -> None:
    """It never leaves; the next one does."""
    faults = Faults(1)
    faults.add(LostWebhook(times=1))
    assert faults.departures(URL, EVENT) == []
    assert faults.departures(URL, EVENT) == [Departure()]


def test_departures_are_doubled_delayed_and_overtaken() -> None:
    """Delays add up and keep the order, unless it is the order that is broken."""
    assert DuplicateWebhook().apply(Departure()) == [Departure()] * 2
    assert DuplicateWebhook(ms=7).apply(Departure(1)) == [Departure(1), Departure(8, False)]
    assert DelayWebhook(ms=5).apply(Departure(2)) == [Departure(7)]
    assert ReorderWebhook(ms=5).apply(Departure(2)) == [Departure(7, in_order=False)]


def test_half_of_the_events_are_overtaken() -> None:
    """Else all would be late, and in order."""
    faults = Faults(3)
    faults.add(ReorderWebhook())
    late = [faults.departures(URL, EVENT)[0].delay_ms for _ in range(40)]
    assert set(late) == {0, 1000}


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        (WrongSignature(), {"signature": Signature.WRONG}),
        (MissingSignature(), {"signature": Signature.MISSING}),
        (StaleTimestamp(), {"stamp_s": NOW_S - 600}),
        (FutureTimestamp(ahead_s=301), {"stamp_s": NOW_S + 301}),
        (Tamper(), {"body": b'{"event":"an.event","event_ts":5000001}'}),
        (
            OldSignature(),
            {"signed": b'{"event":"an.event","event_ts":4939999}', "stamp_s": NOW_S - 60},
        ),
    ],
    ids=lambda value: value.kind if isinstance(value, RequestFault) else "",
)
def test_forgeries_change_one_thing(fault: RequestFault, changed: dict[str, object]) -> None:
    """All the rest stays genuine, and a receiver must refuse every one of them."""
    forged = fault.apply(GENUINE)
    assert vars(forged) == vars(GENUINE) | changed
    assert forged.is_forged(NOW_S)


def test_forgeries_compose() -> None:
    """A tampered body stays tampered when the stamp is moved: nothing signs it anew."""
    faults = Faults(1)
    for fault in (Tamper(), StaleTimestamp(age_s=10), WrongSignature(times=1)):
        faults.add(fault)
    request, kinds = faults.request(GENUINE, URL, EVENT)
    assert kinds == ["tamper", "stale_timestamp", "wrong_signature"]
    assert request.signed == EVENT.body != request.body
    assert faults.request(GENUINE, URL, EVENT)[1] == ["tamper", "stale_timestamp"]


@pytest.mark.parametrize("stamp", ['"soon"', "null", "[]"])
def test_what_has_no_number_for_a_stamp_is_forged_all_the_same(stamp: str) -> None:
    """An event that breaks its contract on purpose is no reason for the mock to fail."""
    body = b'{"event":"an.event","event_ts":%s}' % stamp.encode()
    forged = Tamper().apply(WebhookRequest.genuine(body, NOW_S))
    assert forged.body == b'{"event":"an.event","event_ts":1}'
    assert forged.is_forged(NOW_S)
