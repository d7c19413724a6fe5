"""Waiting for entries of a journal."""

from __future__ import annotations

import asyncio

import pytest
from rig import FakeClock, in_loop

from mockzoom.core.wanted import Wanted
from mockzoom.engine.journal import Journal
from mockzoom.engine.watch import NotSeen, seen
from mockzoom.errors import Closing


@in_loop
async def test_old_and_new_entries_count() -> None:
    """Those that were there already and those that come, each once."""
    journal = Journal(FakeClock())
    journal.add("speech", text="one")
    waiting = asyncio.create_task(seen(journal, Wanted("speech"), 3, 10))
    await asyncio.sleep(0)
    for text in ("two", "three", "four"):
        journal.add("speech", text=text)
        journal.add("other")
    assert [entry["text"] for entry in await waiting] == ["one", "two", "three"]


@in_loop
async def test_what_did_not_come_is_explained() -> None:
    """What was found, and what was near, in one line and as data."""
    journal = Journal(FakeClock())
    journal.add("speech", text="one")
    journal.add("speech", text="two")
    with pytest.raises(NotSeen) as caught:
        await seen(journal, Wanted("speech", fields={"text": "one"}), 2, 0.01)
    assert str(caught.value) == (
        'waited 0.01 s for speech with {"text": "one"}: expected 2, found 1; '
        'entry 2 has 0 of 1: text: expected "one", found "two"'
    )
    assert [entry["id"] for entry in caught.value.found] == [1]
    assert [miss.entry["id"] for miss in caught.value.near] == [2]


@in_loop
async def test_nobody_waits_for_a_world_that_ends() -> None:
    """The wait ends with an error that says why."""
    journal = Journal(FakeClock())
    waiting = asyncio.create_task(seen(journal, Wanted("speech"), 1, 10))
    await asyncio.sleep(0)
    journal.give_up()
    with pytest.raises(Closing, match="was closed"):
        await waiting
