"""The state file: what is in it after any end, what is refused, and what happens when it fails."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from killing import kill
from rig import START_MS, FakeClock, in_loop

from mockzoom.core.findings import Finding
from mockzoom.core.retries import Delivery, Event
from mockzoom.core.subscriptions import Subscription
from mockzoom.engine.journal import Journal
from mockzoom.engine.store import StateFile, Store
from mockzoom.errors import ConfigurationError

SAVED = Subscription(1, "http://x/", ("a", "b")).proved(5)
DELIVERY = Delivery(1, "http://x/", Event("a", b'{"event": "a\xc3\xa9"}', "a-stream"), START_MS)
FINDING = Finding("webhook.answer", "here", "200", "500", "a clause", "a-stream", ("> a", "< b"))


async def end_of_turn() -> None:
    await asyncio.sleep(0)


@in_loop
async def test_what_was_told_in_a_turn_is_there_after_a_kill(tmp_path: Path) -> None:
    """Everything that was kept comes back as it was, the other things do not."""
    store = StateFile(tmp_path / "state")
    store.put_subscription(SAVED)
    store.put_subscription(replace(SAVED, id=2, url="http://y/"))
    store.forget_subscription(replace(SAVED, id=2))
    for id_ in (1, 2, 3):
        store.add_delivery(replace(DELIVERY, id=id_, in_order=id_ == 1))
    store.put_delivery(replace(DELIVERY, due_ms=9, attempts=2, under_way=True))
    store.forget_delivery(replace(DELIVERY, id=2))
    await end_of_turn()
    store.forget_delivery(replace(DELIVERY, id=3))
    kill(store)
    store = StateFile(tmp_path / "state")
    assert list(store.subscriptions()) == [SAVED]
    assert list(store.deliveries()) == [
        replace(DELIVERY, due_ms=9, attempts=2, under_way=True),
        replace(DELIVERY, id=3, in_order=False),
    ]
    store.close()


@in_loop
async def test_what_was_forgotten_does_not_come_back(tmp_path: Path) -> None:
    """An attempt that ends after its event was given up changes nothing."""
    store = StateFile(tmp_path / "state")
    store.add_delivery(DELIVERY)
    store.forget_delivery(DELIVERY)
    store.put_delivery(DELIVERY.begun())
    assert list(store.deliveries()) == []
    store.close()


@in_loop
async def test_ids_go_on(tmp_path: Path) -> None:
    """Also past those of what is no longer there."""
    store = StateFile(tmp_path / "state")
    assert (store.last_id("deliveries"), store.restarted) == (0, False)
    store.add_delivery(replace(DELIVERY, id=7))
    store.forget_delivery(replace(DELIVERY, id=7))
    store.close()
    store = StateFile(tmp_path / "state")
    assert (store.last_id("deliveries"), store.restarted) == (7, True)
    assert store.last_id("subscriptions") == 0
    store.close()


@in_loop
async def test_a_commit_comes_before_whoever_hears_of_it(tmp_path: Path) -> None:
    """Who waits for the file, for an entry, or for the turn's result finds it committed."""
    store = StateFile(tmp_path / "state")
    journal = Journal(FakeClock(), store=store)
    heard = []

    def hear(_: object = None) -> None:
        heard.append(store._db.in_transaction)

    async def waits(work: Callable[[], object]) -> None:
        await work()  # type: ignore[misc]
        hear()

    entry = asyncio.create_task(waits(lambda: journal.wait(lambda _: True, 10)))
    await end_of_turn()
    journal.add("state")
    result: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    result.add_done_callback(hear)
    result.set_result(None)
    await asyncio.gather(entry, *(waits(store.on_disk) for _ in range(2)))
    assert heard == [False] * 4
    await store.on_disk()
    store.close()


@in_loop
async def test_the_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    """Entries, ids, counters and findings are those of the process before."""
    clock, store = FakeClock(), StateFile(tmp_path / "state")
    journal = Journal(clock, store=store)
    journal.add("webhook", "a-stream", url="http://x/", body={"é": [1, None]})
    journal.find(FINDING)
    journal.counters["webhooks_lost"] += 3
    await end_of_turn()
    told = list(journal)
    kill(store)
    store = StateFile(tmp_path / "state")
    journal = Journal(clock, store=store)
    assert list(journal) == told
    assert journal.findings == [FINDING]
    assert journal.counters == {"findings": 1, "webhooks_lost": 3}
    assert journal.add("state").id == 3
    assert store.last_ms == START_MS
    journal.clear()
    store.close()
    store = StateFile(tmp_path / "state")
    journal = Journal(clock, store=store)
    assert (list(journal), journal.findings, dict(journal.counters)) == ([], [], {})
    assert journal.add("state").id == 4
    store.close()


@in_loop
async def test_the_file_is_bounded(tmp_path: Path) -> None:
    """The oldest entries leave it, and are counted; also when less is kept than before."""
    store = StateFile(tmp_path / "state")
    journal = Journal(FakeClock(), kept=5, store=store)
    for _ in range(8):
        journal.add("state")
    assert [entry.id for entry in store.entries()] == [4, 5, 6, 7, 8]
    store.close()
    store = StateFile(tmp_path / "state")
    journal = Journal(FakeClock(), kept=2, store=store)
    assert ([entry.id for entry in journal], journal.dropped) == ([7, 8], 6)
    journal.add("state")
    assert [entry.id for entry in store.entries()] == [8, 9]
    store.close()


@in_loop
async def test_what_is_no_json_is_kept_as_a_text(tmp_path: Path) -> None:
    """Nothing that a peer makes the journal tell can break what it belongs to."""
    store = StateFile(tmp_path / "state")
    journal = Journal(FakeClock(), store=store)
    journal.add("message", "\ud800", text="\udfff", data=b"\xff", big=2**80)
    [entry] = store.entries()
    assert entry.stream == "\ud800"
    assert entry.fields == {"text": "\udfff", "data": "b'\\xff'", "big": 2**80}
    store.close()


# --- what is refused --------------------------------------------------------------------------


def a_database(path: Path, *statements: str) -> None:
    database = sqlite3.connect(path)
    for statement in ("CREATE TABLE t (a)", *statements):
        database.execute(statement)
    database.commit()
    database.close()


def of_another_format(path: Path) -> None:
    StateFile(path).close()
    a_database(path, "PRAGMA user_version = 99")


def damaged(path: Path) -> None:
    StateFile(path).close()
    pages = bytearray(path.read_bytes())
    pages[4096 : 4096 + 2000] = b"\xff" * 2000
    path.write_bytes(pages)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (Path.mkdir, "unable to open database file"),
        (lambda path: path.write_bytes(b"not a database, but long enough" * 9), "not a database"),
        (a_database, "it is a database, but none of mockzoom's"),
        (of_another_format, "expected format 1, found 99, of another mockzoom"),
        (damaged, "it is damaged|malformed"),
    ],
)
def test_a_file_that_cannot_be_used(
    tmp_path: Path, make: Callable[[Path], object], told: str
) -> None:
    """One line says which file, what is wrong with it, and what to do; it is left as it was."""
    path = tmp_path / "state"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigurationError, match=f"^state file .*/state: .*({told}).*--state$"):
        StateFile(path)
    assert before is None or path.read_bytes() == before


def test_rows_that_nobody_can_read(tmp_path: Path) -> None:
    """A file that is sound as a database and holds nonsense is told of in the same way."""
    StateFile(tmp_path / "state").close()
    database = sqlite3.connect(tmp_path / "state")
    database.execute("INSERT INTO journal VALUES (1, '{\"half an')")
    database.execute("INSERT INTO subscriptions VALUES (1, 'x', '[]', 'what?', 0, NULL)")
    database.commit()
    database.close()
    store = StateFile(tmp_path / "state")
    for read in (store.entries, store.subscriptions):
        with pytest.raises(ConfigurationError, match=r"^state file .*: it is damaged: .*--state$"):
            read()
    store.close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """It is not made: the path may be mistyped."""
    with pytest.raises(ConfigurationError, match="unable to open"):
        StateFile(tmp_path / "nowhere" / "state")


def test_a_file_of_nothing_is_a_new_one(tmp_path: Path) -> None:
    """As `mktemp` makes them, or a kill before the first table."""
    (tmp_path / "state").touch()
    store = StateFile(tmp_path / "state")
    assert not store.restarted
    store.close()


def test_one_at_a_time(tmp_path: Path) -> None:
    """Whoever comes second is refused at once, and gets the file when the first one is gone."""
    first = StateFile(tmp_path / "state")
    with pytest.raises(ConfigurationError, match="another process has it; end that one"):
        StateFile(tmp_path / "state")
    first.close()
    StateFile(tmp_path / "state").close()


# --- when it fails ----------------------------------------------------------------------------


@in_loop
async def test_a_disk_that_is_full(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once, everything goes on in memory, and the file holds what it held."""
    store = StateFile(tmp_path / "state")
    journal = Journal(FakeClock(), store=store)
    journal.add("state", "kept")
    await end_of_turn()
    store._db.execute("PRAGMA max_page_count = 1")
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            journal.add("state", text="x" * 100_000)
            await store.on_disk()
    [failure] = [entry.fields for entry in journal if entry.kind == "failure"]
    assert "from here on left as it is" in failure["what"]
    assert "full" in failure["error"]
    assert "left as it is, failed" in caplog.text
    store.close()
    again = StateFile(tmp_path / "state")
    assert [entry.stream for entry in again.entries()] == ["kept"]
    again.close()


def test_without_a_file_nothing_is_kept() -> None:
    """The same calls, and no trace of them."""
    store = Store()
    store.add_delivery(DELIVERY)
    store.put_subscription(SAVED)
    assert [*store.entries(), *store.subscriptions(), *store.deliveries()] == []
    assert (store.last_id("journal"), store.last_ms, store.restarted) == (0, 0, False)
