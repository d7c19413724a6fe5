"""The formats that video and screen share are sent in, and what is shown in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockzoom.core.codes import Resolution, VideoCodec
from mockzoom.core.messages import Message

__all__ = ["SIZES", "Card", "VideoFormat"]

#: Width and height in pixels.  SD is also told as 854 by 480.
SIZES: Mapping[Resolution, tuple[int, int]] = {
    Resolution.SD: (640, 360),
    Resolution.HD: (1280, 720),
    Resolution.FHD: (1920, 1080),
    Resolution.QHD: (2560, 1440),
}


@dataclass(frozen=True, slots=True)
class Card:
    """A test card: whose it is, and whether it stands for a camera or a screen."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class VideoFormat:
    codec: VideoCodec
    resolution: Resolution
    fps: int

    @classmethod
    def granted(cls, params: Message) -> VideoFormat:
        """The format behind the granted parameters of ``video`` or ``deskshare``."""
        return cls(VideoCodec(params["codec"]), Resolution(params["resolution"]), params["fps"])
