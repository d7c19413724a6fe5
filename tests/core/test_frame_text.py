"""Media frames as text, of which most was written before."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.codes import MediaType
from mockzoom.core.frame_text import FrameText, frame_body
from mockzoom.core.messages import encode, media_data

NOBODY = {"user_id": 0}


SEEN_OR_HEARD = (MediaType.AUDIO, MediaType.VIDEO, MediaType.DESKSHARE)
NAMES = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.sampled_from(SEEN_OR_HEARD), NAMES, st.binary(max_size=50), st.integers(0, 2**53))
def test_it_is_what_the_whole_message_would_be(
    media: MediaType, name: str, sound: bytes, at_ms: int
) -> None:
    """Byte for byte, whoever speaks and whatever their name is."""
    data = b64encode(sound).decode()
    for who in (NOBODY, {"user_id": 16778240, "user_name": name}):
        content = {**who, "data": data, "length": len(sound), "timestamp": at_ms}
        told = encode(media_data(media, content)).encode()
        assert FrameText(media, who).frame(frame_body(sound), at_ms) == told
