"""Many streams at once into one process of the official SDK; `SDK_STREAMS` says how many."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from sdk_process import SdkApp

from mockzoom import MockZoom, Timings

pytestmark = pytest.mark.usefixtures("official_sdk")

STREAMS = int(os.environ.get("SDK_STREAMS", "25"))
PATIENCE_S = 30 + STREAMS / 4

#: The SDK joins one stream after the other, and the last of many has to wait for its turn.
TIMINGS = replace(Timings(), connect_window_ms=600_000, handshake_ms=60_000)

LINE = "Everybody says the same, at the same time, in a meeting of their own."


def test_none_of_many_streams_loses_a_frame() -> None:
    """Each hears all that is said in its meeting, frame by frame, without a gap."""
    with (
        MockZoom(seed=7, timings=TIMINGS, max_streams=STREAMS) as zoom,
        SdkApp(zoom, media=["audio"], count=True) as app,
    ):
        zoom.subscribe(app.url)
        meetings = [zoom.meeting(f"Meeting {number}") for number in range(STREAMS)]
        streams = [meeting.start_rtms() for meeting in meetings]
        for stream in streams:
            stream.wait_ready(PATIENCE_S)
        said = [meeting.say("Alice", LINE) for meeting in meetings]
        for stream in streams:
            stream.wait_spoken(PATIENCE_S)
            stream.stop()
        for stream, utterance in zip(streams, said, strict=True):
            heard = app.wait("heard", PATIENCE_S, stream=stream.rtms_stream_id)["times"]
            assert heard == list(range(utterance.start_ms, utterance.end_ms, 20))
        zoom.check()
