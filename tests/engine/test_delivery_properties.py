"""Deliveries under any sequence of answers, silences and jumps of the clock.

A machine sends events to two endpoints, holds attempts back or answers them as it likes, and lets
time pass, either from one timer to the next or in one jump.  Whatever it does: no event is
forgotten, none is tried too often, too early or after its end, and every attempt is the same event,
signed for its moment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from rig import CREDENTIALS, FakeClock

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.sender import Attempt, WebhookSender

MINUTE_MS = 60_000
RETRIES_MS = (5 * MINUTE_MS, 20 * MINUTE_MS, 60 * MINUTE_MS)
ALL, SOME = "http://all.test/", "http://some.test/"
NAMES = ("a.event", "b.event")
WANTED = {ALL: NAMES, SOME: NAMES[:1]}

statuses = st.sampled_from([None, 200, 204, 201, 302, 400, 404, 500, 503])
spans_ms = st.integers(0, 10_000) | st.sampled_from(
    [*RETRIES_MS, 30 * MINUTE_MS, 73 * 60 * MINUTE_MS]
)


@dataclass
class Try:
    """One attempt, and how it ended."""

    at_ms: int
    answer: asyncio.Future[int | None]
    status: int | None = None
    ended_ms: int | None = None


@dataclass
class Sent:
    """One event for one endpoint."""

    url: str
    body: bytes
    tries: list[Try] = field(default_factory=list)

    @property
    def held(self) -> list[Try]:
        return [one for one in self.tries if one.ended_ms is None]

    @property
    def over(self) -> bool:
        if not self.tries or self.held:
            return False
        status = self.tries[-1].status
        return (status is not None and status < 500) or len(self.tries) == 4

    @property
    def due_ms(self) -> int | None:
        """When it is to be tried again."""
        if not self.tries or self.held or self.over:
            return None
        return self.tries[-1].at_ms + RETRIES_MS[len(self.tries) - 1]


class HeldSender(WebhookSender):
    """Signs like the real one; what comes back is for the machine to say."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(CREDENTIALS, now_s=lambda: clock.now_ms() / 1000)
        self.clock = clock
        self.sent: dict[tuple[str, bytes], Sent] = {}
        self.jumping = False

    async def validate(self, url: str, now_ms: int) -> tuple[Attempt, str]:
        return Attempt(url, 200, 0), ""

    async def send(self, url: str, request: WebhookRequest) -> Attempt:
        sent = self.sent[url, request.body]
        self.check_time(sent)
        self.check_signature(request)
        one = Try(self.clock.now_ms(), asyncio.get_running_loop().create_future())
        sent.tries.append(one)
        one.status = await one.answer
        one.ended_ms = self.clock.now_ms()
        return Attempt(url, one.status, 0, "" if one.status else "no answer")

    def check_time(self, sent: Sent) -> None:
        """It is neither over nor on its way already, and tried when it is due or as soon after."""
        assert not sent.over
        assert not sent.held
        assert len(sent.tries) < 4
        if sent.due_ms is not None:
            ended_ms = sent.tries[-1].ended_ms
            assert ended_ms is not None
            expected_ms, now_ms = max(sent.due_ms, ended_ms), self.clock.now_ms()
            assert now_ms >= expected_ms if self.jumping else now_ms == expected_ms

    def check_signature(self, request: WebhookRequest) -> None:
        headers = request.headers(CREDENTIALS.secret_token, "an-id", "a-trace")
        stamp = headers[TIMESTAMP_HEADER]
        assert stamp == str(self.clock.now_ms() // 1000)
        expected = webhook_signature(CREDENTIALS.secret_token, stamp, request.body)
        assert headers[SIGNATURE_HEADER] == expected


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

    @property
    def held(self) -> list[Try]:
        return [one for sent in self.sender.sent.values() for one in sent.held]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), status=statuses)
    def answer(self, data: st.DataObject, status: int | None) -> None:
        """One of those that wait is answered, or timed out: a receiver may hold any for long."""
        data.draw(st.sampled_from(self.held)).answer.set_result(status)
        self.settle()

    @rule(span_ms=spans_ms)
    def pass_time(self, span_ms: int) -> None:
        until_ms = self.clock.now_ms() + span_ms
        while (now_ms := self.clock.now_ms()) < until_ms:
            due = [at_ms for at_ms in self.clock.pending if now_ms < at_ms < until_ms]
            self.step(min(due, default=until_ms) - now_ms)

    @rule(span_ms=spans_ms)
    def jump(self, span_ms: int) -> None:
        self.sender.jumping = True
        self.step(span_ms)
        self.sender.jumping = False

    def step(self, span_ms: int) -> None:
        async def advance() -> None:
            self.clock.advance(span_ms)

        self.loop.run_until_complete(advance())
        self.settle()

    # --- what holds -------------------------------------------------------------------------------

    @invariant()
    def what_is_due_was_tried(self) -> None:
        late = [s for s in self.sender.sent.values() if (s.due_ms or 2**60) <= self.clock.now_ms()]
        assert late == []

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
        assert pending == {key for key, sent in self.sender.sent.items() if not sent.over}

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
                for one in self.held:
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
