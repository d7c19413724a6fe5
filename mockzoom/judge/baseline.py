"""Failures that a team knows of and lives with for now: a text file, one a line.

    # WH-208 waits for the new JSON parser
    WH-208[emoji]
    WH-305

An id alone is for all cases of the contract.  What is listed and fails does not fail the run; what
is listed and passes is told, so that the list gets shorter and not only longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mockzoom.errors import ConfigurationError
from mockzoom.judge.verdict import Outcome, Verdict

__all__ = ["applied", "read_baseline", "written"]

_HEAD = (
    "# Known failures, for `mockzoom verify --baseline`: one contract, or one case of it, a line.\n"
)


def read_baseline(path: Path) -> list[str]:
    """The entries of the file, in order; raises ConfigurationError when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigurationError(f"--baseline {path}: {reason}") from None
    entries = [line.strip() for line in lines]
    return [entry for entry in entries if entry and not entry.startswith("#")]


def applied(entries: Iterable[str], verdicts: Iterable[Verdict]) -> tuple[list[Verdict], list[str]]:
    """The verdicts with known failures marked as such, and the entries that no longer fail.

    An entry that was not judged in this run is neither.
    """
    known = list(dict.fromkeys(entries))
    marked = [_marked(verdict, known) for verdict in verdicts]
    fixed = []
    for entry in known:
        outcomes = {v.outcome for v in marked if entry in (v.key, v.contract.id)}
        if Outcome.PASSED in outcomes and not outcomes & {Outcome.KNOWN, Outcome.ERROR}:
            fixed.append(entry)
    return marked, fixed


def _marked(verdict: Verdict, known: list[str]) -> Verdict:
    listed = verdict.key in known or verdict.contract.id in known
    if verdict.outcome is Outcome.FAILED and listed:
        return replace(verdict, outcome=Outcome.KNOWN)
    return verdict


def written(verdicts: Iterable[Verdict], before: Iterable[str] = ()) -> str:
    """A baseline that lists every failure, and what `before` lists that was not judged."""
    judged = list(verdicts)
    seen = {name for v in judged for name in (v.key, v.contract.id)}
    failing = [v.key for v in judged if v.outcome in (Outcome.FAILED, Outcome.KNOWN)]
    kept = [entry for entry in before if entry not in seen]
    return _HEAD + "".join(f"{key}\n" for key in sorted({*failing, *kept}))
