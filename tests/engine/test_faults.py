"""Every fault over real sockets: what the app meets, what the journal tells, and what goes on."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from contextlib import suppress
from random import Random
from typing import Any

import aiohttp
import pytest
from raw_socket import wire
from rig import Rig, in_loop, rig
from rtms_app import Conn, RtmsApp, sound

from mockzoom.core.codes import AudioCodec, DataOption, MessageType, SampleRate
from mockzoom.core.fault_kinds import FAULTS, parse_fault, settings
from mockzoom.core.faults import Lasting
from mockzoom.core.messages import Message
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.voice import speak
from mockzoom.errors import UnknownObject

T = MessageType
TEXT = "Good morning."
EACH: Message = {
    "codec": AudioCodec.L16,
    "sample_rate": SampleRate.SR_48K,
    "data_opt": DataOption.AUDIO_MULTI_STREAMS,
}


def fault(r: Rig, kind: str, **fields: Any) -> int:
    return r.world.add_fault(parse_fault({"kind": kind, **fields}))


async def arrived(stream: LiveStream) -> None:
    """Until the app has read all that has left."""
    for conn in list(stream.machine.sockets):
        await stream.wire.read(conn)


async def spoken(r: Rig, stream: LiveStream, more_ms: int = 0) -> int:
    """Alice has spoken, and as much time has passed; how many frames that was."""
    said = r.world.say(stream.meeting, "Alice", TEXT)
    await encoded(stream)
    r.clock.advance(said.duration_ms + more_ms)
    await arrived(stream)
    return said.duration_ms // 20


async def encoded(stream: LiveStream) -> None:
    await asyncio.sleep(0)
    for flow in stream._flows.values():
        await asyncio.gather(*flow._preparing)


def times(conn: Conn) -> list[int]:
    return [frame["timestamp"] for frame in conn.audio]


def happened(r: Rig) -> list[tuple[int, str, int | None]]:
    entries = [e for e in r.entries("fault") if "number" in e]
    return [(e["number"], e["happened"], e.get("hits")) for e in entries]


# --- cutting ----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1011, 4001])
@in_loop
async def test_a_socket_is_closed_with_a_code(code: int) -> None:
    """Only the socket that was named, with the code that was asked for."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        conn = await app.join()
        fault(r, "close", code=code, socket="audio")
        assert await conn.close_code() == code
        await app.signaling.next(T.EVENT_UPDATE, 2)
        assert not app.signaling.ended
        assert happened(r) == [(1, "on", None)]
        assert list(r.world.faults) == []


@in_loop
async def test_a_connection_is_reset_without_a_close_frame() -> None:
    """TCP's own RST, of the one stream that was named."""
    async with rig() as r:
        streams = [r.world.start_rtms(r.meeting()) for _ in range(2)]
        urls = [stream.machine.urls.signaling for stream in streams]
        async with wire(urls[0]) as cut, wire(urls[1]) as other:
            for socket, url in ((cut, urls[0]), (other, urls[1])):
                assert await socket.upgrade(url) == 101
            fault(r, "reset", stream=streams[0].id)
            with pytest.raises(ConnectionResetError):
                await cut.reader.read()
            other.send(9, b"ping")
            assert await other.receive() == (10, b"ping")


@in_loop
async def test_a_reset_interrupts_a_stream_and_the_app_may_come_back() -> None:
    """All sockets of it go; it is INTERRUPTED, and ACTIVE when the app has joined again."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "reset")
        assert await conn.close_code() == await app.signaling.close_code() == 1006
        await r.entry("state", state="INTERRUPTED")
        r.clock.advance(5_000)
        conn = await app.join(EACH)
        frames = await spoken(r, stream)
        assert len(await conn.heard(frames)) == frames
        assert r.found == []


# --- when -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["delay", "late"])
@in_loop
async def test_media_comes_later_with_its_own_timestamps(kind: str) -> None:
    """Nothing before its time is over, everything after it."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, kind, ms=5_000, socket="audio")
        frames = await spoken(r, stream, 3_000)
        assert conn.audio == []
        r.clock.advance(2_000)
        heard = await conn.heard(frames)
        start_ms = stream.meeting.utterances[0].start_ms
        assert times(conn) == [start_ms + 20 * k for k in range(frames)]
        assert sound(heard) == speak(TEXT, "Alice").astype("<i2").tobytes()


@in_loop
async def test_jitter_keeps_the_order_of_frames() -> None:
    """However long each is held back."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "jitter", ms=400, socket="media")
        frames = await spoken(r, stream, 400)
        assert len(await conn.heard(frames)) == frames
        assert times(conn) == sorted(times(conn))


@in_loop
async def test_a_narrow_line_carries_its_rate() -> None:
    """Audio that needs three times the line comes at the line's rate, in order."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "bandwidth", bytes_per_s=48_000, socket="audio")
        frames = await spoken(r, stream)
        passed_ms = r.clock.now_ms() - stream.meeting.utterances[0].start_ms
        size = len(json.dumps(conn.of(T.MEDIA_DATA_AUDIO)[1], separators=(",", ":")))
        carried = len(conn.audio) * size / 48
        assert passed_ms - 2 * size / 48 - 20 <= carried <= passed_ms
        r.clock.advance(60_000)
        assert len(await conn.heard(frames)) == frames
        assert times(conn) == sorted(times(conn))


@in_loop
async def test_media_is_out_of_order() -> None:
    """Some frames come after their followers, and each comes once."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "reorder", ms=50)
        said = r.world.say(stream.meeting, "Alice", TEXT)
        await encoded(stream)
        for _ in range(said.duration_ms // 20 + 5):
            r.clock.advance(20)
        await conn.heard(said.duration_ms // 20)
        assert times(conn) != sorted(times(conn))
        assert len(set(times(conn))) == said.duration_ms // 20


# --- how often --------------------------------------------------------------------------------


@in_loop
async def test_silence_ends_when_it_is_lifted() -> None:
    """Nothing comes meanwhile, and what comes afterwards is new."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        number = fault(r, "silence", socket="audio")
        frames = await spoken(r, stream)
        assert conn.audio == []
        r.world.lift_fault(number)
        await spoken(r, stream)
        assert len(await conn.heard(frames)) == frames
        assert happened(r) == [(1, "on", None), (1, "lifted", frames)]


@in_loop
async def test_media_is_duplicated() -> None:
    """Each frame twice, one after the other; signaling is as ever."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "duplicate")
        frames = await spoken(r, stream)
        await conn.heard(2 * frames)
        assert times(conn)[::2] == times(conn)[1::2] == sorted(set(times(conn)))
        await app.signaling.next(T.EVENT_UPDATE, 2)
        assert len(app.signaling.of(T.EVENT_UPDATE)) == len(
            {json.dumps(m) for m in app.signaling.of(T.EVENT_UPDATE)}
        )


# --- what -------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], Any]] = [
    ({"kind": "unknown_type", "number": 99}, lambda c: len(c.of(99)) == len(c.audio) == 3),
    ({"kind": "missing_field", "field": "data"}, lambda c: all("data" not in a for a in c.audio)),
    ({"kind": "missing_field", "field": "msg_type"}, lambda c: not c.audio),
    ({"kind": "extra_field"}, lambda c: all("x_undocumented" in a for a in c.audio)),
    (
        {"kind": "wrong_type", "field": "user_id"},
        lambda c: all(isinstance(a["user_id"], str) for a in c.audio),
    ),
    ({"kind": "wrong_base64"}, lambda c: all(len(a["data"]) % 4 for a in c.audio)),
    (
        {"kind": "huge", "bytes": 3_000_000},
        lambda c: all(len(m["padding"]) == 3_000_000 for m in c.of(14)),
    ),
]


@pytest.mark.parametrize(("value", "true"), WRONG, ids=lambda v: v if callable(v) else v["kind"])
@in_loop
async def test_messages_are_wrong_and_then_right(value: dict[str, Any], true: Any) -> None:
    """As often as it was asked for; what follows is as it should be."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, socket="audio", msg_type=14, times=3, **value)
        frames = await spoken(r, stream)
        expected = frames + (value["kind"] == "unknown_type") * 3
        await conn.until(lambda: len(conn.received) > expected, "all frames")
        first = Conn.__new__(Conn)
        first.received = conn.received[1 : 4 + (value["kind"] == "unknown_type") * 3]
        assert true(first), first.received
        rest = conn.audio[-(frames - 3) :]
        whole = speak(TEXT, "Alice").astype("<i2").tobytes()
        assert whole.endswith(sound(rest))
        assert happened(r) == [(1, "on", None), (1, "over", 3)]


@in_loop
async def test_json_breaks_off() -> None:
    """What comes is the beginning of a message and no more; the next one is whole."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        fault(r, "malformed_json", socket="audio", times=3)
        frames = await spoken(r, stream)
        await conn.heard(frames - 3)
        assert len(conn.broken) == 3
        for text in conn.broken:
            assert '{"msg_type":14,"content":{"user_id":16778240,"user_name":"Alice",'.startswith(
                text[:20]
            )
            with pytest.raises(json.JSONDecodeError):
                json.loads(text)


# --- not hearing, not asking ------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["stop_answering", "half_open"])
@in_loop
async def test_a_server_that_does_not_hear_gives_up_and_blames_nobody(kind: str) -> None:
    """Three keep-alives in vain: the connection is cut, and no clause is found broken."""
    async with rig(keep_alive_ms=10_000) as r:
        stream, app = r.start(r.meeting())
        await app.join(EACH)
        before = len(app.signaling.received)
        number = fault(r, kind)
        await app.signaling.send({"msg_type": 19, "rtms_stream_id": stream.id})
        for _ in range(3):
            r.clock.advance(10_000)
            await arrived(stream)
        heard = [m["msg_type"] for m in app.signaling.received[before:]]
        assert heard == ([12, 12, 12] if kind == "stop_answering" else [])
        r.clock.advance(10_000)
        assert await app.signaling.close_code() == 1006
        await r.entry("state", state="INTERRUPTED")
        assert r.found == []
        excused = [e["check"] for e in r.entries("fault") if e["happened"] == "excused"]
        assert set(excused) == {"rtms.keep-alive"}
        r.world.lift_fault(number)
        await app.join(EACH)
        assert stream.machine.flowing


@in_loop
async def test_an_app_that_is_not_disturbed_is_blamed() -> None:
    """A fault on one socket is no excuse for what happens on another."""
    async with rig(keep_alive_ms=10_000) as r:
        _, app = r.start(r.meeting())
        await app.join_signaling(answers=False)
        fault(r, "stop_answering", socket="audio")
        fault(r, "silence", msg_type=14)
        for _ in range(4):
            r.clock.advance(10_000)
        assert "rtms.keep-alive" in r.found


@in_loop
async def test_without_keep_alives_nobody_is_upset() -> None:
    """The app hears none, and the stream lives; lifted, they come again and are answered."""
    async with rig(keep_alive_ms=10_000) as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        number = fault(r, "no_keep_alive")
        for _ in range(12):
            r.clock.advance(10_000)
            await arrived(stream)
        assert conn.of(T.KEEP_ALIVE_REQ) == app.signaling.of(T.KEEP_ALIVE_REQ) == []
        frames = await spoken(r, stream)
        assert len(await conn.heard(frames)) == frames
        r.world.lift_fault(number)
        r.clock.advance(10_000)
        await conn.next(T.KEEP_ALIVE_REQ)
        assert r.found == []
        assert happened(r)[-1] == (1, "lifted", 24)


# --- handshakes -------------------------------------------------------------------------------


@in_loop
async def test_the_next_handshakes_are_refused() -> None:
    """Two on signaling with a code that only a server can raise; media is not touched by it."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        fault(r, "refuse", code=47, times=2, socket="signaling")
        for _ in range(2):
            with pytest.raises(AssertionError, match="'status_code': 47"):
                await app.join_signaling()
        await app.join(EACH)
        assert r.found == []
        assert happened(r) == [(1, "on", None), (1, "over", 2)]


@in_loop
async def test_a_refusal_waits_for_a_handshake_of_its_socket() -> None:
    """Another request, or a media handshake on the wrong socket, does not use it up."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        await app.join_signaling()
        fault(r, "refuse", code=45, socket="audio")
        await app.signaling.send({"msg_type": 3})
        await app.signaling.send({"msg_type": 19, "rtms_stream_id": app.identity.rtms_stream_id})
        await app.signaling.next(T.STREAM_STATE_RESP)
        with pytest.raises(AssertionError, match="'status_code': 45"):
            await app.join_media()
        await app.join_media()


@in_loop
async def test_a_downgrade_to_mixed_audio() -> None:
    """One who asked for a stream each is granted the mix, and gets it: user 0, without a name."""
    async with rig() as r:
        stream, app = r.start(r.meeting("Alice", "Bob"))
        fault(r, "grant", params={"audio": {"data_opt": 1}})
        conn = await app.join(EACH)
        granted = conn.of(T.DATA_HAND_SHAKE_RESP)[0]["media_params"]["audio"]
        assert granted["data_opt"] == DataOption.AUDIO_MIXED_STREAM
        assert granted["sample_rate"] == SampleRate.SR_48K
        r.world.say(stream.meeting, "Bob", TEXT)
        frames = await spoken(r, stream)
        heard = await conn.heard(frames)
        assert {frame["user_id"] for frame in heard} == {0}
        assert all("user_name" not in frame for frame in heard)
        assert len(set(times(conn))) == len(heard)


@in_loop
async def test_another_codec_is_granted() -> None:
    """L16 was asked for, Opus is granted, and Opus flows."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        fault(r, "grant", params={"audio": {"codec": AudioCodec.OPUS, "sample_rate": 3}})
        conn = await app.join({**EACH, "send_rate": 100})
        granted = conn.of(T.DATA_HAND_SHAKE_RESP)[0]["media_params"]["audio"]
        assert granted["codec"] == AudioCodec.OPUS
        await spoken(r, stream, 1_000)
        heard = await conn.heard(1)
        assert all(len(b64decode(frame["data"])) < 1_000 for frame in heard)
        assert r.entries("failure") == []


@in_loop
async def test_a_grant_that_does_not_go_with_the_wish_wins() -> None:
    """Stereo Opus was asked for; L16 has no stereo, and is granted as mono."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        fault(r, "grant", params={"audio": {"codec": AudioCodec.L16}})
        conn = await app.join({"codec": AudioCodec.OPUS, "channel": 2, "sample_rate": 3})
        granted = conn.of(T.DATA_HAND_SHAKE_RESP)[0]["media_params"]["audio"]
        assert (granted["codec"], granted["channel"]) == (AudioCodec.L16, 1)


# --- together ---------------------------------------------------------------------------------


@in_loop
async def test_faults_work_together() -> None:
    """Twice, late, and with fields that nobody knows."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        for kind in ("duplicate", "extra_field", "late"):
            fault(r, kind, socket="audio")
        frames = await spoken(r, stream)
        assert conn.audio == []
        r.clock.advance(2_000)
        heard = await conn.heard(2 * frames)
        assert all("x_undocumented" in frame for frame in heard)


@in_loop
async def test_a_seed_repeats_what_goes_wrong() -> None:
    """The same seed gives the same packets, another one others."""
    told = []
    for seed in (1, 1, 2):
        async with rig(seed=seed) as r:
            stream, app = r.start(r.meeting())
            conn = await app.join(EACH)
            for kind in ("malformed_json", "missing_field", "wrong_type", "silence"):
                fault(r, kind, socket="audio", msg_type=14, probability=0.2)
            await spoken(r, stream)
            assert len(conn.broken) > 2
            told.append((conn.broken, conn.of(T.MEDIA_DATA_AUDIO)))
    assert told[0] == told[1] != told[2]


@in_loop
async def test_a_stream_survives_whatever_goes_wrong() -> None:
    """A hundred random faults while people speak; lifted, a healthy stream goes on from there."""
    chance = Random(11)
    kinds = [kind for kind in FAULTS if "socket" in settings(kind)]
    async with rig(keep_alive_ms=10_000) as r:
        stream, app = r.start(r.meeting("Alice", "Bob"))
        healthy, fine = r.start(r.meeting())
        fine_conn = await fine.join(EACH)
        heard = 0
        for _ in range(100):
            value = random_fault(chance, kinds)
            number = r.world.add_fault(parse_fault({**value, "stream": stream.id}))
            with suppress(AssertionError, aiohttp.ClientError, KeyError, TimeoutError):
                await asyncio.wait_for(whatever(r, stream, app, chance), 0.05)
            with suppress(UnknownObject):  # a cut, or over already
                r.world.lift_fault(number)
            if stream.machine.state.name == "TERMINATED":
                stream, app = r.start(stream.meeting)
            heard += await spoken(r, healthy)
            assert len(await fine_conn.heard(heard)) == heard
        assert r.entries("failure") == []
        stream, app = r.start(stream.meeting)
        conn = await app.join(EACH)
        frames = await spoken(r, stream)
        assert len(await conn.heard(frames)) >= frames


async def whatever(r: Rig, stream: LiveStream, app: RtmsApp, chance: Random) -> None:
    """Something an app might do meanwhile."""
    r.world.say(stream.meeting, chance.choice(["Alice", "Bob"]), "Yes.")
    if stream.machine.signaling is None:
        await app.join(EACH)
    for _ in range(3):
        r.clock.advance(500)
        await arrived(stream)


def random_fault(chance: Random, kinds: list[str]) -> dict[str, Any]:
    kind = chance.choice(kinds)
    value: dict[str, Any] = {"kind": kind, "socket": chance.choice(["any", "audio", "signaling"])}
    if kind == "grant":
        value["params"] = {"audio": {"codec": chance.randint(1, 4)}}
    if kind == "huge":
        value["bytes"] = 10_000
    if issubclass(FAULTS[kind], Lasting):
        value["probability"] = chance.choice([0.2, 1.0])
        value["times"] = chance.choice([1, 5, None])
    return value
