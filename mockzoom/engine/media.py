"""What flows on a media socket: audio frames and transcript lines as runs for the pacer.

A frame goes out once it has been captured, that is at the end of the time that it covers, and
carries the time of its first sample.  A transcript line goes out when its last word is spoken.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import AudioCodec, DataOption, MediaType, SampleRate
from mockzoom.core.meeting import Utterance
from mockzoom.core.messages import Message, media_data
from mockzoom.engine.audio import base64_frames, encode, mix
from mockzoom.engine.voice import speak

__all__ = [
    "AudioRun",
    "MixedAudio",
    "TranscriptRun",
    "audio_format",
    "is_mixed",
    "spoken_frames",
]

Sender = Callable[[MediaType, Message, int], None]
"""Takes the media type, the message and the capture time of what it holds (Unix ms)."""

#: Mixed audio belongs to nobody: user 0, and no name.
_NOBODY = {"user_id": 0}


def audio_format(params: Message) -> AudioFormat:
    """The format behind the granted ``media_params.audio``."""
    return AudioFormat(
        AudioCodec(params["codec"]),
        SampleRate(params["sample_rate"]).hz,
        params["channel"],
        params["send_rate"],
    )


def is_mixed(params: Message) -> bool:
    return bool(params["data_opt"] == DataOption.AUDIO_MIXED_STREAM)


def spoken_frames(utterance: Utterance, format: AudioFormat) -> tuple[str, ...]:
    """The base64 frames of `utterance`; slow the first time, so not for the loop's thread."""
    return base64_frames(utterance.text, utterance.participant.user_name, format)


class _Series:
    """What the runs of a socket have in common: they can be stopped, and be waited for."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self.finished = asyncio.Event()

    def stop(self) -> None:
        self.finished.set()

    def _settle(self, left: bool) -> None:
        if not left:
            self.finished.set()


class AudioRun(_Series):
    """The frames of one speaker (or of the mix) on one socket, from `from_ms` on."""

    def __init__(
        self,
        send: Sender,
        speaker: Message,
        start_ms: int,
        frames: Sequence[str],
        frame_ms: int,
        from_ms: int,
    ) -> None:
        super().__init__(send)
        self._speaker = speaker
        self._start_ms = start_ms
        self._frames = frames
        self._frame_ms = frame_ms
        self._next = max(0, -(-(from_ms - start_ms) // frame_ms))
        self._settle(self._next < len(frames))

    @property
    def next_ms(self) -> int:
        """The capture time of the next frame."""
        return self._start_ms + self._next * self._frame_ms

    @property
    def next_due_ms(self) -> int | None:
        return None if self.finished.is_set() else self.next_ms + self._frame_ms

    def play(self) -> None:
        if self.finished.is_set():
            return
        data, at_ms = self._frames[self._next], self.next_ms
        self._next += 1
        size = len(data) * 3 // 4 - data.count("=", -2)
        content = {**self._speaker, "data": data, "length": size, "timestamp": at_ms}
        self._send(MediaType.AUDIO, media_data(MediaType.AUDIO, content), at_ms)
        self._settle(self._next < len(self._frames))


class TranscriptRun(_Series):
    """The transcript lines of one utterance on one socket."""

    def __init__(self, send: Sender, utterance: Utterance, language: int, from_ms: int) -> None:
        super().__init__(send)
        self._utterance = utterance
        self._language = language
        start_ms = utterance.start_ms
        self._lines = [line for line in utterance.lines() if start_ms + line.end_ms > from_ms]
        self._settle(bool(self._lines))

    @property
    def next_due_ms(self) -> int | None:
        if self.finished.is_set():
            return None
        return self._utterance.start_ms + self._lines[0].end_ms

    def play(self) -> None:
        if self.finished.is_set():
            return
        line = self._lines.pop(0)
        start_ms = self._utterance.start_ms
        end_ms = start_ms + line.end_ms
        content: dict[str, Any] = {
            "user_id": self._utterance.participant.user_id,
            "user_name": self._utterance.participant.user_name,
            "start_time": start_ms + line.start_ms,
            "end_time": end_ms,
            "timestamp": end_ms,
            "language": self._language,
            "data": line.text,
        }
        self._send(MediaType.TRANSCRIPT, media_data(MediaType.TRANSCRIPT, content), end_ms)
        self._settle(bool(self._lines))


class MixedAudio:
    """Everybody on one socket in one series of frames.

    The mix is cut where somebody begins to speak over somebody else: what was not sent yet is
    mixed anew from there on, so that each frame is encoded before it is due.
    """

    def __init__(self, send: Sender, format: AudioFormat, from_ms: int) -> None:
        self._send = send
        self._format = format
        self._from_ms = from_ms
        self._run: AudioRun | None = None
        self._speaking: list[Utterance] = []

    def plan(self, utterance: Utterance) -> tuple[int, list[Utterance]]:
        """Where the mix goes on with `utterance` in it, and who is in it from there."""
        heard = [u for u in self._speaking if u.end_ms > utterance.start_ms]
        if self._run is None or self._run.finished.is_set() or not heard:
            return utterance.start_ms, [utterance]
        return self._run.next_ms, [*heard, utterance]

    def render(self, start_ms: int, speaking: Sequence[Utterance]) -> tuple[str, ...]:
        """The frames from `start_ms` on; slow, so not for the loop's thread."""
        parts = []
        for u in speaking:
            pcm = speak(u.text, u.participant.user_name)
            offset_ms = u.start_ms - start_ms
            parts.append((max(offset_ms, 0), pcm[max(-offset_ms, 0) * len(pcm) // u.duration_ms :]))
        return tuple(b64encode(frame).decode() for frame in encode(mix(parts), self._format))

    def splice(self, start_ms: int, speaking: list[Utterance], frames: Sequence[str]) -> AudioRun:
        """The run that plays from `start_ms` on, in place of the one before it."""
        from_ms = max(self._from_ms, start_ms)
        if self._run is not None:
            from_ms = max(from_ms, self._run.next_ms) if start_ms < self._run.next_ms else from_ms
            if len(speaking) > 1:
                self._run.stop()
        self._speaking = speaking
        frame_ms = self._format.send_rate_ms
        self._run = AudioRun(self._send, _NOBODY, start_ms, frames, frame_ms, from_ms)
        return self._run
