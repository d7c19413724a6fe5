"""Every cause in every product, played in a world: what the app is told of it on either way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from rig import Outbox, Rig, in_loop, rig
from rtms_app import RtmsApp

from mockzoom.core import messages
from mockzoom.core.causes import CAUSES, Cause, causes_of
from mockzoom.core.codes import MessageType, StreamState
from mockzoom.core.products import PRODUCTS
from mockzoom.errors import UnknownObject, UsageError

#: A silent app is cut after a minute of these.
KEEP_ALIVE_MS = 15_000
MEDIA_WINDOW_MS = 40_000

PLAYED = [(product, name) for product in PRODUCTS for name in causes_of(PRODUCTS[product])]


async def never_came(r: Rig, app: RtmsApp) -> None:
    r.clock.advance(60_000)


async def lost(r: Rig, app: RtmsApp) -> None:
    await app.join()
    await app.signaling.close()
    await r.entry("state", state="INTERRUPTED")
    r.clock.advance(60_000)


async def fell_silent(r: Rig, app: RtmsApp) -> None:
    await app.join_signaling(answers=False)
    await app.join_media()
    await app.acknowledge()
    r.clock.advance(4 * KEEP_ALIVE_MS)
    await r.entry("state", state="INTERRUPTED")
    r.clock.advance(60_000)


async def lost_its_media(r: Rig, app: RtmsApp) -> None:
    conn = await app.join()
    await conn.close()
    await r.entry("socket", happened="closed")
    r.clock.advance(MEDIA_WINDOW_MS)


async def closes(r: Rig, app: RtmsApp) -> None:
    await app.join()
    await app.signaling.send(messages.stream_close_req(app.identity.rtms_stream_id))


FOLLOWS: dict[str, Callable[[Rig, RtmsApp], Awaitable[None]]] = {
    "connection_timeout": never_came,
    "reconnection_timeout": lost,
    "keep_alive_timeout": fell_silent,
    "media_timeout": lost_its_media,
    "app_closes_stream": closes,
}

#: Of these an app hears on its signaling socket, because it has one.
HEARD = ("media_timeout", "app_closes_stream")


def test_every_cause_that_follows_is_played() -> None:
    """What cannot be made to happen by name is provoked here as the table says."""
    assert {name for name, cause in CAUSES.items() if cause.follows} == set(FOLLOWS)


@pytest.mark.parametrize(("product", "name"), PLAYED)
@in_loop
async def test_a_cause_is_told_in_the_numbers_of_the_product(product: str, name: str) -> None:
    """The stopped webhook has the product's reason, and the signaling socket the wire's."""
    cause, row = CAUSES[name], PRODUCTS[product]
    async with rig(keep_alive_ms=KEEP_ALIVE_MS, media_window_ms=MEDIA_WINDOW_MS) as r:
        r.world.deliveries = outbox = Outbox()
        meeting = r.meeting("Alice", "Bob", product=product)
        _, app = r.start(meeting)
        if cause.follows:
            await FOLLOWS[name](r, app)
        else:
            await app.join()
            r.world.happen(meeting, name)
        await r.entry("state", state="TERMINATED")
        stopped = outbox.of(row.event("stopped"))
        assert [payload["stop_reason"] for payload in stopped] == [row.stop_reasons[cause.reason]]
        if not cause.follows or name in HEARD:
            await _heard(app, cause)
        assert not r.world.live_streams(meeting)
        assert meeting.ended is cause.final


async def _heard(app: RtmsApp, cause: Cause) -> None:
    def ended() -> list[int]:
        updates = app.signaling.of(MessageType.STREAM_STATE_UPDATE)
        return [m["reason"] for m in updates if m["state"] == StreamState.TERMINATED]

    assert await app.signaling.until(ended) == [cause.reason]


@pytest.mark.parametrize("name", list(FOLLOWS))
@in_loop
async def test_what_follows_from_the_app_is_not_made_by_name(name: str) -> None:
    """The refusal says what to do in place of it."""
    async with rig() as r:
        with pytest.raises(UsageError, match=f"{name} cannot be made to happen; it follows when"):
            r.world.happen(r.meeting(), name)


@in_loop
async def test_a_name_that_the_product_does_not_know_is_refused() -> None:
    """Customers hang up in calls only, and a mistyped name gets the nearest one."""
    async with rig() as r:
        with pytest.raises(UnknownObject, match=r"called 'customer_hangs_up' happens in a meeting"):
            r.world.happen(r.meeting(), "customer_hangs_up")
        with pytest.raises(UnknownObject, match=r"did you mean 'unhold'"):
            r.world.happen(r.meeting(product="contact_center"), "unhald")


@in_loop
async def test_a_meeting_that_has_ended_is_over() -> None:
    """Every stream stops, nobody is left, and neither a stream nor a person is let in."""
    async with rig() as r:
        meeting = r.meeting("Alice")
        streams = [r.world.start_rtms(meeting) for _ in range(2)]
        r.world.end_meeting(meeting)
        assert {stream.machine.state for stream in streams} == {StreamState.TERMINATED}
        assert (meeting.participants, r.world.find(meeting.id)) == ({}, [])
        for refused in (
            lambda: r.world.start_rtms(meeting),
            lambda: r.world.join(meeting, "Bob"),
            lambda: r.world.end_meeting(meeting),
        ):
            with pytest.raises(UsageError, match=f"{meeting.key}: it has ended; create another"):
                refused()


@in_loop
async def test_who_goes_is_told_before_the_end() -> None:
    """The one who is named leaves, or who came first, and then the stream ends."""
    async with rig() as r:
        for who, left in ((None, "Alice"), ("Bob", "Bob")):
            meeting = r.meeting("Alice", "Bob")
            user_id = meeting.participant(left).user_id
            _, app = r.start(meeting)
            await app.join()
            r.world.happen(meeting, "app_user_ejected", who)
            await app.signaling.until(
                lambda app=app: any(m["reason"] == 4 for m in app.signaling.of(8))
            )
            events = [m["event"] for m in app.signaling.of(MessageType.EVENT_UPDATE)]
            assert events[-1]["participants"] == [{"user_id": user_id}]
            assert left not in meeting.participants


@pytest.mark.parametrize(("by", "reason"), [("host", 5), ("admin", 23)])
@in_loop
async def test_the_app_is_disabled(by: str, reason: int) -> None:
    """By the host of a meeting, or for the account."""
    async with rig() as r:
        meeting = r.meeting()
        stream = r.world.start_rtms(meeting)
        r.world.disable_app(meeting, by)
        assert stream.machine.stop_reason == reason
        assert not meeting.ended
