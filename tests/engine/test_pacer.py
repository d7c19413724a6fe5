"""The pacer: everything that is due, in order, when it is due."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from typing import cast

import pytest
from picows import WSTransport
from rig import START_MS, FakeClock, in_loop

from mockzoom.clock import Clock
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Moment, Pacer


class Beat:
    """`count` beats, `every_ms` from `start_ms` on; each is noted with the time it was played."""

    def __init__(self, clock: Clock, start_ms: int, every_ms: int, count: int) -> None:
        self.played: list[tuple[int, int]] = []
        self._clock = clock
        self._due = [start_ms + number * every_ms for number in range(count)]

    @property
    def next_due_ms(self) -> int | None:
        return self._due[0] if self._due else None

    def play(self) -> None:
        self.played.append((self._due.pop(0), self._clock.now_ms()))

    def stop(self) -> None:
        self._due.clear()


def a_pacer() -> tuple[FakeClock, Journal, Pacer]:
    clock = FakeClock()
    journal = Journal(clock)
    return clock, journal, Pacer(clock, journal)


@in_loop
async def test_thousands_of_runs_are_played_on_time() -> None:
    """Runs with phases and rates of their own: every beat at its own millisecond."""
    clock, _, pacer = a_pacer()
    chance = random.Random(1)
    beats = [
        Beat(clock, START_MS + chance.randrange(1, 100), chance.randrange(20, 100), 10)
        for _ in range(3000)
    ]
    for beat in beats:
        pacer.add(beat)
    clock.advance(2_000)
    assert all(len(beat.played) == 10 for beat in beats)
    assert all(due == at for beat in beats for due, at in beat.played)
    assert clock.pending == []


@in_loop
async def test_what_is_due_at_once_is_played_in_the_order_in_which_it_was_added() -> None:
    """The same deadline: first come, first served."""
    clock, _, pacer = a_pacer()
    played: list[int] = []
    for number in range(100):
        pacer.add(Moment(START_MS + 5, lambda number=number: played.append(number)))
    clock.advance(5)
    assert played == list(range(100))


@in_loop
async def test_lateness_does_not_add_up() -> None:
    """A loop that was busy catches up; deadlines stay where they were."""
    clock, _, pacer = a_pacer()
    beat = Beat(clock, START_MS + 20, 20, 100)
    pacer.add(beat)
    clock._now_ms += 1_000  # busy elsewhere: no timer rang
    clock.advance(0)
    assert beat.played == [(START_MS + 20 * n, START_MS + 1_000) for n in range(1, 51)]
    clock.advance(1_000)
    assert beat.played[-1] == (START_MS + 2_000, START_MS + 2_000)


@in_loop
async def test_runs_may_be_added_while_others_play() -> None:
    """A run that adds an earlier and a later one, and one that is due already."""
    clock, _, pacer = a_pacer()
    played: list[str] = []

    def first() -> None:
        played.append("first")
        pacer.add(Moment(START_MS + 30, lambda: played.append("last")))
        pacer.add(Moment(START_MS, lambda: played.append("overdue")))
        pacer.add(Moment(START_MS + 20, lambda: played.append("next")))

    pacer.add(Moment(START_MS + 25, lambda: played.append("third")))
    pacer.add(Moment(START_MS + 10, first))
    clock.advance(100)
    assert played == ["first", "overdue", "next", "third", "last"]


@in_loop
async def test_a_run_that_raises_is_stopped_and_told_of() -> None:
    """The others go on, and the journal names the one that broke."""
    clock, journal, pacer = a_pacer()

    class Broken(Beat):
        def play(self) -> None:
            raise RuntimeError("lost the beat")

    broken, fine = Broken(clock, START_MS + 1, 10, 5), Beat(clock, START_MS + 1, 10, 5)
    pacer.add(broken)
    pacer.add(fine)
    clock.advance(100)
    assert broken.next_due_ms is None
    assert len(fine.played) == 5
    (failure,) = [entry.as_dict() for entry in journal]
    assert failure["kind"] == "failure"
    assert failure["what"] == "pacer: Broken"
    assert failure["error"] == "RuntimeError: lost the beat"


@in_loop
async def test_a_long_burst_leaves_the_loop_some_air() -> None:
    """Between the parts of a burst other tasks get their turn."""
    clock = Clock()
    pacer = Pacer(clock, Journal(clock))
    beat = Beat(clock, clock.now_ms(), 0, 1_200)
    pacer.add(beat)
    seen = []
    while len(beat.played) < 1_200:
        await asyncio.sleep(0)
        seen.append(len(beat.played))
    assert {500, 1_000} <= set(seen)


@in_loop
async def test_after_clear_nothing_is_played() -> None:
    """What waited is stopped, and the pacer may be used again."""
    clock, _, pacer = a_pacer()
    beat, later = Beat(clock, START_MS + 1, 1, 5), Beat(clock, START_MS + 10, 1, 1)
    pacer.add(beat)
    pacer.clear()
    assert beat.next_due_ms is None
    pacer.add(later)
    clock.advance(100)
    assert beat.played == []
    assert len(later.played) == 1


@in_loop
async def test_on_the_real_clock_nothing_is_early() -> None:
    """On uvloop too a beat is played at its millisecond or after it."""
    clock = Clock()
    pacer = Pacer(clock, Journal(clock))
    beat = Beat(clock, clock.now_ms() + 3, 7, 10)
    done = asyncio.Event()
    pacer.add(beat)
    pacer.add(Moment(clock.now_ms() + 80, done.set))
    await done.wait()
    assert len(beat.played) == 10
    late = [at - due for due, at in beat.played]
    assert min(late) >= 0


@pytest.mark.parametrize("moves", [[1, 2, 3], [3, 2, 1], [2, 2, 2]])
@in_loop
async def test_added_runs_move_the_one_timer(moves: list[int]) -> None:
    """One timer waits for the earliest deadline, whatever came in which order."""
    clock, _, pacer = a_pacer()
    for move in moves:
        pacer.add(Beat(clock, START_MS + move, 1, 1))
    assert clock.pending == [START_MS + min(moves)]


@in_loop
async def test_how_late_something_was_is_counted() -> None:
    """By the time at which it was played, each message once."""
    clock, _, pacer = a_pacer()
    pacer.add(Beat(clock, START_MS - 30, 10, 4))
    clock.advance(0)
    assert pacer.lateness.messages == 4
    assert [pacer.lateness.quantile_ms(share) for share in (0.25, 0.5, 0.75, 1)] == [0, 10, 20, 30]


@in_loop
async def test_a_run_may_clear_the_wheel() -> None:
    """Who is due at the same time is not played any more, and what is added later is."""
    clock, _, pacer = a_pacer()
    played: list[str] = []

    def clear() -> None:
        pacer.clear()
        pacer.add(Moment(START_MS + 5, lambda: played.append("new")))

    pacer.add(Moment(START_MS + 5, clear))
    pacer.add(Moment(START_MS + 5, lambda: played.append("old")))
    clock.advance(5)
    clock.advance(5)
    assert played == ["new"]
    assert clock.pending == []


@in_loop
async def test_many_at_once_let_others_have_their_turn() -> None:
    """More than is sent at a time is sent in several turns of the loop, in order, all of it."""
    clock, _, pacer = a_pacer()
    played: list[int] = []
    for number in range(1_200):
        pacer.add(Moment(START_MS + 5, lambda number=number: played.append(number)))
    clock.advance(4)
    clock.advance(1)
    assert played == list(range(1_200))


class Socket:
    """A transport that notes what is written; it breaks on ``broken``."""

    def __init__(self, noted: list[object]) -> None:
        self._noted = noted

    def send(self, kind: int, data: bytes, last: bool) -> None:
        if data == b"broken":
            raise ConnectionResetError("gone")
        self._noted.append(data)


@in_loop
async def test_what_is_due_together_is_made_first_and_written_then() -> None:
    """In a turn all frames are made before one is written; in no turn a frame is written at once.

    One that cannot be written is told of in the journal, and the others go out.
    """
    clock, journal, pacer = a_pacer()
    noted: list[object] = []
    socket = cast(WSTransport, Socket(noted))

    def make(data: bytes) -> None:
        noted.append(f"made {data.decode()}")
        pacer.write(socket, data)

    for data in (b"one", b"broken", b"two"):
        pacer.add(Moment(START_MS + 5, partial(make, data)))
    clock.advance(5)
    assert noted == ["made one", "made broken", "made two", b"one", b"two"]
    [failure] = [entry.as_dict() for entry in journal]
    assert failure["error"] == "ConnectionResetError: gone"
    make(b"three")
    assert noted[-2:] == ["made three", b"three"]
