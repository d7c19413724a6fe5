"""Where the contract documents, the contracts and the scenarios lie on disk.

`spec/` and `contracts/` stand beside the package, not inside it, because they are for readers and
tools in any language.  A wheel carries copies of them under underscored names in the package; a
checkout and an editable install use the folders themselves.  Nobody else needs to know.
"""

from __future__ import annotations

from pathlib import Path

from mockzoom.errors import UsageError

__all__ = ["contracts_path", "scenarios_path", "spec_path"]

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    packed, beside = _PACKAGE / f"_{name}", _PACKAGE.parent / name
    for folder in (packed, beside):
        if folder.is_dir():
            return folder
    raise UsageError(f"no {name}/ folder at {packed} or {beside}: reinstall mockzoom")


def spec_path(name: str) -> Path:
    """The path of the contract document `name`; raises UsageError when there is none."""
    path = _folder("spec") / name
    if not path.is_file():
        raise UsageError(f"no contract document {name!r} in {path.parent}")
    return path


def contracts_path() -> Path:
    """The folder of pytest files that judge a receiver."""
    return _folder("contracts")


def scenarios_path() -> Path:
    """The folder of the scenarios that come along."""
    return _PACKAGE / "scenarios"
