"""Whatever happens in a world, its webhooks come in a legal order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import pytest
from aiohttp import web
from rig import Rig, in_loop, rig
from webhook_app import an_app

from mockzoom.core.codes import StopReason, StreamState
from mockzoom.core.delivery_faults import DELIVERY_FAULTS
from mockzoom.core.products import PRODUCTS
from mockzoom.core.webhook_order import judge
from mockzoom.engine.live_stream import LiveStream

STEPS = 60


class Chance:
    """An hour in which anything may happen to a few streams, decided by a seed."""

    def __init__(self, r: Rig, seed: int) -> None:
        self._r = r
        self._random = Random(seed)
        self._steps = (
            self.start,
            self.start,
            self.join,
            self.leave,
            self.move,
            self.stop,
            self.wait,
        )

    async def play(self) -> None:
        for _ in range(STEPS):
            await self._random.choice(self._steps)()
        self._r.clock.advance(3_600_000)

    async def start(self) -> None:
        products = list(PRODUCTS)
        self._r.start(self._r.meeting(product=self._random.choice(products)))

    async def join(self) -> None:
        """An app comes, and goes again: the stream is interrupted."""
        if stream := self._any():
            app = self._r.app(stream)
            await app.join_signaling()
            await app.signaling.close()
            await self._r.entry("state", stream=stream.id, state=StreamState.INTERRUPTED.name)

    async def leave(self) -> None:
        """Everybody who was to come back in time is late."""
        self._r.clock.advance(self._random.choice([1, 30_000, 70_000]))

    async def move(self) -> None:
        if stream := self._any():
            self._r.world.relocate(stream)

    async def stop(self) -> None:
        if stream := self._any():
            self._r.world.stop_rtms(stream, self._random.choice(list(StopReason)))

    async def wait(self) -> None:
        await self._r.settle()

    def _any(self) -> LiveStream | None:
        streams = self._r.world.streams.values()
        live = [s for s in streams if s.machine.state < StreamState.TERMINATING]
        return self._random.choice(live) if live else None


@asynccontextmanager
async def two_ways(r: Rig, chance: Random) -> AsyncIterator[None]:
    """An app that takes events over a socket, and one over HTTP that is not well."""

    async def answer(request: web.Request, event: dict[str, Any]) -> web.Response:
        return web.Response(status=chance.choice([200, 200, 404, 500]))

    token = r.world.tokens.issue((), r.clock.now_ms()).value
    url = f"{r.world.subscribe_socket().url}&access_token={token}"
    async with an_app() as app, r.session.ws_connect(url):
        app.answer = answer
        await r.world.subscribe(app.url)
        await r.entry("socket", socket="events", happened="opened")
        yield


async def all_tried(r: Rig) -> None:
    """Time passes until nothing is pending any more."""
    while r.world.deliveries.pending:
        r.clock.advance(3_600_000)
        await r.settle()


@pytest.mark.parametrize("faulty", [False, True], ids=["genuine", "faulty"])
@pytest.mark.parametrize("seed", range(5))
def test_a_world_keeps_the_order_of_its_webhooks(seed: int, faulty: bool) -> None:
    """Starts, moves, losses, time-outs and stops of every product, in any order.

    What happens on the way to an endpoint changes nothing about that.
    """

    @in_loop
    async def story() -> None:
        async with rig(seed=seed) as r, two_ways(r, Random(seed)):
            for fault in DELIVERY_FAULTS if faulty else ():
                r.world.add_fault(fault(probability=0.2))
            await Chance(r, seed).play()
            await all_tried(r)
            entries = [entry.as_dict() for entry in r.journal]
        webhooks = [entry for entry in entries if entry["kind"] == "webhook"]
        told = {entry["event"].rpartition("_")[2] for entry in webhooks}
        assert told == {"started", "interrupted", "stopped"}
        assert max(entry.get("attempt", 0) for entry in webhooks) > 1
        assert any("faults" in entry for entry in webhooks) is faulty
        assert judge(entries) == []

    story()
