"""Writes the pages of this folder that follow from the code: ``python docs/generate.py``.

Each is a module of `generator`.  A test compares the pages with what this gives.
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).parent

sys.path += [str(FOLDER), str(FOLDER.parent / "tests" / "mutants")]
import matrix  # noqa: E402
from generator import (  # noqa: E402
    clauses,
    contracts,
    control_api,
    faults,
    gotchas,
    scenarios,
    state_machines,
    world,
)


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    return {
        "control-api.md": control_api.page(),
        "faults.md": faults.page(),
        "scenarios.md": scenarios.page(),
        "world.md": world.page(),
        "../spec/scenario.schema.json": scenarios.schema(),
        "clauses.md": clauses.page(),
        "contracts.md": contracts.page(),
        "gotchas.md": gotchas.page(),
        "mutants.md": _mutants(),
        "state-machines.md": state_machines.page(),
    }


def _mutants() -> str:
    """What was found out by `make soak` stays as it is in the file."""
    file = FOLDER / "mutants.md"
    found = matrix.read(file.read_text(encoding="utf-8")) if file.exists() else {}
    return matrix.page(found)


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
