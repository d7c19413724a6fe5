"""Every contract there is, read from the files: for the documentation, which lists them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from mockzoom.judge.contract import Contract
from mockzoom.resources import contracts_path

__all__ = ["catalogue"]

_PROFILES = ("webhook", "rtms", "own")


def catalogue(folder: Path | None = None) -> list[tuple[Contract, str]]:
    """The contracts in `folder`, or ours, each with its promise; webhooks first, then by id."""
    files = sorted((folder or contracts_path()).glob("test_*.py"))
    found = [row for file in files for row in _contracts(_module(file))]
    return sorted(found, key=lambda row: (_PROFILES.index(row[0].profile), row[0].id))


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _contracts(module: ModuleType) -> Iterator[tuple[Contract, str]]:
    for value in vars(module).values():
        marks = getattr(value, "pytestmark", [])
        for mark in marks if isinstance(marks, list) else []:
            if mark.name == "contract":
                yield mark.args[0], (value.__doc__ or "").strip().partition("\n")[0]
