"""The pages that follow from the code do follow from it."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest

from mockzoom.cli.fault import _fields
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.fault_kinds import FAULTS, parse_fault, settings

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


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_and_field_is_on_its_page(kind: str) -> None:
    """Each kind has a row with its fields, and each field that kinds share is explained."""
    page = PAGES["faults.md"]
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{kind}` |")]
    assert all(f"`{name}" in row for name in settings(kind))
    for name in ("stream", "socket", "msg_type", "times", "probability"):
        assert re.search(rf"^\| `{name}` \| \S", page, re.MULTILINE)


def test_the_script_about_faults_runs() -> None:
    """What the page shows in Python is Python, and its requests are what the API and CLI take."""
    page = PAGES["faults.md"]
    [script] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(script, "faults.md", "exec"), {})
    [body] = re.findall(r"-d '(.*?)'", page)
    [assignments] = re.findall(r"^\$ mockzoom fault add delay (.*)$", page, re.MULTILINE)
    fault = parse_fault(json.loads(body))
    assert parse_fault(_fields("delay", tuple(assignments.split()))) == fault
