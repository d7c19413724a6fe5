"""Pictures as they go over the wire: a second of a scene at a time, encoded.

H.264 is an Annex B stream whose every second begins with its parameter sets and an IDR picture, so
that seconds can be left out or played again, and who begins to look at one needs none before it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from io import BytesIO

import av

from mockzoom.core.codes import VideoCodec
from mockzoom.core.video_format import SIZES, Card, Scene, VideoFormat
from mockzoom.engine.card import Painter
from mockzoom.engine.files import film_pictures

__all__ = ["second"]


def second(scene: Scene, format: VideoFormat, number: int) -> list[bytes]:
    """The `format.fps` encoded frames of one second of `scene`, 0 being the first; slow."""
    pictures = _pictures(scene, format, number)
    if format.codec is VideoCodec.H264:
        return _h264(pictures, format)
    return [_still(picture, format.codec) for picture in pictures]


def _pictures(scene: Scene, format: VideoFormat, number: int) -> list[av.VideoFrame]:
    """Frames of the granted size, in yuv420p."""
    size = SIZES[format.resolution]
    if not isinstance(scene, Card):
        return film_pictures(scene.path, number, size, format.fps)
    card = Painter(scene, size, format.fps)
    first = number * format.fps
    return [
        av.VideoFrame.from_ndarray(card.picture(number), format="yuv420p")
        for number in range(first, first + format.fps)
    ]


def _still(picture: av.VideoFrame, codec: VideoCodec) -> bytes:
    out = BytesIO()
    image = picture.to_image()  # type: ignore[no-untyped-call]
    if codec is VideoCodec.JPG:
        image.save(out, "JPEG", quality=80)
    else:
        image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _h264(pictures: Iterable[av.VideoFrame], format: VideoFormat) -> list[bytes]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = SIZES[format.resolution]
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, format.fps)
    encoder.framerate = Fraction(format.fps)
    # One thread and little effort: it runs beside a loop that must not be late.
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "threads": "1"}
    packets = []
    for number, picture in enumerate(pictures):
        picture.pts, picture.time_base = number, encoder.time_base
        packets += encoder.encode(picture)
    return [bytes(packet) for packet in [*packets, *encoder.encode(None)]]
