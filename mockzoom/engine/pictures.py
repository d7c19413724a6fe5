"""Video and screen share on one socket: who is shown, and their frames as a run for the pacer.

Pictures are encoded a second at a time, each while the one before it is shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mockzoom.clock import Clock
from mockzoom.core.clip import Film
from mockzoom.core.codes import MediaType
from mockzoom.core.frame_text import FrameText, frame_body
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.video_format import Card, Scene, Showing, VideoFormat
from mockzoom.engine.journal import Journal
from mockzoom.engine.media import Sender, Series
from mockzoom.engine.once import Frames, Once
from mockzoom.engine.pacer import Pacer

__all__ = ["PictureRun", "Pictures", "picture_frames"]

#: A picture that is so late is left out, as a camera's would be: nobody keeps video for later.
_TOO_LATE_MS = 1_000

#: A minute of a test card in HD is 100 to 500 kB; a film has more.
_KEPT_BYTES = 64 * 2**20

_CARDS = {MediaType.VIDEO: "camera", MediaType.DESKSHARE: "screen"}


def _encoded(scene: Scene, format: VideoFormat, number: int) -> Frames:
    # Imported where it is needed: a mock that shows nobody loads no codec and no font.
    from mockzoom.engine.video import second

    return tuple(map(frame_body, second(scene, format, number)))


picture_frames = Once(_encoded, _KEPT_BYTES)


class PictureRun(Series):
    """Frames from `start_ms` on, until it is stopped; times do not drift.

    `ask` is told which second of the run (0 is the first) is wanted next; `ready` brings it.
    """

    def __init__(
        self,
        send: Sender,
        media: MediaType,
        who: Message,
        fps: int,
        start_ms: int,
        clock: Clock,
        ask: Callable[[int], None],
    ) -> None:
        super().__init__(send)
        self._media = media
        self._text = FrameText(media, who)
        self._fps = fps
        self._start_ms = start_ms
        self._clock = clock
        self._ask = ask
        self._number = 0
        self._ready: dict[int, Frames] = {}
        self._ready_ms = start_ms

    @property
    def next_due_ms(self) -> int | None:
        """None also while the second is not there that is to be shown."""
        if self.finished.is_set() or self._number // self._fps not in self._ready:
            return None
        return self._next_ms

    def ready(self, second: int, frames: Frames) -> bool:
        """These are the frames of `second`; returns whether the run has waited for them."""
        due = self._number // self._fps
        if second < due or second in self._ready or self.finished.is_set():
            return False
        self._ready[second] = frames
        self._ready_ms = self._clock.now_ms()
        return second == due

    def play(self) -> None:
        if self.next_due_ms is None:
            return
        at_ms, (second, index) = self._next_ms, divmod(self._number, self._fps)
        now_ms = self._clock.now_ms()
        # What has just been encoded is shown, however long that took.
        if now_ms - max(at_ms, self._ready_ms) > _TOO_LATE_MS:
            self._turn_to(-(-(now_ms - self._start_ms) // 1000))
            return
        if index == 0 and second + 1 not in self._ready:
            self._ask(second + 1)
        body = self._ready[second][index]
        self._number += 1
        if index + 1 == self._fps:
            del self._ready[second]
        self._send(self._media, self._text.frame(body, at_ms), at_ms)

    def _turn_to(self, second: int) -> None:
        """Leave out what is before `second`: only there a decoder can begin."""
        self._number = second * self._fps
        self._ready = {at: frames for at, frames in self._ready.items() if at >= second}
        if second not in self._ready:
            self._ask(second)

    @property
    def _next_ms(self) -> int:
        return self._start_ms + round(self._number * 1000 / self._fps)


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
        self._shown: tuple[Message, Showing] | None = None
        self._run: PictureRun | None = None
        self._encoding: set[asyncio.Task[None]] = set()

    def show(self, who: Message | None, film: tuple[Film, int] | None = None) -> None:
        """Show `who` (user_id and user_name) from now on, or nobody.

        They are shown by the `film` that runs since a time in Unix ms, or by a test card.
        """
        wanted = None
        if who is not None:
            card = Showing(Card(who["user_name"], _CARDS[self._media]))
            wanted = who, Showing(*film) if film else card
        if wanted != self._shown:
            self.stop()
            self._shown = wanted
            if wanted is not None:
                self._begin(*wanted)

    def stop(self) -> None:
        self._shown = None
        if self._run is not None:
            self._run.stop()
        for task in self._encoding:
            task.cancel()

    def _begin(self, who: Message, showing: Showing) -> None:
        start_ms = showing.start_ms(self._clock.now_ms())

        def ask(second: int) -> None:
            number = showing.second(start_ms + second * 1000)
            task = asyncio.get_running_loop().create_task(
                self._encode(run, second, showing.scene, number)
            )
            self._encoding.add(task)
            task.add_done_callback(self._encoding.discard)

        run = self._run = PictureRun(
            self._send, self._media, who, self._format.fps, start_ms, self._clock, ask
        )
        ask(0)

    async def _encode(self, run: PictureRun, second: int, scene: Scene, number: int) -> None:
        try:
            frames = await picture_frames(scene, self._format, number)
        except Exception as error:
            self._journal.failed("video encoding", error)
            return
        if run.ready(second, frames):
            self._pacer.add(run)
