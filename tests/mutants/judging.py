"""Contracts, judged in this process: a process of their own for each mutant would take seconds.

One run of pytest in another, with nothing of the outer one: no settings, no plugins but the
judge's, nothing captured.  A contract that has failed in one case is not tried in its others.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from mutant import CREDENTIALS, Mutant

from mockzoom.core.timings import Timings
from mockzoom.judge import stage
from mockzoom.judge.plugin import VERDICT, contract_of
from mockzoom.judge.report import ContractResult
from mockzoom.judge.verdict import Outcome, Verdict
from mockzoom.resources import contracts_path

__all__ = ["judged"]

#: Faster than `fast`: whoever comes back here is `QUICK`.  What comes first has time all the same,
#: for nothing is judged of a mutant that a busy machine has kept from joining.
PACE = Timings(
    keep_alive_ms=100,
    keep_alives_missed=8,
    signaling_window_ms=800,
    media_window_ms=800,
    connect_window_ms=1_200,
    handshake_ms=700,
    reconnect_too_fast_ms=120,
    close_grace_ms=500,
)

#: Settings of pytest that are for the outer run.
_OF_THE_OUTER = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")

_PLUGINS_OFF = (
    *("terminal", "warnings", "logging", "cacheprovider", "junitxml"),
    *("faulthandler", "threadexception", "unraisableexception"),
)


def judged(mutant: Mutant, ids: Collection[str], pace: Timings = PACE) -> dict[str, ContractResult]:
    """What became of the contracts `ids`, by id, with `mutant` for the receiver."""
    jury = _Jury(ids)
    with (
        _unheard(),
        mutant.running() as receiver,
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ),
        mock.patch.object(stage, "stage_timings", return_value=pace),
    ):
        for name in _OF_THE_OUTER:
            os.environ.pop(name, None)
        status = pytest.main([*_arguments(Path(folder), receiver.url), *_files(ids)], [jury])
    assert status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), f"pytest: {status!r}"
    return jury.results()


@contextmanager
def _unheard() -> Iterator[None]:
    """Nothing is logged meanwhile: mutants crash all the time, in tasks that nobody waits for.

    That is more than tidiness.  Such a crash is logged when its task is collected as garbage, code
    is parsed for the traceback, and if that happens while the judge parses, Python 3.11 raises
    SystemError there: "AST constructor recursion depth mismatch".
    """
    level = logging.root.manager.disable
    logging.disable()
    try:
        yield
    finally:
        logging.disable(level)


def _arguments(folder: Path, url: str) -> list[str]:
    settings = folder / "pytest.ini"
    settings.write_text("[pytest]\n", encoding="utf-8")
    return [
        *("-c", str(settings), "--rootdir", str(folder), "--confcutdir", str(contracts_path())),
        *("--import-mode=importlib", "--assert=plain", "--capture=no"),
        *("--disable-plugin-autoload", "-p", "mockzoom.pytest_plugin"),
        *(word for name in _PLUGINS_OFF for word in ("-p", f"no:{name}")),
        *("--receiver-url", url, "--client-id", CREDENTIALS.client_id),
        *("--client-secret", CREDENTIALS.client_secret),
        *("--secret-token", CREDENTIALS.secret_token),
    ]


def _files(ids: Collection[str]) -> list[str]:
    """The files that these contracts are in; collecting all of them would take longer."""
    files = sorted(contracts_path().glob("test_*.py"))
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    return [str(file) for file in files if any(f'"{id_}"' in texts[file] for id_ in ids)]


class _Jury:
    """A plugin of pytest that selects contracts and takes down their verdicts."""

    def __init__(self, ids: Collection[str]) -> None:
        self._ids = ids
        self._failed: set[str] = set()
        self._verdicts: dict[str, list[Verdict]] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Nobody reads tracebacks, and quoting sources while a mutant crashes crashes Python 3.11.

        Its `ast.parse` counts its depth for all threads together, and tracebacks use it as well.
        """
        config.option.tbstyle = "no"

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((item for item in items if self._id(item) in self._ids), key=self._id)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._id(item) in self._failed:
            pytest.skip("has failed already")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told = getattr(report, VERDICT, None)
        if told:
            verdict = Verdict.from_dict(json.loads(told))
            self._verdicts.setdefault(verdict.contract.id, []).append(verdict)
            if verdict.outcome is Outcome.FAILED:
                self._failed.add(verdict.contract.id)

    def results(self) -> dict[str, ContractResult]:
        return {
            id_: ContractResult(of[0].contract, of[0].promise, tuple(of))
            for id_, of in self._verdicts.items()
        }

    @staticmethod
    def _id(item: pytest.Item) -> str:
        row = contract_of(item)
        return row.id if row else ""
