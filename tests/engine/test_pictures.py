"""Video and screen share over real sockets: whose they are, when they flow, and in step."""

from __future__ import annotations

import pytest
from rig import START_MS, FakeClock, Rig, in_loop, rig
from rtms_app import Conn, RtmsApp

from mockzoom.core import messages
from mockzoom.core.codes import DataOption, MediaType, MessageType, StopReason
from mockzoom.core.frame_text import frame_body
from mockzoom.core.meeting import Meeting
from mockzoom.core.messages import Message
from mockzoom.engine import pictures
from mockzoom.engine.pictures import PictureRun, picture_frames

SMALL = {"resolution": 1, "fps": 5}
ONE = {**SMALL, "data_opt": DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM}


async def watching(r: Rig, meeting: Meeting, video: Message) -> tuple[RtmsApp, Conn, Conn]:
    """An app with a video and a share socket, media flowing."""
    _, app = r.start(meeting)
    await app.join_signaling()
    seen = await app.join_media(MediaType.VIDEO, params={"video": video})
    screen = await app.join_media(MediaType.DESKSHARE, params={"deskshare": {"resolution": 1}})
    await app.acknowledge()
    return app, seen, screen


def shown(conn: Conn, kind: MessageType = MessageType.MEDIA_DATA_VIDEO) -> list[Message]:
    return [message["content"] for message in conn.of(kind)]


async def see(r: Rig, conn: Conn, name: str, kind: MessageType) -> list[Message]:
    """Let time pass until three frames of `name` are there; returns all frames of `name`."""

    def own() -> list[Message]:
        r.clock.advance(50)
        frames = [frame for frame in shown(conn, kind) if frame["user_name"] == name]
        return frames if len(frames) >= 3 else []

    while not (frames := own()):
        await r.settle()
    return frames


@in_loop
async def test_the_active_speaker_with_a_camera_is_seen() -> None:
    """Whose camera is on, then who speaks; frames are stamped by the frame rate."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        _, seen, _ = await watching(r, meeting, SMALL)
        r.world.camera(meeting, "Alice", True)
        frames = await see(r, seen, "Alice", MessageType.MEDIA_DATA_VIDEO)
        first = frames[0]["timestamp"]
        assert [frame["timestamp"] - first for frame in frames[:3]] == [0, 200, 400]
        r.world.camera(meeting, "Bob", True)
        r.world.say(meeting, "Bob", "Now look at me.")
        await see(r, seen, "Bob", MessageType.MEDIA_DATA_VIDEO)
        assert shown(seen)[-1]["user_name"] == "Bob"


@in_loop
async def test_nobody_is_seen_whose_camera_is_off() -> None:
    """Before it is turned on, and from the moment it is turned off."""
    async with rig() as r:
        meeting = r.meeting("Alice")
        _, seen, _ = await watching(r, meeting, SMALL)
        r.clock.advance(1000)
        assert not shown(seen)
        r.world.camera(meeting, "Alice", True)
        await see(r, seen, "Alice", MessageType.MEDIA_DATA_VIDEO)
        r.world.camera(meeting, "Alice", False)
        await r.settle()
        before = len(shown(seen))
        r.clock.advance(2000)
        await r.settle()
        assert len(shown(seen)) == before


@in_loop
async def test_one_participant_is_seen_once_subscribed_to() -> None:
    """Nothing flows before message 28, a new subscription replaces the old one."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        app, seen, _ = await watching(r, meeting, ONE)
        for name in ("Alice", "Bob"):
            r.world.camera(meeting, name, True)
        r.clock.advance(1000)
        await r.settle()
        assert not shown(seen)
        for number, name in enumerate(("Alice", "Bob"), 1):
            user_id = meeting.participant(name).user_id
            await app.signaling.send(messages.video_subscription_req(user_id, True, 0))
            await app.signaling.next(MessageType.VIDEO_SUBSCRIPTION_RESP, number)
            await see(r, seen, name, MessageType.MEDIA_DATA_VIDEO)
        assert shown(seen)[-1]["user_name"] == "Bob"


@in_loop
async def test_who_shares_is_seen_on_the_share_socket() -> None:
    """Also by an app whose stream began later; and no more once it is over."""
    async with rig() as r:
        meeting = r.meeting("Alice")
        r.world.share(meeting, "Alice", True)
        r.world.camera(meeting, "Alice", True)
        _, seen, screen = await watching(r, meeting, SMALL)
        frames = await see(r, screen, "Alice", MessageType.MEDIA_DATA_SHARE)
        assert frames[1]["timestamp"] - frames[0]["timestamp"] == 1000
        await see(r, seen, "Alice", MessageType.MEDIA_DATA_VIDEO)
        (stream,) = r.world.live_streams(meeting)
        r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
        await r.settle()
        before = len(shown(screen, MessageType.MEDIA_DATA_SHARE))
        r.clock.advance(5000)
        await r.settle()
        assert len(shown(screen, MessageType.MEDIA_DATA_SHARE)) == before


class Reel:
    """A run whose frames come when they are told to; `sent` are times since its start."""

    def __init__(self, fps: int = 5) -> None:
        self.clock = FakeClock()
        self.start_ms = self.clock.now_ms()
        self.sent: list[int] = []
        self.asked: list[int] = []
        self.run = PictureRun(
            lambda _, __, at_ms: self.sent.append(at_ms - self.start_ms),
            MediaType.VIDEO,
            {"user_id": 1, "user_name": "Alice"},
            fps,
            self.start_ms,
            self.clock,
            self.asked.append,
        )

    def ready(self, second: int) -> bool:
        return self.run.ready(second, (frame_body(b"a"),) * 5)

    def play(self) -> None:
        """Send all that is due."""
        while (due_ms := self.run.next_due_ms) is not None and due_ms <= self.clock.now_ms():
            self.run.play()


def test_each_second_is_asked_for_while_the_one_before_is_shown() -> None:
    """Nothing is due before it is there; then it goes out in step, however late it was."""
    reel = Reel()
    assert reel.run.next_due_ms is None
    reel.clock.advance(300)
    assert reel.ready(0), "it was waited for"
    reel.play()
    assert reel.sent == [0, 200]
    assert reel.asked == [1]
    reel.clock.advance(700)
    reel.play()
    assert reel.sent == [0, 200, 400, 600, 800]
    assert reel.run.next_due_ms is None
    reel.clock.advance(50)
    assert reel.ready(1)
    assert not reel.ready(1), "the same again changes nothing"
    reel.play()
    assert reel.sent[5:] == [1000]
    assert not reel.ready(2), "it is not waited for yet"


def test_pictures_that_are_too_late_are_left_out() -> None:
    """After a leap of three days it goes on with the next second, on the same grid."""
    reel = Reel()
    reel.ready(0)
    reel.play()
    leap_s = 3 * 86_400
    reel.clock.advance(leap_s * 1000 + 50)
    reel.play()
    assert reel.sent == [0]
    assert reel.asked == [1, leap_s + 1]
    assert not reel.ready(1), "what was asked for before the leap is of no use"
    assert reel.ready(leap_s + 1)
    reel.clock.advance(1_150)
    reel.play()
    assert reel.sent[1:] == [(leap_s + 1) * 1000, (leap_s + 1) * 1000 + 200]


def test_a_second_that_took_too_long_to_encode_is_shown_all_the_same() -> None:
    """Else a slow machine, or a fast clock, would never show anything."""
    reel = Reel()
    reel.clock.advance(60_000)
    reel.ready(0)
    reel.play()
    assert reel.sent == [0, 200, 400, 600, 800]


def test_nothing_is_sent_once_it_is_stopped() -> None:
    """Neither what is there nor what comes later."""
    reel = Reel()
    reel.ready(0)
    reel.run.stop()
    reel.run.play()
    assert not reel.ready(1)
    assert reel.run.next_due_ms is None
    assert reel.sent == []


@in_loop
async def test_pictures_are_encoded_once_for_all_who_look() -> None:
    """Twenty apps see the same second of the same card, which costs one encoding a second."""
    async with rig() as r:
        meetings = [r.meeting("Zoe") for _ in range(20)]
        before = picture_frames.count
        conns = []
        for meeting in meetings:
            _, seen, _ = await watching(r, meeting, SMALL)
            conns.append(seen)
        for meeting in meetings:
            r.world.camera(meeting, "Zoe", True)
        for conn in conns:
            await see(r, conn, "Zoe", MessageType.MEDIA_DATA_VIDEO)
        seconds = (r.clock.now_ms() - START_MS) // 1000 + 2
        assert 1 <= picture_frames.count - before <= seconds
        assert r.entries("failure") == []


@in_loop
async def test_a_picture_that_cannot_be_encoded_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is told in the journal, and the rest of the meeting goes on."""

    async def broken(*_: object) -> None:
        raise RuntimeError("no such codec")

    monkeypatch.setattr(pictures, "picture_frames", broken)
    async with rig() as r:
        meeting = r.meeting("Alice")
        _, seen, _ = await watching(r, meeting, SMALL)
        r.world.camera(meeting, "Alice", True)
        assert (await r.entry("failure"))["what"] == "video encoding"
        assert not shown(seen)
