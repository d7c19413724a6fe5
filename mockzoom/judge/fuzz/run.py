"""One attack on one receiver: bodies of every event, then sequences.

    report = fuzz(assignment, Plan(max_examples=100), print)

Whatever ends it early (the time, Ctrl-C, a receiver that stays away), there is a report of what was
found up to then.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.fuzz.bodies import Bodies
from mockzoom.judge.fuzz.findings import SEQUENCES, FuzzReport, Row
from mockzoom.judge.fuzz.hunt import without_traces
from mockzoom.judge.fuzz.launched import Launched
from mockzoom.judge.fuzz.sequences import Sequences
from mockzoom.judge.fuzz.subject import Over, Subject
from mockzoom.judge.probe import probe
from mockzoom.judge.receiver_under_test import ReceiverUnderTest

__all__ = ["OnTry", "Plan", "fuzz"]

OnTry = Callable[[Row], None]


@dataclass(frozen=True)
class Plan:
    """How much is tried.

    `max_examples` are valid bodies of each event, as many invalid ones, and sequences.  `events`
    are the only ones whose bodies are sent, all if empty.  `max_time_s` is for the whole; what is
    under way then is brought to its end.  `command` starts the receiver, "" where it runs already.
    """

    max_examples: int = 50
    events: tuple[str, ...] = ()
    bodies: bool = True
    sequences: bool = True
    max_time_s: float = 300.0
    command: str = ""


def fuzz(
    assignment: Assignment, plan: Plan | None = None, on_try: OnTry | None = None
) -> FuzzReport:
    """Attack the receiver of `assignment`; `on_try` is told of each row as it fills.

    Raises `UnknownEvent`, `UsageError` for a command that cannot be run, and `ReceiverUnreachable`
    when nobody listens before anything was sent.
    """
    attack = _Attack(assignment, plan or Plan(), on_try or (lambda _: None))
    with ExitStack() as stack, without_traces():
        attack.begin(stack)
        ended = attack.run()
    return FuzzReport(assignment.url, assignment.seed, tuple(attack.rows), ended)


class _Attack:
    """`rows` are those that were begun."""

    def __init__(self, assignment: Assignment, plan: Plan, on_try: OnTry) -> None:
        self.rows: list[Row] = []
        self._assignment = assignment
        self._plan = plan
        self._on_try = on_try
        self._spec = load_spec()
        self._events = list(self._chosen())

    def begin(self, stack: ExitStack) -> None:
        """Find the receiver, or start it, until `stack` is closed."""
        assignment, plan = self._assignment, self._plan
        deadline_s = time.monotonic() + plan.max_time_s
        receiver = stack.enter_context(ReceiverUnderTest(assignment.url, assignment.credentials))
        process = None
        if plan.command:
            process = stack.enter_context(Launched(plan.command, receiver.listens))
        found = probe(assignment, rtms=plan.sequences)
        self._connects = found.connects == "connects"
        self._subject = Subject(receiver, deadline_s, process)
        self._subject.suspect()  # whatever the question was, it may have been too much

    def run(self) -> str:
        """Attack; why it ended early, "" if it did not."""
        try:
            if self._plan.bodies:
                self._send_bodies()
            if self._plan.sequences and not self._assignment.without.issuperset(PRODUCTS):
                self._play_sequences()
        except Over as over:
            return str(over)
        except KeyboardInterrupt:
            return "interrupted"
        return ""

    def _chosen(self) -> Iterator[str]:
        """The events to send, in the order of the document."""
        wanted = [self._spec.event(name).name for name in self._plan.events]
        undone = set(PRODUCTS) & self._assignment.without
        for name, event in self._spec.events.items():
            if name in (wanted or self._spec.events) and event.product not in undone:
                yield name

    def _send_bodies(self) -> None:
        plan = self._plan
        bodies = Bodies(
            self._subject, self._spec, plan.max_examples, self._assignment.seed, self._on_try
        )
        for name in self._events:
            bodies.attack(name, self._begun(name))

    def _play_sequences(self) -> None:
        row = self._begun(SEQUENCES)
        with Sequences(
            self._subject,
            self._assignment,
            self._plan.max_examples,
            self._on_try,
            connects=self._connects,
        ) as sequences:
            sequences.attack(row)

    def _begun(self, what: str) -> Row:
        row = Row(what)
        self.rows.append(row)
        return row
