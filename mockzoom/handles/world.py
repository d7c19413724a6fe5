"""A world as who uses the mock in Python holds it, and its clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockzoom.core.event_socket import SocketSubscription
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.faults import Fault
from mockzoom.core.findings import Finding
from mockzoom.core.lateness import Lateness
from mockzoom.core.wanted import Wanted
from mockzoom.engine.watch import seen
from mockzoom.engine.world import World as EngineWorld
from mockzoom.errors import ContractBroken
from mockzoom.handles.meeting import Meeting
from mockzoom.threads import LoopThread

if TYPE_CHECKING:
    from mockzoom.core.scenario import Scenario
    from mockzoom.engine.scenario_player import OnStep, ScenarioResult

__all__ = ["World", "WorldClock"]


class World:
    """One of the worlds of a running `MockZoom`, with meetings, receivers and a journal of its own.

    `url` is the base of the control API, and of Zoom's REST in place of its own hosts.
    """

    def __init__(self, world: EngineWorld, loop: LoopThread, url: str) -> None:
        self._world = world
        self._loop = loop
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    @property
    def account_id(self) -> str:
        """The account that every meeting is of, and that apps ask tokens for."""
        return self._world.account_id

    def reset(self) -> None:
        """As newly started, with the same ports and credentials: no meeting, endpoint or entry.

        What is in flight is cancelled; new ids are none that were given out before.
        """
        self._loop.call(self._world.reset)

    @property
    def clock(self) -> WorldClock:
        return WorldClock(self._world, self._loop)

    # --- what happens in it -------------------------------------------------------------------

    def subscribe(self, url: str, events: Sequence[str] = (), *, validate: bool = True) -> None:
        """Validate `url` and send it every event of these names, or every event, from now on.

        Raises `ReceiverUnreachable` or `ContractBroken` when it does not validate; it is then
        validated again when an event is due.  An app has at most 20 subscriptions.  Without
        `validate` it is believed that it would.
        """
        self._loop.run(self._world.subscribe(url, events, validate=validate))

    def subscribe_socket(
        self, events: Sequence[str] = (), subscription_id: str | None = None
    ) -> SocketSubscription:
        """A subscription to these events, or to all, that the app takes over a WebSocket.

        The app connects to its `url` with ``&access_token=…`` added, a token from
        ``/oauth/token``.  Its `id` is made up, or `subscription_id`.
        """
        return self._loop.call(self._world.subscribe_socket, events, subscription_id)

    def meeting(
        self,
        topic: str = "mockzoom meeting",
        participants: Sequence[str] = ("Alice",),
        product: str = "meeting",
    ) -> Meeting:
        """A meeting (or webinar, session, contact_center) that is in progress."""
        meeting = self._loop.call(self._world.create_meeting, topic, participants, product)
        return Meeting(meeting, self._world, self._loop)

    def play(
        self,
        scenario: Scenario | str | Path,
        *,
        speed: float = 1.0,
        on_step: OnStep | None = None,
    ) -> ScenarioResult:
        """Play a scenario that comes along (by name), a file, or one that is read already.

        Time runs `speed` times faster, up to 1,000, except where the receiver is waited for.
        `on_step` is told of every step as it starts and ends, on the loop's thread.  Raises
        `ScenarioError` before anything starts; how it went is in the result.
        """
        # Imported where it is needed: a mock that only serves need not know the verbs of scenarios.
        from mockzoom.engine.scenario_library import load_scenario
        from mockzoom.engine.scenario_player import ScenarioPlayer

        if isinstance(scenario, str | Path):
            scenario = load_scenario(scenario, self._world.spec)
        player = ScenarioPlayer(self._world, scenario, speed, on_step)
        return self._loop.run(player.play())

    # --- what goes wrong in it ----------------------------------------------------------------

    def fault(self, fault: Fault | str, **fields: Any) -> int:
        """Switch a fault on while everything runs: a value, or its kind and its fields.

            zoom.fault("delay", ms=200, socket="audio")

        Returns the number that `lift` takes; raises `ConfigurationError` for what is no fault.
        """
        value = parse_fault({"kind": fault, **fields}) if isinstance(fault, str) else fault
        return self._loop.call(self._world.add_fault, value)

    def lift(self, number: int | None = None) -> None:
        """Switch the fault of this number off, or all of them."""
        if number is None:
            self._loop.call(self._world.lift_faults)
        else:
            self._loop.call(self._world.lift_fault, number)

    # --- what happened in it ------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        """Every entry that is kept, oldest first."""
        return self._loop.call(lambda: [entry.as_dict() for entry in self._world.journal])

    @property
    def findings(self) -> list[Finding]:
        """The clauses that the receivers broke."""
        return list(self._world.journal.findings)

    @property
    def lateness(self) -> Lateness:
        """How late media went out so far."""
        return self._loop.call(lambda: self._world.lateness)

    def wait_for(self, kind: str, timeout_s: float = 10, **fields: Any) -> dict[str, Any]:
        """The first journal entry, old or new, of `kind` with these `fields`.

        Of a field that is an object only what is named matters: ``body={"event": …}``.  Raises
        `TimeoutError`, which tells what was waited for and the entries that were nearly that.
        """
        wanted = Wanted(kind, fields=fields)
        return self._loop.run(seen(self._world.journal, wanted, 1, timeout_s))[0]

    def check(self) -> None:
        """Raise `ContractBroken`, which lists the findings, if there are any."""
        findings = self.findings
        if findings:
            told = "\n".join(f"  {finding.report()}" for finding in findings)
            raise ContractBroken(f"the receiver broke {len(findings)} clause(s):\n{told}")


class WorldClock:
    """The time of a world: `freeze` it, `advance` it, or let it run faster.

    Apps are not in it: what they have to do in time they have as long for as in the ``fast``
    timings, however fast it runs.
    """

    def __init__(self, world: EngineWorld, loop: LoopThread) -> None:
        self._world = world
        self._loop = loop

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return self._world.now_ms()

    @property
    def speed(self) -> float:
        """How many times as fast as real time it runs, or will run once it is thawed."""
        return self._world.clock.speed

    @speed.setter
    def speed(self, factor: float) -> None:
        self._loop.call(self._world.set_speed, factor)

    @property
    def frozen(self) -> bool:
        return self._world.clock.frozen

    def freeze(self) -> None:
        """Stand still: nothing becomes due, but by `advance`."""
        self._loop.call(self._world.freeze)

    def thaw(self) -> None:
        """Run on, from the time at which it was frozen."""
        self._loop.call(self._world.thaw)

    def advance(self, by_ms: int) -> None:
        """Leap ahead: what became due meanwhile happens now, each thing once."""
        self._loop.call(self._world.advance, by_ms)
