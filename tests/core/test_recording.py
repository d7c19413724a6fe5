"""The file: lines that are written are read again, and others are told by their number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.recording import MAX_LINE_BYTES, Entry, Header, read
from mockzoom.errors import BadRecording

HEADER = Header(1763814001000)
ENTRIES = [
    Entry(3, "webhook", "zoom", message={"event": "meeting.rtms_started", "payload": {}}),
    Entry(9, "webhook", "app", status=0),
    Entry(40, "signaling", "app", 1, opened="wss://a"),
    Entry(41, "signaling", "app", 1, message={"msg_type": 1, "user_name": "\u05d0\U0001f600"}),
    Entry(52, "audio", "zoom", 2, message={"msg_type": 14}, binary=True),
    Entry(60, "audio", "zoom", 2, unreadable=0),
    Entry(90, "audio", "zoom", 2, closed=1006),
]
LINES = [HEADER.line(), *(entry.line() for entry in ENTRIES)]


def all_of(lines: list[bytes]) -> tuple[Header, list[tuple[int, Entry]]]:
    header, entries = read(lines, "a.jsonl")
    return header, list(entries)


def test_what_is_written_is_read():
    """Header and entries, each with its line."""
    assert all_of(LINES) == (HEADER, list(enumerate(ENTRIES, 2)))


@given(st.data())
def test_a_file_cut_anywhere_is_read_up_to_there(data):
    """A process that is killed loses the line that it was writing, and nothing else."""
    whole = b"".join(LINES)
    end = data.draw(st.integers(len(LINES[0]), len(whole)))
    lines = whole[:end].splitlines(keepends=True)
    _, entries = all_of(lines)
    complete = sum(line.endswith(b"\n") for line in lines) - 1
    assert complete <= len(entries) <= complete + 1
    assert [entry for _, entry in entries] == ENTRIES[: len(entries)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json\n", "3: expected an entry, found what is not JSON"),
        (b"[" * 100_000 + b"\n", "3: expected an entry, found what is not JSON"),
        (b"[]\n", "3: expected an entry: the whole: expected object"),
        (b'{"leg": "audio", "by": "app", "closed": 1}\n', "3: expected an entry: at_ms"),
        (b'{"at_ms": -1, "leg": "audio", "by": "app", "closed": 1}\n', "at_ms: expected at least"),
        (b'{"at_ms": 1, "leg": "audio", "by": "me", "closed": 1}\n', "by: expected one of"),
        (b'{"at_ms": 1, "leg": "audio", "by": "app"}\n', "expected one of message, opened"),
        (b'{"at_ms": 1, "leg": "a", "by": "app", "closed": 1, "x": 1}\n', "'x'"),
        (b"x" * (MAX_LINE_BYTES + 1), "3: expected an entry, found more than"),
    ],
)
def test_a_bad_line_is_named(line, reason):
    """File, line, what was expected, what was found; the file's own text is not repeated."""
    with pytest.raises(BadRecording) as bad:
        all_of([*LINES[:2], line, *LINES[2:]])
    assert str(bad.value).startswith("a.jsonl:3: ")
    assert reason in str(bad.value)
    assert len(str(bad.value)) < 1200


@pytest.mark.parametrize(
    "lines", [[], [b"{}\n"], [b'{"mockzoom_recording": 2, "began_ms": 1}\n'], [b"\x00\n"]]
)
def test_another_file_is_no_recording(lines):
    """Nothing, other JSON, another version, other bytes."""
    with pytest.raises(BadRecording, match=r"a\.jsonl:1: expected the first line of a recording"):
        read(lines, "a.jsonl")
