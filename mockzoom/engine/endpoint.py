"""What is on its way to one URL: a queue for first attempts, and timers for what is tried again.

First attempts are made one after the other, so that events arrive in order.  An event that waits
for its next attempt stands in nobody's way: it is tried again when it is due, next to the queue.
That is where order is lost, as it is in production.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from mockzoom.clock import Alarm, Clock
from mockzoom.core.retries import Delivery
from mockzoom.engine.pacer import Moment, Pacer

__all__ = ["Endpoint"]


class Endpoint:
    """`attempt` makes one attempt of a delivery, and says what follows by `again` or `done`."""

    def __init__(
        self,
        url: str,
        clock: Clock,
        pacer: Pacer,
        attempt: Callable[[Endpoint, Delivery], Awaitable[None]],
        validate: Callable[[Endpoint], Coroutine[Any, Any, None]],
    ) -> None:
        self.url = url
        self.pending: dict[int, Delivery] = {}
        self._clock = clock
        self._pacer = pacer
        self._attempt = attempt
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._untried: set[int] = set()
        self._all_tried = asyncio.Event()
        self._all_tried.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._validation = Alarm(clock, lambda: self._spawn(validate(self)))
        self._spawn(self._work())

    @property
    def idle(self) -> bool:
        """Whether everything was tried at least once."""
        return not self._untried

    async def tried(self) -> None:
        """Wait until everything was tried at least once, or given up."""
        await self._all_tried.wait()

    def take(self, delivery: Delivery) -> None:
        """Make the next attempt of `delivery` when it is due; the first one in its order."""
        self.pending[delivery.id] = delivery
        if delivery.attempts:
            self._when_due(delivery)
            return
        self._untried.add(delivery.id)
        self._all_tried.clear()
        if delivery.in_order:
            self._queue.put_nowait(delivery)
        else:
            self._when_due(delivery)

    def again(self, delivery: Delivery) -> None:
        """Make the next attempt of `delivery` when it is due, unless it was given up meanwhile."""
        if delivery.id in self.pending:
            self.take(delivery)

    def done(self, delivery: Delivery) -> bool:
        """Nothing more is to be done for `delivery`: whether something was."""
        self._has_tried(delivery)
        return self.pending.pop(delivery.id, None) is not None

    def validate_at(self, at_ms: int | None) -> None:
        self._validation.set(at_ms)

    def close(self) -> list[Delivery]:
        """Send nothing more: what was pending.  Who waits for it goes on."""
        self._validation.set(None)
        for task in self._tasks:
            task.cancel()
        left = list(self.pending.values())
        for delivery in left:
            self.done(delivery)
        return left

    async def _work(self) -> None:
        while True:
            delivery = await self._queue.get()
            if delivery.due_ms > self._clock.now_ms():
                due = asyncio.Event()
                self._pacer.add(Moment(delivery.due_ms, due.set))
                await due.wait()
            await self._try(delivery)

    def _when_due(self, delivery: Delivery) -> None:
        self._pacer.add(Moment(delivery.due_ms, lambda: self._spawn(self._try(delivery))))

    async def _try(self, delivery: Delivery) -> None:
        if delivery.id not in self.pending:
            return  # it was given up meanwhile
        try:
            await self._attempt(self, delivery)
        finally:
            self._has_tried(delivery)

    def _has_tried(self, delivery: Delivery) -> None:
        self._untried.discard(delivery.id)
        if not self._untried:
            self._all_tried.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
