"""The test card: who it is of, a clock, a frame number, and a bar that moves.

The number counts the frames of a minute, so a recording can be checked: what is missing, double or
out of order shows.  People read it in the middle of the picture.  Programs read it in the strip
along the lower edge with `frame_number`, also after a codec, and in another size:

    twenty cells of one width, over the lowest eighth of the picture
    | white | black | 16 bits of the number, the highest first, white is 1 | parity | its opposite |

where parity makes the number of white cells among the 17 even.

Pictures are planes of video luma and colour as encoders take them (yuv420p), because drawing in
colours that must be converted costs more than encoding.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from mockzoom.core.video_format import Card

__all__ = ["Painter", "Planes", "frame_number"]

Planes: TypeAlias = npt.NDArray[np.uint8]
"""yuv420p in one array: `height` rows of luma, and half as many with both colours."""

_BLACK, _GROUND, _BAR, _INK = 16, 60, 170, 235
_COLOURS = (150, 112)  # a quiet blue
_CELLS = 20
_BITS = 16
_CONTRAST = 60


class Painter:
    """Pictures of `card` in a `size` of even numbers (width, height), `fps` a second."""

    def __init__(self, card: Card, size: tuple[int, int], fps: int) -> None:
        self._width, self._height = size
        self._fps = fps
        self._ground = self._still(card)

    def picture(self, number: int) -> Planes:
        """The frame of this number, from 0 to what 16 bits hold."""
        planes = self._ground.copy()
        width, height = self._width, self._height
        left = width * (number % self._fps) // self._fps
        planes[height * 5 // 8 : height * 6 // 8, left : left + width // 16] = _BAR
        second, frame = divmod(number, self._fps)
        text = f"{second + frame / self._fps:06.3f} s   frame {number}"
        line = Image.fromarray(planes[height * 3 // 8 : height * 5 // 8])
        self._write(line, text, 0)
        planes[height * 3 // 8 : height * 5 // 8] = np.asarray(line)
        self._code(planes, number)
        return planes

    def _still(self, card: Card) -> Planes:
        """All that does not move."""
        height, width = self._height, self._width
        planes = np.full((height * 3 // 2, width), _GROUND, np.uint8)
        colours = planes[height:].reshape(2, -1)
        colours[:] = np.array(_COLOURS, np.uint8)[:, None]
        image = Image.fromarray(planes[:height])
        self._write(image, f"{card.name}\n{card.kind}", height // 16)
        planes[:height] = np.asarray(image)
        return planes

    def _write(self, image: Image.Image, text: str, top: int) -> None:
        font = ImageFont.load_default(self._height // 9)
        ImageDraw.Draw(image).text((self._width // 16, top), text, _INK, font=font)

    def _code(self, planes: Planes, number: int) -> None:
        bits = [number >> place & 1 for place in reversed(range(_BITS))]
        parity = sum(bits) % 2
        cells = [1, 0, *bits, parity, 1 - parity]
        levels = np.where(np.array(cells, bool), _INK, _BLACK).astype(np.uint8)
        strip = levels[np.arange(self._width) * _CELLS // self._width]
        planes[self._height * 7 // 8 : self._height] = strip


def frame_number(luma: npt.NDArray[np.uint8]) -> int | None:
    """The number in a picture of a test card, rows and columns of brightness; None if unreadable.

    With Pillow: ``frame_number(numpy.asarray(image.convert("L")))``.
    """
    height, width = luma.shape
    strip = luma[height * 15 // 16 - height // 64 : height * 15 // 16 + height // 64 + 1]
    edges = np.arange(_CELLS + 1) * width / _CELLS
    inner = width / _CELLS / 4
    levels = [
        float(strip[:, int(left + inner) : int(right - inner) + 1].mean())
        for left, right in pairwise(edges)
    ]
    if levels[0] - levels[1] < _CONTRAST:
        return None
    middle = (levels[0] + levels[1]) / 2
    *bits, parity, opposite = (level > middle for level in levels[2:])
    if sum(bits) % 2 != parity or parity == opposite:
        return None
    return sum(bit << place for place, bit in enumerate(reversed(bits)))
