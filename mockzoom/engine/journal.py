"""What happened, as a bounded list of entries that can be asked and waited for.

An entry is one thing that happened: a delivery attempt, a message on a socket, a change of
state, a finding.  Media goes into `counters`, never an entry a frame.  When the list is full the
oldest entries leave it, and `dropped` says how many did.

What goes wrong inside the mock while it serves others is a ``failure`` here and in the log: it
stops what it belongs to and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.findings import Finding

__all__ = ["Entry", "Journal"]

_log = logging.getLogger(__name__)

_KEPT = 10_000

Predicate = Callable[["Entry"], bool]


@dataclass(frozen=True)
class Entry:
    """`kind` is one of ``webhook``, ``validation``, ``socket``, ``message``, ``state``,
    ``speech``, ``chat``, ``rest``, ``finding``, ``fault`` and ``failure``; `stream` the
    `rtms_stream_id` it belongs to or ``""``.
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


class Journal:
    """Belongs to the loop's thread: only `findings` and `counters` may be read from another.

    `findings` holds the first ones when there are more than is kept.
    """

    def __init__(self, clock: Clock, kept: int = _KEPT) -> None:
        self._clock = clock
        self._kept = kept
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._waiting: list[tuple[Predicate, asyncio.Future[Entry]]] = []
        self._next_id = 1
        self.dropped = 0
        self.findings: list[Finding] = []
        self.counters: Counter[str] = Counter()

    def add(self, kind: str, stream: str = "", **fields: Any) -> Entry:
        entry = Entry(self._next_id, self._clock.now_ms(), kind, stream, fields)
        self._next_id += 1
        self.dropped += len(self._entries) == self._kept
        self._entries.append(entry)
        for predicate, future in self._waiting:
            if not future.done() and predicate(entry):
                future.set_result(entry)
        return entry

    def find(self, finding: Finding) -> None:
        self.counters["findings"] += 1
        if len(self.findings) < self._kept:
            self.findings.append(finding)
        fields = finding.as_dict()
        self.add("finding", fields.pop("stream"), **fields)

    def failed(self, what: str, error: BaseException) -> None:
        """Something of the mock's own went wrong with `what`, which is not gone on with."""
        _log.error("%s failed", what, exc_info=error)
        self.counters["failures"] += 1
        self.add("failure", what=what, error=f"{type(error).__name__}: {error}")

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    async def wait(self, predicate: Predicate, timeout_s: float) -> Entry:
        """The first entry, old or new, that `predicate` likes; raises `TimeoutError`."""
        for entry in self:
            if predicate(entry):
                return entry
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        waiting = (predicate, future)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            self._waiting.remove(waiting)

    def clear(self) -> None:
        """Forget everything; ids of entries go on."""
        self._entries.clear()
        self.findings.clear()
        self.counters.clear()
        self.dropped = 0
