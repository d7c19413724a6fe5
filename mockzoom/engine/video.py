"""A moving test card: whose it is and a frame number, over a bar that crosses the picture.

It is a loop of one second, drawn and encoded once for each card and format.  H.264 is an Annex B
stream that begins with its parameter sets and an IDR picture, so that the loop can be played over
and over by one decoder.
"""

from __future__ import annotations

from base64 import b64encode
from fractions import Fraction
from functools import lru_cache
from io import BytesIO

import av
from PIL import Image, ImageDraw, ImageFont

from mockzoom.core.codes import VideoCodec
from mockzoom.core.video_format import SIZES, Card, VideoFormat

__all__ = ["frames"]

_GROUND, _BAR, _INK = (24, 60, 96), (240, 180, 40), (255, 255, 255)


@lru_cache(maxsize=16)  # a loop is at most about a megabyte
def frames(card: Card, format: VideoFormat) -> tuple[str, ...]:
    """The loop of `format.fps` frames as base64; slow the first time, so not for the loop."""
    images = [_image(card, format, number) for number in range(format.fps)]
    if format.codec is VideoCodec.H264:
        encoded = _h264(images, format.fps)
    else:
        encoded = [_picture(image, format.codec) for image in images]
    return tuple(b64encode(frame).decode() for frame in encoded)


def _image(card: Card, format: VideoFormat, number: int) -> Image.Image:
    width, height = SIZES[format.resolution]
    image = Image.new("RGB", (width, height), _GROUND)
    draw = ImageDraw.Draw(image)
    left = width * number // format.fps
    draw.rectangle((left, 0, left + width // 16, height), fill=_BAR)
    font = ImageFont.load_default(height // 12)
    text = f"{card.name}\n{card.kind} {number + 1}/{format.fps}"
    draw.text((width // 16, height // 3), text, _INK, font=font)
    return image


def _picture(image: Image.Image, codec: VideoCodec) -> bytes:
    out = BytesIO()
    image.save(out, "JPEG" if codec is VideoCodec.JPG else "PNG")
    return out.getvalue()


def _h264(images: list[Image.Image], fps: int) -> list[bytes]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = images[0].size
    encoder.pix_fmt, encoder.time_base = "yuv420p", Fraction(1, fps)
    encoder.framerate = Fraction(fps)
    encoder.options = {"preset": "veryfast", "tune": "zerolatency"}
    packets = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
        frame.pts = number
        packets += encoder.encode(frame)
    return [bytes(packet) for packet in [*packets, *encoder.encode(None)]]
