"""One thing that happened, as the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Entry"]


@dataclass(frozen=True)
class Entry:
    """`kind` is one of ``webhook``, ``validation``, ``socket``, ``message``, ``state``,
    ``speech``, ``chat``, ``happening``, ``rest``, ``finding``, ``fault``, ``clock``, ``failure``
    and ``restart``; `stream` the `rtms_stream_id` it belongs to or ``""``.
    """

    id: int
    at_ms: int
    kind: str
    stream: str
    fields: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "at_ms": self.at_ms,
            "kind": self.kind,
            "stream": self.stream,
            **self.fields,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Entry:
        """The entry that `as_dict` told."""
        fields = dict(told)
        return cls(
            fields.pop("id"), fields.pop("at_ms"), fields.pop("kind"), fields.pop("stream"), fields
        )
