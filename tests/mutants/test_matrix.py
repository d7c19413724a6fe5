"""The page about the zoo keeps what was found, and tells it shortly."""

from __future__ import annotations

import pytest
from matrix import SOUND, catchers, page, read
from zoo import ZOO

from mockzoom.judge.verdict import Outcome


def test_the_page_gives_back_what_it_was_given() -> None:
    """So that what took minutes to find out is not lost when a sentence changes."""
    cells = {mutant.name: f"WH-{number}, RT-101" for number, mutant in enumerate(ZOO)}
    assert read(page(cells)) == cells


def test_every_mutant_is_on_the_page_before_it_was_judged() -> None:
    """With an empty cell."""
    assert read(page({})) == {mutant.name: "" for mutant in ZOO}


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        ([], ""),
        (["WH-102", "WH-101"], "WH-101, WH-102"),
        (["WH-101", "WH-102", "WH-103", "WH-201"], "WH-101 … WH-103, WH-201"),
        (["WH-402", "WH-403", "RT-101", "RT-102"], "WH-402, WH-403, RT-101, RT-102"),
    ],
)
def test_neighbours_are_told_as_a_run(ids: list[str], told: str) -> None:
    """From three on, in the order of the contracts, and never from one profile into the other."""
    assert catchers(SOUND, dict.fromkeys(ids, Outcome.FAILED)) == told


def test_only_failures_of_others_are_told() -> None:
    """What a mutant is meant for has a column of its own."""
    found = {"WH-201": Outcome.FAILED, "WH-202": Outcome.PASSED, "WH-203": Outcome.FAILED}
    [mutant] = (one for one in ZOO if one.name == "takes-anything")
    assert catchers(mutant, found) == "WH-203"
