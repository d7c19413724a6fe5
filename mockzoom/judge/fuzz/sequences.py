"""Sequences: what Zoom may do to a receiver, in any order, as a state machine of Hypothesis.

Rules add steps to a `Plot`; when Hypothesis has enough of them it is played, as a scenario, by a
mock Zoom whose streams the receiver can join.  It has survived when every step was done and no
clause was broken.  What did harm is cut off after the step that did it, and played again without
one step after the other.  That is not left to Hypothesis, for which the smallest is what has the
fewest choices in it; people want the fewest steps.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.timings import DeliveryTimings
from mockzoom.core.webhook_order import judge
from mockzoom.engine.scenario_library import parse_scenario
from mockzoom.engine.scenario_player import Progress, ScenarioResult
from mockzoom.errors import ContractBroken, ScenarioError
from mockzoom.handles import World
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.fuzz.findings import SEQUENCES, Failure, Harm, Row, Taken
from mockzoom.judge.fuzz.hunt import SHRINK_S, Trophies, hunt, repeatable
from mockzoom.judge.fuzz.plot import (
    DELIVERED,
    DEPARTURES,
    HAPPENINGS,
    REASONS,
    SHAPES,
    Plot,
    Staged,
    Step,
    smaller,
    written,
)
from mockzoom.judge.fuzz.subject import Subject
from mockzoom.server import MockZoom

__all__ = ["Sequences"]

_MAX_STEPS = 8
_MAX_STREAMS = 3

_COLUMNS = {
    None: Taken.SURVIVED,
    Harm.CRASHED: Taken.CRASHED,
    Harm.REFUSED: Taken.BROKE,
    Harm.BROKE: Taken.BROKE,
}

_WHICH = st.integers(0, _MAX_STREAMS - 1)


@dataclass(frozen=True)
class _Played:
    """What came of a plot: `steps` up to the one that did harm, `harm` None where none did."""

    steps: tuple[Step, ...]
    meetings: Mapping[str, Product]
    text: str
    harm: Harm | None
    clause: str
    found: str
    last_words: str = ""
    repeats: bool | None = None

    @property
    def kind(self) -> str:
        """What harm it is, to tell it apart from another one."""
        return f"{self.harm}: {self.clause}"

    @property
    def size(self) -> tuple[bool, int, int, str]:
        """What repeats is better than what is short."""
        return not self.repeats, len(self.steps), len(self.text), self.text

    def failure(self) -> Failure:
        assert self.harm is not None
        return Failure(
            SEQUENCES,
            self.harm,
            "every webhook accepted, every step done, no clause broken",
            f"after {_told(self.steps)}: {self.found}",
            self.text.encode(),
            repeats=self.repeats,
            last_words=self.last_words,
        )


class Sequences:
    """Attacks `subject` with `max_examples` sequences of streams that a mock of its own offers.

    A context manager.  `connects` says whether the receiver joins streams; `tell` is called after
    each sequence.
    """

    def __init__(
        self,
        subject: Subject,
        assignment: Assignment,
        max_examples: int,
        tell: Callable[[Row], None],
        *,
        connects: bool,
    ) -> None:
        self._subject = subject
        self._tell = tell
        self._connects = connects
        self._products = [name for name in PRODUCTS if name not in assignment.without]
        self._max_examples = max_examples
        self._seed = assignment.seed
        self._numbers = count(1)
        # No seed: a receiver remembers the streams that have ended, so each run has new ones.  And
        # no retries: whether an event is taken is known at once.
        self._zoom = MockZoom(
            credentials=assignment.credentials, delivery_timings=DeliveryTimings(retries_ms=())
        )

    def __enter__(self) -> Sequences:
        self._zoom.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._zoom.close()

    def attack(self, row: Row) -> None:
        """Fill `row` with what becomes of the sequences; raises `Over`."""
        trophies = Trophies[_Played]()

        def play(plot: Plot) -> None:
            trophies.hurry()
            self._subject.ready()
            played = self._play(plot.steps, plot.meetings)
            row.counts[_COLUMNS[played.harm]] += 1
            self._tell(row)
            if played.harm:
                trophies.keep(played.kind, played.size, played)
                again = self._again(played)
                if again.repeats:  # else it took more than this sequence, so the search goes on
                    trophies.take(again.kind, again.size, again)

        machine = hypothesis.seed(self._seed)(_machine(play, self._products, self._connects))
        settings = repeatable(self._max_examples, shrink=False, stateful_step_count=_MAX_STEPS)
        smallest = trophies.smallest
        try:
            hunt(lambda: run_state_machine_as_test(machine, settings=settings))
            for kind in smallest:
                self._shrink(kind, smallest)
                smallest[kind] = self._again(smallest[kind])
        finally:
            row.failures = [played.failure() for played in smallest.values()]

    def _shrink(self, kind: str, smallest: dict[str, _Played]) -> None:
        """Leave out what is not needed for this harm, until nothing can go, or for long enough."""
        deadline_s = time.monotonic() + SHRINK_S
        tries = smaller(smallest[kind].steps) if smallest[kind].repeats else iter(())
        while time.monotonic() < deadline_s and (steps := next(tries, None)) is not None:
            self._subject.fresh()
            try:
                played = self._play(steps, smallest[kind].meetings)
            except ScenarioError:
                continue  # a step has lost what it was about
            if played.kind == kind:
                smallest[kind] = replace(played, repeats=True)
                tries = smaller(played.steps)

    def _again(self, played: _Played) -> _Played:
        """The same, with word of whether it does the same harm a second time."""
        self._subject.fresh()
        again = self._play(played.steps, played.meetings)
        return replace(played, repeats=again.kind == played.kind)

    def _play(self, steps: Sequence[Step], meetings: Mapping[str, Product]) -> _Played:
        name = f"sequence-{next(self._numbers)}"
        world = self._zoom.world(name)
        teller = _Teller(world)
        try:
            world.subscribe(self._subject.url, validate=False)
            told = parse_scenario(written(name, steps, meetings), self._zoom.spec, name)
            result = world.play(told, on_step=teller)
            webhooks = [entry for entry in world.journal() if entry["kind"] == "webhook"]
        finally:
            self._zoom.remove_world(name)
        harm, clause, found = _verdict(result, teller, webhooks)
        done = _cut(steps, teller)
        out_of_order = {finding.check for finding in judge(webhooks)}
        text = written(f"fuzz-{self._seed}", done, meetings, out_of_order)
        return self._seen(_Played(done, meetings, text, harm, clause, found))

    def _seen(self, played: _Played) -> _Played:
        """With what became of the receiver's process."""
        if played.harm is not Harm.CRASHED:
            return played
        self._subject.suspect()
        if not self._subject.died():
            return played
        found = f"{played.found}; now nobody listens there any more: the process has died"
        return replace(played, found=found, last_words=self._subject.last_words())


class _Teller:
    """Follows a story as it is played, and breaks it off after the step that did harm.

    `last` is that step's number, from 1.  `stuck` says that it was a wait for nothing.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._broken_off = False
        self.last = 0
        self.stuck = False

    def __call__(self, progress: Progress) -> None:
        if progress.happened == "done":
            self.last = progress.number
        elif progress.happened == "failed":
            self.stuck = not self._broken_off
            self.last = progress.number - self._broken_off
        elif self._world.findings:
            self._broken_off = True
            raise ContractBroken("what comes after the harm is of no interest")


def _cut(steps: Sequence[Step], teller: _Teller) -> tuple[Step, ...]:
    """The steps up to the one that did harm; what it has sent is waited for in any case."""
    done = list(steps[: teller.last])
    while done and done[-1] == DELIVERED:
        del done[-1]
    return tuple(done)


def _verdict(
    result: ScenarioResult, teller: _Teller, webhooks: Sequence[Mapping[str, Any]]
) -> tuple[Harm | None, str, str]:
    """The worst that happened: the harm, what tells it from others of its kind, and in words."""
    tried = [entry for entry in webhooks if "attempt" in entry]
    crashed = [entry for entry in tried if (entry["status"] or 500) >= 500]
    refused = [entry for entry in tried if entry["outcome"] != "accepted"]
    for harm, entries in ((Harm.CRASHED, crashed), (Harm.REFUSED, refused)):
        for entry in entries:
            return harm, "", f"the answer to {entry['event']}: {entry['outcome']}"
    for finding in result.findings:
        return Harm.BROKE, finding.check, finding.report().partition("\n")[0]
    if teller.stuck:
        return Harm.BROKE, "stuck", result.unmet[0].partition(": ")[2]
    return None, "", ""


def _told(steps: Sequence[Step]) -> str:
    """The last step, in a few words."""
    step = steps[-1]
    rest = " ".join(value for key, value in step.items() if key != "do" and isinstance(value, str))
    return f"step {len(steps)}, {step['do']} {rest}".strip()


def _machine(
    play: Callable[[Plot], None], products: Sequence[str], connects: bool
) -> type[RuleBasedStateMachine]:
    """The rules; a run of them is played when it is long enough."""
    product, reasons = st.sampled_from(products), st.sampled_from(REASONS)
    happenings, shapes = st.sampled_from(HAPPENINGS), st.sampled_from(list(SHAPES))

    class Zoom(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.plot = Plot(connects)

        @precondition(lambda self: len(self.plot.running) < _MAX_STREAMS)
        @rule(product=product)
        def start(self, product: str) -> None:
            self.plot.start(product)

        @precondition(lambda self: self.plot.running)
        @rule(which=_WHICH, reason=reasons)
        def stop(self, which: int, reason: str) -> None:
            self.plot.stop(_pick(self.plot.running, which), reason)

        @precondition(lambda self: not self.plot.armed)
        @rule(kind=st.sampled_from(DEPARTURES))
        def arm(self, kind: str) -> None:
            self.plot.arm(kind)

        @precondition(lambda self: self.plot.streams)
        @rule(which=_WHICH, happening=happenings, shape=shapes, reason=reasons)
        def send(self, which: int, happening: str, shape: str, reason: str) -> None:
            self.plot.send(_pick(self.plot.streams, which), happening, shape, reason)

        @rule(product=product, happening=happenings, shape=shapes, reason=reasons)
        def send_of_nobody(self, product: str, happening: str, shape: str, reason: str) -> None:
            self.plot.send_of_nobody(product, happening, shape, reason)

        @precondition(lambda self: self.plot.joined)
        @rule(which=_WHICH)
        def lose_signaling(self, which: int) -> None:
            self.plot.lose_signaling(_pick(self.plot.joined, which))

        @precondition(lambda self: self.plot.joined)
        @rule(which=_WHICH)
        def relocate(self, which: int) -> None:
            self.plot.relocate(_pick(self.plot.joined, which))

        def teardown(self) -> None:
            if sys.exc_info()[0] is None:  # else there were too few choices to make it up
                self.plot.finish()
                play(self.plot)

    return Zoom


def _pick(streams: Sequence[Staged], which: int) -> Staged:
    return streams[which % len(streams)]
