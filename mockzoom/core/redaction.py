"""What a recording may tell: how it went, and not who it was.

Everything that is text is taken for private, unless it is known not to be, so that a field which
the vendor adds tomorrow is no leak:

- *ids* become others of their shape, the same for the same;
- *names* become "Participant 1" and so on, whoever has the same name the same one;
- *what was said or written* becomes words of the same lengths, unless it is to be kept;
- *signatures* are left out: replaying makes its own;
- *media* stay, or only their lengths do; they are bytes that nothing here looks into;
- all other text is disguised: other letters and digits in the same places.

Numbers are kept, except ids and telephone numbers.  URLs are expected to be replaced already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mockzoom.core.codes import MessageType
from mockzoom.core.messages import Message, message_type
from mockzoom.core.renaming import Renaming, rewritten
from mockzoom.core.server_urls import FIELD
from mockzoom.core.zoom_ids import ZoomIds

__all__ = ["Redactor"]

T = MessageType

_NAMES: Mapping[str, str] = {
    "user_name": "Participant",
    "display_name": "Participant",
    "queue_name": "Queue",
    "file_name": "File",
}

#: Text that the protocol itself chooses.
_PLAIN = {"event", "participant_mode", FIELD}

_MEDIA = {T.MEDIA_DATA_AUDIO, T.MEDIA_DATA_VIDEO, T.MEDIA_DATA_SHARE}
_TEXTS = {T.MEDIA_DATA_TRANSCRIPT, T.MEDIA_DATA_CHAT}

_SIGNATURE = "redacted"

#: All but what holds words together.
_LETTER = re.compile(r"[^\s.,;:!?'()-]")

#: Longer texts are no ids, so nothing is lost when they are not remembered.
_MAX_DISGUISED = 256


class Redactor:
    """Redacts the messages of one recording, one after the other."""

    def __init__(self, ids: ZoomIds, *, keep_text: bool = False, keep_media: bool = True) -> None:
        self._renaming = Renaming(ids)
        self._keep_text = keep_text
        self._keep_media = keep_media

    def redacted(self, message: Message) -> Message:
        """A copy of a webhook, or of a message of either socket, that may be shown."""
        kind = message_type(message)

        def change(field: str, value: Any) -> Any:
            if field == "data" and kind in _MEDIA:
                return value if self._keep_media else None
            if field == "data" and kind in _TEXTS and isinstance(value, str):
                return value if self._keep_text else _without_words(value)
            return self._scalar(field, value)

        redacted: Message = rewritten(message, change)
        return redacted

    def _scalar(self, field: str, value: Any) -> Any:
        if field == "phone_number" and isinstance(value, int):
            return int("9" * len(str(value)))
        if not isinstance(value, str) or field in _PLAIN:
            return self._renaming.id(field, value)
        if field == "signature":
            return _SIGNATURE
        if field in _NAMES:
            return self._renaming.named(value, _NAMES[field])
        known = self._renaming.id(field, value)
        if known != value:
            return known
        if field == "reason" or len(value) > _MAX_DISGUISED:
            return _without_words(value)
        return self._renaming.disguised(value)


def _without_words(text: str) -> str:
    return _LETTER.sub("x", text)
