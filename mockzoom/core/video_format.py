"""The formats that video and screen share are sent in, and what is shown in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockzoom.core.clip import Film
from mockzoom.core.codes import Resolution, VideoCodec
from mockzoom.core.messages import Message

__all__ = ["SIZES", "Card", "Scene", "Showing", "VideoFormat"]

#: Width and height in pixels.  SD is also told as 854 by 480.
SIZES: Mapping[Resolution, tuple[int, int]] = {
    Resolution.SD: (640, 360),
    Resolution.HD: (1280, 720),
    Resolution.FHD: (1920, 1080),
    Resolution.QHD: (2560, 1440),
}


@dataclass(frozen=True, slots=True)
class Card:
    """A test card: whose it is, and whether it stands for a camera or a screen.

    It starts anew every minute of the clock, whose seconds it shows.
    """

    name: str
    kind: str

    @property
    def seconds(self) -> int:
        return 60


Scene = Card | Film


@dataclass(frozen=True, slots=True)
class Showing:
    """`scene`, over and over, from `since_ms` (Unix) on: 0 for a card, which is always there."""

    scene: Scene
    since_ms: int = 0

    def start_ms(self, now_ms: int) -> int:
        """When the first picture is taken of who begins to look now.

        Everybody has a beat of their own with a card.  A film is in step with its sound, so it is
        looked at from the whole second that is nearest.
        """
        if isinstance(self.scene, Card):
            return now_ms
        return self.since_ms + max(0, now_ms - self.since_ms + 500) // 1000 * 1000

    def second(self, at_ms: int) -> int:
        """The second of the scene that begins at `at_ms`."""
        return (at_ms - self.since_ms) // 1000 % self.scene.seconds


@dataclass(frozen=True, slots=True)
class VideoFormat:
    codec: VideoCodec
    resolution: Resolution
    fps: int

    @classmethod
    def granted(cls, params: Message) -> VideoFormat:
        """The format behind the granted parameters of ``video`` or ``deskshare``."""
        return cls(VideoCodec(params["codec"]), Resolution(params["resolution"]), params["fps"])
