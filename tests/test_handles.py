"""The time of a running mock as its users steer it, and what has a name in its meetings."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockzoom import MockZoom, Receiver, StopReason, Timings
from mockzoom.core.codes import StreamState
from mockzoom.errors import LimitReached, UnknownObject, UsageError

DAYS_MS = 72 * 3_600_000


def test_days_pass_at_once_and_nobody_is_blamed(tmp_path: Path) -> None:
    """A live stream with a camera on survives leaps of 72 hours: no missed keep-alive, no flood."""
    with MockZoom(seed=1) as zoom, Receiver(zoom.credentials, recordings=tmp_path) as app:
        zoom.subscribe(app.url)
        meeting = zoom.meeting(participants=["Alice"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        meeting.camera("Alice", on=True)
        zoom.clock.freeze()
        began_ms, sent = zoom.clock.now_ms(), stream.sent.get("video", 0)
        for _ in range(10):
            zoom.clock.advance(DAYS_MS)
        assert zoom.clock.now_ms() - began_ms == 10 * DAYS_MS
        zoom.clock.thaw()
        zoom.clock.speed = 10
        meeting.say("Alice", "Still here.")
        stream.wait_spoken()
        assert stream.state is StreamState.ACTIVE
        assert stream.sent.get("video", 0) - sent < 500
        stream.stop()
        zoom.check()


def test_time_is_steered_and_read(tmp_path: Path) -> None:
    """Speed, freezing and leaps are as told, are noted, and end with a reset."""
    with MockZoom(seed=1, speed=20) as zoom:
        clock = zoom.clock
        assert (clock.speed, clock.frozen) == (20, False)
        clock.freeze()
        clock.speed = 2.5
        before_ms = clock.now_ms()
        clock.advance(1_000)
        assert (clock.now_ms() - before_ms, clock.frozen, clock.speed) == (1_000, True, 2.5)
        noted = zoom.wait_for("clock", by_ms=1_000)
        assert (noted["speed"], noted["frozen"], noted["at_ms"]) == (2.5, True, clock.now_ms())
        with pytest.raises(UsageError, match=r"clock: speed: expected 0\.001 to 1000, found 0"):
            clock.speed = 0
        zoom.reset()
        assert (clock.speed, clock.frozen) == (20, False)
        assert clock.now_ms() >= before_ms + 1_000


def test_a_fast_world_leaves_apps_their_time(tmp_path: Path) -> None:
    """At 1,000 times the speed an app joins, hears all that is said, and breaks no rule.

    It has seconds here, on a loaded machine, where the fast timings would leave it 200 ms.
    """
    with (
        MockZoom(seed=1, speed=1_000, timings=Timings.named("500")) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path) as app,
    ):
        zoom.subscribe(app.url)
        meeting = zoom.meeting(participants=["Alice"])
        stream = meeting.start_rtms()
        said = meeting.say("Alice", "This takes some seconds at the desk, but not here.")
        stream.wait_ready()
        stream.wait_spoken()
        stream.stop()
        app.wait_ended(stream.rtms_stream_id)
        assert said.duration_ms > 1_000
        assert stream.sent["audio"] == said.duration_ms // 20
        zoom.check()


def test_streams_take_their_intervals_along() -> None:
    """A stream that lives already has as long in real time after the speed has changed."""
    with MockZoom(seed=1) as zoom:
        stream = zoom.meeting().start_rtms()
        zoom.clock.speed = 1_000
        timings = stream._stream.machine.timings
        assert timings == Timings().at_speed(1_000)
        assert timings.keep_alive_ms / 1_000 == Timings.named("fast").keep_alive_ms


def test_things_happen_by_name() -> None:
    """A meeting's named happenings, in Python."""
    with MockZoom(seed=1) as zoom:
        call = zoom.meeting(participants=["Ann", "Bob"], product="contact_center")
        call.mute("Bob")
        call.unmute("Bob")
        call.hold()
        call.unhold("Bob")
        call.happen("transfer_initiated")
        names = [entry["name"] for entry in zoom.journal() if entry["kind"] == "happening"]
        assert names == ["hold", "unhold", "transfer_initiated"]
        meeting = zoom.meeting()
        streams = [meeting.start_rtms() for _ in range(2)]
        meeting.disable_app(by="admin")
        assert {s._stream.machine.stop_reason for s in streams} == {StopReason.ADMIN_DISABLED_APP}
        with pytest.raises(UnknownObject, match="'guest_disables_app'"):
            meeting.disable_app(by="guest")
        meeting.end()
        with pytest.raises(UsageError, match="it has ended"):
            meeting.start_rtms()


def test_an_app_has_a_limit_of_streams() -> None:
    """`max_streams` at once, and not one more."""
    with MockZoom(seed=1, max_streams=1) as zoom:
        zoom.meeting().start_rtms()
        with pytest.raises(LimitReached, match="as many as it may have"):
            zoom.meeting().start_rtms()


def test_an_app_is_told_what_a_test_wants_it_to_hear(tmp_path: Path) -> None:
    """Any message goes out as it is, on the socket that is named, and is noted; none elsewhere."""
    with MockZoom(seed=1) as zoom, Receiver(zoom.credentials, recordings=tmp_path) as app:
        zoom.subscribe(app.url, validate=False)
        stream = zoom.meeting().start_rtms()
        stream.wait_ready()
        odd = {"msg_type": 6, "event": {"event_type": 99}}
        stream.send(odd)
        stream.send({"msg_type": 777}, "audio")
        stream.send({"msg_type": 778}, "video")
        assert zoom.wait_for("message", way="out", message=odd)["name"] == "EVENT_UPDATE"
        assert zoom.wait_for("message", way="out", message={"msg_type": 777})["name"] == "unknown"
        stream.keep_alive()
        zoom.wait_for("message", way="in", name="KEEP_ALIVE_RESP")
        sent = [e["message"] for e in zoom.journal() if e["kind"] == "message"]
        assert {"msg_type": 778} not in sent
        assert not [e for e in zoom.journal() if e["kind"] == "validation"]
        zoom.check()
