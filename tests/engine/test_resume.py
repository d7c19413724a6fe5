"""From one process to the next: what deliveries do with what the last one left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from held_sender import RETRIES_MS, HeldSender, Sent
from killing import kill
from rig import FakeClock, in_loop

from mockzoom.core.subscriptions import SubscriptionState
from mockzoom.engine import delivery as engine
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.store import StateFile

URL = "http://x/"
BODY = b'{"event":"an.event"}'


class Life:
    """One process, without the process."""

    def __init__(self, path: Path, clock: FakeClock) -> None:
        self.clock = clock
        self.sender = HeldSender(clock)
        self.sender.lateness_ms = 2**60
        self.store = StateFile(path)
        self.journal = Journal(clock, store=self.store)
        self.deliveries = Deliveries(self.sender, clock, self.journal, store=self.store)
        self.deliveries.resume()

    async def send(self, body: bytes = BODY) -> None:
        self.expect(body)
        self.deliveries.send("an.event", body, "a-stream")
        await self.settle()

    def expect(self, body: bytes = BODY) -> None:
        self.sender.sent[URL, body] = Sent(URL, body)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def answer(self, status: int | None) -> None:
        self.sender.held[0].answer.set_result(status)
        await self.settle()

    @property
    def told(self) -> list[tuple[int, str, str]]:
        return [
            (one.fields["attempt"], one.fields["outcome"], one.fields["then"])
            for one in self.journal
            if one.kind == "webhook"
        ]

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [entry.fields for entry in self.journal if entry.kind == kind]


@asynccontextmanager
async def life(path: Path, clock: FakeClock, killed: bool = False) -> AsyncIterator[Life]:
    one = Life(path / "state", clock)
    try:
        yield one
    finally:
        if killed:
            kill(one.store)
        one.deliveries.close()
        one.store.close()
        await one.settle()


@in_loop
async def test_an_attempt_that_was_under_way_is_made_again(tmp_path: Path) -> None:
    """It is told of, does not count, and comes at once, however often that happens."""
    clock = FakeClock()
    async with life(tmp_path, clock, killed=True) as one:
        await one.deliveries.subscribe(URL)
        await one.send()
        await one.answer(500)
        clock.advance(RETRIES_MS[0])
        await one.settle()
        assert len(one.sender.held) == 1
    for _ in range(5):
        async with life(tmp_path, clock, killed=True) as one:
            one.expect()
            await one.settle()
            assert len(one.sender.held) == 1
    async with life(tmp_path, clock) as one:
        one.expect()
        await one.settle()
        await one.answer(200)
        interrupted = (2, "interrupted", "retry")
        assert one.told == [
            (1, "status 500", "retry"),
            *[interrupted] * 6,
            (2, "accepted", "accepted"),
        ]
        assert one.journal.counters["webhooks"] == 2
        assert one.journal.counters["webhooks_interrupted"] == 6
        assert len({entry["delivery"] for entry in one.kinds("webhook")}) == 1
        assert one.kinds("restart") == [{"pending": 1}] * 6
        assert one.deliveries.pending == []


@in_loop
async def test_a_clean_end_keeps_what_waits(tmp_path: Path) -> None:
    """A retry comes at its time, the rest in its order; no entry is made of the end."""
    clock = FakeClock()
    async with life(tmp_path, clock) as one:
        await one.deliveries.subscribe(URL)
        await one.send()
        await one.answer(None)
        for number in range(3):
            await one.send(b'{"event":"an.event","event_ts":%d}' % number)
    async with life(tmp_path, clock) as two:
        two.expect()
        for number in range(3):
            two.expect(b'{"event":"an.event","event_ts":%d}' % number)
        await two.settle()
        assert [entry["outcome"] for entry in two.kinds("webhook")] == ["no answer", "interrupted"]
        for _ in range(3):
            await two.answer(204)
        assert [one.event.body for one in two.deliveries.pending] == [BODY]
        clock.advance(RETRIES_MS[0] - 1)
        await two.settle()
        assert two.sender.held == []
        clock.advance(1)
        await two.settle()
        assert len(two.sender.held) == 1
        deliveries = [entry["delivery"] for entry in two.kinds("webhook")]
        assert deliveries == [1, 2, 2, 3, 4]


@in_loop
async def test_subscriptions_stay_what_they_were(tmp_path: Path) -> None:
    """Their state, their events, and the time at which they are asked again; ids go on."""
    clock = FakeClock()
    async with life(tmp_path, clock) as one:
        await one.deliveries.subscribe(URL, ["an.event"])
        await one.deliveries.subscribe("http://gone/")
        one.deliveries.unsubscribe(2)
    async with life(tmp_path, clock) as two:
        [kept] = two.deliveries.subscriptions
        assert (kept.id, kept.state) == (1, SubscriptionState.VALIDATED)
        assert kept.events == ("an.event",)
        assert len(two.kinds("validation")) == 2
        clock.advance(72 * 3_600_000)
        await two.settle()
        assert len(two.kinds("validation")) == 3
        assert (await two.deliveries.subscribe("http://new/")).id == 3


@in_loop
async def test_what_is_cancelled_does_not_come_back(tmp_path: Path) -> None:
    """Neither by a subscription that is removed, nor by forgetting all."""
    clock = FakeClock()
    forgets = (lambda it: it.unsubscribe(1), lambda it: it.forget())
    for forget in forgets:
        async with life(tmp_path, clock) as one:
            saved = await one.deliveries.subscribe(URL)
            assert saved.id == 1 + forgets.index(forget)
            await one.send()
            assert forget(one.deliveries) == 1
        async with life(tmp_path, clock) as two:
            assert two.deliveries.urls == []
            assert list(two.store.deliveries()) == []


@in_loop
async def test_what_is_given_up_is_counted_once(tmp_path: Path, monkeypatch: Any) -> None:
    """When too many wait the oldest goes, also from the file, and even while it is attempted."""
    monkeypatch.setattr(engine, "KEPT_PENDING", 2)
    clock = FakeClock()
    async with life(tmp_path, clock) as one:
        await one.deliveries.subscribe(URL)
        for number in range(4):
            await one.send(b'{"event":"an.event","event_ts":%d}' % number)
        assert one.journal.counters["webhooks_lost"] == 2
        assert [delivery.id for delivery in one.store.deliveries()] == [3, 4]
        await one.answer(400)
        assert one.journal.counters["webhooks_lost"] == 2
        assert [delivery.id for delivery in one.store.deliveries()] == [3, 4]
