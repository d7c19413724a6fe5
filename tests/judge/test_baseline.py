"""Known failures: read, applied, written."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_report import FAILURE, FORGERIES, USELESS, verdict

from mockzoom.errors import ConfigurationError
from mockzoom.judge.baseline import applied, read_baseline, written
from mockzoom.judge.verdict import Outcome

A = verdict(FORGERIES, "a", Outcome.FAILED, failure=FAILURE)
B = verdict(FORGERIES, "b", Outcome.PASSED)
C = verdict(USELESS, "", Outcome.FAILED, failure=FAILURE)


@pytest.mark.parametrize(
    ("entries", "outcomes", "fixed"),
    [
        ([], "failed passed failed", []),
        (["WH-201[a]"], "known failure passed failed", []),
        (["WH-201"], "known failure passed failed", []),
        (["WH-201[b]", "WH-305"], "failed passed known failure", ["WH-201[b]"]),
        (["WH-999"], "failed passed failed", []),
    ],
)
def test_known_failures_are_marked(entries: list[str], outcomes: str, fixed: list[str]) -> None:
    """A case or a whole contract; what passes is told, what was not judged is not."""
    marked, no_longer = applied(entries, [A, B, C])
    assert " ".join(v.outcome for v in marked) == outcomes
    assert no_longer == fixed


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All failures, known ones too, and what was listed before and not judged now."""
    path = tmp_path / "baseline.txt"
    path.write_text("# a word\n\nWH-999\nWH-201[b]\n", encoding="utf-8")
    path.write_text(written([A, B, C], read_baseline(path)), encoding="utf-8")
    assert read_baseline(path) == ["WH-201[a]", "WH-305", "WH-999"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Is an error by name."""
    with pytest.raises(ConfigurationError, match=r"--baseline .*nowhere: No such file"):
        read_baseline(tmp_path / "nowhere")
