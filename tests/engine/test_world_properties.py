"""A whole world under anything that may happen to it: what Zoom promises of its webhooks holds.

A machine starts and stops streams of all products, lets time pass, leap, stand still and run fast,
answers attempts as it likes or not at all, and kills the world between any two turns of its loop,
to go on with the state file.  The clock is the real one, on a loop whose time the machine moves.
Whatever it does: each event is attempted at each endpoint at least once, and at most four times
that count; at the documented times; never again after it was accepted or refused; and signed for
its moment.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
from held_sender import MINUTE_MS, NEVER_MS, RETRIES_MS, HeldSender, Sent, statuses
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from killing import kill
from rig import CREDENTIALS, START_MS

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import StopReason
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec
from mockzoom.core.stream import StreamPolicy
from mockzoom.core.timings import Timings
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.engine.store import StateFile
from mockzoom.engine.world import World

ALL, SOME = "http://all.test/", "http://some.test/"
WANTED = {ALL: (), SOME: ("meeting.rtms_started", "webinar.rtms_stopped")}
_NS = 1_000_000
#: So many timers in a row ring at their own time; a longer wait is a leap.
STEPS = 30

spans_ms = st.integers(0, 10_000) | st.sampled_from([*RETRIES_MS, 73 * 60 * MINUTE_MS])


class SteeredLoop(asyncio.SelectorEventLoop):
    """Real time is what the machine says, for the loop and for the clocks on it."""

    now_ns = 0

    def time(self) -> float:
        return self.now_ns / 1e9


class SteeredClock(Clock):
    """Begins at a time that goes on when the process is killed, as the machine's does."""

    def __init__(self, loop: SteeredLoop) -> None:
        self._monotonic_ns = lambda: loop.now_ns
        super().__init__()
        self._course = (loop.now_ns, START_MS * _NS + loop.now_ns, 1.0)

    @property
    def next_ms(self) -> int:
        """When the next timer rings, by this clock."""
        pending = (at_ms for at_ms, _, timer in self._pending if timer.call is not None)
        return min(pending, default=NEVER_MS)

    def kill(self) -> None:
        """No timer of the dead rings."""
        self._pending.clear()
        self._arm()


class NotedDeliveries(Deliveries):
    """Notes what is to be delivered to whom."""

    sent: dict[tuple[str, bytes], Sent]

    def send(self, name: str, body: bytes, stream: str = "") -> None:
        for url, wanted in WANTED.items():
            if not wanted or name in wanted:
                assert (url, body) not in self.sent
                self.sent[url, body] = Sent(url, body)
        super().send(name, body, stream)


class WorldMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.loop = SteeredLoop()
        self.sender = HeldSender(SteeredClock(self.loop))

    @initialize()
    def begin(self) -> None:
        async def story() -> None:
            await self.live()
            for url, events in WANTED.items():
                await self.world.subscribe(url, events)

        self.loop.run_until_complete(story())
        self.settle()

    async def live(self) -> None:
        """A process starts, with whatever is in the state file."""
        self.store = StateFile(Path(self.folder.name) / "state")
        self.clock = self.sender.clock = SteeredClock(self.loop)
        self.clock.advance(max(0, self.store.last_ms - self.clock.now_ms()))
        self.journal = Journal(self.clock, kept=1_000_000, store=self.store)
        self.streams: list[LiveStream] = []
        rtms, faults = RtmsServer(self.journal), Faults(1)
        rtms.base_url = "ws://127.0.0.1:1"
        deliveries = NotedDeliveries(
            self.sender, self.clock, self.journal, faults=faults, store=self.store
        )
        deliveries.sent = self.sender.sent
        self.world = World(
            credentials=CREDENTIALS,
            examples=ExampleFactory(load_spec(), 1 + self.store.last_id("journal")),
            clock=self.clock,
            journal=self.journal,
            pacer=Pacer(self.clock, self.journal),
            rtms=rtms,
            deliveries=deliveries,
            timings=replace(Timings(), near_limit_ms=NEVER_MS),
            policy=StreamPolicy(),
            faults=faults,
        )
        deliveries.resume()

    def settle(self) -> None:
        async def turns() -> None:
            for _ in range(20):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turns())

    def call(self, step: Any, *args: Any) -> None:
        async def story() -> None:
            step(*args)

        self.loop.run_until_complete(story())
        self.settle()

    # --- what may happen --------------------------------------------------------------------------

    def _start(self, product: str) -> None:
        meeting = self.world.create_meeting("A test", ["Alice"], product)
        self.streams.append(self.world.start_rtms(meeting))

    @rule(product=st.sampled_from(list(PRODUCTS)))
    def start(self, product: str) -> None:
        self.call(self._start, product)

    @precondition(lambda self: self.streams)
    @rule(data=st.data(), reason=st.sampled_from([StopReason.MEETING_ENDED, *StopReason]))
    def stop(self, data: st.DataObject, reason: StopReason) -> None:
        """By whatever reason; one that timed out meanwhile is over already."""
        stream = data.draw(st.sampled_from(range(len(self.streams))))
        self.call(self.world.stop_rtms, self.streams.pop(stream), reason)

    @precondition(lambda self: self.sender.held)
    @rule(data=st.data(), status=statuses)
    def answer(self, data: st.DataObject, status: int | None) -> None:
        index = data.draw(st.sampled_from(range(len(self.sender.held))))
        self.call(self.sender.held[index].answer.set_result, status)

    @rule(span_ms=spans_ms)
    def leap(self, span_ms: int) -> None:
        self.sender.lateness_ms = NEVER_MS
        self.call(self.world.advance, span_ms)
        self.sender.lateness_ms = 0

    @rule(speed=st.sampled_from([0, 0.5, 1, 7, 1000]))
    def steer(self, speed: float) -> None:
        """At another speed, or not at all."""
        if not speed:
            self.call(self.world.freeze)
            return
        self.call(self.world.set_speed, speed)
        self.call(self.world.thaw)

    @rule(span_ms=spans_ms)
    def pass_time(self, span_ms: int) -> None:
        """Real time passes, and each timer rings in its millisecond."""
        until_ns = self.loop.now_ns + span_ms * _NS
        self.sender.lateness_ms = 2 * ceil(self.clock.speed)
        for _ in range(STEPS):
            if self.clock.frozen or self.loop.now_ns >= until_ns:
                break
            wait_ms = max(0, self.clock.next_ms - self.clock.now_ms()) / self.clock.speed
            self.wait(min(ceil(wait_ms) + 1, (until_ns - self.loop.now_ns) // _NS))
        self.sender.lateness_ms = NEVER_MS
        self.wait((until_ns - self.loop.now_ns) // _NS)
        self.sender.lateness_ms = 0

    def wait(self, real_ms: int) -> None:
        self.loop.now_ns += real_ms * _NS
        self.settle()

    @rule(
        turns=st.integers(0, 5),
        product=st.sampled_from(list(PRODUCTS)),
        status=st.none() | statuses,
    )
    def kill(self, turns: int, product: str, status: int | None) -> None:
        """So many turns after a stream was started and an attempt was answered."""
        self.sender.lateness_ms = NEVER_MS
        before = set(self.sender.sent)

        async def story() -> None:
            self._start(product)
            if self.sender.held:
                self.sender.held[0].answer.set_result(status)
            for _ in range(turns):
                await asyncio.sleep(0)
            kill(self.store)
            self.clock.kill()
            self.world.close()

        self.loop.run_until_complete(story())
        self.settle()
        self.loop.run_until_complete(self.live())
        self.reconcile(before if turns == 0 else set(self.sender.sent))
        self.settle()
        self.sender.lateness_ms = 0

    def reconcile(self, promised: set[tuple[str, bytes]]) -> None:
        """What nobody was told of may be gone, and attempts that no entry tells of do not count."""
        pending = {(one.url, one.event.body) for one in self.world.deliveries.pending}
        told = self.told()
        for key, sent in list(self.sender.sent.items()):
            if key not in promised | pending:
                del self.sender.sent[key]
                continue
            for one in sent.counted[told[_key(*key)] :]:
                one.interrupted = True
                one.ended_ms = self.clock.now_ms()

    def told(self) -> Counter[tuple[str, str]]:
        """How many attempts the journal tells of that ended."""
        entries = [entry.fields for entry in self.journal if entry.kind == "webhook"]
        return Counter(
            (one["url"], json.dumps(one["body"], sort_keys=True))
            for one in entries
            if one["outcome"] != "interrupted"
        )

    # --- what holds -------------------------------------------------------------------------------

    @invariant()
    def what_is_due_was_tried(self) -> None:
        assert self.sender.overdue() == []

    @invariant()
    def nothing_is_forgotten(self) -> None:
        pending = {(one.url, one.event.body) for one in self.world.deliveries.pending}
        assert pending == self.sender.unfinished
        assert {(one.url, one.event.body) for one in self.store.deliveries()} == pending

    @invariant()
    def each_attempt_is_an_entry(self) -> None:
        ended = {
            _key(*key): sum(one.ended_ms is not None for one in sent.counted)
            for key, sent in self.sender.sent.items()
        }
        assert self.told() == Counter({key: count for key, count in ended.items() if count})
        cut_off = sum(one.interrupted for sent in self.sender.sent.values() for one in sent.tries)
        assert self.journal.counters["webhooks_interrupted"] >= cut_off
        assert not [entry for entry in self.journal if entry.kind == "failure"]

    @invariant()
    def a_subscription_that_validated_stays_so(self) -> None:
        states = [(one.id, one.state) for one in self.world.deliveries.subscriptions]
        assert states == [(1, "validated"), (2, "validated")]

    def teardown(self) -> None:
        """With an answer to each attempt every event is over in the end, after one to four."""
        try:
            for _ in range(4 * len(self.sender.sent) + 20):
                for one in self.sender.held:
                    one.answer.set_result(503)
                self.leap(60 * MINUTE_MS)
            assert self.sender.unfinished == set()
            assert all(1 <= len(sent.counted) <= 4 for sent in self.sender.sent.values())
        finally:
            self.call(self.world.close)
            self.store.close()
            self.loop.close()
            self.folder.cleanup()


def _key(url: str, body: bytes) -> tuple[str, str]:
    return url, json.dumps(json.loads(body), sort_keys=True)


TestWorld = WorldMachine.TestCase
TestWorld.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
