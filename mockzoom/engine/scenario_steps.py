"""The verbs of scenarios: for each its fields, and what it does in the world.

    - {at: 2s, do: say, who: Alice, text: Good morning.}

A verb is a class: its name is `do`, its docstring says what happens, its fields say what may be
given (`mockzoom.core.scenario_fields`), and `play` lets it happen on the `Stage`.  Editors' schema,
checker, page of docs and player have no other list.
"""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from mockzoom.core.causes import CAUSES
from mockzoom.core.codes import StopReason, TranscriptLanguage
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.fault_kinds import FAULTS, parse_fault
from mockzoom.core.products import CONTACT_CENTER, Product
from mockzoom.core.scenario import Plan, Step
from mockzoom.core.scenario_fields import (
    DURATION,
    MAPPING,
    SWITCH,
    TEXT,
    Meant,
    Name,
    Role,
    Thing,
    choice,
    given,
    keys,
    many,
    one_of,
)
from mockzoom.core.spec import Spec
from mockzoom.core.voice_call import VOICE_HAPPENINGS
from mockzoom.errors import (
    ConfigurationError,
    InvalidEvent,
    LimitReached,
    UnknownField,
    UsageError,
    nearest,
)

if TYPE_CHECKING:
    from mockzoom.engine.scenario_stage import Stage

__all__ = ["VERBS", "Verb"]

_A_MEETING = Name.of(Thing.MEETING, Role.USES)
_A_STREAM = Name.of(Thing.STREAM, Role.USES)
_SOMEBODY = Name.of(Thing.PERSON, Role.USES)
_REASON = choice(StopReason)

#: Why streams end, by the names of what can be made to happen.
_CAUSES = [name for name, cause in CAUSES.items() if not cause.follows]


@dataclass(frozen=True, kw_only=True)
class Verb(Step):
    """One verb; whether it `waits` for the receiver."""

    waits: ClassVar[bool] = False

    @abstractmethod
    async def play(self, stage: Stage) -> None:
        """Let it happen; raises `TimeoutError`, and what the world raises."""

    @property
    def told(self) -> str:
        """The step on a line: its verb, and what is not as by default."""
        values = {key: getattr(self, its.name) for key, its in keys(type(self)).items()}
        defaults = {key: its.default for key, its in keys(type(self)).items()}
        other = (key for key, value in values.items() if key != "at" and value != defaults[key])
        return " ".join([self.do, *(f"{key}={_short(values[key])}" for key in other)])


def _short(value: Any) -> str:
    match value:
        case StopReason():
            text = value.name.lower()
        case str():
            text = value
        case _:
            text = json.dumps(value)
    return f"{text:.60}"


@dataclass(frozen=True, kw_only=True)
class _OfMeeting(Verb):
    meeting: str = given(_A_MEETING, "which one; the only one if not given", Meant.ONLY)


@dataclass(frozen=True, kw_only=True)
class _OfStream(Verb):
    stream: str = given(_A_STREAM, "which one; the only one if not given", Meant.ONLY)


@dataclass(frozen=True, kw_only=True)
class _OfPerson(_OfMeeting):
    who: str = given(_SOMEBODY, "a participant")


# --- meetings and people ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Create(Plan, Verb):
    """A meeting begins, with its people in it, beside those under `meetings`."""

    do: ClassVar[str] = "create"
    meeting: str = given(Name.of(Thing.MEETING, Role.MAKES), "what the steps call it")

    async def play(self, stage: Stage) -> None:
        stage.create(self.meeting, self)


@dataclass(frozen=True, kw_only=True)
class Join(_OfMeeting):
    """Somebody comes in."""

    do: ClassVar[str] = "join"
    who: str = given(Name.of(Thing.PERSON, Role.MAKES), "the name")
    nameless: bool = given(SWITCH, "whether the app is not told it, as of a phone", False)

    async def play(self, stage: Stage) -> None:
        stage.world.join(stage.meetings[self.meeting], self.who, nameless=self.nameless)


@dataclass(frozen=True, kw_only=True)
class Leave(_OfMeeting):
    """A participant leaves, in the middle of a word if need be."""

    do: ClassVar[str] = "leave"
    who: str = given(Name.of(Thing.PERSON, Role.ENDS), "the name")

    async def play(self, stage: Stage) -> None:
        stage.world.leave(stage.meetings[self.meeting], self.who)


_LANGUAGE = replace(choice(TranscriptLanguage), told="a language, such as `german`")


@dataclass(frozen=True, kw_only=True)
class Say(_OfPerson):
    """A participant speaks: audio for as long as that takes, and a transcript."""

    do: ClassVar[str] = "say"
    text: str = given(TEXT, "what they say")
    language: TranscriptLanguage | None = given(
        _LANGUAGE, "what it is in; what each app asked for if not given", None
    )

    async def play(self, stage: Stage) -> None:
        stage.world.say(stage.meetings[self.meeting], self.who, self.text, self.language)


@dataclass(frozen=True, kw_only=True)
class Camera(_OfPerson):
    """A participant turns the camera on or off."""

    do: ClassVar[str] = "camera"
    on: bool = given(SWITCH, "whether it is on from now on", True)

    async def play(self, stage: Stage) -> None:
        stage.world.camera(stage.meetings[self.meeting], self.who, self.on)


@dataclass(frozen=True, kw_only=True)
class Share(_OfPerson):
    """A participant begins or stops to share the screen."""

    do: ClassVar[str] = "share"
    on: bool = given(SWITCH, "whether it is shared from now on", True)

    async def play(self, stage: Stage) -> None:
        stage.world.share(stage.meetings[self.meeting], self.who, self.on)


@dataclass(frozen=True, kw_only=True)
class Chat(_OfPerson):
    """A participant writes in the chat."""

    do: ClassVar[str] = "chat"
    text: str = given(TEXT, "what they write")
    to: str | None = given(_SOMEBODY, "to whom alone; to everyone if not given", None)

    async def play(self, stage: Stage) -> None:
        stage.world.chat(stage.meetings[self.meeting], self.who, self.text, to=self.to)


@dataclass(frozen=True, kw_only=True)
class Mute(_OfPerson):
    """A participant is muted: nothing of what they say is sent."""

    do: ClassVar[str] = "mute"

    async def play(self, stage: Stage) -> None:
        stage.world.mute(stage.meetings[self.meeting], self.who)


@dataclass(frozen=True, kw_only=True)
class Unmute(_OfPerson):
    """A participant is heard again."""

    do: ClassVar[str] = "unmute"

    async def play(self, stage: Stage) -> None:
        stage.world.unmute(stage.meetings[self.meeting], self.who)


@dataclass(frozen=True, kw_only=True)
class Happen(_OfMeeting):
    """Something happens that ends the streams of a meeting, or that is part of a voice call."""

    do: ClassVar[str] = "happen"
    what: str = given(choice([*_CAUSES, *VOICE_HAPPENINGS]), "its name")
    who: str | None = given(_SOMEBODY, "to whom; whoever it mostly happens to", None)

    def problems(self, spec: Spec, product: Product | None) -> Iterator[tuple[str, str]]:
        if product is None:
            return
        known = [name for name in _CAUSES if product in CAUSES[name].products]
        known += VOICE_HAPPENINGS if product is CONTACT_CENTER else []
        if self.what not in known:
            expected = f"{one_of(known, self.what)} in a {product.name}"
            yield "what", f"expected {expected}; found {self.what!r}"

    async def play(self, stage: Stage) -> None:
        stage.world.happen(stage.meetings[self.meeting], self.what, self.who)


@dataclass(frozen=True, kw_only=True)
class End(Verb):
    """A meeting is over, with all of its streams."""

    do: ClassVar[str] = "end"
    meeting: str = given(
        Name.of(Thing.MEETING, Role.ENDS), "which one; the only one if not given", Meant.ONLY
    )

    async def play(self, stage: Stage) -> None:
        stage.world.end_meeting(stage.meetings[self.meeting])


@dataclass(frozen=True, kw_only=True)
class Tell(_OfMeeting):
    """An event of the product's own table is told on the signaling socket."""

    do: ClassVar[str] = "tell"
    event: str = given(TEXT, "its name there in lower case, such as `chat_group_create`")
    fields: Mapping[str, Any] | None = given(MAPPING, "its body", None)

    def problems(self, spec: Spec, product: Product | None) -> Iterator[tuple[str, str]]:
        known = [] if product is None else [its.name.lower() for its in product.events]
        if known and self.event not in known:
            hint = nearest(self.event, known)
            yield "event", f"expected {one_of(known, self.event)}; found {self.event!r}{hint}"

    async def play(self, stage: Stage) -> None:
        meeting = stage.meetings[self.meeting]
        event = meeting.product.events[self.event.upper()]
        stage.world.tell(meeting, event, self.fields or {})


# --- streams ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Start(_OfMeeting):
    """A stream starts: its webhook goes out, and its sockets are there."""

    do: ClassVar[str] = "start"
    stream: str = given(
        Name.of(Thing.STREAM, Role.MAKES),
        "what the steps call it; as the meeting if not given",
        Meant.AS_MEETING,
    )

    async def play(self, stage: Stage) -> None:
        stage.start(self.meeting, self.stream)


@dataclass(frozen=True, kw_only=True)
class RefusedStart(_OfMeeting):
    """A stream is to start that the app's limit does not allow (`policy.max_streams`)."""

    do: ClassVar[str] = "refused_start"

    async def play(self, stage: Stage) -> None:
        try:
            stage.world.start_rtms(stage.meetings[self.meeting])
        except LimitReached:
            return
        raise UsageError("the stream did start: expected the app to be at its limit")


@dataclass(frozen=True, kw_only=True)
class Stop(_OfStream):
    """A stream ends, and its webhook says why."""

    do: ClassVar[str] = "stop"
    reason: StopReason = given(_REASON, "why", StopReason.MEETING_ENDED)

    async def play(self, stage: Stage) -> None:
        stage.world.stop_rtms(stage.streams[self.stream], self.reason)


@dataclass(frozen=True, kw_only=True)
class Pause(_OfStream):
    """The host pauses a stream: no media flows."""

    do: ClassVar[str] = "pause"

    async def play(self, stage: Stage) -> None:
        stage.world.pause(stage.streams[self.stream])


@dataclass(frozen=True, kw_only=True)
class Resume(_OfStream):
    """The host resumes a paused stream."""

    do: ClassVar[str] = "resume"

    async def play(self, stage: Stage) -> None:
        stage.world.resume(stage.streams[self.stream])


@dataclass(frozen=True, kw_only=True)
class Relocate(_OfStream):
    """A server fails: the sockets are cut, and a second started webhook names new URLs."""

    do: ClassVar[str] = "relocate"

    async def play(self, stage: Stage) -> None:
        stage.world.relocate(stage.streams[self.stream])


# --- what goes wrong, and what is sent --------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class BreakIt(Verb):
    """A fault is switched on; [faults.md](faults.md) has all kinds and their fields."""

    do: ClassVar[str] = "fault"
    kind: str = given(choice(FAULTS), "which one")
    with_: Mapping[str, Any] | None = given(MAPPING, "its fields, such as `{ms: 200}`", None)
    stream: str | None = given(_A_STREAM, "the one that it hits; every one if not given", None)
    called: str | None = given(
        Name.of(Thing.FAULT, Role.MAKES), "a name by which `lift` knows it", None
    )

    @property
    def fault(self) -> dict[str, Any]:
        return {"kind": self.kind, **(self.with_ or {})}

    def problems(self, spec: Spec, product: Product | None) -> Iterator[tuple[str, str]]:
        try:
            parse_fault(self.fault)
        except ConfigurationError as error:
            yield "with", str(error)

    async def play(self, stage: Stage) -> None:
        stage.break_it(self.fault, self.stream, self.called)


@dataclass(frozen=True, kw_only=True)
class Lift(Verb):
    """A fault is over, or all of them are."""

    do: ClassVar[str] = "lift"
    called: str | None = given(Name.of(Thing.FAULT, Role.ENDS), "which one; all if not given", None)

    async def play(self, stage: Stage) -> None:
        stage.lift(self.called)


@dataclass(frozen=True, kw_only=True)
class Send(Verb):
    """A webhook is sent that nothing in the world has caused, with the ids of a stream."""

    do: ClassVar[str] = "send"
    event: str = given(Name.of(Thing.EVENT, Role.USES), "its name")
    stream: str | None = given(_A_STREAM, "whose ids it has; made-up ones if not given", None)
    set: Mapping[str, Any] | None = given(
        MAPPING, "what is merged into the event, such as `{payload: {stop_reason: 6}}`", None
    )
    without: tuple[str, ...] = given(
        many(TEXT), "fields of its payload that are left out, as in an older version of it", ()
    )
    valid: bool = given(SWITCH, "`false` where the rest is to break the specification", True)

    def problems(self, spec: Spec, product: Product | None) -> Iterator[tuple[str, str]]:
        try:
            ExampleFactory(spec, 0).event(self.event, self.set, now_ms=0, validate=self.valid)
        except InvalidEvent as error:
            yield "set", f"{error}; say `valid: false` where it is to"
        for name in self.without:
            try:
                spec.event(self.event).field(f"payload.{name}")
            except UnknownField as error:
                yield "without", str(error)

    async def play(self, stage: Stage) -> None:
        stage.send(self.event, self.stream, self.set or {}, self.without, self.valid)


# --- waiting ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wait(Verb):
    """The story stands still until the receiver is so far."""

    do: ClassVar[str] = "wait"
    waits: ClassVar[bool] = True
    for_: str = given(choice(("ready", "spoken", "ended", "delivered", "reconnected")), "for what")
    stream: str | None = given(_A_STREAM, "which one; every one so far if not given", None)
    within_ms: int = given(DURATION, "of real time; then the story has failed", 20_000)

    async def play(self, stage: Stage) -> None:
        await stage.wait(self.for_, self.stream, self.within_ms / 1000)


@dataclass(frozen=True, kw_only=True)
class Watch(Verb):
    """The receiver has time to do what it should not: join what is over, connect twice."""

    do: ClassVar[str] = "watch"
    waits: ClassVar[bool] = True
    for_ms: int = given(DURATION, "of real time, half a second if not given", 500)

    async def play(self, stage: Stage) -> None:
        await asyncio.sleep(self.for_ms / 1000)


_ALL: tuple[type[Verb], ...] = (
    Create,
    Join,
    Leave,
    Say,
    Camera,
    Share,
    Chat,
    Mute,
    Unmute,
    Happen,
    End,
    Tell,
    Start,
    RefusedStart,
    Stop,
    Pause,
    Resume,
    Relocate,
    BreakIt,
    Lift,
    Send,
    Wait,
    Watch,
)

VERBS: Mapping[str, type[Verb]] = {verb.do: verb for verb in _ALL}
