"""What a peer did wrong, as data.

A finding never interrupts the mock: it goes into the journal and waits there until `check()`,
`verify` or an exit code turns it into a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Finding"]


@dataclass(frozen=True)
class Finding:
    """One broken clause.

    `check` is the stable id of what was checked, `where` the socket, message or request,
    `clause` the sentence of the contract that was broken.  `stream` is the `rtms_stream_id`
    that it belongs to, empty when there is none, and `wire` the messages that led to it, oldest
    first, a line each, with the number of its journal entry.
    """

    check: str
    where: str
    expected: str
    actual: str
    clause: str
    stream: str = ""
    wire: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.check}: {self.where}: expected {self.expected}, found {self.actual}"
            f" ({self.clause})"
        )

    def report(self) -> str:
        """The finding, and below it what was said on the wire."""
        return "\n    ".join([str(self), *self.wire])

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "wire": list(self.wire)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Finding:
        """The finding that `as_dict` told."""
        return cls(**{**told, "wire": tuple(told["wire"])})
