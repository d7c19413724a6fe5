"""The same seed and receiver give the same reports, times aside: two runs, each in its processes.

docs/verify.md says what a time is in a report, and so what is left out here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from mutant import CREDENTIALS, Mutant
from zoo import ZOO

from mockzoom.cli.verify import verify
from mockzoom.errors import ContractBroken

SECRETS = (
    *("--client-id", CREDENTIALS.client_id, "--client-secret", CREDENTIALS.client_secret),
    *("--secret-token", CREDENTIALS.secret_token),
)

TIMES = ("started_at", "took_s")


def reports(mutant: Mutant, folder: Path, *options: str) -> dict[str, Any]:
    """What is written about a new `mutant`, by format, without times and its own address."""
    folder.mkdir()
    files = {name: folder / name for name in ("json", "html", "junit", "sarif")}
    named = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    with mutant.running() as receiver, pytest.raises(ContractBroken):
        verify.main([receiver.url, *SECRETS, *named, *options], standalone_mode=False)
    texts = {
        name: file.read_text(encoding="utf-8").replace(receiver.url, "(url)")
        for name, file in files.items()
    }
    return {
        "json": json.loads(texts["json"], object_hook=timeless),
        "html": re.sub("<time>.*?</time>", "", texts["html"]),
        "junit": re.sub(' time="[0-9.]+"', "", texts["junit"]),
        "sarif": texts["sarif"],
    }


def timeless(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in TIMES}


@pytest.mark.parametrize(
    ("name", "contracts"),
    [
        ("is-dead-on-media", ("RT-202", "RT-111")),
        ("dials-lists", ("RT-601", "WH-201[zeros]")),
    ],
)
def test_two_runs_are_equal(tmp_path: Path, name: str, contracts: tuple[str, ...]) -> None:
    """Cut and back again, or sent to other hosts: each is told in the same words."""
    [mutant] = (one for one in ZOO if one.name == name)
    options = [word for id_ in contracts for word in ("--select", id_)] + ["--seed", "5"]
    once, again = (reports(mutant, tmp_path / run, *options) for run in ("once", "again"))
    assert once["json"]["counts"]["failed"] > 0
    for report, text in once.items():
        assert text == again[report], report
