"""`mockzoom replay`: what it prints, and with which status it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mockzoom.core.recording import Entry, Header

Cli = Callable[..., Any]

KEYS = ("--client-id", "a", "--client-secret", "b", "--secret-token", "c", "--port", "0")

STOPPED = {"event": "meeting.rtms_stopped", "payload": {"rtms_stream_id": "0" * 32}}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A recording of one webhook."""
    path = tmp_path / "a.jsonl"
    entry = Entry(1500, "webhook", "zoom", message=STOPPED)
    path.write_bytes(Header(1763814001000).line() + entry.line())
    return path


def test_all_went_well(cli: Cli, endpoint: Callable[..., Any], file: Path) -> None:
    """Each webhook is a line, and the end is a summary."""
    taken = endpoint(204)
    ended = cli("replay", file, "--receiver", taken.url, *KEYS)
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "    1.50 s  webhook meeting.rtms_stopped: status 204",
        "0 streams, 1 webhooks, 0 messages, 0 findings",
    ]
    assert json.loads(taken.taken[0][1])["payload"]["rtms_stream_id"] != "0" * 32


def test_findings_are_a_broken_contract(cli: Cli, endpoint: Callable[..., Any], file: Path) -> None:
    """Status 1, a line for each finding, and the first of them in the error."""
    ended = cli("replay", file, "--receiver", endpoint(500).url, *KEYS)
    assert ended.status == 1
    assert "FINDING     webhook.answer: meeting.rtms_stopped: expected 200 or 204" in ended.out
    assert ended.err.startswith("error: http://127.0.0.1:")
    told = cli("replay", file, "--receiver", endpoint(500).url, *KEYS, "--json").out
    kinds = [json.loads(line)["kind"] for line in told.splitlines()]
    assert kinds == ["webhook", "finding", "replayed"]


def test_the_other_ends(cli: Cli, file: Path) -> None:
    """Nobody there is 4, a broken file 2 with its line, an empty one 3, a missing key 2."""
    url = "http://127.0.0.1:1/"
    assert cli("replay", file, "--receiver", url, *KEYS).status == 4
    missing = cli("replay", file, "--receiver", url)
    assert missing.status == 2
    assert "--client-id" in missing.err
    header, entry = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(header)
    assert cli("replay", file, "--receiver", url, *KEYS).status == 3
    file.write_bytes(header + b"{}\n" + entry)
    broken = cli("replay", file, "--receiver", url, *KEYS)
    assert broken.status == 2
    assert broken.err.startswith(f"error: {file}:2: expected an entry")
