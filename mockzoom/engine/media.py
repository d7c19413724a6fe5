"""What flows on a media socket: audio frames and transcript lines as runs for the pacer.

A frame goes out once it has been captured, that is at the end of the time that it covers, and
carries the time of its first sample.  A transcript line goes out when its last word is spoken.

An `AudioTrack` is one voice on a socket, or everybody's mixed.  What is spoken on it at the same
time, or close enough to share a frame, is one run of frames.  Where somebody begins to speak into
a run, the run is cut and a new one goes on from there with everybody in it, so that frames follow
each other without a gap, and none is sent twice.  All of that depends on when things were said and
not on when they were encoded: a frame that is encoded late is late, but never another one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import AudioCodec, DataOption, MediaType, SampleRate
from mockzoom.core.frame_text import FrameText
from mockzoom.core.languages import told_language
from mockzoom.core.meeting import Participant, Sound, Utterance
from mockzoom.core.messages import Message, media_data

__all__ = [
    "AudioRun",
    "AudioTrack",
    "Part",
    "Series",
    "TranscriptRun",
    "audio_format",
    "is_mixed",
]

Sender = Callable[[MediaType, Message | bytes, int], None]
"""Takes the media type, the message or its text, and the capture time of what it holds (Unix ms).
"""

Part = tuple[int, Sound, int]
"""When a sound begins (ms, negative when it began before), the sound, and how much of it is heard
(ms): who leaves does not come to its end."""


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


class Series:
    """What the runs of a socket have in common: they can be stopped, and be waited for."""

    __slots__ = ("_send", "finished")

    def __init__(self, send: Sender) -> None:
        self._send = send
        self.finished = asyncio.Event()

    def stop(self) -> None:
        self.finished.set()

    def _settle(self, left: bool) -> None:
        if not left:
            self.stop()


class AudioRun(Series):
    """Frames that follow each other on one socket, from `start_ms` to before `end_ms`.

    Nothing is due until it was given its frames.  What was captured before `from_ms` is not sent.
    """

    # There are thousands of them, each looked at fifty times a second: they are kept small, and
    # when the next frame is due is written down and not worked out.
    __slots__ = (
        "_frame_ms",
        "_frames",
        "_next",
        "_text",
        "end_ms",
        "next_due_ms",
        "start_ms",
        "utterances",
    )

    def __init__(
        self,
        send: Sender,
        speaker: Message,
        utterances: Sequence[Utterance],
        start_ms: int,
        frame_ms: int,
        from_ms: int,
    ) -> None:
        super().__init__(send)
        self.utterances = utterances
        self.start_ms = start_ms
        self._text = FrameText(MediaType.AUDIO, speaker)
        self._frame_ms = frame_ms
        self._frames: Sequence[bytes] = ()
        self._next = max(0, -(-(from_ms - start_ms) // frame_ms))
        self.next_due_ms: int | None = None
        self.end_ms = self.grid(max(u.end_ms for u in utterances) + frame_ms - 1)
        self._settle(self.next_ms < self.end_ms)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What its frames are made of."""
        return tuple((u.start_ms - self.start_ms, u.sound, u.duration_ms) for u in self.utterances)

    @property
    def next_ms(self) -> int:
        """When its next frame begins."""
        return self.start_ms + self._next * self._frame_ms

    def grid(self, at_ms: int) -> int:
        """The beginning of the frame in which `at_ms` lies."""
        return at_ms - (at_ms - self.start_ms) % self._frame_ms

    def has(self, participant: Participant) -> bool:
        return any(utterance.participant is participant for utterance in self.utterances)

    def begin(self, frames: Sequence[bytes]) -> None:
        """These are the bodies of all its frames from `start_ms` on."""
        self._frames = frames
        if not self.finished.is_set():
            self.next_due_ms = self.next_ms + self._frame_ms

    def stop(self) -> None:
        super().stop()
        self.next_due_ms = None

    def cut(self, at_ms: int) -> None:
        """End before `at_ms`, where a frame begins."""
        self.end_ms = at_ms
        self._settle(self.next_ms < at_ms)

    def play(self) -> None:
        due_ms = self.next_due_ms  # which is when the next frame begins
        if due_ms is None:
            return
        body, at_ms = self._frames[self._next], due_ms - self._frame_ms
        self._next += 1
        if due_ms < self.end_ms:
            self.next_due_ms = due_ms + self._frame_ms
        else:
            self.stop()
        self._send(MediaType.AUDIO, self._text.frame(body, at_ms), at_ms)


class AudioTrack:
    """The runs of one `speaker` (or of the mix) on one socket; no two cover the same time."""

    def __init__(self, send: Sender, speaker: Message, frame_ms: int, from_ms: int) -> None:
        self._send = send
        self._speaker = speaker
        self._frame_ms = frame_ms
        self._from_ms = from_ms
        self._runs: list[AudioRun] = []

    def add(self, utterance: Utterance) -> AudioRun:
        """The run that `utterance` is in; runs that it reaches into are cut or become part of it.

        Utterances come in the order in which they were said: one may begin in the future, but
        none earlier than what has been sent.
        """
        at_ms = utterance.start_ms
        self._runs = [r for r in self._runs if not r.finished.is_set() or r.end_ms > at_ms]
        before = next((r for r in self._runs if r.start_ms <= at_ms < r.end_ms), None)
        members = [utterance]
        if before is not None:
            at_ms = before.grid(at_ms)
            before.cut(at_ms)
            members = [u for u in before.utterances if u.end_ms > at_ms] + members
        run = self._run(members, at_ms)
        while (after := self._touched(run)) is not None:
            self._runs.remove(after)
            after.stop()
            members = list(dict.fromkeys([*members, *after.utterances]))
            run = self._run(members, at_ms)
        self._runs.append(run)
        return run

    def hush(self, participant: Participant, at_ms: int) -> list[AudioRun]:
        """`participant` is not heard from `at_ms` on; returns the runs of who speaks on."""
        hushed = [r for r in self._runs if r.end_ms > at_ms and r.has(participant)]
        rest = [self._without(participant, run, at_ms) for run in hushed]
        self._runs += filter(None, rest)
        return [run for run in rest if run is not None]

    def _without(self, participant: Participant, run: AudioRun, at_ms: int) -> AudioRun | None:
        end_ms = max(run.grid(at_ms), run.start_ms)
        run.cut(end_ms)
        others = [
            u for u in run.utterances if u.participant is not participant and u.end_ms > end_ms
        ]
        if not others:
            return None
        return self._run(others, max(end_ms, min(u.start_ms for u in others)))

    def _touched(self, run: AudioRun) -> AudioRun | None:
        return next((r for r in self._runs if run.start_ms <= r.start_ms < run.end_ms), None)

    def _run(self, members: Sequence[Utterance], start_ms: int) -> AudioRun:
        return AudioRun(self._send, self._speaker, members, start_ms, self._frame_ms, self._from_ms)


class TranscriptRun(Series):
    """The transcript lines of one utterance on one socket, which was granted `params`."""

    def __init__(self, send: Sender, utterance: Utterance, params: Message, from_ms: int) -> None:
        super().__init__(send)
        self._utterance = utterance
        self._params = params
        start_ms = utterance.start_ms
        self._lines = [line for line in utterance.lines() if start_ms + line.end_ms > from_ms]
        self.cut(utterance.end_ms)

    def has(self, participant: Participant) -> bool:
        return self._utterance.participant is participant

    def cut(self, at_ms: int) -> None:
        """Lines that end after `at_ms` are not spoken to their end."""
        start_ms = self._utterance.start_ms
        self._lines = [line for line in self._lines if start_ms + line.end_ms <= at_ms]
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
        self._settle(bool(self._lines))
        start_ms = self._utterance.start_ms
        end_ms = start_ms + line.end_ms
        content: dict[str, Any] = {
            **self._utterance.participant.as_speaker(),
            "start_time": start_ms + line.start_ms,
            "end_time": end_ms,
            "timestamp": end_ms,
            "language": told_language(line.language, self._params),
            "data": line.text,
        }
        self._send(MediaType.TRANSCRIPT, media_data(MediaType.TRANSCRIPT, content), end_ms)
