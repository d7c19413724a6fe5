"""One run of contracts against one receiver, as a stream of what happens.

    for step in verify(assignment, Selection(profile="webhook")):
        if isinstance(step, Verdict): …

The contracts run in a process of their own (`child`).  It is watched: if it says nothing for long
it is ended, so that nothing which a receiver or a contract does keeps the judge waiting for ever.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from mockzoom.errors import MockzoomError, UsageError
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Verdict
from mockzoom.resources import contracts_path

__all__ = ["Begun", "Planned", "Step", "verify"]

#: Longer than any contract takes, at the vendor's own pace.
_SILENCE_S = 600.0

_EXIT_S = 10.0


@dataclass(frozen=True)
class Planned:
    """How many cases there are to judge."""

    total: int


@dataclass(frozen=True)
class Begun:
    """The case `key` is judged now."""

    key: str


Step = Planned | Begun | Verdict


def verify(
    assignment: Assignment,
    selection: Selection | None = None,
    *,
    contracts: Path | None = None,
    silence_s: float = _SILENCE_S,
) -> Iterator[Step]:
    """Judge the receiver: what happens, as it happens, in an order that is always the same.

    `contracts` is a folder with more of them, beside ours.  Raises UsageError for one that cannot
    be used, and MockzoomError when the run broke down or said nothing for `silence_s` seconds.
    """
    job = _job(assignment, selection or Selection(), contracts)
    with tempfile.TemporaryFile() as errors, _started(errors) as child:
        try:
            yield from _steps(child, job, silence_s)
            child.wait(_EXIT_S)
        except (_Broke, subprocess.TimeoutExpired) as broke:
            raise MockzoomError(f"the run of contracts broke off: {broke}{_last(errors)}") from None
        finally:
            child.kill()


class _Broke(Exception):
    """The child has ended, or has been silent, before it was done."""


def _started(errors: IO[bytes]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mockzoom.judge.child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors,
        encoding="utf-8",
    )


def _job(assignment: Assignment, selection: Selection, contracts: Path | None) -> dict[str, Any]:
    if contracts is not None and not contracts.is_dir():
        raise UsageError(f"--contracts {contracts}: no such folder")
    paths = [contracts_path(), *([contracts.resolve()] if contracts else [])]
    credentials = assignment.credentials
    return {
        "selection": asdict(selection),
        "arguments": ["--confcutdir", str(paths[-1]), *map(str, paths)],
        "environment": {
            "MOCKZOOM_RECEIVER_URL": assignment.url,
            "MOCKZOOM_CLIENT_ID": credentials.client_id,
            "MOCKZOOM_CLIENT_SECRET": credentials.client_secret,
            "MOCKZOOM_SECRET_TOKEN": credentials.secret_token,
            "MOCKZOOM_PRODUCT": "",  # told by what is undone
            "MOCKZOOM_WITHOUT": ",".join(sorted(assignment.without)),
            "MOCKZOOM_TIMINGS": assignment.timings,
            "MOCKZOOM_SEED": str(assignment.seed),
        },
    }


def _steps(child: subprocess.Popen[str], job: dict[str, Any], silence_s: float) -> Iterator[Step]:
    problems: list[str] = []
    for line in _lines(child, job, silence_s):
        told = json.loads(line)
        match told["kind"]:
            case "problem":
                problems.append(told["text"])
            case "planned" if not problems:
                yield Planned(told["total"])
            case "begun":
                yield Begun(told["key"])
            case "verdict":
                yield Verdict.from_dict(told["verdict"])
            case "done":
                break
        if problems and told["kind"] in ("planned", "done"):
            break
    if problems:
        raise UsageError(f"contracts: {'; '.join(problems)}")


def _lines(child: subprocess.Popen[str], job: dict[str, Any], silence_s: float) -> Iterator[str]:
    """The lines of the child, read by a thread so that waiting for one can end."""
    assert child.stdin is not None
    assert child.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(child.stdout, lines), daemon=True).start()
    try:
        json.dump(job, child.stdin)
        child.stdin.close()
    except BrokenPipeError:
        raise _Broke("it did not start") from None
    while True:
        try:
            line = lines.get(timeout=silence_s)
        except queue.Empty:
            raise _Broke(f"nothing happened for {silence_s:g} s") from None
        if line is None:
            raise _Broke("its process has ended")
        yield line


def _read(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    try:
        for line in stream:
            lines.put(line)
    except ValueError:  # closed under our hands, because the run is over
        pass
    lines.put(None)


def _last(errors: IO[bytes]) -> str:
    """The last line of what the child has complained of."""
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    return f" ({lines[-1]})" if lines else ""
