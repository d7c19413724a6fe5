"""Slow work that many want is done once."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest
from rig import PATIENCE_S, in_loop

from mockzoom.engine.once import Frames, Once


@in_loop
async def test_fifty_who_ask_at_once_cost_one() -> None:
    """All get the same; who asks later gets it too, and other arguments are other work."""
    begun = Event()

    def work(number: int) -> Frames:
        assert begun.wait(PATIENCE_S)
        return (b"%d" % number,)

    once = Once(work, 100)
    asking = [asyncio.create_task(once(1)) for _ in range(50)]
    await asyncio.sleep(0)
    begun.set()
    assert await asyncio.gather(*asking) == [(b"1",)] * 50
    assert await once(1) == (b"1",)
    assert once.count == 1
    assert await once(2) == (b"2",)
    assert once.count == 2


@in_loop
async def test_what_nobody_asked_for_the_longest_is_forgotten() -> None:
    """So much is kept, and what is asked for again stays."""
    made: list[str] = []

    def work(name: str) -> Frames:
        made.append(name)
        return (name.encode() * 10,)

    once = Once(work, 25)
    for name in "abaca":
        await once(name)
    assert made == ["a", "b", "c"]
    await once("b")
    assert made == ["a", "b", "c", "b"]


@in_loop
async def test_a_failure_is_told_to_all_and_not_kept() -> None:
    """The next one who asks gets another try."""
    both_wait, tries = Event(), 0

    def work() -> Frames:
        nonlocal tries
        tries += 1
        assert both_wait.wait(PATIENCE_S)
        if tries == 1:
            raise RuntimeError("no")
        return (b"yes",)

    once = Once(work, 100)
    first = [asyncio.create_task(once()) for _ in range(2)]
    await asyncio.sleep(0)
    both_wait.set()
    assert [str(error) for error in await asyncio.gather(*first, return_exceptions=True)] == [
        "no",
        "no",
    ]
    assert await once() == (b"yes",)
    assert tries == 2


@in_loop
async def test_who_stops_waiting_takes_nothing_from_the_others() -> None:
    """Also when it is the one who asked first."""
    begun = Event()

    def work() -> Frames:
        assert begun.wait(PATIENCE_S)
        return (b"done",)

    once = Once(work, 100)
    first, second = asyncio.create_task(once()), asyncio.create_task(once())
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    begun.set()
    assert await second == (b"done",)


def test_loops_share_what_is_kept() -> None:
    """A second mock in the process, on a loop of its own, does no work again."""
    once = Once(lambda number: (b"%d" % number,), 100)
    for _ in range(2):
        assert asyncio.run(once(1)) == (b"1",)
    assert once.count == 1
