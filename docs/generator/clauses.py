"""What findings are about."""

from __future__ import annotations

from mockzoom.core.clauses import CLAUSES

__all__ = ["page"]

_TEXT = """\
# Clauses

What the mock watches an app keep; and, as `order.…`, what the webhooks that it sends keep
themselves. A breach becomes a finding, which names its clause by its id. Written from
`mockzoom/core/clauses.py` by `python docs/generate.py`.

| id | clause |
| --- | --- |
"""


def page() -> str:
    return _TEXT + "".join(f"| `{id_}` | {clause} |\n" for id_, clause in CLAUSES.items())
