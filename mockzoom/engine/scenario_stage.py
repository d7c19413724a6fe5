"""Where a scenario is played: the world, and what in it the story has names for.

The verbs act on it (`mockzoom.engine.scenario_steps`), and it remembers what came of that: which
webhooks left, which streams were ever joined, what was found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from mockzoom.core.codes import StreamState
from mockzoom.core.entry import Entry
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.findings import Finding
from mockzoom.core.meeting import Meeting
from mockzoom.core.scenario import Plan
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.world import World

__all__ = ["Stage"]

#: Longer than any story; each wait has an end of its own around this one.
_FOR_EVER_S = 86_400

_JOINED = (StreamState.ACTIVE.name, StreamState.PAUSED.name)


class Stage:
    """Belongs to the loop's thread.  `webhooks` are journal entries, the oldest first."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.meetings: dict[str, Meeting] = {}
        self.streams: dict[str, LiveStream] = {}
        self.webhooks: list[dict[str, Any]] = []
        self._faults: dict[str, int] = {}
        self._numbers: list[int] = []
        self._joined: set[str] = set()
        self._noted = world.journal.last_id
        self._waited: dict[str, int] = {}
        self._findings_before = len(world.journal.findings)

    # --- what the verbs do --------------------------------------------------------------------

    def create(self, label: str, plan: Plan) -> None:
        meeting = self.world.create_meeting(plan.topic, plan.people, plan.product)
        self.meetings[label] = meeting

    def start(self, meeting: str, label: str) -> None:
        self._waited[label] = self.world.journal.last_id
        self.streams[label] = self.world.start_rtms(self.meetings[meeting])

    def break_it(self, fault: Mapping[str, Any], stream: str | None, called: str | None) -> None:
        where = {} if stream is None else {"stream": self.streams[stream].id}
        number = self.world.add_fault(parse_fault({**fault, **where}))
        self._numbers.append(number)
        if called is not None:
            self._faults[called] = number

    def lift(self, called: str | None) -> None:
        """Lift that fault, or all of the story's; one that is over by itself is over."""
        numbers = self._numbers if called is None else [self._faults[called]]
        on = {active.number for active in self.world.faults}
        for number in [number for number in numbers if number in on]:
            self.world.lift_fault(number)

    def send(
        self,
        event: str,
        stream: str | None,
        fields: Mapping[str, Any],
        without: Sequence[str],
        valid: bool,
    ) -> None:
        of = self.streams.get(stream or "")
        self.world.send_example(event, fields, of, without=without, validate=valid)

    # --- waiting ------------------------------------------------------------------------------

    async def wait(self, what: str, label: str | None, timeout_s: float) -> None:
        """Wait until a stream, or every one, is so far; raises `TimeoutError`."""
        labels = list(self.streams) if label is None else [label]
        reach = getattr(self, f"_{what}")
        for label in labels:
            stream = self.streams[label]
            try:
                async with asyncio.timeout(timeout_s):
                    await reach(label, stream)
            except TimeoutError:
                raise TimeoutError(
                    f"waited {timeout_s:g} s for {label} to be {what}; "
                    f"the stream is {stream.machine.state.name}"
                ) from None
            self._waited[label] = self.world.journal.last_id

    async def _ready(self, _: str, stream: LiveStream) -> None:
        await self.until(lambda: stream.machine.flowing)

    async def _spoken(self, _: str, stream: LiveStream) -> None:
        await stream.spoken_out(_FOR_EVER_S)

    async def _ended(self, _: str, stream: LiveStream) -> None:
        await self.until(lambda: stream.machine.state is StreamState.TERMINATED)

    async def _reconnected(self, label: str, stream: LiveStream) -> None:
        """A socket was opened since the story waited last, and nothing is apart any more."""
        opened = partial(_opened_after, self._waited[label], stream.id)
        await self.world.journal.wait(opened, _FOR_EVER_S)
        await self.until(lambda: stream.machine.flowing and stream.machine.whole)

    async def _delivered(self, _: str, stream: LiveStream) -> None:
        pending = self.world.deliveries
        await self.until(
            lambda: all(delivery.event.stream != stream.id for delivery in pending.pending)
        )

    async def until(self, reached: Callable[[], bool], timeout_s: float = _FOR_EVER_S) -> None:
        """Wait until `reached`, which is asked whenever there is a new entry in the journal."""
        while not reached():
            await self.world.journal.next(timeout_s)

    # --- what came of it ----------------------------------------------------------------------

    def note(self) -> None:
        """Look at what is new in the journal, of which the oldest entries go in time."""
        for entry in self._news():
            if entry.kind == "webhook" and "delivery" in entry.fields:
                self.webhooks.append(entry.as_dict())
            elif entry.kind == "state" and entry.fields["state"] in _JOINED:
                self._joined.add(entry.stream)
        self._noted = self.world.journal.last_id

    def _news(self) -> Iterator[Entry]:
        own = {stream.id for stream in self.streams.values()} | {""}
        return (e for e in self.world.journal if e.id > self._noted and e.stream in own)

    def never_joined(self) -> list[str]:
        """The streams on which the receiver was never ready for media."""
        return [label for label, its in self.streams.items() if its.id not in self._joined]

    @property
    def findings(self) -> list[Finding]:
        """What was found since the story began, on its streams or on none."""
        own = {stream.id for stream in self.streams.values()} | {""}
        found = self.world.journal.findings[self._findings_before :]
        return [finding for finding in found if finding.stream in own]

    async def left(self, timeout_s: float) -> None:
        """Wait until ended streams have no sockets any more; the mock closes them in the end."""
        states = ((its.machine.state, its) for its in self.streams.values())
        over = [its for state, its in states if state is StreamState.TERMINATED]
        await self.until(lambda: not any(its.machine.sockets for its in over), timeout_s)


def _opened_after(since: int, stream: str, entry: Entry) -> bool:
    of_stream = entry.id > since and entry.stream == stream and entry.kind == "socket"
    return of_stream and bool(entry.fields["happened"] == "opened")
