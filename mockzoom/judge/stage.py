"""The stage on which an RTMS client is judged: a mock Zoom of its own, for the receiver alone.

    def test_it_comes_back(stage: Stage) -> None:
        stream = stage.stream()
        stream.fault("reset", socket="signaling")
        stream.is_back()

The mock is started once a session (`Theatre`); a contract gets a world of its own in it, and what a
contract leaves behind is stopped after it.  Whatever fails is a `Broken`, with what was said on the
sockets.

Every id follows from the seed of the run and the name of the contract's case: the same case has the
same ids whatever else is judged, and no two cases have an id in common, because a receiver
remembers the streams that have ended.

Whether the receiver connects to RTMS at all is found out once, by an ordinary stream: a person
talks, another one leaves, the stream is stopped.  What the mock saw of it (`ordinary`) is evidence
for every contract that needs no more than that.  A receiver that never connected, or never got as
far as media, is told so once; contracts that could only repeat it are skipped.

Waits are as long as Zoom's own windows and not longer than it takes: how soon a receiver reconnects
is its own business, as long as it is back in time.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from itertools import count
from typing import Any, Self

from mockzoom.core.codes import MessageType
from mockzoom.core.examples import encode
from mockzoom.core.products import PRODUCTS
from mockzoom.core.timings import Timings
from mockzoom.handles import Meeting
from mockzoom.judge.answer import Answer
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import Broken
from mockzoom.judge.events import example_of, stream_id
from mockzoom.judge.evidence import Evidence
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.staged_stream import StagedStream, window_s
from mockzoom.judge.trap import Trap
from mockzoom.judge.wire_log import Entry
from mockzoom.server import MockZoom

__all__ = ["Stage", "Theatre", "stage_timings"]

#: What the server decides alone is fast; what an app needs time for leaves room for one that waits
#: 1, 2 and 4 s before it dials again, as the official SDK does, and for one that answers no
#: keep-alive for three seconds, because it reads a minute of audio on a busy machine.
_FAST = Timings(
    keep_alive_ms=400,
    keep_alives_missed=8,
    signaling_window_ms=8_000,
    media_window_ms=8_000,
    connect_window_ms=8_000,
    handshake_ms=2_000,
    reconnect_too_fast_ms=10,
    close_grace_ms=1_500,
)


def stage_timings(name: str) -> Timings:
    """The pace of a judgement: ``zoom``, ``fast``, or a factor on the vendor's intervals.

    Raises `ConfigurationError`.
    """
    return _FAST if name == "fast" else Timings.named(name)


class Theatre:
    """A mock Zoom for one receiver, between `with` and its end; it takes a `Stage` at a time.

    `name` tells it from others that judge the same receiver with the same seed.
    """

    def __init__(self, assignment: Assignment, receiver: ReceiverUnderTest, name: str = "") -> None:
        self.assignment = assignment
        self.receiver = receiver
        self.name = name
        self.timings = stage_timings(assignment.timings)
        self.zoom = MockZoom(
            credentials=assignment.credentials, timings=self.timings, seed=assignment.seed
        )

    def __enter__(self) -> Self:
        self.zoom.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.zoom.close()

    @cached_property
    def ordinary(self) -> Evidence:
        """What was seen of a stream on which nothing goes wrong; it is played when first asked."""
        with Stage(self, f"ordinary {self.name}") as stage:
            stream = stage.begin()
            with suppress(Broken):
                stream.is_ready()
                self._ordinary_life(stream)
            with suppress(Broken):
                stream.stop()
                stream.hangs_up()
            return stream.settled()

    def _ordinary_life(self, stream: StagedStream) -> None:
        conns = {socket.conn for socket in stream.evidence.open}
        needed = self.timings.keep_alives_missed * self.timings.keep_alive_ms / 1000
        stream.until(
            "two keep-alives answered on each socket",
            lambda seen: all(seen.answered(s) >= 2 for s in seen.open if s.conn in conns),
            needed + window_s(self.timings, "keep_alive"),
        )
        stream.talk("Good morning, everybody.")  # by now it has subscribed to what it wants to know
        stream.meeting.leave("Bob")
        stream.settled()

    @property
    def unfit(self) -> str:
        """Why streams cannot be judged, if the receiver does not get as far as media."""
        seen = self.ordinary
        if not seen.sockets:
            answers = [entry["outcome"] for entry in seen.webhooks("started")]
            return f"it never connected to RTMS (its answer to the started webhook: {answers})"
        if not seen.said(MessageType.CLIENT_READY_ACK):
            return f"it connected and never got as far as media ({seen})"
        return ""


class Stage:
    """The mock for one case of a contract, which is called `name`, between `with` and its end.

    Its ids follow from the name.  The streams that it was given are stopped at the end, and the
    receiver is told so.
    """

    def __init__(self, theatre: Theatre, name: str) -> None:
        self._theatre = theatre
        self._name = name
        self._by_hand = count(1)
        # A case may be called anything, and a world may not.
        self._world = hashlib.sha256(name.encode()).hexdigest()[:12]
        self.rtms_url = theatre.zoom.rtms_url
        self.timings = theatre.timings
        self.assignment = theatre.assignment
        self._receiver = theatre.receiver
        self._streams: list[StagedStream] = []
        self._cleanup = ExitStack()

    def __enter__(self) -> Self:
        self._began = len(self._theatre.zoom.journal())
        self.zoom = self._theatre.zoom.world(self._world)
        self.zoom.subscribe(self.assignment.url, validate=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.zoom.lift()
        for stream in self._streams:
            with suppress(Broken):
                stream.stop()
        self._cleanup.close()
        for stream in self._streams:
            with suppress(Broken):
                stream.hangs_up()
        self._theatre.zoom.remove_world(self._world)

    # --- streams ------------------------------------------------------------------------------

    def begin(
        self,
        product: str = "",
        participants: tuple[str, ...] = ("Alice", "Bob"),
        *,
        meeting: Meeting | None = None,
    ) -> StagedStream:
        """Start a stream, of a new meeting or `meeting`: its started webhook is on its way.

        `product` is by default one that the receiver takes.
        """
        name = product or self.assignment.product
        meeting = meeting or self.zoom.meeting("contract", participants, name)
        stream = StagedStream(self.zoom, self.timings, PRODUCTS[name], meeting, self._strays)
        self._streams.append(stream)
        return stream

    def _strays(self) -> Sequence[Entry]:
        """What was found since the beginning and belongs to no world, so to who is judged here."""
        return self._theatre.zoom.journal()[self._began :]

    def stream(
        self, product: str = "", participants: tuple[str, ...] = ("Alice", "Bob")
    ) -> StagedStream:
        """Start a stream, and wait until the receiver is ready for its media."""
        stream = self.begin(product, participants)
        stream.is_ready()
        return stream

    def fault(self, kind: str, **fields: Any) -> int:
        """Switch a fault on for this contract; see docs/faults.md."""
        return self.zoom.fault(kind, **fields)

    # --- webhooks by hand ---------------------------------------------------------------------

    def event(self, happening: str, **payload: Any) -> dict[str, Any]:
        """A webhook of now, of a stream that the mock knows nothing of, as `payload` says."""
        name = PRODUCTS[self.assignment.product].event(happening)
        id_ = stream_id(f"{self.assignment.seed}:{self._name}:{next(self._by_hand)}")
        return example_of(name, **{"rtms_stream_id": id_, **payload})

    def deliver(self, event: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Answer:
        """Post `event`, signed; a stream that it starts is stopped after the contract.

        An event out of the journal is, byte for byte, what the mock has sent.
        """
        return self._receiver.post(encode(event), headers=headers)

    def trap(self, host: str = "127.0.0.1") -> Trap:
        """An address that notes who dials it, until the end of the contract; raises `OSError`."""
        return self._cleanup.enter_context(Trap(host))

    # --- time ---------------------------------------------------------------------------------

    def window_s(self, name: str) -> float:
        """An interval of `Timings` in seconds, and what a busy machine may take beyond it."""
        return window_s(self.timings, name)

    def watch(self, seconds: float) -> None:
        """Let time pass, in which the receiver may do something that it should not."""
        threading.Event().wait(seconds)
