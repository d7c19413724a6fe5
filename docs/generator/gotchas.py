"""What goes wrong in real receivers, and what catches it."""

from __future__ import annotations

from zoo import ZOO

from mockzoom.judge.catalogue import catalogue
from mockzoom.judge.gotchas import GOTCHAS

__all__ = ["page"]

_TEXT = """\
# What goes wrong in real receivers

Collected from issue trackers, from the forum and the samples of the vendor, and from clients that
were run against faults. For each there is a contract ([contracts.md](contracts.md)), and a receiver
that has that bug and is caught ([mutants.md](mutants.md)). Written from
`mockzoom/judge/gotchas.py`, the contracts and `tests/mutants` by `python docs/generate.py`.

| row | what goes wrong | contracts that catch it | receivers with that bug |
| --- | --- | --- | --- |
"""


def page() -> str:
    return _TEXT + "".join(map(_row, GOTCHAS))


def _row(number: int) -> str:
    ids = ", ".join(row.id for row, _ in catalogue() if number in row.gotchas)
    mutants = ", ".join(f"`{mutant.name}`" for mutant in ZOO if number in mutant.gotchas)
    return f"| {number} | {GOTCHAS[number]} | {ids} | {mutants} |\n"
