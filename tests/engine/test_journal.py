"""The journal: what is kept, what is waited for, what is counted."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from rig import START_MS, FakeClock, in_loop

from mockzoom.core.codes import StatusCode
from mockzoom.core.findings import Finding
from mockzoom.engine.journal import Journal

FINDING = Finding("rtms.url", "here", "this", "that", "a clause", "a-stream")


def test_entries_are_numbered_and_timed() -> None:
    """Each entry has an id, the time of the clock, and its fields beside them."""
    clock = FakeClock()
    journal = Journal(clock)
    journal.add("state", "s", state="ACTIVE")
    clock._now_ms += 5
    journal.add("speech", text="Hello")
    assert [entry.as_dict() for entry in journal] == [
        {"id": 1, "at_ms": START_MS, "kind": "state", "stream": "s", "state": "ACTIVE"},
        {"id": 2, "at_ms": START_MS + 5, "kind": "speech", "stream": "", "text": "Hello"},
    ]


def test_the_oldest_entries_leave_a_full_journal() -> None:
    """It is bounded, and says how many it has let go; also after it was cleared."""
    journal = Journal(FakeClock(), kept=3)
    for number in range(5):
        journal.add("state", number=number)
    assert [entry.fields["number"] for entry in journal] == [2, 3, 4]
    assert journal.dropped == 2
    journal.clear()
    assert (list(journal), journal.dropped) == ([], 0)
    assert journal.add("state").id == 6


def test_findings_are_bounded_too() -> None:
    """A client that does everything wrong does not fill the memory; all are counted."""
    journal = Journal(FakeClock(), kept=3)
    for _ in range(5):
        journal.find(FINDING)
    assert journal.findings == [FINDING] * 3
    assert journal.counters["findings"] == 5


def test_a_finding_is_an_entry_of_its_stream() -> None:
    """Findings stand in the journal between what else happened, as JSON can tell them."""
    journal = Journal(FakeClock())
    journal.find(FINDING)
    journal.add("message", message={"status_code": StatusCode.OK})
    told = json.loads(json.dumps([entry.as_dict() for entry in journal]))
    assert told[0] | FINDING.as_dict() == told[0]
    assert told[1]["message"] == {"status_code": 0}


def test_a_failure_is_journaled_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    """What breaks inside is never lost: an entry, a counter, and a line with its traceback."""
    journal = Journal(FakeClock())
    with caplog.at_level(logging.ERROR):
        journal.failed("the pump", ValueError("leak"))
    assert [e.fields for e in journal] == [{"what": "the pump", "error": "ValueError: leak"}]
    assert journal.counters["failures"] == 1
    assert "the pump failed" in caplog.text


@in_loop
async def test_waiting_finds_old_and_new_entries() -> None:
    """What has happened is found at once, what has not as soon as it does."""
    journal = Journal(FakeClock())
    old = journal.add("state", state="A")
    assert await journal.wait(lambda e: e.fields.get("state") == "A", 1) is old
    waiter = asyncio.create_task(journal.wait(lambda e: e.fields.get("state") == "B", 1))
    await asyncio.sleep(0)
    journal.add("state", state="C")
    new = journal.add("state", state="B")
    journal.add("state", state="B")
    assert await waiter is new


@in_loop
async def test_waiting_ends() -> None:
    """A wait in vain raises `TimeoutError` and leaves nothing behind."""
    journal = Journal(FakeClock())
    with pytest.raises(TimeoutError):
        await journal.wait(lambda _: False, 0.01)
    assert journal._waiting == []
