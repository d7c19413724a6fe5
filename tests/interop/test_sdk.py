"""The official SDK is the receiver: it must not be able to tell the mock from Zoom."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace

import av
import numpy as np
import pytest
from sdk_process import SdkApp

from mockzoom import MockZoom, StopReason, Timings

pytestmark = pytest.mark.usefixtures("official_sdk")

#: Production's intervals, but keep-alives often enough to see some in a short meeting.
TIMINGS = replace(Timings(), keep_alive_ms=400)

ALICE = "Good morning everybody. Shall we begin?"
BOB = "Yes please, I am all ears."


@pytest.fixture(params=["ws", "wss"])
def zoom(request: pytest.FixtureRequest) -> Iterator[MockZoom]:
    with MockZoom(tls=request.param == "wss", timings=TIMINGS, seed=7) as zoom:
        assert zoom.rtms_url.startswith(request.param + "://")
        yield zoom


def heard_level(packets: list[str]) -> float:
    """RMS of Opus packets once decoded, full scale being 1."""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout, decoder.format = 48_000, "stereo", "s16"
    sound = [
        frame.to_ndarray().astype(np.float64) / 32768
        for packet in packets
        for frame in decoder.decode(av.Packet(b64decode(packet)))
    ]
    return float(np.sqrt(np.mean(np.concatenate(sound, axis=1) ** 2)))


def test_the_sdk_hears_a_meeting_from_its_webhook_to_its_end(zoom: MockZoom) -> None:
    """With default settings the SDK joins, hears and reads everybody, and leaves as it was told."""
    with SdkApp(zoom) as app:
        zoom.subscribe(app.url)
        meeting = zoom.meeting("Weekly", participants=["Alice", "Bob"])
        stream = meeting.start_rtms()
        id_ = stream.rtms_stream_id
        assert app.wait("join", stream=id_)["code"] == 0
        stream.wait_ready()
        said = {"Alice": meeting.say("Alice", ALICE), "Bob": meeting.say("Bob", BOB)}
        stream.wait_spoken()
        stream.stop(StopReason.USER_LEFT)
        assert app.wait("leave", stream=id_)["code"] == StopReason.USER_LEFT

        for name, utterance in said.items():
            app.wait("audio", user_name=name, timestamp=utterance.end_ms - 20)
            frames = app.all("audio", user_name=name)
            assert len(frames) == utterance.duration_ms // 20
            times = [frame["timestamp"] for frame in frames]
            assert times == list(range(utterance.start_ms, utterance.end_ms, 20))
            assert heard_level([frame["data"] for frame in frames]) > 0.02
            lines = [b64decode(t["data"]).decode() for t in app.all("transcript", user_name=name)]
            assert " ".join(lines) == utterance.text
        assert {user["name"] for user in app.all("user", op=0)} == {"Alice", "Bob"}
    keep_alives_are_answered_on_every_socket(zoom, id_, sockets=3)
    zoom.check()


def keep_alives_are_answered_on_every_socket(zoom: MockZoom, stream: str, sockets: int) -> None:
    entries = [entry for entry in zoom.journal() if entry["stream"] == stream]
    asked = [e["conn"] for e in entries if e.get("name") == "KEEP_ALIVE_REQ"]
    answered = [e["conn"] for e in entries if e.get("name") == "KEEP_ALIVE_RESP"]
    assert len(set(asked)) == sockets
    assert set(answered) == set(asked)
    assert len(asked) - len(answered) <= sockets, "more than the last one on a socket is open"


def test_two_meetings_at_once_are_not_mixed_up(zoom: MockZoom) -> None:
    """Each of two streams in one SDK process hears its own people, and ends by itself."""
    with SdkApp(zoom) as app:
        zoom.subscribe(app.url)
        spoken = {}
        for name in ("Alice", "Bob"):
            meeting = zoom.meeting(f"{name}'s", participants=[name])
            stream = meeting.start_rtms()
            stream.wait_ready()
            spoken[name] = stream, meeting.say(name, f"This is {name} in a meeting of my own.")
        for name, (stream, utterance) in spoken.items():
            stream.wait_spoken()
            app.wait("audio", user_name=name, timestamp=utterance.end_ms - 20)
            heard = app.all("audio", stream=stream.rtms_stream_id)
            assert {frame["user_name"] for frame in heard} == {name}
            assert len(heard) == utterance.duration_ms // 20
            stream.stop()
            app.wait("leave", stream=stream.rtms_stream_id, code=StopReason.MEETING_ENDED)
    zoom.check()
