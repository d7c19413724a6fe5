"""A recorded message as it is played: with fresh ids, and in the present.

Timestamps keep their distances, whatever the speed: that audio frames are so many milliseconds
apart is a promise to the app, so it is the clock of the recording that runs fast, as that of the
mock's world does.  All of them move by what lies between the recording and now.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from mockzoom.core.messages import Message
from mockzoom.core.renaming import Renaming, rewritten
from mockzoom.core.zoom_ids import ZoomIds

__all__ = ["Restaging"]

_TIMES = {"timestamp", "event_ts", "start_time", "end_time"}

#: A number that is further from the recording is no Unix time: some clients count from elsewhere.
_NEAR_MS = 30 * 24 * 3600 * 1000


class Restaging:
    """`began_ms` is when the recording began, `now_ms` when playing does."""

    def __init__(self, ids: ZoomIds, began_ms: int, now_ms: int) -> None:
        self._renaming = Renaming(ids)
        self._began_ms = began_ms
        self._shift_ms = now_ms - began_ms

    def staged(self, message: Message) -> Message:
        """A copy of `message`; media that were left out of the recording are zeros."""
        staged: Message = rewritten(message, self._scalar)
        content = staged.get("content")
        if isinstance(content, dict) and content.get("data", "") is None:
            content["data"] = b64encode(bytes(_length(content.get("length")))).decode()
        return staged

    def _scalar(self, field: str, value: Any) -> Any:
        if field in _TIMES and isinstance(value, int) and not isinstance(value, bool):
            near = abs(value - self._began_ms) < _NEAR_MS
            return value + self._shift_ms if near else value
        return self._renaming.id(field, value)


def _length(told: object) -> int:
    """A length that somebody wrote into a file: as far as frames go, and no further."""
    return min(max(told, 0), 1 << 20) if isinstance(told, int) else 0
