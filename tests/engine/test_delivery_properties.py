"""Deliveries under any sequence of answers, silences and jumps of the clock.

A machine sends events to two endpoints, holds attempts back or answers them as it likes, and lets
time pass, either from one timer to the next or in one jump.  Whatever it does: no event is
forgotten, none is tried too often, too early or after its end, and every attempt is the same event,
signed for its moment.
"""

from __future__ import annotations

import asyncio

import hypothesis.strategies as st
from held_sender import MINUTE_MS, NEVER_MS, RETRIES_MS, HeldSender, Sent, statuses
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rig import FakeClock

from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal

ALL, SOME = "http://all.test/", "http://some.test/"
NAMES = ("a.event", "b.event")
WANTED = {ALL: NAMES, SOME: NAMES[:1]}

spans_ms = st.integers(0, 10_000) | st.sampled_from(
    [*RETRIES_MS, 30 * MINUTE_MS, 73 * 60 * MINUTE_MS]
)


class DeliveriesMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = FakeClock()
        self.journal = Journal(self.clock)
        self.sender = HeldSender(self.clock)
        self.deliveries = Deliveries(self.sender, self.clock, self.journal)
        self.number = 0

    @initialize()
    def subscribe(self) -> None:
        async def both() -> None:
            await self.deliveries.subscribe(ALL)
            await self.deliveries.subscribe(SOME, WANTED[SOME])

        self.loop.run_until_complete(both())

    def settle(self) -> None:
        async def turns() -> None:
            self.clock.advance(0)
            for _ in range(12):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    # --- what may happen --------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES))
    def send(self, name: str) -> None:
        self.number += 1
        body = b'{"event":"%s","event_ts":%d}' % (name.encode(), self.number)
        for url, wanted in WANTED.items():
            if name in wanted:
                self.sender.sent[url, body] = Sent(url, body)
        self.loop.call_soon(self.deliveries.send, name, body)
        self.settle()

    @precondition(lambda self: self.sender.held)
    @rule(data=st.data(), status=statuses)
    def answer(self, data: st.DataObject, status: int | None) -> None:
        """One of those that wait is answered, or timed out: a receiver may hold any for long."""
        data.draw(st.sampled_from(self.sender.held)).answer.set_result(status)
        self.settle()

    @rule(span_ms=spans_ms)
    def pass_time(self, span_ms: int) -> None:
        until_ms = self.clock.now_ms() + span_ms
        while (now_ms := self.clock.now_ms()) < until_ms:
            due = [at_ms for at_ms in self.clock.pending if now_ms < at_ms < until_ms]
            self.step(min(due, default=until_ms) - now_ms)

    @rule(span_ms=spans_ms)
    def jump(self, span_ms: int) -> None:
        self.sender.lateness_ms = NEVER_MS
        self.step(span_ms)
        self.sender.lateness_ms = 0

    def step(self, span_ms: int) -> None:
        async def advance() -> None:
            self.clock.advance(span_ms)

        self.loop.run_until_complete(advance())
        self.settle()

    # --- what holds -------------------------------------------------------------------------------

    @invariant()
    def what_is_due_was_tried(self) -> None:
        assert self.sender.overdue() == []

    @invariant()
    def first_attempts_wait_only_for_one_another(self) -> None:
        """In order at each endpoint, whatever hangs at the other one or waits for its retry."""
        for url in WANTED:
            sent = [one for one in self.sender.sent.values() if one.url == url]
            tried = [bool(one.tries) for one in sent]
            assert tried == sorted(tried, reverse=True)
            first = [one for one in sent if one.held and len(one.tries) == 1]
            assert len(first) <= 1
            assert first or all(tried)

    @invariant()
    def nothing_is_forgotten(self) -> None:
        pending = {(one.url, one.event.body) for one in self.deliveries.pending}
        assert pending == self.sender.unfinished

    @invariant()
    def each_attempt_is_an_entry(self) -> None:
        told = [entry.fields for entry in self.journal if entry.kind == "webhook"]
        ended = [one for s in self.sender.sent.values() for one in s.tries if one.ended_ms]
        assert len(told) == len(ended)
        assert not [entry for entry in self.journal if entry.kind == "failure"]

    def teardown(self) -> None:
        """With an answer to each attempt every event is over in the end, after one to four."""
        try:
            for _ in range(4 * len(self.sender.sent) + 1):
                for one in self.sender.held:
                    one.answer.set_result(503)
                self.jump(60 * MINUTE_MS)
            assert all(1 <= len(sent.tries) <= 4 for sent in self.sender.sent.values())
            assert all(sent.over for sent in self.sender.sent.values())
        finally:
            self.loop.call_soon(self.deliveries.forget)
            self.settle()
            self.loop.close()


TestDeliveries = DeliveriesMachine.TestCase
TestDeliveries.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
