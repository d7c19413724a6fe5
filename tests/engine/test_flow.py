"""The media of one socket: what is prepared, when it is done, what happens if that fails."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rig import in_loop, rig

from mockzoom.core.codes import DataOption
from mockzoom.core.frame_text import frame_body
from mockzoom.core.meeting import Sound
from mockzoom.engine import flow
from mockzoom.engine.media import Part
from mockzoom.engine.once import Frames

TEXT = "Good morning."
EACH = {"data_opt": DataOption.AUDIO_MULTI_STREAMS}


@in_loop
async def test_what_is_said_is_sent_to_the_end() -> None:
    """`spoken_out` returns when the last frame has been read by the app, and not sooner."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        said = r.world.say(meeting, "Alice", TEXT)
        waiting = asyncio.create_task(stream.spoken_out(5))
        r.clock.advance(said.duration_ms - 1)
        await conn.heard(said.duration_ms // 20 - 1)
        assert not waiting.done()
        r.clock.advance(1)
        await waiting
        assert len(conn.audio) == said.duration_ms // 20


@in_loop
async def test_waiting_for_what_is_said_may_take_too_long() -> None:
    """Time that does not pass is not waited for without end."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join(EACH)
        r.world.say(meeting, "Alice", TEXT)
        with pytest.raises(TimeoutError):
            await stream.spoken_out(0.05)


@in_loop
async def test_nobody_waits_for_a_socket_that_is_gone() -> None:
    """When the app leaves in the middle, what was to be sent is not waited for."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join(EACH)
        r.world.say(meeting, "Alice", TEXT)
        waiting = asyncio.create_task(stream.spoken_out(5))
        await asyncio.sleep(0)
        await app.signaling.close()
        await waiting


@in_loop
async def test_speech_that_cannot_be_encoded_is_a_failure_and_the_next_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken encoder costs what it was to encode and nothing else."""

    async def broken(*_: object) -> None:
        raise RuntimeError("no such codec")

    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        conn = await app.join(EACH)
        with monkeypatch.context() as patch:
            patch.setattr(flow, "sound_frames", broken)
            r.world.say(meeting, "Alice", TEXT)
            await stream.spoken_out(5)
        assert r.entries("failure")[0]["what"] == "audio encoding"
        said = r.world.say(meeting, "Alice", TEXT)
        r.clock.advance(10_000)
        assert (await conn.heard(1))[0]["timestamp"] == said.start_ms


@in_loop
async def test_runs_that_are_over_are_not_kept() -> None:
    """A flow that has been talked into for long holds on to what is still to be sent."""
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join(EACH)
        for _ in range(20):
            r.world.say(meeting, "Alice", TEXT)
            r.clock.advance(2_000)
            await asyncio.sleep(0)
            await asyncio.gather(*(t for f in stream._flows.values() for t in f._preparing))
            r.clock.advance(1)
        (only,) = stream._flows.values()
        assert len(only._runs) <= 2
        assert len(only._tracks[16_778_240]._runs) <= 2


@in_loop
async def test_a_script_is_encoded_as_it_is_spoken(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said in half an hour is not kept as sound until then."""
    encoded: list[Sound] = []

    async def noted(parts: tuple[Part, ...], *format: Any) -> Frames:
        encoded.append(parts[0][1])
        return (frame_body(b"abc"),) * 1_000

    monkeypatch.setattr(flow, "sound_frames", noted)
    async with rig() as r:
        meeting = r.meeting()
        stream, app = r.start(meeting)
        await app.join(EACH)
        said = [r.world.say(meeting, "Alice", f"{n}. {TEXT * 20}") for n in range(5)]
        for number, u in enumerate(said, 1):
            r.clock.advance(u.start_ms - r.clock.now_ms())
            await asyncio.sleep(0)
            await asyncio.gather(*(t for f in stream._flows.values() for t in f._preparing))
            assert len(encoded) == number
