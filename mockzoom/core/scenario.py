"""A scenario: a story that a receiver must survive, read from YAML and checked as a whole.

    name: two-meetings
    story: Two meetings run at once, and nobody is mixed up.
    meetings:
      weekly: {people: [Alice, Bob]}
      interview: {people: [Carol]}
    steps:
      - {do: start, meeting: weekly}
      - {at: 1.5s, do: say, meeting: weekly, who: Alice, text: Good morning.}

A step has a verb (`do`), a time (`at`, from the beginning; that of the step before if it is not
given), and the fields of its verb.  There are no loops and no conditions: that is Python.  Time
stands still while a step waits for the receiver, so that `at` is a time of the story.

The verbs are not known here: they are classes of `Step` with fields made by `given`, and come from
`mockzoom.engine.scenario_steps`, where they act.  Nothing starts before every field, name and time
is known to be right; what is wrong is told all at once (`ScenarioError`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, replace
from typing import Any, ClassVar

from mockzoom.core.clauses import CLAUSES
from mockzoom.core.products import MEETING, PRODUCTS, Product
from mockzoom.core.scenario_fields import (
    COUNT,
    DURATION,
    SWITCH,
    TEXT,
    Kind,
    Meant,
    Name,
    Role,
    Thing,
    Unfit,
    choice,
    given,
    intervals,
    keys,
    many,
    shown,
)
from mockzoom.core.scenario_names import Names
from mockzoom.core.scenario_text import Path, Text, read_text
from mockzoom.core.spec import Spec
from mockzoom.core.timings import Timings
from mockzoom.errors import nearest

__all__ = ["SECTIONS", "Expect", "Head", "Plan", "Policy", "Scenario", "Step", "read_scenario"]


#: Clauses about the order of webhooks are Zoom's to keep, all others the receiver's.
_ORDER = [clause for clause in CLAUSES if clause.startswith("order.")]
_KEPT = [clause for clause in CLAUSES if clause not in _ORDER]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A meeting, and who is in it from the beginning."""

    product: str = given(choice(PRODUCTS), "what it is", MEETING.name)
    topic: str = given(TEXT, "what it is about", "mockzoom scenario")
    people: tuple[str, ...] = given(
        many(Name.of(Thing.PERSON, Role.MAKES)), "who is in it at first", ()
    )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How the mock is set for this story."""

    max_streams: int | None = given(COUNT, "streams that the app may run at once", None)
    replace_signaling: bool = given(
        SWITCH, "a second signaling handshake pushes out the first, instead of being refused", False
    )
    gate_events: bool = given(SWITCH, "only events that were subscribed to are sent", False)


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What must come of it."""

    joins: bool = given(SWITCH, "whether the receiver is to join every stream", True)
    webhooks: tuple[str, ...] | None = given(
        many(Name.of(Thing.EVENT, Role.USES)), "all webhooks, in the order of sending", None
    )
    findings: tuple[str, ...] = given(
        many(choice(_KEPT)), "clauses that this story has every receiver break", ()
    )
    out_of_order: tuple[str, ...] = given(
        many(choice(_ORDER)), "rules of the order of webhooks that the story itself breaks", ()
    )


@dataclass(frozen=True, kw_only=True)
class Head:
    """What a scenario says before its steps."""

    name: str = given(TEXT, "what it is called")
    story: str = given(TEXT, "one sentence: what happens")
    seed: int | None = given(COUNT, "repeats ids and examples", None)
    timings: Timings | Mapping[str, int] | None = given(
        intervals(), "of the protocol; those of the mock where not given", None
    )

    def timed(self, timings: Timings) -> Timings:
        """The timings of the scenario, where those of the mock are `timings`."""
        if self.timings is None or isinstance(self.timings, Timings):
            return self.timings or timings
        return replace(timings, **self.timings)


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happens; each verb is a class of its own."""

    do: ClassVar[str]
    at_ms: int | None = given(
        DURATION, "when, from the beginning; by default as soon as the step before is done", None
    )
    line: int = 0

    def problems(self, spec: Spec, product: Product | None) -> Iterator[tuple[str, str]]:
        """What fields are wrong together: the key of one, and what was expected and found.

        `product` is that of the step's meeting, if it has one.
        """
        return iter(())


#: What a scenario has beside the fields of its head, and the part that each entry is.
SECTIONS: Mapping[str, type[Any]] = {
    "meetings": Plan,
    "policy": Policy,
    "expect": Expect,
    "steps": Step,
}


@dataclass(frozen=True)
class Scenario:
    """`meetings` are there at the beginning, by their names; `steps` are in the order of time."""

    head: Head
    file: str
    meetings: Mapping[str, Plan]
    policy: Policy
    expect: Expect
    steps: tuple[Step, ...]
    source: str = field(repr=False, default="")

    @property
    def name(self) -> str:
        return self.head.name


def read_scenario(source: str, file: str, verbs: Mapping[str, type[Step]], spec: Spec) -> Scenario:
    """The scenario in the YAML text `source`, which messages call `file`.

    `spec` is the document with the webhooks that there are.  Raises `ScenarioError`, which has all
    mistakes.
    """
    text = read_text(source, file)
    scenario = _Checker(text, verbs, spec).scenario(source)
    text.check()
    return scenario


class _Checker:
    """Reads the parts one after the other; what is wrong is noted in the text, and gone past."""

    def __init__(self, text: Text, verbs: Mapping[str, type[Step]], spec: Spec) -> None:
        self._text = text
        self._verbs = verbs
        self._spec = spec
        self._names = Names(spec.events)
        self._products: dict[str, Product] = {}
        self._time_ms = 0

    def scenario(self, source: str) -> Scenario:
        content = self._mapping((), self._text.content)
        sections = {key: content.pop(key) for key in SECTIONS if key in content}
        head = self._part(Head, (), content, SECTIONS)
        meetings = dict(self._meetings(sections.get("meetings")))
        policy, expect = (
            self._part(part, (key,), self._mapping((key,), sections.get(key)))
            for key, part in (("policy", Policy), ("expect", Expect))
        )
        steps = tuple(self._steps(sections.get("steps")))
        return Scenario(head, self._text.file, meetings, policy, expect, steps, source)

    def _meetings(self, value: Any) -> Iterator[tuple[str, Plan]]:
        for label, plan in self._mapping(("meetings",), value).items():
            path: Path = ("meetings", label)
            self._name(Name.of(Thing.MEETING, Role.MAKES), path, label, label)
            planned = self._part(Plan, path, self._mapping(path, plan), meeting=label)
            self._products[label] = PRODUCTS[planned.product]
            yield label, planned

    def _steps(self, value: Any) -> Iterator[Step]:
        if not isinstance(value, list) or not value:
            self._text.wrong(("steps",), f"steps: expected a list of steps, found {shown(value)}")
            return
        for index, step in enumerate(value):
            path: Path = ("steps", index)
            fields = self._mapping(path, step)
            verb = fields.pop("do", None)
            if isinstance(verb, str) and verb in self._verbs:
                yield self._step(self._verbs[verb], path, fields)
            elif isinstance(step, dict):
                hint = nearest(verb, self._verbs) if isinstance(verb, str) else ""
                known = "" if hint else f"; there are {', '.join(self._verbs)}"
                wrong = f"do: expected a verb, found {shown(verb)}{hint}{known}"
                self._text.wrong((*path, "do"), wrong)

    def _step(self, verb: type[Step], path: Path, fields: dict[str, Any]) -> Step:
        before = len(self._text.mistakes)
        step: Step = self._part(verb, path, fields)
        meeting = getattr(step, "meeting", "")
        if isinstance(step, Plan):
            self._products[meeting] = PRODUCTS[step.product]
        if len(self._text.mistakes) == before:
            product = self._products.get(meeting)
            for key, problem in step.problems(self._spec, product):
                self._text.wrong((*path, key), f"{key}: {problem}")
        at_ms = self._time_ms if step.at_ms is None else step.at_ms
        if at_ms < self._time_ms:
            wrong = (
                f"at: expected {self._time_ms} ms or later, as the step before, found {at_ms} ms"
            )
            self._text.wrong((*path, "at"), wrong)
        self._time_ms = max(self._time_ms, at_ms)
        return replace(step, at_ms=at_ms, line=self._text.places[path][0])

    # --- parts --------------------------------------------------------------------------------

    def _mapping(self, path: Path, value: Any) -> dict[str, Any]:
        """`value` as a mapping; nothing at all is an empty one."""
        if isinstance(value, dict):
            return dict(value)
        if value is not None or not path or path[0] == "steps":
            wrong = f"{_key(path)}expected fields with their values, found {shown(value)}"
            self._text.wrong(path, wrong)
        return {}

    def _part(
        self,
        part: Any,
        path: Path,
        found: dict[str, Any],
        more: Iterable[str] = (),
        meeting: str | None = None,
    ) -> Any:
        """The part that `found` is; `more` are keys that there are beside its own."""
        known = keys(part)
        for key in found:
            if key not in known:
                self._unknown((*path, key), key, [*known, *more])
        values: dict[str, Any] = {}
        for key, its in sorted(known.items(), key=_people_last):
            kind: Kind = its.metadata["kind"]
            value = self._value(kind, (*path, key), found, its.default)
            if isinstance(kind, Name):
                value = self._named(kind, (*path, key), value, meeting)
                meeting = value if kind.thing is Thing.MEETING else meeting
            values[its.name] = value
        return part(**values)

    def _unknown(self, path: Path, key: str, known: list[str]) -> None:
        hint = nearest(key, known) or f"; there are {', '.join(known)}"
        self._text.wrong(path, f"unknown field {key!r}{hint}")

    def _value(self, kind: Kind, path: Path, found: dict[str, Any], default: Any) -> Any:
        """What `found` has under the last key of `path`; a default for what is missing or wrong."""
        key = path[-1]
        instead = None if default is MISSING else default
        if key not in found:
            if default is MISSING:
                self._text.wrong(path, f"{key} is missing: expected {kind.told}")
            return instead
        try:
            return kind.read(found[key])
        except Unfit as unfit:
            self._text.wrong((*path, *unfit.where), f"{key}: expected {unfit}")
            return instead

    def _named(self, kind: Name, path: Path, value: Any, meeting: str | None) -> Any:
        """`value`, or what is meant by it; None for what is not there."""
        if value is Meant.AS_MEETING:
            value = meeting
        if value is Meant.ONLY:
            value = self._only(kind, path)
        if value is None or (kind.thing is Thing.PERSON and meeting is None):
            return value
        if isinstance(value, tuple):
            items = enumerate(value)
            return tuple(self._name(kind, (*path, index), its, meeting) for index, its in items)
        return self._name(kind, path, value, meeting)

    def _name(self, kind: Name, path: Path, name: str, meeting: str | None) -> str | None:
        try:
            self._names.meet(kind.thing, kind.role, name, meeting or "")
        except Unfit as unfit:
            self._text.wrong(path, f"{_key(path)}expected {unfit}")
            return None
        return name

    def _only(self, kind: Name, path: Path) -> str | None:
        try:
            return self._names.only(kind.thing)
        except Unfit as unfit:
            self._text.wrong(path, f"{_key(path)}expected {unfit}")
            return None


def _people_last(entry: tuple[str, Field[Any]]) -> bool:
    """Who is in a meeting can be said once it is known in which one."""
    kind = entry[1].metadata["kind"]
    return isinstance(kind, Name) and kind.thing is not Thing.MEETING


def _key(path: Path) -> str:
    """The key that a path ends with, as messages begin with it."""
    keys = [part for part in path if isinstance(part, str)]
    return f"{keys[-1]}: " if keys else ""
