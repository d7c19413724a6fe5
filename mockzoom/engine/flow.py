"""The media of one socket: what is spoken in the meeting becomes runs for the pacer.

Speech is synthesised and encoded in a worker thread, once for each format, so that the loop only
ever sends what is ready.
"""

from __future__ import annotations

import asyncio

from mockzoom.core.codes import MediaType
from mockzoom.core.meeting import Utterance
from mockzoom.core.sockets import Socket
from mockzoom.engine.media import (
    AudioRun,
    MixedAudio,
    Sender,
    TranscriptRun,
    audio_format,
    is_mixed,
    spoken_frames,
)
from mockzoom.engine.pacer import Pacer

__all__ = ["Flow"]


class Flow:
    """Plays utterances on `socket`, whose handshake is done, from its `flow_from_ms` on."""

    def __init__(self, socket: Socket, pacer: Pacer, send: Sender) -> None:
        self._socket = socket
        self._pacer = pacer
        self._send = send
        self._runs: list[AudioRun | TranscriptRun] = []
        self._preparing: set[asyncio.Task[None]] = set()
        self._in_turn = asyncio.Lock()
        self._stopped = False
        self._mix = self._mixer()

    def _mixer(self) -> MixedAudio | None:
        params = self._socket.params.get("audio")
        if params is None or not is_mixed(params):
            return None
        return MixedAudio(self._send, audio_format(params), self._socket.audio_from_ms or 0)

    def add(self, utterance: Utterance) -> None:
        """`utterance` is spoken; what of it lies before the flow began is passed over."""
        if MediaType.TRANSCRIPT in self._socket.media:
            language = self._socket.params["transcript"]["src_language"]
            from_ms = self._socket.flow_from_ms or 0
            self._play(TranscriptRun(self._send, utterance, language, from_ms))
        if MediaType.AUDIO in self._socket.media:
            task = asyncio.get_running_loop().create_task(self._prepare(utterance))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    def stop(self) -> None:
        self._stopped = True
        for run in self._runs:
            run.stop()
        for task in self._preparing:
            task.cancel()

    async def drained(self) -> None:
        """Wait until all that was added has been sent."""
        await asyncio.gather(*self._preparing, return_exceptions=True)
        for run in list(self._runs):
            await run.finished.wait()

    async def _prepare(self, utterance: Utterance) -> None:
        """Encode, then play; in the order in which people began to speak."""
        async with self._in_turn:
            run = await (self._mixed(utterance) if self._mix else self._alone(utterance))
        if not self._stopped:
            self._play(run)

    async def _alone(self, utterance: Utterance) -> AudioRun:
        format = audio_format(self._socket.params["audio"])
        frames = await asyncio.to_thread(spoken_frames, utterance, format)
        speaker = utterance.participant
        return AudioRun(
            self._send,
            {"user_id": speaker.user_id, "user_name": speaker.user_name},
            utterance.start_ms,
            frames,
            format.send_rate_ms,
            self._socket.audio_from_ms or 0,
        )

    async def _mixed(self, utterance: Utterance) -> AudioRun:
        assert self._mix is not None
        start_ms, speaking = self._mix.plan(utterance)
        frames = await asyncio.to_thread(self._mix.render, start_ms, speaking)
        return self._mix.splice(start_ms, speaking, frames)

    def _play(self, run: AudioRun | TranscriptRun) -> None:
        self._runs = [r for r in self._runs if not r.finished.is_set()]
        self._runs.append(run)
        self._pacer.add(run)
