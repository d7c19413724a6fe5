"""Every mutant before every contract, and docs/mutants.md, which tells what came of it.

That takes minutes, so the page is in two parts: what follows from the zoo is written anew by
`python docs/generate.py` and compared by a test, and what was found is kept as it is there until
`make soak` finds it out again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import groupby

from judging import judged
from mutant import Mutant
from zoo import ZOO

from mockzoom.judge.catalogue import catalogue
from mockzoom.judge.stage import stage_timings
from mockzoom.judge.verdict import Outcome

__all__ = ["SOUND", "catchers", "outcomes", "page", "read"]

#: The reference receiver as it is, to be caught by nothing.
SOUND = Mutant("sound", "", "Nothing is wrong.")

_PAGE = """\
# Receivers with one bug each

Who judges the judge? Each of these is the reference receiver with exactly one bug in it, and the
contract that is meant for it must fail. There is one at least for every contract of severity must,
and for every row of [gotchas.md](gotchas.md). They are in `tests/mutants`, by theme.

```console
$ .venv/bin/python -m pytest tests/mutants                   # each before its own contract
$ .venv/bin/python -m pytest tests/mutants -k answers-late   # one of them
$ make soak                                                  # each before every contract
```

`make soak` writes the last column; `SOAK_ZOO=4 .venv/bin/python -m pytest -s
tests/soak/test_matrix.py` does nothing but that, in four processes. The rest is written by
`python docs/generate.py`.

| mutant | what is wrong | contract | row | caught as well by |
| --- | --- | --- | --- | --- |
"""

_ROW = re.compile(r"\| `([\w-]+)` \|.*\| ([^|]*) \|")


def outcomes(name: str) -> dict[str, Outcome]:
    """What becomes of every contract, by id, with the mutant `name` or the sound receiver.

    It is for a process of its own, in which nobody hears the mutant complain.
    """
    logging.disable()
    [mutant] = (one for one in (*ZOO, SOUND) if one.name == name)
    pace = stage_timings("fast")
    results = judged(mutant, [row.id for row, _ in catalogue()], pace)
    if mutant is not SOUND and results[mutant.contract].outcome is Outcome.NOT_TESTED:
        # Who does not answer in time is given up, here before its own contract has its turn.
        results |= judged(mutant, [mutant.contract], pace)
    return {id_: result.outcome for id_, result in results.items()}


def catchers(mutant: Mutant, found: Mapping[str, Outcome]) -> str:
    """The contracts that fail beside its own, for the page; a gap-free run of them as one."""
    failed = [id_ for id_, outcome in found.items() if outcome is Outcome.FAILED]
    return ", ".join(_runs([row.id for row, _ in catalogue()], {*failed} - {mutant.contract}))


def _runs(ids: list[str], chosen: Collection[str]) -> Iterator[str]:
    for (is_chosen, _), run in groupby(ids, lambda id_: (id_ in chosen, id_[:2])):
        members = list(run)
        if is_chosen and len(members) > 2:
            yield f"{members[0]} … {members[-1]}"
        elif is_chosen:
            yield from members


def page(found: Mapping[str, str]) -> str:
    """docs/mutants.md, with `found` for the last column: cells by the names of the mutants."""
    return _PAGE + "".join(
        f"| `{one.name}` | {one.bug} | {one.contract} | {', '.join(map(str, one.gotchas))} "
        f"| {found.get(one.name, '')} |\n"
        for one in ZOO
    )


def read(text: str) -> dict[str, str]:
    """The last column of such a page."""
    return dict(found.groups() for found in _ROW.finditer(text))
