"""Each mutant is caught by the contract that is meant for it: the proof that the judge judges."""

from __future__ import annotations

import pytest
from judging import judged
from mutant import Mutant
from zoo import ZOO

from mockzoom.judge.catalogue import catalogue
from mockzoom.judge.contract import MUST
from mockzoom.judge.gotchas import GOTCHAS
from mockzoom.judge.verdict import Outcome

CONTRACTS = {row.id: row for row, _ in catalogue()}


@pytest.mark.parametrize("mutant", ZOO, ids=[mutant.name for mutant in ZOO])
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    """Its contract fails: it is not skipped, and it is not the judge that errs."""
    result = judged(mutant, [mutant.contract])[mutant.contract]
    told = [f"{one.key}: {one.outcome} {one.reason or one.failure}" for one in result.verdicts]
    assert result.outcome is Outcome.FAILED, "\n".join(told)


def test_the_sound_receiver_is_not_caught() -> None:
    """What catches mutants is their bug, not the way in which they are judged."""
    sound = Mutant("sound", "WH-201", "Nothing is wrong.")
    result = judged(sound, ["WH-101", "WH-201", "RT-101", "RT-303", "RT-406", "RT-409"])
    assert {of.outcome for of in result.values()} == {Outcome.PASSED}
    assert result["WH-201"].tally == "18/18"


def test_names_are_unique() -> None:
    """Two mutants with one name could not be told apart."""
    assert len({mutant.name for mutant in ZOO}) == len(ZOO) >= 45


@pytest.mark.parametrize("mutant", ZOO, ids=[mutant.name for mutant in ZOO])
def test_a_mutant_says_what_it_is(mutant: Mutant) -> None:
    """A sentence, a contract that there is, rows that this contract covers, and a bug."""
    assert mutant.bug.endswith(".")
    assert set(mutant.gotchas) <= set(CONTRACTS[mutant.contract].gotchas)
    assert mutant.change or mutant.settings


@pytest.mark.parametrize("id_", [row.id for row in CONTRACTS.values() if row.severity is MUST])
def test_every_must_has_a_mutant(id_: str) -> None:
    """A contract that has caught nothing yet may be one that catches nothing."""
    assert any(mutant.contract == id_ for mutant in ZOO)


@pytest.mark.parametrize("number", GOTCHAS)
def test_every_row_of_the_gotchas_has_a_mutant(number: int) -> None:
    """What goes wrong in real receivers goes wrong here, and is caught."""
    assert any(number in mutant.gotchas for mutant in ZOO)
