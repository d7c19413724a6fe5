"""The engine on one loop, with a clock that tests move: nobody waits for time to pass."""

from __future__ import annotations

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import wraps
from itertools import count
from typing import Any, ParamSpec

import aiohttp
import uvloop
from rtms_app import Conn, RtmsApp

from mockzoom.clock import Clock, Timer
from mockzoom.core.active_faults import Faults
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.limits import Limits
from mockzoom.core.meeting import Meeting
from mockzoom.core.signing import Credentials
from mockzoom.core.spec import load_spec
from mockzoom.core.stream import StreamPolicy
from mockzoom.core.timings import DeliveryTimings, Timings
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.engine.sender import WebhookSender
from mockzoom.engine.world import World

P = ParamSpec("P")

CREDENTIALS = Credentials("the-client-id", "the-client-secret", "the-secret-token")
START_MS = 1_764_000_000_000
PATIENCE_S = 10.0
#: For receivers on a loaded machine that are to answer; who lets one hang gives a time-out.
PATIENT = DeliveryTimings(timeout_ms=30_000)


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The async `test` as a plain one; no task may be left behind."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def story() -> None:
            async with asyncio.timeout(PATIENCE_S):
                await test(*args, **kwargs)
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left behind: {left}"

        uvloop.run(story())

    return run


class FakeTimer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None

    def ring(self) -> None:
        if self.call is not None:
            self.call()


class FakeClock(Clock):
    """It stands still until it is told to `advance`."""

    def __init__(self) -> None:
        super().__init__()
        self._now_ms = START_MS
        self._timers: list[tuple[int, int, FakeTimer]] = []
        self._order = count()

    def now_ms(self) -> int:
        return self._now_ms

    def call_at(self, at_ms: int, call: Callable[[], None]) -> Timer:
        timer = FakeTimer(call)
        heapq.heappush(self._timers, (at_ms, next(self._order), timer))
        if at_ms <= self._now_ms:
            asyncio.get_running_loop().call_soon(self.advance, 0)
        return timer

    def advance(self, by_ms: int) -> None:
        """Let time pass, and each timer ring at its own time."""
        until_ms = self._now_ms + by_ms
        while self._timers and self._timers[0][0] <= until_ms:
            at_ms, _, timer = heapq.heappop(self._timers)
            self._now_ms = max(self._now_ms, at_ms)
            timer.ring()
        self._now_ms = until_ms

    @property
    def pending(self) -> list[int]:
        """When timers are due that were not cancelled."""
        return sorted(at_ms for at_ms, _, timer in self._timers if timer.call is not None)


class Outbox(Deliveries):
    """Keeps what would have been sent."""

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(WebhookSender(CREDENTIALS), clock, Journal(clock))
        self.sent: list[dict[str, Any]] = []

    def send(self, name: str, body: bytes, stream: str = "") -> None:
        self.sent.append(json.loads(body))

    def of(self, name: str) -> list[dict[str, Any]]:
        """The payloads of the events of this name."""
        return [event["payload"] for event in self.sent if event["event"] == name]


class Rig:
    """A world without threads or web, and apps that connect to it."""

    def __init__(self, world: World, rtms: RtmsServer, journal: Journal, clock: FakeClock) -> None:
        self.world = world
        self.rtms = rtms
        self.journal = journal
        self.clock = clock
        self.session = aiohttp.ClientSession()
        self._conns: list[Conn] = []

    async def close(self) -> None:
        for conn in self._conns:
            await conn.close()
        await self.session.close()

    def meeting(self, *names: str, product: str = "meeting") -> Meeting:
        return self.world.create_meeting("A test", names or ("Alice",), product)

    def start(self, meeting: Meeting) -> tuple[LiveStream, RtmsApp]:
        stream = self.world.start_rtms(meeting)
        return stream, self.app(stream)

    def app(self, stream: LiveStream) -> RtmsApp:
        machine = stream.machine
        urls = machine.urls.signaling
        return RtmsApp(self.session, self._conns, CREDENTIALS, machine.identity, urls)

    async def entry(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The first journal entry, old or new, of `kind` with these fields."""

        def wanted(entry: Any) -> bool:
            told = entry.as_dict()
            return entry.kind == kind and all(told.get(k) == v for k, v in fields.items())

        return (await self.journal.wait(wanted, PATIENCE_S / 2)).as_dict()

    async def nth(self, kind: str, number: int) -> dict[str, Any]:
        """The journal entry of `kind` of this number, the first one is 1; it is waited for."""
        await self.journal.wait(lambda _: len(self.entries(kind)) >= number, PATIENCE_S / 2)
        return self.entries(kind)[number - 1]

    async def settle(self) -> None:
        """Let everything happen that is due now and waits for no network."""
        for _ in range(20):
            await asyncio.sleep(0)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return [entry.as_dict() for entry in self.journal if entry.kind == kind]

    @property
    def found(self) -> list[str]:
        return [finding.check for finding in self.journal.findings]


@asynccontextmanager
async def rig(
    policy: StreamPolicy | None = None,
    deliveries: DeliveryTimings = PATIENT,
    seed: int = 1,
    limits: Limits | None = None,
    **timings: int,
) -> AsyncIterator[Rig]:
    """A world with Zoom's timings but for those given, and for keep-alives.

    Time is moved in big steps, in which no app can answer any.
    """
    async with AsyncExitStack() as stack:
        clock = FakeClock()
        journal = Journal(clock)
        rtms = RtmsServer(journal, limits)
        await rtms.start("127.0.0.1", 0)
        stack.push_async_callback(rtms.close)
        timeout_s = deliveries.timeout_ms / 1000
        sender = await stack.enter_async_context(WebhookSender(CREDENTIALS, timeout_s))
        faults = Faults(seed)
        world = World(
            credentials=CREDENTIALS,
            examples=ExampleFactory(load_spec(), seed),
            clock=clock,
            journal=journal,
            pacer=Pacer(clock, journal),
            rtms=rtms,
            deliveries=Deliveries(sender, clock, journal, deliveries, faults),
            timings=replace(Timings(), **{"keep_alive_ms": 3_600_000, **timings}),
            policy=policy or StreamPolicy(),
            faults=faults,
        )
        stack.callback(world.close)
        a_rig = Rig(world, rtms, journal, clock)
        stack.push_async_callback(a_rig.close)
        yield a_rig
