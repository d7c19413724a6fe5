"""Plays a scenario in a world: waits for each step's time, lets it happen, says what came of it.

The world's clock runs `speed` times faster meanwhile.  A step that waits for the receiver takes as
long as the receiver does, and the story goes on from there; so `at` is a time of the story, and a
slow receiver hears the same one.  When the steps are done, faults are lifted, what is on its way is
delivered, and the receiver has the usual time to close its sockets.

A story that cannot go on is no exception: it is in the result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from mockzoom.core.app_limit import AppLimit
from mockzoom.core.findings import Finding
from mockzoom.core.scenario import Scenario
from mockzoom.core.webhook_order import judge
from mockzoom.engine.scenario_stage import Stage
from mockzoom.engine.scenario_steps import Verb
from mockzoom.engine.streams import Rules
from mockzoom.engine.world import World
from mockzoom.errors import ContractBroken, MockzoomError, NothingTested, UsageError

__all__ = ["OnStep", "Progress", "ScenarioPlayer", "ScenarioResult"]

#: Real time for what the receiver has to do when the story is over.
_END_S = 20.0

#: Real time beyond which a step is late only because somebody holds the clock.
_HELD_S = 60.0


@dataclass(frozen=True)
class Progress:
    """Step `number` of `steps` (from 1), `step` as a line, at `at_ms` of the story.

    `happened` is ``started``, ``waiting`` (for the receiver), ``done`` or ``failed``.
    """

    number: int
    steps: int
    at_ms: int
    step: str
    happened: str

    def as_dict(self) -> dict[str, Any]:
        return dict(vars(self))


OnStep = Callable[[Progress], None]


@dataclass(frozen=True)
class ScenarioResult:
    """What came of a scenario.

    `findings` are clauses that the receiver broke and the story had not foreseen, `unmet` what else
    did not come true, a sentence each.  `webhooks` are the names of those that left, in the order
    of sending, and `attempts` how often one was tried.  `duration_ms` is real time.
    """

    name: str
    findings: tuple[Finding, ...]
    unmet: tuple[str, ...]
    webhooks: tuple[str, ...]
    attempts: int
    steps_done: int
    steps: int
    duration_ms: int

    @property
    def passed(self) -> bool:
        return not self.findings and not self.unmet and self.attempts > 0

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "passed": self.passed,
            "findings": [finding.as_dict() for finding in self.findings],
            "unmet": list(self.unmet),
            "webhooks": list(self.webhooks),
        }

    def check(self) -> None:
        """Raise `ContractBroken` when something is wrong, `NothingTested` when nobody listened."""
        wrong = [*self.unmet, *(finding.report() for finding in self.findings)]
        if wrong:
            told = "\n".join(f"  {one}" for one in wrong)
            raise ContractBroken(f"scenario {self.name}: {len(wrong)} thing(s) went wrong:\n{told}")
        if not self.attempts:
            raise NothingTested(f"scenario {self.name}: it sent no webhook, so it tested nothing")


class ScenarioPlayer:
    """Plays `scenario` in `world`, once; belongs to the loop's thread."""

    def __init__(
        self,
        world: World,
        scenario: Scenario,
        speed: float = 1.0,
        on_step: OnStep | None = None,
    ) -> None:
        self._world = world
        self._scenario = scenario
        self._speed = speed
        self._on_step = on_step or (lambda _: None)
        self._stage = Stage(world)
        self._done = 0

    async def play(self) -> ScenarioResult:
        """Play it to its end.

        Raises `NothingTested` where nobody is subscribed, and `UsageError` for a speed that there
        is not, a frozen clock, and where another one is played in the same world.
        """
        world, name = self._world, self._scenario.name
        if not world.deliveries.urls and not world.event_sockets.subscriptions:
            raise NothingTested(
                f"scenario {name}: there is nobody to hear it; subscribe a receiver"
            )
        if world.story:
            raise UsageError(f"scenario {name}: {world.story} is played here already; wait for it")
        if world.clock.frozen:
            raise UsageError(f"scenario {name}: the clock is frozen; thaw it first")
        rules, speed, began = world.rules, world.clock.speed, time.monotonic()
        try:
            world.story = name
            world.rules = self._rules(rules)
            world.set_speed(self._speed)
            failed = await self._tell()
            failed += await self._finish()
        finally:
            self._stage.lift(None)
            world.story = ""
            world.rules = rules
            world.set_speed(speed)
        return self._result(failed, round((time.monotonic() - began) * 1000))

    def _rules(self, rules: Rules) -> Rules:
        head, policy = self._scenario.head, self._scenario.policy
        limit = rules.limit if policy.max_streams is None else AppLimit(policy.max_streams)
        stricter = replace(
            rules.policy,
            replace_signaling=policy.replace_signaling or rules.policy.replace_signaling,
            gate_events=policy.gate_events or rules.policy.gate_events,
        )
        return Rules(head.timed(rules.timings), stricter, limit)

    # --- the story ----------------------------------------------------------------------------

    async def _tell(self) -> list[str]:
        """Play the steps: why the story broke off, if it did."""
        for label, plan in self._scenario.meetings.items():
            self._stage.create(label, plan)
        story_ms = 0
        for number, step in enumerate(self._scenario.steps, 1):
            assert isinstance(step, Verb)
            at_ms = step.at_ms or 0
            try:
                await self._pass(at_ms - story_ms)
                story_ms = at_ms
                self._report(number, step, "waiting" if step.waits else "started")
                await step.play(self._stage)
            except (MockzoomError, TimeoutError) as error:
                self._report(number, step, "failed")
                return [f"{self._scenario.file}:{step.line}: {step.do}: {error}"]
            self._report(number, step, "done")
            self._done = number
        return []

    async def _pass(self, ms: int) -> None:
        """Let `ms` of the world's time go by."""
        if ms <= 0:
            await asyncio.sleep(0)  # what the step before has caused comes first
            return
        passed = asyncio.Event()
        timer = self._world.clock.call_at(self._world.now_ms() + ms, passed.set)
        try:
            async with asyncio.timeout(ms / 1000 / self._speed + _HELD_S):
                await passed.wait()
        except TimeoutError:
            raise TimeoutError(f"{ms} ms of the story took too long; is the clock held?") from None
        finally:
            timer.cancel()

    def _report(self, number: int, step: Verb, happened: str) -> None:
        self._stage.note()
        steps = len(self._scenario.steps)
        self._on_step(Progress(number, steps, step.at_ms or 0, step.told, happened))

    async def _finish(self) -> list[str]:
        """Let what is under way come to its end: what did not, if anything."""
        self._stage.lift(None)
        try:
            await self._world.deliveries.drained(_END_S)
            await self._stage.left(_END_S)
        except TimeoutError as error:
            return [str(error)]
        finally:
            self._stage.note()
        return []

    # --- what came of it ----------------------------------------------------------------------

    def _result(self, failed: list[str], duration_ms: int) -> ScenarioResult:
        stage = self._stage
        sent, foreseen = _sent(stage.webhooks), self._scenario.expect.findings
        return ScenarioResult(
            name=self._scenario.name,
            findings=tuple(f for f in stage.findings if f.check not in foreseen),
            unmet=(*failed, *([] if failed else self._unmet(sent))),
            webhooks=tuple(sent),
            attempts=sum(_went_out(entry) for entry in stage.webhooks),
            steps_done=self._done,
            steps=len(self._scenario.steps),
            duration_ms=duration_ms,
        )

    def _unmet(self, sent: list[str]) -> Iterator[str]:
        expect, stage = self._scenario.expect, self._stage
        for label in stage.never_joined() if expect.joins else ():
            yield f"stream {label}: expected the receiver to join it, which it never did"
        if sent and expect.webhooks is not None and sent != list(expect.webhooks):
            yield f"expected the webhooks {', '.join(expect.webhooks)}; found {', '.join(sent)}"
        missing = set(expect.findings) - {finding.check for finding in stage.findings}
        yield from (f"expected a finding {check}, found none" for check in sorted(missing))
        yield from self._order_problems()

    def _order_problems(self) -> Iterator[str]:
        """Webhooks in an order that Zoom never sends, but where the story is about that."""
        foreseen = set(self._scenario.expect.out_of_order)
        found = judge(self._stage.webhooks)
        yield from (f"the story breaks an order: {f}" for f in found if f.check not in foreseen)
        missing = foreseen - {finding.check for finding in found}
        yield from (
            f"expected webhooks that break {check}, found none" for check in sorted(missing)
        )


def _sent(webhooks: list[dict[str, Any]]) -> list[str]:
    """The names of the webhooks in the order of sending, as the receiver that wants most gets them.

    A delivery has a number, and may be tried several times.
    """
    by_url: dict[str, dict[int, str]] = {}
    for entry in webhooks:
        by_url.setdefault(entry["url"], {})[entry["delivery"]] = entry["event"]
    most: dict[int, str] = max(by_url.values(), key=len, default={})
    return [most[number] for number in sorted(most)]


def _went_out(webhook: dict[str, Any]) -> bool:
    return "attempt" in webhook or webhook["outcome"] == "sent"
