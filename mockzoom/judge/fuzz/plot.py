"""A sequence as it is made up: the steps of a scenario, and what is known of its streams.

A plot is the text that `mockzoom scenario run` reads, and nothing else is played: what is found
here is what is found there.  Between steps it waits until their webhooks have been answered, so
that a receiver hears the same sequence each time; where one is to overtake another it does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from mockzoom.core.codes import StopReason
from mockzoom.core.products import MEETING, PRODUCTS, Product
from mockzoom.core.spec import load_spec
from mockzoom.judge.events import NOWHERE

__all__ = [
    "DELIVERED",
    "DEPARTURES",
    "HAPPENINGS",
    "OLDER",
    "REASONS",
    "SHAPES",
    "Plot",
    "Staged",
    "written",
]

Step = dict[str, Any]

#: What Zoom tells of a stream by webhooks.
HAPPENINGS = ("started", "interrupted", "stopped")

#: What may become of a webhook on its way.
DEPARTURES = ("webhook_duplicate", "webhook_loss", "webhook_reorder")

#: Why streams end, the most ordinary reason first.
REASONS = tuple(
    reason.name.lower()
    for reason in sorted(MEETING.stop_reasons, key=lambda r: r is not StopReason.MEETING_ENDED)
)

#: A version of the events that lacked fields of today's, and which.
OLDER = "of before May 2026"
_ADDED_SINCE = ("account_id", "meeting_id", "webinar_id", "is_original_host")

#: Published versions of the events differ, and Zoom adds to them: what is merged into one.
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "as published": {},
    "newer": {"added_later": "🎧", "payload": {"added_later": {"deep": [1, None]}}},
    "with an account": {"payload": {"account_id": "dzVA4QmMQfyISoRcpFO8CA"}},
    OLDER: {},
}

#: How soon a receiver comes back is its own business, and the end of a stream is seen sooner.
_TIMINGS = {"close_grace": "1500ms", "reconnect_too_fast": "1ms"}

_READY = "10s"
_HELD_MS = 300

DELIVERED: Step = {"do": "wait", "for": "delivered"}


@dataclass
class Staged:
    """A stream of the plot; `joined` where the receiver was waited for and nothing was forged."""

    label: str
    product: Product
    running: bool = True
    joined: bool = False


@dataclass
class Plot:
    """`connects` says whether the receiver is one that joins streams, and can be waited for."""

    connects: bool
    steps: list[Step] = field(default_factory=list)
    streams: list[Staged] = field(default_factory=list)
    armed: str = ""

    @property
    def running(self) -> list[Staged]:
        return [stream for stream in self.streams if stream.running]

    @property
    def joined(self) -> list[Staged]:
        return [stream for stream in self.running if stream.joined]

    @property
    def meetings(self) -> dict[str, Product]:
        return {stream.label: stream.product for stream in self.streams}

    # --- what may happen ----------------------------------------------------------------------

    def start(self, name: str) -> None:
        """A stream of this product starts; the receiver joins it, if it does such things."""
        count = sum(stream.product.name == name for stream in self.streams)
        stream = Staged(f"{name}{count + 1}" if count else name, PRODUCTS[name])
        self.streams.append(stream)
        stream.joined = self.connects and self.armed in ("", "webhook_duplicate")
        waits = (_wait("ready", stream),) if stream.joined else ()
        self._tell({"do": "start", "meeting": stream.label}, *waits)

    def stop(self, stream: Staged, reason: str) -> None:
        stream.running = False
        self._tell({"do": "stop", "stream": stream.label, "reason": reason})

    def arm(self, kind: str) -> None:
        """The next webhook comes twice, never, or after the one that follows it."""
        fields: dict[str, Any] = {"times": 1}
        if kind == "webhook_reorder":
            fields |= {"ms": _HELD_MS, "probability": 1.0}
        self.armed = kind
        self.steps.append({"do": "fault", "kind": kind, "with": fields})

    def send(self, stream: Staged, happening: str, shape: str, reason: str) -> None:
        """A webhook that nothing has caused, of a stream that runs or is over."""
        stream.joined = False
        self._send(stream.product, happening, shape, reason, {"stream": stream.label})

    def send_of_nobody(self, product: str, happening: str, shape: str, reason: str) -> None:
        """A webhook of a stream that was never heard of."""
        self._send(PRODUCTS[product], happening, shape, reason, {})

    def lose_signaling(self, stream: Staged) -> None:
        """The signaling socket is reset, and the receiver comes back."""
        self.steps += [
            {"do": "fault", "kind": "reset", "stream": stream.label, "with": _SIGNALING},
            _wait("reconnected", stream),
        ]
        self.armed = ""  # the interrupted webhook was what it hit

    def relocate(self, stream: Staged) -> None:
        """A server fails, and a second started webhook names another one."""
        # Where that webhook is lost or late nobody can come back in time.
        stream.joined = self.armed in ("", "webhook_duplicate")
        waits = (_wait("reconnected", stream),) if stream.joined else ()
        self._tell({"do": "relocate", "stream": stream.label}, *waits)

    def finish(self) -> None:
        """What still runs is stopped."""
        for stream in self.running:
            self.stop(stream, REASONS[0])

    # --- how it is told -----------------------------------------------------------------------

    def _send(
        self, product: Product, happening: str, shape: str, reason: str, of: dict[str, str]
    ) -> None:
        payload = dict(SHAPES[shape].get("payload", {}))
        if happening == "started" and not of:
            payload["server_urls"] = NOWHERE
        if happening == "stopped":  # made up it would be another one each time
            payload["stop_reason"] = product.stop_reasons[StopReason[reason.upper()]]
        fields = {**SHAPES[shape], "payload": payload} if payload else {}
        more: Step = {"set": fields} if fields else {}
        event = product.event(happening)
        known = load_spec().event(event).payload_fields
        if shape == OLDER and (without := [name for name in _ADDED_SINCE if name in known]):
            more["without"] = without
        self._tell({"do": "send", "event": event, **of, **more})

    def _tell(self, *steps: Step) -> None:
        """A step that is told by a webhook, and what is waited for before its answer."""
        self.steps += steps
        if self.armed != "webhook_reorder":
            self.steps.append(DELIVERED)
        self.armed = ""


def smaller(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Sequences with a step less, the last ones first, and then with a plainer step.

    What is waited for after a step goes with it.  Some are no longer scenarios: a stream is stopped
    that never started.
    """
    starts = [index for index, step in enumerate(steps) if step["do"] != "wait"]
    for start, end in reversed(list(zip(starts, [*starts[1:], len(steps)], strict=True))):
        yield [*steps[:start], *steps[end:]]
    for index, step in enumerate(steps):
        plainer = _plainer(step)
        if plainer != step:
            yield [*steps[:index], plainer, *steps[index + 1 :]]


def _plainer(step: Step) -> Step:
    """The step without its reason, and of a webhook without what need not be set."""
    plain = {key: value for key, value in step.items() if key not in ("reason", "set", "without")}
    payload = step.get("set", {}).get("payload", {})
    needed = {key: payload[key] for key in ("server_urls", "stop_reason") if key in payload}
    return {**plain, "set": {"payload": needed}} if needed else plain


_SIGNALING = {"socket": "signaling"}


def _wait(what: str, stream: Staged) -> Step:
    return {"do": "wait", "for": what, "stream": stream.label, "within": _READY}


def written(
    name: str,
    steps: Sequence[Step],
    meetings: Mapping[str, Product],
    out_of_order: Iterable[str] = (),
) -> str:
    """The text of a scenario; `out_of_order` are the rules of Zoom's that the sequence breaks."""
    told = str(steps)
    head = {
        "name": name,
        "story": "The shortest sequence of its kind that `mockzoom fuzz` found to do harm.",
        "timings": _TIMINGS,
    }
    lines = [f"{key}: {_flow(value)}" for key, value in head.items()]
    used = {label: of for label, of in meetings.items() if f"'{label}'" in told}
    if used:
        lines.append("meetings:")
        lines += [f"  {label}: {_flow(_plan(of))}" for label, of in used.items()]
    expect: dict[str, Any] = {"joins": False}
    if broken := sorted(set(out_of_order)):
        expect["out_of_order"] = broken
    lines += [f"expect: {_flow(expect)}", "steps:", *(f"  - {_flow(step)}" for step in steps)]
    return "\n".join(lines) + "\n"


def _plan(product: Product) -> dict[str, Any]:
    return {"product": product.name, "people": ["Alice"]}


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=100_000
    )
    return text.removesuffix("...\n").strip()
