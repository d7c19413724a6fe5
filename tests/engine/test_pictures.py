"""Video and screen share over real sockets: whose they are, when they flow, and in step."""

from __future__ import annotations

from rig import FakeClock, Rig, in_loop, rig
from rtms_app import Conn, RtmsApp

from mockzoom.core import messages
from mockzoom.core.codes import DataOption, MediaType, MessageType, StopReason
from mockzoom.core.meeting import Meeting
from mockzoom.core.messages import Message
from mockzoom.engine.pictures import PictureRun

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


def test_pictures_that_are_too_late_are_left_out() -> None:
    """After a leap of three days the next picture is that of the moment, on the same grid."""
    clock, sent = FakeClock(), list[int]()
    start_ms = clock.now_ms()
    who = {"user_id": 1, "user_name": "Alice"}
    run = PictureRun(
        lambda _, __, at_ms: sent.append(at_ms - start_ms), MediaType.VIDEO, who, ["AA=="], 5, clock
    )
    run.play()
    clock.advance(3 * 86_400_000 + 50)
    for _ in range(3):
        run.play()
    assert sent == [0, 3 * 86_400_000 + 200, 3 * 86_400_000 + 400]
