"""Many streams for a while, with clients that come and go: nothing is left of those that went.

`make test` has a few for some seconds.  `make soak` has a thousand for ten minutes; `SOAK_STREAMS`
and `SOAK_STAY_S` say how many, and for how long.  The receiving side is that of the benchmarks.
"""

from __future__ import annotations

import os
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from leftovers import left

from benchmarks.memory import memory_mb
from benchmarks.reader import Reader
from benchmarks.streams import AUDIO, SILENT, plan
from mockzoom import Meeting, MockZoom, Stream
from mockzoom.core.codes import StreamState
from mockzoom.engine import streams, world

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="counts memory and files as Linux tells them"
)

STREAMS = int(os.environ.get("SOAK_STREAMS", "20"))
STAY_S = float(os.environ.get("SOAK_STAY_S", "3"))

#: Each round a share of the streams goes, the oldest first, and as many come.
SHARE = 10

#: What is over is remembered, up to a greatest number of each kind, which is small here: what is
#: remembered is not what is looked for.
KEPT = 100

#: How much more memory may be in use at the end than after the first tenth of the time, in which
#: everything has been there once.
MORE = 1.1

LINE = "Some come, some go, and somebody always talks."


TIMINGS = replace(SILENT, close_grace_ms=200)


class Crowd:
    """Streams that flow."""

    def __init__(self, zoom: MockZoom, reader: Reader) -> None:
        self._zoom = zoom
        self._reader = reader
        self._there: list[tuple[Meeting, Stream]] = []

    def come(self, number: int) -> None:
        meetings = [self._zoom.meeting("A crowd") for _ in range(number)]
        new = [(meeting, meeting.start_rtms()) for meeting in meetings]
        self._reader.join([plan(self._zoom, *pair, AUDIO) for pair in new])
        for _, stream in new:
            stream.wait_ready(60)
        self._there += new

    def go(self, number: int) -> None:
        gone, self._there = self._there[:number], self._there[number:]
        for meeting, _ in gone:
            meeting.end()

    def talk(self) -> None:
        """Everybody says something, and has said it."""
        for meeting, _ in self._there:
            meeting.say("Alice", LINE)
        self._there[-1][1].wait_spoken()

    @property
    def whole(self) -> bool:
        return all(stream.state is StreamState.ACTIVE for _, stream in self._there)


def test_nothing_is_left_of_those_who_went(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of streams that have been there, and no stream fails."""
    monkeypatch.setattr(streams, "KEPT_STREAMS", KEPT)
    monkeypatch.setattr(world, "KEPT_MEETINGS", KEPT)
    few = max(1, STREAMS // SHARE)
    with (
        MockZoom(seed=1, timings=TIMINGS, max_streams=STREAMS, journal_size=KEPT) as zoom,
        closing(Reader()) as reader,
    ):
        crowd = Crowd(zoom, reader)
        crowd.come(few)
        crowd.talk()  # the threads that encode are there from now on
        before = left()
        crowd.come(STREAMS - few)
        began_s, early_mb = time.monotonic(), 0.0
        while (passed_s := time.monotonic() - began_s) < STAY_S:
            crowd.talk()
            crowd.go(few)
            crowd.come(few)
            early_mb = early_mb if passed_s > STAY_S / 10 else memory_mb()
        assert crowd.whole
        late_mb = memory_mb()
        print(f"\n{STREAMS} streams: {early_mb:.0f} MB after a tenth, {late_mb:.0f} MB at the end")
        crowd.go(STREAMS - few)
        settled_s = time.monotonic() + 30
        while left() > before and time.monotonic() < settled_s:
            zoom.journal()
        assert left() <= before
        assert late_mb < early_mb * MORE
        # The reader closes no socket by itself, so each stream that ended left its own open.
        assert {finding.check for finding in zoom.findings} == {"rtms.left-open"}
