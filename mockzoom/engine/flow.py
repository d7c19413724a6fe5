"""The media of one socket: what is spoken in the meeting becomes runs for the pacer.

Sound is synthesised or read, and encoded, in a worker thread, once for each format, so that the
loop only ever sends what is ready.  That is done shortly before it is due: who is told a whole
script at once does not have all of it in memory as sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from mockzoom.clock import Clock
from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.briefing import Briefing
from mockzoom.core.clip import Film
from mockzoom.core.codes import MediaType
from mockzoom.core.frame_text import frame_body
from mockzoom.core.meeting import Participant, Utterance
from mockzoom.core.messages import Message, media_data
from mockzoom.core.sockets import Socket
from mockzoom.engine.journal import Journal
from mockzoom.engine.media import (
    AudioRun,
    AudioTrack,
    Part,
    Sender,
    TranscriptRun,
    audio_format,
    is_mixed,
)
from mockzoom.engine.once import Frames, Once
from mockzoom.engine.pacer import Moment, Pacer
from mockzoom.engine.pictures import Pictures

__all__ = ["Flow", "sound_frames"]

#: Encoding a minute of speech takes well under a second.
_AHEAD_MS = 2_000

#: Two minutes of the fattest format: L16 of 48 kHz, stereo.
_KEPT_BYTES = 32 * 2**20

#: Mixed audio belongs to nobody: user 0, and no name.
_NOBODY: Message = {"user_id": 0}


def _heard(parts: tuple[Part, ...], format: AudioFormat) -> Frames:
    # Imported where it is needed: a mock in which nobody speaks loads no codec.
    from mockzoom.engine.sounds import heard

    return tuple(map(frame_body, heard(parts, format)))


sound_frames = Once(_heard, _KEPT_BYTES)


class Flow:
    """Plays utterances on `socket`, whose handshake is done, from its `flow_from_ms` on."""

    def __init__(
        self, socket: Socket, clock: Clock, pacer: Pacer, journal: Journal, send: Sender
    ) -> None:
        self._socket = socket
        self._pacer = pacer
        self._journal = journal
        self._send = send
        self._tracks: dict[int, AudioTrack] = {}
        self._runs: list[AudioRun | TranscriptRun] = []
        self._preparing: set[asyncio.Task[None]] = set()
        self._in_turn = asyncio.Lock()
        self._pictures = {
            media: Pictures(
                media, socket.params, clock=clock, pacer=pacer, journal=journal, send=send
            )
            for media in (MediaType.VIDEO, MediaType.DESKSHARE)
            if media in socket.media
        }
        if MediaType.AUDIO in socket.media:
            self._format = audio_format(socket.params["audio"])

    def add(self, utterance: Utterance) -> None:
        """`utterance` is spoken; what of it lies before the flow began is passed over."""
        self._runs = [run for run in self._runs if not run.finished.is_set()]
        if MediaType.TRANSCRIPT in self._socket.media:
            params = self._socket.params["transcript"]
            from_ms = self._socket.flow_from_ms or 0
            line = TranscriptRun(self._send, utterance, params, from_ms)
            self._runs.append(line)
            self._pacer.add(line)
        if MediaType.AUDIO in self._socket.media and utterance.audible:
            self._plan(self._track(utterance).add(utterance))

    def look(self, briefing: Briefing, films: Mapping[int, tuple[Film, int]]) -> None:
        """Show whose camera or screen is to be seen now, on a socket that carries it.

        `films` are in front of the cameras of their `user_id`, since a time in Unix ms.
        """
        for media, pictures in self._pictures.items():
            if media is MediaType.VIDEO:
                who = briefing.on_camera(self._socket.params["video"]["data_opt"])
                pictures.show(who, films.get(who["user_id"]) if who else None)
            else:
                pictures.show(briefing.on_screen())

    def chat(self, content: Message) -> None:
        """A chat message goes out at once, on a socket that carries chat."""
        if MediaType.CHAT in self._socket.media:
            message = media_data(MediaType.CHAT, content)
            self._send(MediaType.CHAT, message, content["timestamp"])

    def hush(self, participant: Participant, at_ms: int) -> None:
        """`participant` is gone at `at_ms`, in the middle of a sentence or before it."""
        for run in self._runs:
            if isinstance(run, TranscriptRun) and run.has(participant):
                run.cut(at_ms)
        for track in self._tracks.values():
            for run in track.hush(participant, at_ms):
                self._plan(run)

    def _plan(self, run: AudioRun) -> None:
        self._runs.append(run)
        self._pacer.add(Moment(run.start_ms - _AHEAD_MS, lambda: self._soon(run)))

    def stop(self) -> None:
        for run in self._runs:
            run.stop()
        for pictures in self._pictures.values():
            pictures.stop()
        for task in self._preparing:
            task.cancel()

    async def drained(self) -> None:
        """Wait until all that was added has been sent."""
        while waiting := [run for run in self._runs if not run.finished.is_set()]:
            await waiting[0].finished.wait()

    def _track(self, utterance: Utterance) -> AudioTrack:
        speaker = utterance.participant.as_speaker()
        if is_mixed(self._socket.params["audio"]):
            speaker = _NOBODY
        track = self._tracks.get(speaker["user_id"])
        if track is None:
            from_ms = self._socket.audio_from_ms or 0
            track = AudioTrack(self._send, speaker, self._format.send_rate_ms, from_ms)
            self._tracks[speaker["user_id"]] = track
        return track

    def _soon(self, run: AudioRun) -> None:
        if not run.finished.is_set():
            task = asyncio.get_running_loop().create_task(self._prepare(run))
            self._preparing.add(task)
            task.add_done_callback(self._preparing.discard)

    async def _prepare(self, run: AudioRun) -> None:
        """Encode, unless it is over or part of another run already; then play.

        One after the other, so that even late frames go out in the order of their times.
        """
        async with self._in_turn:
            if run.finished.is_set():
                return
            try:
                run.begin(await sound_frames(run.parts, self._format))
            except Exception as error:
                run.stop()
                self._journal.failed("audio encoding", error)
            self._pacer.add(run)
