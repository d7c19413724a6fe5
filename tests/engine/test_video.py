"""Test cards: each codec gives pictures that open, of the right size, and that move."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import av
import pytest
from PIL import Image

from mockzoom.core.codes import Resolution, VideoCodec
from mockzoom.core.video_format import SIZES, Card, VideoFormat
from mockzoom.engine.video import frames

CARD = Card("Alice", "camera")


@pytest.mark.parametrize("codec", [VideoCodec.JPG, VideoCodec.PNG])
@pytest.mark.parametrize("resolution", list(Resolution))
def test_pictures_open_in_the_size_that_was_granted(
    codec: VideoCodec, resolution: Resolution
) -> None:
    """Each frame is a picture of its own, and no two are the same."""
    loop = frames(CARD, VideoFormat(codec, resolution, 2))
    assert len(set(loop)) == 2
    with Image.open(BytesIO(b64decode(loop[0]))) as image:
        assert image.size == SIZES[resolution]
        assert image.format == {VideoCodec.JPG: "JPEG", VideoCodec.PNG: "PNG"}[codec]


@pytest.mark.parametrize("resolution", [Resolution.SD, Resolution.HD])
def test_a_stream_can_be_looped_in_one_decoder(resolution: Resolution) -> None:
    """Played twice, every packet is a frame; each round begins with parameter sets and an IDR."""
    loop = [b64decode(f) for f in frames(CARD, VideoFormat(VideoCodec.H264, resolution, 15))]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_type = "NONE"
    decoded = [frame for packet in loop * 2 for frame in decoder.decode(av.Packet(packet))]
    decoded += decoder.decode(None)
    assert len(decoded) == 2 * len(loop) == 30
    assert {(frame.width, frame.height) for frame in decoded} == {SIZES[resolution]}
    units = [unit[0] & 0x1F for unit in loop[0].split(b"\x00\x00\x01")[1:]]
    assert units[0] == 7
    assert 5 in units


def test_the_card_tells_whose_it_is() -> None:
    """Other names and other kinds are other pictures, even in letters that the font lacks."""
    format = VideoFormat(VideoCodec.JPG, Resolution.SD, 1)
    cards = [CARD, Card("Bob", "camera"), Card("Alice", "screen"), Card("名前 😀", "camera")]
    assert len({frames(card, format) for card in cards}) == len(cards)


def test_a_loop_is_encoded_once() -> None:
    """The second time it is the very same."""
    format = VideoFormat(VideoCodec.JPG, Resolution.SD, 3)
    assert frames(CARD, format) is frames(CARD, format)
