"""What outlives the process: the journal, the subscriptions, and what is on its way to them.

A `Store` keeps nothing, and all is in memory.  A `StateFile` keeps it in SQLite, where it is found
after a `kill -9` at any moment.  Two promises make that so:

- What is told to it in one turn of the loop is one transaction, which ends before anybody hears of
  that turn: the commit is queued with the first word of it, ahead of every answer to another thread
  and of every waiter that the turn wakes.  An event that the caller knows of is in the file.
- `on_disk` waits for that commit.  An attempt begins behind it, and so never before its event and
  the mark that it is under way are in the file.  Attempts that begin together share one commit.

The file is written ahead (WAL) with ``synchronous=NORMAL``: a commit hands its pages to the
operating system and waits for no disk.  So nothing is lost with the process, however it ends.  When
the machine itself goes down, or its power, the last commits may be missing; the file is whole.

One process holds the file at a time, by a lock that the system takes back when the process ends.
Credentials are not in it: nothing that is kept holds them.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from mockzoom.core.entry import Entry
from mockzoom.core.retries import Delivery, Event
from mockzoom.core.subscriptions import Subscription, SubscriptionState
from mockzoom.errors import ConfigurationError

__all__ = ["StateFile", "Store"]

T = TypeVar("T")

Table = Literal["journal", "subscriptions", "deliveries"]

#: Says in the header of the file whose it is ("mkzm") and in which format.
_APPLICATION = 0x6D6B7A6D
_FORMAT = 1

#: Ids go on where they were, also past rows that are gone: that is AUTOINCREMENT.
_SCHEMA = f"""
CREATE TABLE journal (id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE subscriptions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, events TEXT NOT NULL,
    state TEXT NOT NULL, failures INTEGER NOT NULL, validate_at_ms INTEGER
);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, url TEXT NOT NULL, event TEXT NOT NULL,
    body BLOB NOT NULL, stream TEXT NOT NULL, due_ms INTEGER NOT NULL,
    in_order INTEGER NOT NULL, attempts INTEGER NOT NULL, under_way INTEGER NOT NULL
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
"""


_COUNT = """
INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value
"""


class Store:
    """Keeps nothing: what was told to it ends with the process.

    `restarted` says whether there was a process before this one.
    """

    restarted = False

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        #: Is told when something can no longer be kept, and why.
        self.failed: Callable[[str, BaseException], None] = lambda what, error: None

    # --- what was kept ------------------------------------------------------------------------

    def last_id(self, table: Table) -> int:
        """The highest id that was ever given out; 0 before the first one."""
        return 0

    @property
    def last_ms(self) -> int:
        """When the last entry was made, by the clock of the world; 0 if there is none."""
        return 0

    def entries(self) -> Iterator[Entry]:
        """The journal, oldest first."""
        return iter(())

    def subscriptions(self) -> Iterator[Subscription]:
        return iter(())

    def deliveries(self) -> Iterator[Delivery]:
        """What is neither accepted nor given up, in the order in which it was sent."""
        return iter(())

    # --- what is to be kept -------------------------------------------------------------------

    def add_entry(self, entry: Entry) -> None: ...

    def forget_entries(self, before: int | None = None) -> None:
        """Those with a smaller id, or all of them and the counters."""

    def put_subscription(self, subscription: Subscription) -> None: ...

    def forget_subscription(self, subscription: Subscription) -> None: ...

    def add_delivery(self, delivery: Delivery) -> None: ...

    def put_delivery(self, delivery: Delivery) -> None:
        """The new state of one that is kept; one that was forgotten stays so."""

    def forget_delivery(self, delivery: Delivery) -> None: ...

    async def on_disk(self) -> None:
        """Wait until all that was told is in the file."""

    def close(self) -> None:
        """Keep what was told, and nothing more."""


class StateFile(Store):
    """The file at `path`, which is made when there is none; belongs to the loop's thread.

    Raises `ConfigurationError` for a file that is not ours, of another format, broken, in use, or
    that cannot be written.  A write that fails later is told to `failed`, once; from there on the
    world goes on without the file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._saved: Counter[str] = Counter()
        self._committed = asyncio.Event()
        self._usable = True
        try:
            # No time-out: whoever has the file has it until its process ends.
            self._db = sqlite3.connect(path, timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            self._open()
        except (sqlite3.Error, ValueError) as error:
            self._db.close()
            raise self._unusable(error) from None
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        # Exclusive before the first access: nobody else gets in, and the index of the WAL is in
        # our memory instead of a file that all would share.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        if self._number("PRAGMA schema_version") and (
            self._number("PRAGMA application_id") != _APPLICATION
        ):
            raise ValueError("it is a database, but none of mockzoom's")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("BEGIN IMMEDIATE")
        self.restarted = bool(self._number("PRAGMA schema_version"))
        if not self.restarted:
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
        found = self._number("PRAGMA user_version")
        if found != _FORMAT:
            raise ValueError(f"expected format {_FORMAT}, found {found}, of another mockzoom")
        self._db.execute("COMMIT")
        health = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if health != "ok":
            raise ValueError(f"it is damaged: {health}")
        self._saved.update(dict(self._db.execute("SELECT name, value FROM counters")))
        self.counters.update(self._saved)

    def _number(self, sql: str) -> int:
        return int(self._db.execute(sql).fetchone()[0])

    def _unusable(self, error: Exception) -> ConfigurationError:
        why = " ".join(str(error).split())
        if "locked" in why:
            why = "another process has it; end that one"
        return ConfigurationError(f"state file {self._path}: {why}; or give another --state")

    # --- what was kept ------------------------------------------------------------------------

    def last_id(self, table: Table) -> int:
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        return int((row.fetchone() or (0,))[0])

    @property
    def last_ms(self) -> int:
        last = self._read("SELECT * FROM journal ORDER BY id DESC LIMIT 1", _entry)
        return max((entry.at_ms for entry in last), default=0)

    def entries(self) -> Iterator[Entry]:
        return self._read("SELECT * FROM journal ORDER BY id", _entry)

    def subscriptions(self) -> Iterator[Subscription]:
        return self._read("SELECT * FROM subscriptions ORDER BY id", _subscription)

    def deliveries(self) -> Iterator[Delivery]:
        return self._read("SELECT * FROM deliveries ORDER BY id", _delivery)

    def _read(self, sql: str, make: Callable[..., T]) -> Iterator[T]:
        try:
            return iter([make(*row) for row in self._db.execute(sql)])
        except (sqlite3.Error, ValueError, TypeError, LookupError) as error:
            raise self._unusable(ValueError(f"it is damaged: {error}")) from None

    # --- what is to be kept -------------------------------------------------------------------

    def add_entry(self, entry: Entry) -> None:
        # What a peer made us tell is kept as well as it can be: better a text than a stream that
        # breaks for it.
        told = json.dumps(entry.as_dict(), default=str)
        self._write("INSERT INTO journal VALUES (?, ?)", entry.id, told)

    def forget_entries(self, before: int | None = None) -> None:
        if before is None:
            self._write("DELETE FROM journal")
            self._write("DELETE FROM counters")
            self._saved.clear()
        else:
            self._write("DELETE FROM journal WHERE id < ?", before)

    def put_subscription(self, subscription: Subscription) -> None:
        self._write(
            "INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?, ?)",
            subscription.id,
            subscription.url,
            json.dumps(subscription.events),
            subscription.state.value,
            subscription.failures,
            subscription.validate_at_ms,
        )

    def forget_subscription(self, subscription: Subscription) -> None:
        self._write("DELETE FROM subscriptions WHERE id = ?", subscription.id)

    def add_delivery(self, delivery: Delivery) -> None:
        event = delivery.event
        self._write(
            "INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            delivery.id,
            delivery.url,
            event.name,
            event.body,
            event.stream,
            delivery.due_ms,
            delivery.in_order,
            delivery.attempts,
            delivery.under_way,
        )

    def put_delivery(self, delivery: Delivery) -> None:
        self._write(
            "UPDATE deliveries SET due_ms = ?, attempts = ?, under_way = ? WHERE id = ?",
            delivery.due_ms,
            delivery.attempts,
            delivery.under_way,
            delivery.id,
        )

    def forget_delivery(self, delivery: Delivery) -> None:
        self._write("DELETE FROM deliveries WHERE id = ?", delivery.id)

    # --- transactions -------------------------------------------------------------------------

    def _write(self, sql: str, *values: Any) -> None:
        if not self._usable:
            return
        try:
            if not self._db.in_transaction:
                self._db.execute("BEGIN IMMEDIATE")
                self._committed = asyncio.Event()
                asyncio.get_running_loop().call_soon(self._commit)
            self._db.execute(sql, values)
        except sqlite3.Error as error:
            self._fail(error)

    def _commit(self) -> None:
        if not self._usable or not self._db.in_transaction:
            return
        try:
            # Counters go along: whatever counts something that matters here also writes it.
            for name, value in self.counters.items() - self._saved.items():
                self._db.execute(_COUNT, (name, value))
                self._saved[name] = value
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._fail(error)
        self._committed.set()

    def _fail(self, error: sqlite3.Error) -> None:
        """Half a truth on the disk would be worse than an old one: no more is written."""
        self._usable = False
        with suppress(sqlite3.Error):
            self._db.close()
        self._committed.set()
        self.failed(f"writing state file {self._path}, from here on left as it is,", error)

    async def on_disk(self) -> None:
        if self._usable and self._db.in_transaction:
            await self._committed.wait()

    def close(self) -> None:
        self._commit()
        self._usable = False
        self._db.close()


# --- rows -------------------------------------------------------------------------------------


def _entry(id_: int, told: str) -> Entry:
    return Entry.from_dict(json.loads(told))


def _subscription(
    id_: int, url: str, events: str, state: str, failures: int, validate_at_ms: int | None
) -> Subscription:
    names = tuple(json.loads(events))
    return Subscription(id_, url, names, SubscriptionState(state), failures, validate_at_ms)


def _delivery(
    id_: int,
    url: str,
    event: str,
    body: bytes,
    stream: str,
    due_ms: int,
    in_order: int,
    attempts: int,
    under_way: int,
) -> Delivery:
    its = Event(event, body, stream)
    return Delivery(id_, url, its, due_ms, attempts, bool(in_order), bool(under_way))
