"""The table of docs/status-codes.md: how each status code is provoked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

_DOCS = Path(__file__).parents[2] / "docs" / "status-codes.md"


class Cause(NamedTuple):
    """A row of it."""

    code: int
    name: str
    cause: str
    after: list[str]
    socket: str
    request: dict[str, Any]


def documented() -> list[Cause]:
    rows = [line.strip("|").split("|") for line in _DOCS.read_text("utf-8").splitlines()]
    cells = [[cell.strip() for cell in row] for row in rows if row[0].strip().isdigit()]
    return [
        Cause(
            int(code),
            name,
            cause,
            after.split(", ") if after else [],
            socket,
            json.loads(sent[1:-1]),
        )
        for code, name, cause, after, socket, sent in cells
    ]
