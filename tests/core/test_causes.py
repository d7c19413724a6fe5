"""The table of causes, against the wire's reasons and the webhooks' own."""

from __future__ import annotations

import pytest

from mockzoom.core.causes import CAUSES, causes_of
from mockzoom.core.codes import StopReason
from mockzoom.core.products import CONTACT_CENTER, PRODUCTS, Product
from mockzoom.core.spec import load_spec
from mockzoom.core.voice_call import VOICE_HAPPENINGS

ROWS = pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))


def test_every_reason_of_the_wire_has_one_cause() -> None:
    """None of the 26 is without a cause, and no two causes share one."""
    assert sorted(cause.reason for cause in CAUSES.values()) == sorted(StopReason)


@ROWS
def test_every_reason_of_the_webhook_has_a_cause(product: Product) -> None:
    """What the document says a product may tell is told of something that can happen in it."""
    event = load_spec().event(product.event("stopped"))
    documented = event.payload_fields["stop_reason"]["enum"]
    told = {product.stop_reasons[cause.reason] for cause in causes_of(product).values()}
    assert told == set(documented)


@ROWS
def test_a_product_knows_its_own_causes(product: Product) -> None:
    """Customers and agents hang up in calls, hosts stop apps everywhere else."""
    voice = product is CONTACT_CENTER
    assert {name for name in causes_of(product) if "hangs_up" in name} == (
        {"customer_hangs_up", "agent_hangs_up"} if voice else set()
    )
    assert ("host_stops_app" in causes_of(product)) is not voice
    assert "meeting_ends" in causes_of(product)


def test_each_name_means_one_thing() -> None:
    """No cause is called like something that happens in a call."""
    assert not CAUSES.keys() & VOICE_HAPPENINGS.keys()
