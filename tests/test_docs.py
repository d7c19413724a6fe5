"""The pages that follow from the code do follow from it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from mockzoom.core.clauses import CLAUSES

ROOT = Path(__file__).parents[1]
PAGES = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_gives(name: str) -> None:
    """A table or clause that changes changes its page in the same commit."""
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name], f"docs/{name} is out of date: run python docs/generate.py"


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_is_on_its_page_and_watched_by_somebody(clause: str) -> None:
    """No clause is listed that no code finds fault with."""
    assert f"| `{clause}` |" in PAGES["clauses.md"]
    sources = [path for path in (ROOT / "mockzoom").rglob("*.py") if path.name != "clauses.py"]
    assert any(f'"{clause}"' in path.read_text(encoding="utf-8") for path in sources)
