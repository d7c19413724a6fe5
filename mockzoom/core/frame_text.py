"""The text of media frames, put together of pieces that were written before.

A stream is sent fifty frames a second.  Whose they are is the same in all of a source's; data and
length are the same for all streams that carry the same frame.  Both are written as JSON once, and
only the time is written for each.  What comes out is what `messages.encode` would write.
"""

from __future__ import annotations

from base64 import b64encode

from mockzoom.core.codes import MediaType
from mockzoom.core.messages import Message, encode, media_data

__all__ = ["FrameText", "frame_body"]


def frame_body(data: bytes) -> bytes:
    """What a frame says of its `data`: all but whose it is and when it was captured."""
    return b'%b","length":%d,"timestamp":' % (b64encode(data), len(data))


class FrameText:
    """Frames of one kind of media from `who`: a user's id and name, or nobody's."""

    __slots__ = ("_head",)

    def __init__(self, media: MediaType, who: Message) -> None:
        # Up to and with the quote that opens the data.
        self._head = encode(media_data(media, {**who, "data": ""})).removesuffix('"}}').encode()

    def frame(self, body: bytes, at_ms: int) -> bytes:
        """The frame with this body that was captured at `at_ms`."""
        return b"".join((self._head, body, b"%d}}" % at_ms))
