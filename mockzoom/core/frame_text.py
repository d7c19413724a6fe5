"""The text of media frames, of which only data, length and time differ.

A stream is sent fifty frames a second, so what is the same in all of a source's is written as JSON
once.  What comes out is what `messages.encode` would write.
"""

from __future__ import annotations

from mockzoom.core.codes import MediaType
from mockzoom.core.messages import Message, encode, media_data

__all__ = ["FrameText"]


class FrameText:
    """Frames of one kind of media from `who`: a user's id and name, or nobody's."""

    def __init__(self, media: MediaType, who: Message) -> None:
        # Up to and with the quote that opens the data.
        self._head = encode(media_data(media, {**who, "data": ""})).removesuffix('"}}')

    def frame(self, data: str, at_ms: int) -> bytes:
        """One frame (base64) that was captured at `at_ms`; `length` is what it is decoded."""
        size = len(data) * 3 // 4 - data.count("=", -2)
        return f'{self._head}{data}","length":{size},"timestamp":{at_ms}}}}}'.encode()
