"""A stream over real sockets: what an app hears, and when."""

from __future__ import annotations

import asyncio
from base64 import b64decode

import numpy as np
import pytest
from rig import START_MS, in_loop, rig
from rtms_app import sound

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import (
    AudioCodec,
    DataOption,
    EventType,
    MediaType,
    MessageType,
    SampleRate,
    StopReason,
    StreamState,
)
from mockzoom.core.limits import Limits
from mockzoom.core.meeting import Utterance
from mockzoom.core.messages import Message
from mockzoom.engine import live_stream
from mockzoom.engine.audio import encode, mix
from mockzoom.engine.voice import RATE_HZ, speak

TEXT = "Good morning."
LONG = "The quick brown fox jumps over the lazy dog. Then it goes home again."

L16_48K: Message = {"codec": AudioCodec.L16, "sample_rate": SampleRate.SR_48K}
EACH: Message = {**L16_48K, "data_opt": DataOption.AUDIO_MULTI_STREAMS}


def frames_of(utterance: Utterance, frame_ms: int) -> int:
    return -(-utterance.duration_ms // frame_ms)


@pytest.mark.parametrize("send_rate", [20, 100, 1000])
@pytest.mark.parametrize("data_opt", [1, 2])
@pytest.mark.parametrize(
    ("codec", "sample_rate", "channel"),
    [(AudioCodec.L16, 16_000, 1), (AudioCodec.G711, 8_000, 1), (AudioCodec.G722, 16_000, 1)],
)
@in_loop
async def test_audio_is_what_was_granted(
    codec: AudioCodec, sample_rate: int, channel: int, data_opt: int, send_rate: int
) -> None:
    """Every codec and frame length: the encoder's own frames, each with the time of its start."""
    index = SampleRate.SR_8K if sample_rate == 8_000 else SampleRate.SR_16K
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        audio = {"codec": codec, "sample_rate": index, "send_rate": send_rate, "data_opt": data_opt}
        conn = await app.join(audio)
        said = r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(said.duration_ms + send_rate)
        expected = encode(speak(TEXT, "Alice"), AudioFormat(codec, sample_rate, 1, send_rate))
        heard = await conn.heard(len(expected))
        assert [b64decode(frame["data"]) for frame in heard] == list(expected)
        assert [frame["length"] for frame in heard] == [len(frame) for frame in expected]
        assert [frame["timestamp"] for frame in heard] == [
            said.start_ms + k * send_rate for k in range(len(expected))
        ]
        user = {"user_id": 0} if data_opt == 1 else {"user_id": 16_778_240, "user_name": "Alice"}
        assert all(frame.items() >= user.items() for frame in heard)
        assert all(("user_name" in frame) == (data_opt == 2) for frame in heard)


@pytest.mark.parametrize("channel", [1, 2])
@in_loop
async def test_opus_is_what_was_granted(channel: int) -> None:
    """Opus packets are those of the encoder, one a frame."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        audio = {"codec": AudioCodec.OPUS, "sample_rate": SampleRate.SR_48K, "channel": channel}
        conn = await app.join(audio)
        said = r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(said.duration_ms)
        expected = encode(speak(TEXT, "Alice"), AudioFormat(AudioCodec.OPUS, 48_000, channel, 20))
        heard = await conn.heard(len(expected))
        assert [b64decode(frame["data"]) for frame in heard] == list(expected)


@pytest.mark.parametrize("send_rate", [20, 100, 1000])
@in_loop
async def test_speakers_who_overlap_are_mixed(send_rate: int) -> None:
    """Bob begins while Alice speaks: one series of frames with the sum of both, gap nowhere."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        _, app = r.start(meeting)
        conn = await app.join({**L16_48K, "send_rate": send_rate})
        alice = r.world.say(meeting, "Alice", LONG)
        r.clock.advance(540)
        bob = r.world.say(meeting, "Bob", TEXT)
        r.clock.advance(alice.duration_ms + 1000)
        heard = await conn.heard(frames_of(alice, send_rate))
        times = [frame["timestamp"] for frame in heard]
        assert times == list(range(alice.start_ms, alice.end_ms, send_rate))
        parts = [(0, speak(LONG, "Alice")), (bob.start_ms - alice.start_ms, speak(TEXT, "Bob"))]
        expected = encode(mix(parts), AudioFormat(AudioCodec.L16, 48_000, 1, send_rate))
        assert sound(heard) == b"".join(expected)


@in_loop
async def test_a_mix_goes_on_with_who_speaks_longer_and_with_what_is_queued() -> None:
    """Three voices, one of them queued behind herself: the mix is exact to the last sample."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob", "Carol")
        _, app = r.start(meeting)
        conn = await app.join(L16_48K)
        said = [r.world.say(meeting, "Alice", TEXT), r.world.say(meeting, "Alice", LONG)]
        r.clock.advance(300)
        said.append(r.world.say(meeting, "Bob", LONG))
        r.clock.advance(20)
        said.append(r.world.say(meeting, "Carol", TEXT))
        r.clock.advance(60_000)
        start_ms, end_ms = said[0].start_ms, max(u.end_ms for u in said)
        heard = await conn.heard((end_ms - start_ms) // 20)
        assert [f["timestamp"] for f in heard] == list(range(start_ms, end_ms, 20))
        parts = [(u.start_ms - start_ms, speak(u.text, u.participant.user_name)) for u in said]
        assert sound(heard) == mix(parts).astype("<i2").tobytes()


@in_loop
async def test_each_participant_has_a_series_of_their_own() -> None:
    """Unmixed, overlapping speakers do not touch each other."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        _, app = r.start(meeting)
        conn = await app.join(EACH)
        said = [r.world.say(meeting, name, TEXT) for name in ("Alice", "Bob")]
        r.clock.advance(5_000)
        heard = await conn.heard(sum(frames_of(u, 20) for u in said))
        for u in said:
            own = [f for f in heard if f["user_name"] == u.participant.user_name]
            assert sound(own) == speak(TEXT, u.participant.user_name).astype("<i2").tobytes()


@pytest.mark.parametrize("send_rate", [100, 1000])
@in_loop
async def test_what_a_speaker_says_in_a_row_shares_frames(send_rate: int) -> None:
    """Frames of one speaker never cover the same time twice, however long they are."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        conn = await app.join({**EACH, "send_rate": send_rate})
        first, second = (r.world.say(meeting, "Alice", text) for text in (TEXT, LONG))
        r.clock.advance(60_000)
        count = -(-(second.end_ms - first.start_ms) // send_rate)
        heard = await conn.heard(count)
        times = [frame["timestamp"] for frame in heard]
        assert times == [first.start_ms + k * send_rate for k in range(count)]
        whole = mix([(0, speak(TEXT, "Alice")), (first.duration_ms, speak(LONG, "Alice"))])
        assert np.frombuffer(sound(heard), "<i2")[: len(whole)].tolist() == whole.tolist()


@in_loop
async def test_no_frame_leaves_before_it_is_captured() -> None:
    """Frame k is sent when its time is over, not sooner, and not later."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        r.world.say(meeting, "Alice", TEXT)
        await encoded(stream)
        r.clock.advance(19)
        assert stream.sent["audio"] == 0
        for frames in range(1, 20):
            r.clock.advance(1)
            assert stream.sent["audio"] == frames
            r.clock.advance(19)
            assert stream.sent["audio"] == frames
        await conn.heard(19)


async def encoded(stream: live_stream.LiveStream) -> None:
    """Until what was said is ready to be sent."""
    await asyncio.sleep(0)
    for flow in stream._flows.values():
        await asyncio.gather(*flow._preparing)


@in_loop
async def test_a_late_app_gets_what_was_kept_in_one_burst() -> None:
    """What was said before the app was there arrives at once, with the times of its capture."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        said = r.world.say(meeting, "Alice", LONG)
        r.clock.advance(2_000)
        conn = await app.join(EACH)
        heard = await conn.heard(100)
        assert len(heard) == 100
        assert [f["timestamp"] for f in heard] == list(
            range(said.start_ms, said.start_ms + 2000, 20)
        )
        r.clock.advance(60_000)
        heard = await conn.heard(frames_of(said, 20))
        assert sound(heard) == speak(LONG, "Alice").astype("<i2").tobytes()


@in_loop
async def test_of_a_long_wait_the_last_minute_is_kept() -> None:
    """Audio older than the buffer is gone; transcripts are not kept at all."""
    async with rig(audio_buffer_ms=500) as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        said = r.world.say(meeting, "Alice", LONG)
        r.clock.advance(2_000)
        conn = await app.join(EACH)
        r.clock.advance(20)
        heard = await conn.heard(26)
        assert heard[0]["timestamp"] == said.start_ms + 1_500


@in_loop
async def test_an_app_that_wants_no_buffer_gets_none() -> None:
    """With `buffer_data` false the first frame is one captured after the signaling handshake."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        said = r.world.say(meeting, "Alice", LONG)
        r.clock.advance(1_000)
        conn = await app.join(EACH, buffer=False)
        r.clock.advance(40)
        heard = await conn.heard(2)
        assert heard[0]["timestamp"] == said.start_ms + 1_000


@in_loop
async def test_after_a_reconnect_only_what_is_new_is_sent() -> None:
    """An app whose connection broke goes on with the present."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        said = r.world.say(meeting, "Alice", LONG)
        await encoded(stream)
        r.clock.advance(500)
        assert (await conn.heard(25))[-1]["timestamp"] == said.start_ms + 480
        await app.signaling.close()
        await r.entry("state", state="INTERRUPTED")
        await conn.close_code()
        r.clock.advance(500)
        conn = await app.join(EACH)
        r.clock.advance(20)
        assert (await conn.heard(1))[0]["timestamp"] == said.start_ms + 1_000


@in_loop
async def test_pause_and_resume() -> None:
    """Nothing flows while the host pauses, and what was said meanwhile stays unheard."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        said = r.world.say(meeting, "Alice", LONG)
        await encoded(stream)
        r.clock.advance(400)
        stream.feed(lambda machine, now_ms: machine.pause(now_ms))
        r.clock.advance(400)
        assert stream.sent["audio"] == 20
        stream.feed(lambda machine, now_ms: machine.resume(now_ms))
        r.clock.advance(20)
        heard = await conn.heard(21)
        assert heard[20]["timestamp"] == said.start_ms + 800


@pytest.mark.parametrize("send_rate", [20, 100])
@in_loop
async def test_who_leaves_falls_silent(send_rate: int) -> None:
    """In the middle of a sentence, whose transcript never comes; what was queued is not said."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        stream, app = r.start(meeting)
        conn = await app.join({**EACH, "send_rate": send_rate})
        lines = await app.join_media(MediaType.TRANSCRIPT)
        said = [r.world.say(meeting, "Alice", LONG) for _ in range(2)]
        r.world.say(meeting, "Bob", TEXT)
        await encoded(stream)
        r.clock.advance(1_090)
        r.world.leave(meeting, "Alice")
        r.clock.advance(60_000)
        bobs = frames_of(meeting.utterances[-1], send_rate)
        heard = await conn.heard(1_080 // send_rate + bobs)
        await lines.until(lambda: lines.transcript)
        await stream.spoken_out(1)
        own = [frame for frame in heard if frame["user_name"] == "Alice"]
        whole = speak(LONG, "Alice").astype("<i2").tobytes()
        assert whole.startswith(sound(own))
        assert own[-1]["timestamp"] == said[0].start_ms + 1_080 // send_rate * send_rate - send_rate
        assert [line["user_name"] for line in lines.transcript] == ["Bob"]
        assert stream.sent["audio"] == len(heard)
        told = [m["event"] for m in app.signaling.of(MessageType.EVENT_UPDATE)]
        speakers = [e["user_name"] for e in told if e["event_type"] == 2]
        assert speakers == ["Alice", "Bob"]


@in_loop
async def test_a_mix_goes_on_without_who_left() -> None:
    """The frames of the others follow without a gap, and an app that joins later hears the same."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        stream, app = r.start(meeting)
        conn = await app.join(L16_48K)
        said = [r.world.say(meeting, name, LONG) for name in ("Alice", "Bob")]
        await encoded(stream)
        r.clock.advance(1_000)
        r.world.leave(meeting, "Alice")
        late_stream, late_app = r.start(meeting)
        late_stream.machine._buffer_from_ms = said[0].start_ms
        late = await late_app.join(L16_48K)
        r.clock.advance(60_000)
        frames = frames_of(said[1], 20)
        heard = await conn.heard(frames)
        assert [f["timestamp"] for f in heard] == list(range(said[1].start_ms, said[1].end_ms, 20))
        alice = speak(LONG, "Alice")[:RATE_HZ]
        expected = mix([(0, alice), (0, speak(LONG, "Bob"))]).astype("<i2").tobytes()
        assert sound(heard) == expected
        assert sound(await late.heard(frames)) == expected


@in_loop
async def test_transcript_lines_come_when_their_last_word_is_spoken() -> None:
    """Each line carries when it was heard, and comes when that is over."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join_signaling()
        conn = await app.join_media(MediaType.TRANSCRIPT)
        await app.acknowledge()
        said = r.world.say(meeting, "Alice", LONG)
        lines = said.lines()
        assert len(lines) == 2
        for number, line in enumerate(lines, 1):
            until_ms = said.start_ms + line.end_ms
            r.clock.advance(until_ms - r.clock.now_ms() - 1)
            assert stream.sent["transcript"] == number - 1
            r.clock.advance(1)
            assert stream.sent["transcript"] == number
        await conn.until(lambda: len(conn.transcript) == 2)
        assert conn.transcript == [
            {
                "user_id": 16_778_240,
                "user_name": "Alice",
                "start_time": said.start_ms + line.start_ms,
                "end_time": said.start_ms + line.end_ms,
                "timestamp": said.start_ms + line.end_ms,
                "language": 9,
                "data": line.text,
            }
            for line in lines
        ]


@in_loop
async def test_all_media_on_one_socket() -> None:
    """Media type 32 on the URL `all` carries audio and transcript together."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        await app.join_signaling()
        conn = await app.join_media(MediaType.ALL)
        await app.acknowledge()
        said = r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(5_000)
        await conn.heard(frames_of(said, 20))
        await conn.until(lambda: conn.transcript)
        assert conn.transcript[0]["data"] == TEXT


@in_loop
async def test_several_streams_of_one_meeting_hear_the_same() -> None:
    """Each stream of a meeting has sockets of its own and everything that is said."""
    async with rig() as r:
        meeting = r.meeting()
        apps = [r.start(meeting)[1] for _ in range(2)]
        conns = [await app.join(EACH) for app in apps]
        said = r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(5_000)
        first, second = [await conn.heard(frames_of(said, 20)) for conn in conns]
        assert first == second


@in_loop
async def test_meetings_are_not_mixed() -> None:
    """What is said in one meeting is not heard in another."""
    async with rig() as r:
        meetings = [r.meeting("Alice"), r.meeting("Alice")]
        conns = [await r.start(meeting)[1].join(EACH) for meeting in meetings]
        said = [
            r.world.say(meeting, "Alice", text)
            for meeting, text in zip(meetings, (TEXT, LONG), strict=True)
        ]
        r.clock.advance(30_000)
        for conn, u in zip(conns, said, strict=True):
            heard = await conn.heard(frames_of(u, 20))
            assert sound(heard) == speak(u.text, "Alice").astype("<i2").tobytes()


@in_loop
async def test_events_of_the_meeting_are_told() -> None:
    """First packet, active speaker and who joins go out on signaling."""
    async with rig() as r:
        meeting = r.meeting()
        _, app = r.start(meeting)
        await app.join(EACH)
        r.world.join(meeting, "Bob")
        said = r.world.say(meeting, "Bob", TEXT)
        r.clock.advance(5_000)

        def events(kind: EventType) -> list[Message]:
            updates = app.signaling.of(MessageType.EVENT_UPDATE)
            return [m["event"] for m in updates if m["event"]["event_type"] == kind]

        await app.signaling.until(lambda: events(EventType.FIRST_PACKET_TIMESTAMP))
        assert events(EventType.FIRST_PACKET_TIMESTAMP)[0]["timestamp"] == said.start_ms
        assert events(EventType.ACTIVE_SPEAKER_CHANGE)[0]["user_name"] == "Bob"
        joined = [
            p["user_name"] for e in events(EventType.PARTICIPANT_JOIN) for p in e["participants"]
        ]
        assert joined == ["Alice", "Bob"]


@in_loop
async def test_a_slow_reader_is_cut_and_others_go_on() -> None:
    """Who does not read is cut once too much waits for them; the rest of the world hears on."""
    async with rig(limits=Limits(max_unread_bytes=100_000)) as r:
        meeting = r.meeting(*map(str, range(40)))
        (slow, slow_app), (_, app) = r.start(meeting), r.start(meeting)
        conn = await slow_app.join(EACH)
        fine = await app.join(L16_48K)
        conn.ws._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        said = [r.world.say(meeting, name, LONG) for name in meeting.participants]
        await encoded(slow)
        r.clock.advance(60_000)
        cut = await r.entry("socket", stream=slow.id, happened="cut: it does not read")
        await r.entry("socket", stream=slow.id, conn=cut["conn"], happened="closed")
        assert len(await fine.heard(frames_of(said[0], 20))) == frames_of(said[0], 20)
        conn.ws._response.connection.transport.resume_reading()  # type: ignore[union-attr]


@in_loop
async def test_a_step_that_is_refused_is_told_to_who_asked_and_harms_nothing() -> None:
    """Pausing twice raises, and the stream lives on."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        stream.feed(lambda machine, now_ms: machine.pause(now_ms))
        with pytest.raises(Exception, match="PAUSE is not possible"):
            stream.feed(lambda machine, now_ms: machine.pause(now_ms))
        stream.feed(lambda machine, now_ms: machine.resume(now_ms))
        r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(5_000)
        await conn.heard(1)


@in_loop
async def test_an_effect_that_fails_does_not_take_the_others_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A webhook that cannot be made is a failure in the journal; the app is told all the same."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join(EACH)

        def broken(*_: object) -> None:
            raise RuntimeError("no ink")

        monkeypatch.setattr(stream, "_emit", broken)
        r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
        told = await app.signaling.until(
            lambda: [
                m
                for m in app.signaling.of(MessageType.STREAM_STATE_UPDATE)
                if m["state"] == StreamState.TERMINATED
            ]
        )
        assert told[0]["reason"] == StopReason.MEETING_ENDED
        (failure,) = r.entries("failure")
        assert failure["what"] == f"stream {stream.id}: Emit"
        assert failure["error"] == "RuntimeError: no ink"


@in_loop
async def test_a_timer_that_fails_is_a_failure_in_the_journal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The stream's own timer may break without anybody noticing but the journal."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        await app.join_signaling()

        def broken(*_: object) -> None:
            raise RuntimeError("stopped clock")

        monkeypatch.setattr(stream.machine, "on_timer", broken)
        r.clock.advance(10_000)
        assert r.entries("failure")[0]["error"] == "RuntimeError: stopped clock"


@in_loop
async def test_a_feed_does_not_make_a_new_timer_for_the_same_time() -> None:
    """However often a machine is fed, one timer waits for its next deadline."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        await app.join_signaling()
        before = len(r.clock._timers)
        for _ in range(100):
            stream.feed(lambda machine, now_ms: None)
        assert len(r.clock._timers) == before


@in_loop
async def test_a_closed_stream_is_silent() -> None:
    """After `close` nothing is fed, noted or due any more."""
    async with rig() as r:
        stream, app = r.start(r.meeting())
        conn = await app.join(EACH)
        stream.close()
        noted = len(list(r.journal))
        assert await conn.close_code() == 1006
        assert await app.signaling.close_code() == 1006
        stream.feed(lambda machine, now_ms: machine.stop(StopReason.MEETING_ENDED, now_ms))
        assert stream.machine.state is StreamState.ACTIVE
        assert len(list(r.journal)) == noted
        assert r.clock.pending == []


@in_loop
async def test_long_messages_are_noted_in_short() -> None:
    """The journal keeps the beginning of what is too long for it."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        conn = await app.dial(app.server_urls)
        await conn.ws.send_str('{"msg_type": 1, "padding": "' + "x" * 10_000 + '"}')
        await conn.next(MessageType.SIGNALING_HAND_SHAKE_RESP)
        entry = await r.entry("message", way="in")
        assert entry["message"]["bytes"] == 10_030
        assert len(entry["message"]["raw"]) == 200


def test_the_clock_starts_where_tests_expect_it() -> None:
    """Speech begins on the grid of frames, and so does the tests' clock."""
    assert START_MS % 20 == 0
    assert RATE_HZ == 48_000
