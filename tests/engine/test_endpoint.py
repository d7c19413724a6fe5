"""One endpoint's queue and timers: who is next, who waits, and what is left at the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rig import START_MS, FakeClock, in_loop

from mockzoom.core.retries import Delivery, Event
from mockzoom.engine.endpoint import Endpoint
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Pacer


class Desk:
    """An endpoint whose attempts end when they are told to."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.begun: list[int] = []
        self.validated = 0
        self.go_on: dict[int, asyncio.Event] = {}
        pacer = Pacer(self.clock, Journal(self.clock))
        self.endpoint = Endpoint("http://x/", self.clock, pacer, self.attempt, self.validate)

    async def attempt(self, endpoint: Endpoint, delivery: Delivery) -> None:
        self.begun.append(delivery.id)
        await self.go_on.setdefault(delivery.id, asyncio.Event()).wait()
        endpoint.done(delivery)

    async def validate(self, endpoint: Endpoint) -> None:
        self.validated += 1

    def delivery(self, id_: int, in_ms: int = 0, in_order: bool = True) -> Delivery:
        event = Event("an.event", b"{}")
        return Delivery(id_, "http://x/", event, START_MS + in_ms, in_order=in_order)

    def take(self, id_: int, in_ms: int = 0, in_order: bool = True) -> None:
        self.endpoint.take(self.delivery(id_, in_ms, in_order))

    async def finish(self, *ids: int) -> None:
        for id_ in ids:
            self.go_on.setdefault(id_, asyncio.Event()).set()
            await turns()

    async def close(self) -> list[int]:
        left = [delivery.id for delivery in self.endpoint.close()]
        await turns()
        return left


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@in_loop
async def test_first_attempts_are_made_one_after_the_other() -> None:
    """The second begins when the first one ends."""
    desk = Desk()
    for id_ in (1, 2, 3):
        desk.take(id_)
    await turns()
    assert desk.begun == [1]
    await desk.finish(1, 2, 3)
    assert desk.begun == [1, 2, 3]
    assert (desk.endpoint.idle, desk.endpoint.pending) == (True, {})
    assert await desk.close() == []


@in_loop
async def test_one_in_order_holds_up_the_rest_and_one_out_of_order_does_not() -> None:
    """Each begins when it is due, or behind whoever is in front of it."""
    desk = Desk()
    desk.take(1, in_ms=50, in_order=False)
    desk.take(2, in_ms=100)
    desk.take(3)
    await desk.finish(1, 2, 3)
    assert desk.begun == []
    desk.clock.advance(50)
    await turns()
    assert desk.begun == [1]
    desk.clock.advance(50)
    await turns()
    assert desk.begun == [1, 2, 3]
    await desk.close()


@in_loop
async def test_what_is_tried_again_passes_by_the_queue() -> None:
    """A retry begins when it is due, though a first attempt hangs."""
    desk = Desk()
    desk.take(1)
    desk.take(2)
    await turns()
    desk.endpoint.pending[9] = desk.delivery(9)
    desk.endpoint.again(replace(desk.delivery(9, in_ms=10), attempts=1))
    desk.clock.advance(10)
    await turns()
    assert desk.begun == [1, 9]
    await desk.close()


@in_loop
async def test_what_was_given_up_is_not_tried() -> None:
    """In the queue or waiting for its time, and it does not come back by being tried again."""
    desk = Desk()
    desk.take(1)
    desk.take(2)
    desk.take(3, in_ms=10, in_order=False)
    for id_ in (2, 3):
        desk.endpoint.done(desk.delivery(id_))
    desk.endpoint.again(desk.delivery(3))
    desk.clock.advance(10)
    await desk.finish(1)
    assert desk.begun == [1]
    assert await desk.close() == []


@in_loop
async def test_closing_tells_what_is_left_and_lets_go_whoever_waits() -> None:
    """What hangs, what is in the queue, and what waits for its time."""
    desk = Desk()
    desk.take(1)
    desk.take(2)
    desk.take(3, in_ms=10, in_order=False)
    desk.endpoint.validate_at(START_MS + 5)
    waiting = asyncio.create_task(desk.endpoint.tried())
    await turns()
    assert not waiting.done()
    assert await desk.close() == [1, 2, 3]
    await waiting
    desk.clock.advance(20)
    await turns()
    assert (desk.begun, desk.validated) == ([1], 0)


@in_loop
async def test_validation_comes_when_it_was_set_last() -> None:
    """Setting it again moves it."""
    desk = Desk()
    desk.endpoint.validate_at(START_MS + 5)
    desk.endpoint.validate_at(START_MS + 50)
    desk.clock.advance(49)
    await turns()
    assert desk.validated == 0
    desk.clock.advance(1)
    await turns()
    assert desk.validated == 1
    await desk.close()
