"""Many streams against one receiver: started one after the other, talked into, and ended.

Each is a meeting of its own in which Alice speaks all the time, so whatever the app asks for, sound
and words flow to it without a pause.  What comes of it is told as numbers: how many streams the
app joined, what it was sent and how late, and what it did wrong.  Lateness is that of the mock, and
says whether this machine is fast enough for what was asked of it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mockzoom.core.codes import StopReason, StreamState
from mockzoom.core.lateness import Lateness
from mockzoom.handles import Meeting, Stream
from mockzoom.server import MockZoom

__all__ = ["LoadResult", "run_load"]

#: Ten seconds or so, synthesised and encoded once for all streams.
_SENTENCE = (
    "This is one of many meetings that are going on at the same time. Each has its own people, "
    "its own clock and its own words, and whoever listens to all of them has a lot to do."
)

#: The next sentence is ordered so long before the last one is over.
_AHEAD_MS = 2_000
_LOOK_S = 0.05

_FLOWING = (StreamState.ACTIVE, StreamState.RESUMED)
_SHARES = (0.5, 0.99, 1.0)


@dataclass(frozen=True)
class LoadResult:
    """What came of it: `joined` streams had media, `failed` ones never did or were cut off.

    `sent` counts media messages by kind, `findings` what the app did wrong by check.
    """

    streams: int
    joined: int
    failed: int
    sent: dict[str, int]
    lateness: Lateness
    findings: dict[str, int]

    @property
    def messages(self) -> int:
        return sum(self.sent.values())

    def as_dict(self) -> dict[str, Any]:
        return {
            "streams": self.streams,
            "joined": self.joined,
            "failed": self.failed,
            "messages": self.messages,
            "sent": self.sent,
            "late_ms": {f"p{share * 100:g}": self.lateness.quantile_ms(share) for share in _SHARES},
            "findings": self.findings,
        }


def run_load(
    zoom: MockZoom,
    streams: int,
    *,
    ramp_s: float = 0,
    duration_s: float = 10,
    on_look: Callable[[int, int], None] = lambda started, joined: None,
) -> LoadResult:
    """Start `streams` over `ramp_s`, talk into all for `duration_s` more, and end them.

    The receiver is subscribed already.  `on_look` is told again and again how many have started,
    and how many of them the app has joined.
    """
    talks: list[_Talk] = []
    began_s = time.monotonic()
    late = zoom.lateness
    while (passed_s := time.monotonic() - began_s) < ramp_s + duration_s or not talks:
        share = 1.0 if passed_s >= ramp_s else passed_s / ramp_s
        while len(talks) < max(1, round(streams * share)):
            talks.append(_Talk(zoom))
        for talk in talks:
            talk.go_on()
        on_look(len(talks), sum(talk.joined for talk in talks))
        time.sleep(_LOOK_S)
    failed = sum(talk.failed for talk in talks)
    for talk in talks:
        talk.end()
    talks[-1].stream.stop(StopReason.MEETING_ENDED)  # ended already, but this waits for webhooks
    return LoadResult(
        len(talks),
        sum(talk.joined for talk in talks),
        failed,
        dict(sum((Counter(talk.stream.sent) for talk in talks), Counter())),
        zoom.lateness.since(late),
        dict(Counter(finding.check for finding in zoom.findings)),
    )


class _Talk:
    """One meeting and its stream."""

    def __init__(self, zoom: MockZoom) -> None:
        self._zoom = zoom
        self._meeting: Meeting = zoom.meeting("Load", participants=["Alice"])
        self.stream: Stream = self._meeting.start_rtms()
        self.joined = False
        self._spoken_until_ms = 0

    @property
    def failed(self) -> bool:
        return self.stream.state not in _FLOWING

    def go_on(self) -> None:
        """Speak, once the app is there, and never stop."""
        if self.failed:
            return
        self.joined = True
        if self._zoom.clock.now_ms() + _AHEAD_MS > self._spoken_until_ms:
            self._spoken_until_ms = self._meeting.say("Alice", _SENTENCE).end_ms

    def end(self) -> None:
        self._meeting.end()
