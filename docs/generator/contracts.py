"""What a receiver promises."""

from __future__ import annotations

from mockzoom.judge.capabilities import CAPABILITIES
from mockzoom.judge.catalogue import catalogue

__all__ = ["page"]

_TEXT = """\
# Contracts

What a receiver promises, and `mockzoom verify` judges; [verify.md](verify.md) tells how. Written
from the files in `contracts/` by `python docs/generate.py`.

A *must* is a clause of Zoom's, a *should* is what Zoom asks for and lives without, and *advice* is
ours and breaks nothing.

| id | severity | promise | source | what is lost when it is broken |
| --- | --- | --- | --- | --- |
"""

_CAPABILITIES = """
## What a receiver may leave undone

`--without NAME` declares it, and contracts that need it are not judged.

| name | what it means |
| --- | --- |
"""


def page() -> str:
    told = (
        f"| {row.id} | {row.severity} | {promise} | {row.source} | {row.loses} |\n"
        for row, promise in catalogue()
    )
    undone = (f"| `{name}` | {text} |\n" for name, text in CAPABILITIES.items())
    return _TEXT + "".join(told) + _CAPABILITIES + "".join(undone)
