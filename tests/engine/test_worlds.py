"""Worlds by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from rig import in_loop, rig

from mockzoom.engine.world import World
from mockzoom.engine.worlds import DEFAULT, MAX_WORLDS, Worlds
from mockzoom.errors import UnknownObject, UsageError


@asynccontextmanager
async def worlds(seed: int = 1) -> AsyncIterator[tuple[Worlds, list[int]]]:
    """Some worlds, all of them the same one, and the seeds that they were to have."""
    seeds: list[int] = []
    async with rig() as a_rig:

        def build(name: str, seed: int) -> World:
            seeds.append(seed)
            return a_rig.world

        yield Worlds(a_rig.world, seed, build), seeds


@in_loop
async def test_the_default_one_is_always_there() -> None:
    """It cannot be removed, and others are made beside it."""
    async with worlds() as (some, _):
        assert list(some) == [DEFAULT]
        with pytest.raises(UsageError, match="always there; reset it instead"):
            some.remove(DEFAULT)
        assert some.create("job-1") == "job-1"
        assert list(some) == [DEFAULT, "job-1"]
        some.remove("job-1")
        assert "job-1" not in some


@in_loop
async def test_names_are_made_up_if_need_be() -> None:
    """Never one that is in use."""
    async with worlds() as (some, _):
        some.create("world-2")
        assert [some.create(), some.create()] == ["world-1", "world-3"]


@in_loop
async def test_a_seed_follows_from_the_server_and_the_name() -> None:
    """The same for the same, another for others, and one that is given as it is."""

    async def made(seed: int, *names: str) -> list[int]:
        async with worlds(seed) as (some, seeds):
            for name in names:
                some.create(name)
            some.create("given", 5)
            return seeds

    first = await made(1, "a", "b")
    assert await made(1, "a", "b") == first
    assert first[-1] == 5
    assert len({*first, *await made(2, "a", "b")}) == 5


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (DEFAULT, "there is one already"),
        ("", "world-1"),
        ("a/b", "expected 1 to 64 of"),
        ("..", "expected 1 to 64 of"),
        ("ä", "expected 1 to 64 of"),
        ("a\n", "expected 1 to 64 of"),
        ("x" * 65, "expected 1 to 64 of"),
    ],
)
@in_loop
async def test_names_fit_into_paths_and_headers(name: str, line: str) -> None:
    """Others are refused, in one line; none at all is made up."""
    async with worlds() as (some, _):
        try:
            told = some.create(name)
        except UsageError as error:
            told = str(error)
        assert line in told
        assert "\n" not in told


@in_loop
async def test_there_is_a_bound() -> None:
    """Jobs that forget to remove theirs are told so."""
    async with worlds() as (some, _):
        for _number in range(MAX_WORLDS - 1):
            some.create()
        with pytest.raises(UsageError, match="at most 100 worlds; remove some"):
            some.create("one-more")


@in_loop
async def test_a_mistyped_name_is_told() -> None:
    """With the one that was meant."""
    async with worlds() as (some, _):
        some.create("job-1")
        with pytest.raises(UnknownObject, match="did you mean 'job-1'"):
            some["job-l"]
