"""What is waited for of a receiver, shown on journals that are told in advance."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from mockzoom.core.products import PRODUCTS
from mockzoom.core.timings import Timings
from mockzoom.judge.contract import Broken
from mockzoom.judge.staged_stream import StagedStream

Entry = dict[str, Any]


def entry(number: int, kind: str, **fields: Any) -> Entry:
    return {"id": number, "at_ms": number, "kind": kind, "stream": "a stream", **fields}


def staged(*journals: list[Entry]) -> StagedStream:
    """A stream of which the journal is first the first of `journals`, and so on, then the last."""
    left = list(journals)
    zoom, meeting = Mock(), Mock(participants=["Alice"])
    zoom.journal = lambda: left.pop(0) if len(left) > 1 else left[0]
    meeting.start_rtms.return_value = Mock(rtms_stream_id="a stream", sent={})
    return StagedStream(zoom, Timings.named("fast"), PRODUCTS["meeting"], meeting)


def joined(key: str) -> list[Entry]:
    return [
        entry(1, "socket", happened="opened", conn=1, socket="signaling"),
        entry(2, "socket", happened="opened", conn=2, socket=key),
        entry(3, "state", state="ACTIVE"),
    ]


def test_who_crashes_in_the_moment_after_joining_does_not_survive() -> None:
    """The sockets it had are those of the moment of joining, not of the next look at them."""
    crashed = [entry(3 + conn, "socket", happened="closed", conn=conn) for conn in (1, 2)]
    stream = staged(joined("audio"), [*joined("audio"), *crashed])
    stream.is_ready()
    with pytest.raises(Broken, match="signaling #1 closed, audio #1 closed"):
        stream.survives()


def test_who_takes_no_speech_is_not_waited_for() -> None:
    """To a receiver of chat alone nothing is sent when somebody talks."""
    stream = staged(joined("chat"))
    stream.is_ready()
    stream.talk()


def test_who_takes_speech_is_sent_some() -> None:
    """Where nothing is sent all the same, that is told."""
    stream = staged(joined("transcript"))
    stream.is_ready()
    with pytest.raises(Broken, match="media sent"):
        stream.talk()
