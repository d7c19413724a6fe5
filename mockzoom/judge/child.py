"""The process in which contracts run: pytest, alone with them, and a line of JSON for each step.

    python -m mockzoom.judge.child < job.json

Contracts are pytest files, and a team's own are anybody's code.  In a process of its own pytest
meets no settings, plugins or caches of the project that `mockzoom verify` is called in, and
whatever a contract does there, `verify` lives to tell.  Secrets come on standard input, because
arguments and the environment of a process can be read by others.

Out come objects with a `kind`: ``planned`` (`total`), ``begun`` (`key`), ``verdict``, ``problem``
(`text`) and at the end ``done``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, TextIO

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from mockzoom.judge.plugin import VERDICT, case_of, contract_of, key_of, promise_of
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["Teller", "main"]

#: Settings of pytest that a user has for his own tests.
_OF_THE_USER = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")


def main() -> int:
    """Run the job on standard input; the status is pytest's."""
    job = json.load(sys.stdin)
    for name in _OF_THE_USER:
        os.environ.pop(name, None)
    os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **job["environment"]}
    sys.dont_write_bytecode = True
    with _private_stdout() as stream, tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)  # it would leave files in the folder of the caller
        teller = Teller(stream, Selection(**job["selection"]))
        status = pytest.main([*_arguments(Path(folder)), *job["arguments"]], [teller])
        teller.tell("done")
    return int(status)


def _private_stdout() -> TextIO:
    """Where the lines go; whatever else is printed, by anybody, goes to standard error."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def _arguments(folder: Path) -> list[str]:
    """What every run is told; settings are looked for in `folder` only, where there are none."""
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    return [
        *("-c", str(settings), "--rootdir", str(folder), "--import-mode=importlib"),
        *("-p", "mockzoom.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:terminal"),
        *("-p", "no:warnings", "-p", "no:junitxml"),
    ]


class Teller:
    """A plugin that deselects what is not wanted and tells what happens."""

    def __init__(self, stream: TextIO, selection: Selection) -> None:
        self._stream = stream
        self._selection = selection
        self._verdicts: list[Verdict] = []

    def tell(self, kind: str, **fields: Any) -> None:
        self._stream.write(json.dumps({"kind": kind, **fields}) + "\n")
        self._stream.flush()

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            last = str(report.longrepr).strip().splitlines()[-1]
            self.tell("problem", text=f"{report.nodeid}: {last}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        homes: dict[str, str] = {}
        kept = []
        for item in items:
            row = contract_of(item)
            test = item.nodeid.partition("[")[0]
            if row is None:
                self.tell("problem", text=f"{test} is no contract: give it an id with @contract")
            elif homes.setdefault(row.id, test) != test:
                self.tell("problem", text=f"{row.id} is the id of {homes[row.id]} and of {test}")
            elif self._selection.takes(row, promise_of(item), case_of(item)):
                kept.append(item)
        items[:] = sorted(kept, key=_place_in_run)
        self.tell("planned", total=len(kept))

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.tell("begun", key=key_of(item))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = getattr(report, VERDICT, None)
        if told:
            self._verdicts.append(Verdict.from_dict(json.loads(told)))

    def pytest_runtest_logfinish(self) -> None:
        """One verdict a case, though a case can fail and then err on cleaning up as well."""
        if self._verdicts:
            failed = [v for v in self._verdicts if v.outcome is Outcome.FAILED]
            self.tell("verdict", verdict=(failed or self._verdicts[-1:])[0].as_dict())
        self._verdicts.clear()


def _place_in_run(item: pytest.Item) -> tuple[int, str]:
    """Webhooks first, because a receiver that fails there has no streams; then by id."""
    row = contract_of(item)
    assert row is not None
    return ("webhook", "rtms", "own").index(row.profile), row.id


if __name__ == "__main__":
    sys.exit(main())
