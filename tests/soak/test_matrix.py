"""Every mutant of the zoo before every contract; writes the table of docs/mutants.md.

`make soak` does it, in as many processes as `SOAK_ZOO` says; much of it is waiting.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from matrix import SOUND, catchers, outcomes, page
from mutant import Mutant
from zoo import ZOO

from mockzoom.judge.verdict import Outcome

PROCESSES = int(os.environ.get("SOAK_ZOO", "0"))
PAGE = Path(__file__).parents[2] / "docs" / "mutants.md"

pytestmark = pytest.mark.skipif(not PROCESSES, reason="takes minutes: make soak, or SOAK_ZOO=4")


def everybody() -> Iterator[tuple[Mutant, dict[str, Outcome]]]:
    """Each with what became of every contract; processes, because mutants patch theirs."""
    mutants = (SOUND, *ZOO)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        yield from zip(
            mutants, pool.map(outcomes, [mutant.name for mutant in mutants]), strict=True
        )


def test_every_mutant_before_every_contract() -> None:
    """Its own catches each, the sound receiver is caught by none, and no contract ever errs."""
    cells = {}
    wrong = []
    for mutant, found in everybody():
        failed = [id_ for id_, outcome in found.items() if outcome is Outcome.FAILED]
        errors = [id_ for id_, outcome in found.items() if outcome is Outcome.ERROR]
        print(f"{mutant.name}: caught by {', '.join(failed) or 'nothing'}")
        if errors:
            wrong.append(f"{mutant.name}: {', '.join(errors)} could not judge")
        if (mutant.contract not in failed) if mutant is not SOUND else failed:
            wrong.append(
                f"{mutant.name}: caught by {failed}, not by {mutant.contract or 'nothing'}"
            )
        cells[mutant.name] = catchers(mutant, found)
    assert not wrong, "\n".join(wrong)
    PAGE.write_text(page(cells), encoding="utf-8")
