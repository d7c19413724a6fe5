"""Video and screen share on one socket: who is shown, and their frames as a run for the pacer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from mockzoom.clock import Clock
from mockzoom.core.codes import MediaType
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.video_format import Card, VideoFormat
from mockzoom.engine.journal import Journal
from mockzoom.engine.media import Sender, Series, frame_message
from mockzoom.engine.pacer import Pacer

__all__ = ["PictureRun", "Pictures"]

#: A picture that is so late is left out, as a camera's would be: nobody keeps video for later.
_TOO_LATE_MS = 1_000

_CARDS = {MediaType.VIDEO: "camera", MediaType.DESKSHARE: "screen"}


class PictureRun(Series):
    """A loop of frames, from now on, until it is stopped; times do not drift."""

    def __init__(
        self,
        send: Sender,
        media: MediaType,
        who: Message,
        frames: Sequence[str],
        fps: int,
        clock: Clock,
    ) -> None:
        super().__init__(send)
        self._media = media
        self._who = who
        self._frames = frames
        self._fps = fps
        self._clock = clock
        self._start_ms = clock.now_ms()
        self._number = 0

    @property
    def next_due_ms(self) -> int | None:
        if self.finished.is_set():
            return None
        return self._start_ms + round(self._number * 1000 / self._fps)

    def play(self) -> None:
        at_ms = self.next_due_ms
        if at_ms is None:
            return
        now_ms = self._clock.now_ms()
        if now_ms - at_ms > _TOO_LATE_MS:
            self._number = -(-(now_ms - self._start_ms) * self._fps // 1000)
            return
        data = self._frames[self._number % len(self._frames)]
        self._number += 1
        self._send(self._media, frame_message(self._media, self._who, data, at_ms), at_ms)


class Pictures:
    """One of video and screen share on a socket; `show` says whose, as often as it likes."""

    def __init__(
        self,
        media: MediaType,
        params: Message,
        *,
        clock: Clock,
        pacer: Pacer,
        journal: Journal,
        send: Sender,
    ) -> None:
        self._media = media
        self._format = VideoFormat.granted(params[MEDIA_KEYS[media]])
        self._clock = clock
        self._pacer = pacer
        self._journal = journal
        self._send = send
        self._who: Message | None = None
        self._run: PictureRun | None = None
        self._drawing: asyncio.Task[None] | None = None

    def show(self, who: Message | None) -> None:
        """Show `who` (user_id and user_name) from now on, or nobody."""
        if who == self._who:
            return
        self.stop()
        self._who = who
        if who is not None:
            self._drawing = asyncio.get_running_loop().create_task(self._begin(who))

    def stop(self) -> None:
        self._who = None
        if self._run is not None:
            self._run.stop()
        if self._drawing is not None:
            self._drawing.cancel()

    async def _begin(self, who: Message) -> None:
        card = Card(who["user_name"], _CARDS[self._media])
        try:
            frames = await asyncio.to_thread(_encoded, card, self._format)
        except Exception as error:
            self._journal.failed("video encoding", error)
            return
        self._run = PictureRun(self._send, self._media, who, frames, self._format.fps, self._clock)
        self._pacer.add(self._run)


def _encoded(card: Card, format: VideoFormat) -> tuple[str, ...]:
    # Imported where it is needed: a mock that shows nobody loads no codec and no font.
    from mockzoom.engine.video import frames

    return frames(card, format)
