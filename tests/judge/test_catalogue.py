"""The contracts as a whole: ids, severities, and what they cover."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from mockzoom.judge.capabilities import CAPABILITIES
from mockzoom.judge.catalogue import catalogue
from mockzoom.judge.contract import MUST, contract
from mockzoom.judge.gotchas import GOTCHAS
from mockzoom.resources import contracts_path

ROOT = Path(__file__).parents[2]
ROWS = catalogue()


def test_ids_are_unique() -> None:
    """Two contracts with one id could not be told apart."""
    ids = [row.id for row, _ in ROWS]
    assert len(set(ids)) == len(ids) > 20


@pytest.mark.parametrize(("row", "promise"), ROWS, ids=[row.id for row, _ in ROWS])
def test_a_contract_says_what_it_is(row, promise) -> None:
    """A promise that is a sentence, a source, what is lost, and only known needs and rows."""
    assert re.fullmatch(r"\w.*\.", promise)
    assert row.source
    assert row.loses
    assert row.profile in ("webhook", "rtms")
    assert set(row.needs) <= set(CAPABILITIES)
    assert set(row.gotchas) <= set(GOTCHAS)


def test_every_test_is_a_contract() -> None:
    """No test in contracts/ is without an id."""
    files = contracts_path().glob("test_*.py")
    tests = [name for f in files for name in re.findall(r"^def (test_\w+)", f.read_text(), re.M)]
    assert len(tests) == len(ROWS)


@pytest.mark.parametrize("number", GOTCHAS)
def test_every_row_of_the_gotchas_is_covered(number: int) -> None:
    """By a contract or more."""
    assert any(number in row.gotchas for row, _ in ROWS)


@pytest.mark.parametrize("id_", ["WH101", "wh-101", "WH-1", "WH-1011", "W-101", ""])
def test_what_is_no_id(id_: str) -> None:
    """Is refused where it is written."""
    with pytest.raises(ValueError, match="expected an id such as WH-101"):
        contract(id_, MUST, source="", loses="")


def test_the_page_about_it_is_true(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its script runs, and its contracts of one's own can be loaded."""
    page = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    *own, script = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    for number, text in enumerate(own):
        (tmp_path / f"test_own_{number}.py").write_text(text, encoding="utf-8")
    ids = [row.id for row, _ in catalogue(tmp_path)]
    assert ids == [f"ACME-{number:03}" for number in range(1, len(own) + 1)]
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    runpy.run_path(str(tmp_path / "script.py"))
    assert capsys.readouterr().out == "WH-202 passed\n"
