"""A stream of the mock that a receiver is to join: what happens to it, and what is waited for.

Every wait looks at the evidence again and again, and is over when what is wanted is there.  When
its time runs out, or it is plain that nothing will come of it, it is a `Broken` that shows what was
said on the sockets.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from mockzoom.core.codes import StopReason
from mockzoom.core.messages import Message
from mockzoom.core.products import Product
from mockzoom.core.timings import Timings
from mockzoom.handles import Meeting, Stream, World
from mockzoom.judge.contract import Broken
from mockzoom.judge.events import example_of
from mockzoom.judge.evidence import Evidence, SeenSocket
from mockzoom.judge.wire_log import Entry

__all__ = ["StagedStream", "window_s"]

T = TypeVar("T")

_LOOK_S = 0.01

#: When nothing has happened for so long it is quiet: longer than most wait before they try again.
#: Of a receiver that goes on trying so many times as long is enough to see that it does.
_QUIET_S = 0.5
_UNREST = 4

#: So many frames of audio are enough to see what a receiver makes of them.
_FRAMES = 5

#: What a busy machine may take beyond a window.
_SPARE_S = 1.0

#: A handshake that breaks one of these is refused, and an app that then holds no socket for so
#: long has given up.
_REFUSED = (
    "rtms.id",
    "rtms.stream-id",
    "rtms.signature",
    "rtms.payload",
    "rtms.message",
    "rtms.message-type",
    "rtms.media-type",
    "rtms.media-params",
)
_GIVEN_UP_MS = 1_000
_LATE = ("rtms.connect", "rtms.ready-ack")


def window_s(timings: Timings, name: str) -> float:
    """The interval `name` in seconds, and what a busy machine may take beyond it."""
    return float(getattr(timings, f"{name}_ms")) / 1000 + _SPARE_S


class StagedStream:
    """A stream of the mock that the receiver is to join; for `strays` see `Evidence`."""

    def __init__(
        self,
        zoom: World,
        timings: Timings,
        product: Product,
        meeting: Meeting,
        strays: Callable[[], Iterable[Entry]] = tuple,
    ) -> None:
        self.product = product
        self.meeting = meeting
        self.stream: Stream = meeting.start_rtms()
        self.id = self.stream.rtms_stream_id
        self._zoom = zoom
        self._timings = timings
        self._strays = strays
        self._held: list[SeenSocket] = []

    @property
    def evidence(self) -> Evidence:
        """What the mock saw of it up to now."""
        return self._seen(self.settled)

    def settled(self) -> Evidence:
        """What the mock saw of it, once nothing has happened for a moment, or too much for long."""
        quiet_s = min(_QUIET_S, 1.25 * self._timings.keep_alive_ms / 1000)
        seen = self._seen()
        for _ in range(_UNREST):
            threading.Event().wait(quiet_s)
            before, seen = seen, self._seen()
            if seen.happened == before.happened:
                break
        return seen

    def _seen(self, settled: Callable[[], Evidence] | None = None) -> Evidence:
        return Evidence(self.id, self._zoom.journal(), settled, self._strays())

    def keeps(self, *clauses: str) -> None:
        """Raise `Broken` if one of `clauses` (see docs/clauses.md) was broken up to now."""
        self.evidence.keeps(*clauses)

    def started(self, **payload: Any) -> dict[str, Any]:
        """Its started webhook of now, with `payload` over its own, to be delivered by hand."""
        ids = {"rtms_stream_id": self.id, "server_urls": self.stream.server_urls}
        return example_of(self.product.event("started"), **self.meeting.ids, **ids | payload)

    def first_start(self) -> dict[str, Any]:
        """The started webhook that it began with, as it was sent, once that was answered.

        A receiver may join first and answer then.
        """
        answered = self.until(
            "an answer to the started webhook",
            lambda seen: seen.webhooks("started"),
            window_s(self._timings, "connect_window"),
        )
        return dict(answered[0]["body"])

    # --- what happens to it -------------------------------------------------------------------

    def fault(self, kind: str, **fields: Any) -> int:
        """Switch a fault on for this stream; see docs/faults.md."""
        return self._zoom.fault(kind, stream=self.id, **fields)

    def send(self, message: Message, socket: str = "signaling") -> None:
        """Send the receiver `message` as it is."""
        self.stream.send(message, socket)

    def stop(self, reason: StopReason = StopReason.MEETING_ENDED) -> None:
        """End it; returns when the receiver has answered the webhooks about it, or refused to."""
        try:
            self.stream.stop(reason)
        except TimeoutError as error:
            seen = self.evidence
            raise Broken("webhooks that are answered", str(error), wire=seen.wire()) from None

    def talk(self, text: str = "Hello.") -> None:
        """The first participant says `text`; returns when some of it was sent to the receiver.

        That is some frames of audio, and where the receiver takes none the transcript.  One that
        takes neither is not waited for.
        """
        before = self.stream.sent
        keys = {socket.key for socket in self.evidence.open}
        takes_audio = "audio" in keys

        def heard(seen: Evidence) -> bool:
            self._demand_sockets(seen)
            sent = self.stream.sent
            if takes_audio:
                return sent.get("audio", 0) >= before.get("audio", 0) + _FRAMES
            return sent != before

        self.meeting.say(self.meeting.participants[0], text)
        if keys & {"audio", "transcript", "all"}:
            self.until("media sent", heard, window_s(self._timings, "connect_window"))

    # --- what is waited for -------------------------------------------------------------------

    def until(self, expected: str, seen: Callable[[Evidence], T], timeout_s: float) -> T:
        """Wait until `seen` finds something in the evidence; `Broken` when the time is over."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            evidence = self.evidence
            if found := seen(evidence):
                return found
            in_time = time.monotonic() < deadline_s
            evidence.demand(in_time, f"{expected} within {timeout_s:g} s")
            threading.Event().wait(_LOOK_S)

    def is_ready(self) -> None:
        """Wait until the receiver has joined and media may flow; not if it has given up."""

        def ready(seen: Evidence) -> bool:
            if _gave_up(seen):
                seen.keeps(*_REFUSED, *_LATE)
            return seen.flowing()

        self._joined("media may flow", ready, "connect_window")

    def is_back(self, after: int) -> None:
        """Wait until media may flow again after the entry `after`, from before the loss."""
        self._joined(
            "back, and media may flow", lambda seen: seen.flowing(after), "signaling_window"
        )

    def media_is_back(self, key: str, after: int) -> None:
        """Wait until media of `key` may flow again on a socket opened after the entry `after`."""

        def back(seen: Evidence) -> bool:
            new = [s for s in seen.media if s.key == key and s.entry > after]
            return seen.flowing() and any(s.open and seen.joined(s) for s in new)

        self._joined(f"{key} is back", back, "media_window")

    def _joined(self, expected: str, seen: Callable[[Evidence], bool], window: str) -> None:
        def held(evidence: Evidence) -> list[SeenSocket]:
            return evidence.open if seen(evidence) else []

        # Those of the same moment: a receiver that crashes right after it holds none any more.
        self._held = self.until(expected, held, window_s(self._timings, window))

    def hangs_up(self) -> None:
        """Wait until the receiver has closed every socket; `Broken` if Zoom had to do it."""
        grace_s = window_s(self._timings, "close_grace")
        self.until("every socket closed", lambda seen: not seen.open, grace_s)
        self.keeps("rtms.left-open")

    def survives(self) -> None:
        """Every socket it had stayed open, and answers a keep-alive that is sent from now on."""
        after = self.evidence.last_id
        self.stream.keep_alive()

        def alive(seen: Evidence) -> bool:
            self._demand_sockets(seen)
            return all(seen.answered(socket, after) for socket in self._held)

        rounds_s = (self._timings.keep_alives_missed + 1) * window_s(self._timings, "keep_alive")
        self.until("a keep-alive answered on each socket", alive, rounds_s)

    def _demand_sockets(self, seen: Evidence) -> None:
        """Every socket that the receiver had when it joined is still open."""
        open_ = {socket.conn for socket in seen.open}
        seen.demand({socket.conn for socket in self._held} <= open_, "every socket stays open")


def _gave_up(seen: Evidence) -> bool:
    """Whether the receiver was too late, or was refused and has held no socket for a while."""
    if seen.findings(*_LATE):
        return True
    if seen.open or not seen.findings(*_REFUSED):
        return False
    last_ms = max((socket.closed_ms or 0 for socket in seen.sockets), default=0)
    return time.time() * 1000 - last_ms > _GIVEN_UP_MS
