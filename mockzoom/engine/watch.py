"""Waiting for entries of the journal, and saying why they did not come."""

from __future__ import annotations

from typing import Any

from mockzoom.core.entry import Entry
from mockzoom.core.wanted import NearMiss, Wanted
from mockzoom.engine.journal import Journal

__all__ = ["NotSeen", "seen"]


class NotSeen(TimeoutError):
    """What came was not enough: the `entries` that were `found`, and what nearly matched."""

    def __init__(self, line: str, found: list[dict[str, Any]], near: list[NearMiss]) -> None:
        super().__init__(line)
        self.found = found
        self.near = near


async def seen(
    journal: Journal, wanted: Wanted, count: int, timeout_s: float
) -> list[dict[str, Any]]:
    """The first `count` entries, old or new, that are `wanted`; raises `NotSeen`."""
    found: list[dict[str, Any]] = []

    def enough(entry: Entry) -> bool:
        if wanted.kind in ("", entry.kind) and wanted.matches(told := entry.as_dict()):
            found.append(told)
        return len(found) == count

    try:
        await journal.wait(enough, timeout_s)
    except TimeoutError:
        entries = [entry.as_dict() for entry in journal]
        line = (
            f"waited {timeout_s:g} s for {wanted}: expected {count}, found {len(found)}; "
            f"{wanted.explained(entries)}"
        )
        raise NotSeen(line, found, wanted.near_misses(entries)) from None
    return found
