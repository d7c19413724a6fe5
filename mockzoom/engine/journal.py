"""What happened, as a bounded list of entries that can be asked and waited for.

An entry is one thing that happened: a delivery attempt, a message on a socket, a change of
state, a finding.  Media goes into `counters`, never an entry a frame.  When the list is full the
oldest entries leave it, and `dropped` says how many did.  With a state file for a `Store` the
journal begins with what the last process left in it.

What goes wrong inside the mock while it serves others is a ``failure`` here and in the log: it
stops what it belongs to and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.entry import Entry
from mockzoom.core.findings import Finding
from mockzoom.engine.store import Store
from mockzoom.errors import Closing, ConfigurationError

__all__ = ["KEPT_ENTRIES", "Entry", "Journal"]

_log = logging.getLogger(__name__)

#: So many entries are kept unless it is said otherwise.
KEPT_ENTRIES = 10_000

Predicate = Callable[[Entry], bool]


class Journal:
    """Belongs to the loop's thread: only `findings` and `counters` may be read from another.

    It keeps the last `kept` entries; raises `ConfigurationError` for less than one.

    `findings` holds the first ones when there are more than is kept.
    """

    def __init__(self, clock: Clock, kept: int = KEPT_ENTRIES, store: Store | None = None) -> None:
        if kept < 1:
            raise ConfigurationError(f"journal: expected room for 1 entry or more, found {kept}")
        self._clock = clock
        self._kept = kept
        self._store = store or Store()
        self._store.failed = self.failed
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._waiting: list[tuple[Predicate, asyncio.Future[Entry]]] = []
        self.findings: list[Finding] = []
        self.counters: Counter[str] = self._store.counters
        self._restore()

    def _restore(self) -> None:
        self._next_id = self._store.last_id("journal") + 1
        for entry in self._store.entries():
            self._append(entry)
        told = (entry for entry in self._entries if entry.kind == "finding")
        self.findings.extend(Finding.from_dict({**e.fields, "stream": e.stream}) for e in told)

    @property
    def last_id(self) -> int:
        """The id of the newest entry, 0 before the first one."""
        return self._next_id - 1

    @property
    def dropped(self) -> int:
        """How many entries have left it."""
        return self.counters["entries_dropped"]

    def add(self, kind: str, stream: str = "", **fields: Any) -> Entry:
        entry = Entry(self._next_id, self._clock.now_ms(), kind, stream, fields)
        self._next_id += 1
        full = self._append(entry)
        self._store.add_entry(entry)
        if full:
            self._store.forget_entries(before=self._entries[0].id)
        for predicate, future in self._waiting:
            if not future.done() and predicate(entry):
                future.set_result(entry)
        return entry

    def _append(self, entry: Entry) -> bool:
        """Whether the oldest one had to leave for it."""
        full = len(self._entries) == self._kept
        if full:
            self.counters["entries_dropped"] += 1
        self._entries.append(entry)
        return full

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
        """The first entry, old or new, that `predicate` likes.

        Raises `TimeoutError`, and `Closing` when it is given up before that.
        """
        for entry in self:
            if predicate(entry):
                return entry
        return await self._first(predicate, timeout_s)

    async def next(self, timeout_s: float) -> Entry:
        """The next entry that there will be; raises what `wait` raises."""
        return await self._first(lambda _: True, timeout_s)

    async def _first(self, predicate: Predicate, timeout_s: float) -> Entry:
        future: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        waiting = (predicate, future)
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        finally:
            self._waiting.remove(waiting)

    def give_up(self) -> None:
        """Nobody waits any longer, because the world comes to its end."""
        for _, future in self._waiting:
            if not future.done():
                future.set_exception(Closing("the world was closed while somebody waited in it"))

    def clear(self) -> None:
        """Forget everything; ids of entries go on."""
        self._entries.clear()
        self.findings.clear()
        self.counters.clear()
        self._store.forget_entries()
