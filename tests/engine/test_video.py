"""Pictures: every codec, size and rate gives frames that open, move, and tell their number."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mockzoom.core.codes import MediaType, Resolution, VideoCodec
from mockzoom.core.media_params import Refused, grant
from mockzoom.core.video_format import SIZES, Card, VideoFormat
from mockzoom.engine.card import frame_number
from mockzoom.engine.video import second

CARD = Card("Alice", "camera")
JPG, PNG, H264 = VideoCodec

#: Rates on both sides of the limits, and those in use; in large pictures, which are slow, fewer.
FPS = (1, 2, 5, 6, 25, 30)
FPS_OF = {Resolution.SD: FPS, Resolution.HD: (1, 5, 6, 30), Resolution.FHD: (1, 6)}


def formats() -> Iterable[tuple[MediaType, VideoFormat]]:
    """All that is granted of what can be asked for, on both sockets."""
    for media, key in ((MediaType.VIDEO, "video"), (MediaType.DESKSHARE, "deskshare")):
        for codec in VideoCodec:
            for resolution in Resolution:
                for fps in FPS_OF.get(resolution, (1, 6)):
                    asked = {key: {"codec": codec, "resolution": resolution, "fps": fps}}
                    try:
                        params = grant((media,), asked)[key]
                    except Refused:
                        continue
                    assert params["fps"] == fps
                    yield media, VideoFormat.granted(params)


FORMATS = list(formats())


def decoded(frames: Iterable[bytes], codec: VideoCodec) -> list[npt.NDArray[np.uint8]]:
    """The brightness of each picture, by one decoder."""
    if codec is not H264:
        images = [Image.open(BytesIO(frame)) for frame in frames]
        assert {image.format for image in images} == {"JPEG" if codec is JPG else "PNG"}
        return [np.asarray(image.convert("L")) for image in images]
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_type = "NONE"
    packets = [*(av.Packet(frame) for frame in frames), None]
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    return [picture.to_ndarray()[: picture.height, : picture.width] for picture in pictures]


@pytest.mark.parametrize(
    ("media", "format"), FORMATS, ids=[f"{m.name}-{f.codec.name}-{f.resolution.name}-{f.fps}"
    for m, f in FORMATS],
)  # fmt: skip
def test_every_format_is_granted_and_tells_its_frame_numbers(
    media: MediaType, format: VideoFormat
) -> None:
    """Two seconds, one after the other, are pictures of the right size and consecutive numbers."""
    card = Card("Alice", "screen" if media is MediaType.DESKSHARE else "camera")
    frames = [*second(card, format, 58), *second(card, format, 59)]
    pictures = decoded(frames, format.codec)
    width, height = SIZES[format.resolution]
    assert {picture.shape for picture in pictures} == {(height, width)}
    numbers = [frame_number(picture) for picture in pictures]
    assert numbers == list(range(58 * format.fps, 60 * format.fps))


@pytest.mark.parametrize(("media", "limit"), [(MediaType.VIDEO, 5), (MediaType.DESKSHARE, 1)])
def test_both_sockets_have_limits_of_their_own(media: MediaType, limit: int) -> None:
    """Single pictures up to 5 a second of video and 1 of a screen, H.264 above, in every size."""
    granted = {(f.codec, f.fps > limit) for m, f in FORMATS if m is media}
    assert granted == {(JPG, False), (PNG, False), (H264, True)}
    assert {f.resolution for m, f in FORMATS if m is media} == set(Resolution)


def test_every_second_of_h264_can_be_the_first() -> None:
    """It begins with parameter sets and an IDR picture, and no other frame has them."""
    frames = second(CARD, VideoFormat(H264, Resolution.SD, 15), 7)
    kinds = [
        {unit[0] & 0x1F for unit in frame.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]}
        for frame in frames
    ]
    assert {7, 8, 5} <= kinds[0]
    assert all(5 not in kind and 1 in kind for kind in kinds[1:])


def test_the_card_tells_whose_it_is() -> None:
    """Other names and other kinds are other pictures, even in letters that the font lacks."""
    format = VideoFormat(JPG, Resolution.SD, 1)
    cards = [CARD, Card("Bob", "camera"), Card("Alice", "screen"), Card("名前 😀", "camera")]
    assert len({tuple(second(card, format, 0)) for card in cards}) == len(cards)
    assert second(CARD, format, 0) == second(CARD, format, 0)


@pytest.mark.parametrize("size", [(320, 180), (854, 480), (1000, 1000)])
def test_a_number_is_read_in_another_size(size: tuple[int, int]) -> None:
    """Who scales a recording can check it all the same."""
    [frame] = second(CARD, VideoFormat(JPG, Resolution.HD, 1), 42)
    image = Image.open(BytesIO(frame)).resize(size)
    assert frame_number(np.asarray(image.convert("L"))) == 42


def test_a_picture_without_a_number_has_none() -> None:
    """Neither black, nor noise, nor half a card is taken for one."""
    noise = np.random.default_rng(1).integers(0, 256, (360, 640), np.uint8)
    [frame] = second(CARD, VideoFormat(PNG, Resolution.SD, 1), 42)
    card = np.array(Image.open(BytesIO(frame)).convert("L"))
    card[:, 320:] = 235
    assert [frame_number(p) for p in (np.zeros((360, 640), np.uint8), noise, card)] == [None] * 3
