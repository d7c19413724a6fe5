"""The app's limit of streams in a world: warnings, refusals, and what ends them."""

from __future__ import annotations

import pytest
from rig import Outbox, Rig, in_loop, rig

from mockzoom.core.codes import StopReason
from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec
from mockzoom.engine.live_stream import LiveStream
from mockzoom.errors import ConfigurationError, LimitReached

NEAR, LIMITED = "rtms.concurrency_near_limit", "rtms.concurrency_limited"
EVERY_MS = 300_000


def starts(r: Rig, number: int) -> tuple[Outbox, list[LiveStream]]:
    """`number` streams of a world whose app may have 5, and what goes out from then on."""
    r.world.limit_streams(5)
    r.world.deliveries = outbox = Outbox()
    return outbox, [r.world.start_rtms(r.meeting()) for _ in range(number)]


@in_loop
async def test_close_to_the_limit_is_told_again_and_again() -> None:
    """At once above four fifths, then every five minutes, until a stream stops."""
    async with rig(connect_window_ms=100 * EVERY_MS) as r:
        outbox, streams = starts(r, 4)
        assert outbox.of(NEAR) == []
        streams.append(r.world.start_rtms(r.meeting()))
        payload = {"concurrency_limit": 5, "concurrency_number": 5, "percentage": 100}
        assert outbox.of(NEAR) == [payload]
        r.clock.advance(3 * EVERY_MS)
        assert outbox.of(NEAR) == [payload] * 4
        r.world.stop_rtms(streams[0], StopReason.USER_TRIGGERED)
        r.clock.advance(3 * EVERY_MS)
        assert len(outbox.of(NEAR)) == 4
        r.world.start_rtms(r.meeting())
        assert len(outbox.of(NEAR)) == 5


@pytest.mark.parametrize("product", list(PRODUCTS))
@in_loop
async def test_one_too_many_is_refused_by_name(product: str) -> None:
    """The webhook names the refused one by its product's id; one that stops makes room."""
    async with rig() as r:
        outbox, streams = starts(r, 5)
        meeting = r.meeting(product=product)
        with pytest.raises(LimitReached, match=f"{meeting.key}: the app has 5 streams, as many"):
            r.world.start_rtms(meeting)
        [payload] = outbox.of(LIMITED)
        assert payload == {
            "operator_id": meeting.fields["operator_id"],
            "concurrency_number": 5,
            "id_field": {PRODUCTS[product].id_field: meeting.id},
        }
        assert load_spec().event(LIMITED).problems(outbox.sent[-1]) == []
        assert r.world.live_streams(meeting) == []
        r.world.stop_rtms(streams[0], StopReason.USER_TRIGGERED)
        r.world.start_rtms(meeting)


@in_loop
async def test_a_reset_makes_room() -> None:
    """A world that begins anew has no streams to count."""
    async with rig() as r:
        starts(r, 5)
        r.world.reset()
        outbox, _ = starts(r, 4)
        r.clock.advance(3 * EVERY_MS)
        assert outbox.of(NEAR) == []


@in_loop
async def test_the_limit_may_change() -> None:
    """A lower one is told of at once and stops nothing; one below 1 is none."""
    async with rig() as r:
        outbox, streams = starts(r, 4)
        r.world.limit_streams(3)
        assert [payload["percentage"] for payload in outbox.of(NEAR)] == [133]
        assert len(streams) == 4
        with pytest.raises(ConfigurationError, match="expected 1 or more, found 0"):
            r.world.limit_streams(0)
