"""The rows of the table of products, against the published webhooks."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import EventType, MediaType, StopReason, VoiceEventType
from mockzoom.core.products import CONTACT_CENTER, ID_FIELDS, MEETING, PRODUCTS, Product
from mockzoom.core.spec import load_spec
from mockzoom.errors import UnknownObject

ROWS = pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))


@ROWS
@pytest.mark.parametrize("happening", ["started", "stopped", "interrupted"])
def test_every_product_has_its_webhooks_in_the_document(product: Product, happening: str) -> None:
    """The names are those of the document, and each payload has the ids of the product."""
    event = load_spec().event(product.event(happening))
    payload = event.payload_fields
    assert event.product == product.name
    assert {product.id_field, "rtms_stream_id"} <= set(payload)
    assert product.key_field in payload or happening != "started"


@ROWS
def test_every_wire_reason_has_one_of_the_webhook(product: Product) -> None:
    """No reason is without a number in the webhook, and each number is one of the document's."""
    event = load_spec().event(product.event("stopped"))
    told = event.payload_fields["stop_reason"]["enum"]
    assert set(product.stop_reasons) == set(StopReason)
    assert set(product.stop_reasons.values()) <= set(told)


@pytest.mark.parametrize(
    ("reason", "meeting", "voice"),
    [
        (StopReason.MEETING_ENDED, 6, 1),
        (StopReason.STREAM_REVOKED, 8, 3),
        (StopReason.CONNECTION_TIMEOUT, 11, 7),
        (StopReason.AWAIT_RECONNECTION_TIMEOUT, 11, 7),
        (StopReason.KEEP_ALIVE_TIMEOUT, 11, 7),
        (StopReason.CUSTOMER_DISCONNECTED, 3, 1),
        (StopReason.AGENT_DISCONNECTED, 3, 2),
        (StopReason.INTERNAL_EXCEPTION, 10, 6),
    ],
)
def test_reasons_are_told_in_the_numbers_of_the_product(
    reason: StopReason, meeting: int, voice: int
) -> None:
    """Meetings and voice number the same endings differently."""
    assert MEETING.stop_reasons[reason] == meeting
    assert CONTACT_CENTER.stop_reasons[reason] == voice


def test_voice_has_other_events_and_less_media() -> None:
    """Contact-center voice has audio and transcripts, and an event table of its own."""
    assert CONTACT_CENTER.media == (MediaType.AUDIO, MediaType.TRANSCRIPT)
    assert CONTACT_CENTER.events is VoiceEventType
    assert {p.events for p in PRODUCTS.values() if p is not CONTACT_CENTER} == {EventType}


def test_ids_are_looked_for_under_every_name() -> None:
    """Each product's id field is among those that a handshake may use."""
    assert ID_FIELDS == ("meeting_uuid", "webinar_uuid", "session_id", "engagement_id")


def test_an_unknown_product_is_named_with_its_neighbour() -> None:
    """A mistyped product gets the list and the nearest name."""
    with pytest.raises(UnknownObject, match=r"'meting': expected one of .*did you mean 'meeting'"):
        PRODUCTS["meting"]
