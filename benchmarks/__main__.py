"""How fast it is, on this machine, in one run: a table, and the same in `bench.json`.

    python -m benchmarks [--only NAME] [--quick]

Where there is something to compare with, it is measured in turn with what is compared, and the
ratio is what says something about mockzoom: other figures say as much about the machine.
"""

from __future__ import annotations

import argparse
import json
import platform
from importlib import import_module
from pathlib import Path

NAMES = ("streams", "deliveries", "contract", "startup", "memory")

Figures = dict[str, dict[str, float]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast it is.")
    parser.add_argument("--only", choices=NAMES, action="append", help="May be repeated.")
    parser.add_argument("--quick", action="store_true", help="Whether they run, not how fast.")
    parser.add_argument("--out", type=Path, default=Path("bench.json"), metavar="FILE")
    options = parser.parse_args()
    figures: dict[str, Figures] = {}
    for name in options.only or NAMES:
        figures[name] = import_module(f"benchmarks.{name}").measure(options.quick)
        print(_table(name, figures[name]), flush=True)
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    told = {**machine, "quick": options.quick, "figures": figures}
    options.out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _table(name: str, figures: Figures) -> str:
    rows = [
        f"{title if first else '':24}{what:34}{_shown(value):>12}"
        for title, row in figures.items()
        for first, (what, value) in _marked(row)
    ]
    return "\n".join([name, *(f"  {row}" for row in rows), ""])


def _marked(row: dict[str, float]) -> list[tuple[bool, tuple[str, float]]]:
    return [(number == 0, pair) for number, pair in enumerate(row.items())]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"


if __name__ == "__main__":
    main()
