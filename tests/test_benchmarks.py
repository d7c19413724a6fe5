"""The benchmarks run, each in its short form, so that they are whole when they are wanted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
NAMES = ["streams", "deliveries", "contract", "startup", "memory"]


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs_and_says_what_it_found(name: str, tmp_path: Path) -> None:
    """Its figures are on the screen and in the file, and none of them is nothing."""
    out = tmp_path / "bench.json"
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", name, "--out", str(out)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(out.read_text(encoding="utf-8"))["figures"][name]
    assert figures
    for title, row in figures.items():
        assert title in ended.stdout
        assert any(value > 0 for value in row.values()), title


def test_every_benchmark_is_run_here() -> None:
    """The list is that of the program."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    assert f"{{{','.join(NAMES)}}}" in "".join(told.split())
