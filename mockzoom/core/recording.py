"""A recording: one file of JSON lines that holds what went between Zoom and an app.

The first line says what it is, and when it began.  Every other line is one thing that happened,
`at_ms` milliseconds after that, in the order in which it happened:

    {"mockzoom_recording": 1, "began_ms": 1763814001000}
    {"at_ms": 3, "leg": "webhook", "by": "zoom", "message": {"event": "meeting.rtms_started", …}}
    {"at_ms": 9, "leg": "webhook", "by": "app", "status": 200}
    {"at_ms": 40, "leg": "signaling", "conn": 1, "by": "app", "opened": "wss://rtms-1.example.com"}
    {"at_ms": 41, "leg": "signaling", "conn": 1, "by": "app", "message": {"msg_type": 1, …}}
    {"at_ms": 52, "leg": "audio", "conn": 2, "by": "zoom", "message": {…}, "binary": true}
    {"at_ms": 90, "leg": "audio", "conn": 2, "by": "zoom", "closed": 1000}

`leg` is the webhooks, the signaling socket, or a media socket by its key; `conn` counts the
connections.  `opened` is a URL that a webhook or a handshake answer before it has named; it stands
for the one that was dialled, which is in no recording.  `closed` is the code of the close frame,
and 1006 where there was none.  A frame that is no message is told by its length (`unreadable`).

Lines are written whole, one after the other, so that a process that is killed loses the last one
at most: a last line without its end is passed over.  Any other line that is not as it has to be is
an error that names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from mockzoom.core.messages import Message
from mockzoom.core.validators import FastValidator
from mockzoom.errors import BadRecording

__all__ = ["APP", "CUT", "MAX_LINE_BYTES", "WEBHOOK", "ZOOM", "Entry", "Header", "read"]

VERSION = 1

WEBHOOK = "webhook"

#: Who did it.
APP, ZOOM = "app", "zoom"

#: The code of a connection that ended without a close frame (RFC 6455, 7.1.5).
CUT = 1006

#: A message of the longest that is taken from a peer, and what stands around it.
MAX_LINE_BYTES = 8 * 1024 * 1024

_NUMBER = {"type": "integer", "minimum": 0}

_HEADER: Mapping[str, Any] = {
    "type": "object",
    "required": ["mockzoom_recording", "began_ms"],
    "properties": {"mockzoom_recording": {"const": VERSION}, "began_ms": _NUMBER},
}

_ENTRY: Mapping[str, Any] = {
    "type": "object",
    "required": ["at_ms", "leg", "by"],
    "properties": {
        "at_ms": _NUMBER,
        "leg": {"type": "string"},
        "by": {"enum": [APP, ZOOM]},
        "conn": _NUMBER,
        "message": {"type": "object"},
        "binary": {"type": "boolean"},
        "opened": {"type": "string"},
        "closed": _NUMBER,
        "status": _NUMBER,
        "unreadable": _NUMBER,
    },
    "additionalProperties": False,
    "oneOf": [
        {"required": [what]} for what in ("message", "opened", "closed", "status", "unreadable")
    ],
}


@dataclass(frozen=True)
class Header:
    """When the recording began (Unix ms): what the timestamps in its messages are held against."""

    began_ms: int

    def line(self) -> bytes:
        return _line({"mockzoom_recording": VERSION, "began_ms": self.began_ms})


@dataclass(frozen=True)
class Entry:
    """One thing that happened: a message, or what the one field of the others that is set says.

    `status` is what the app answered to a webhook; 0 for no answer.
    """

    at_ms: int
    leg: str
    by: str
    conn: int = 0
    message: Message | None = None
    binary: bool = False
    opened: str | None = None
    closed: int | None = None
    status: int | None = None
    unreadable: int | None = None

    def line(self) -> bytes:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        defaults = {"conn": 0, "binary": False}
        return _line({n: v for n, v in values.items() if v is not None and v != defaults.get(n)})


def read(lines: Iterable[bytes], name: str) -> tuple[Header, Iterator[tuple[int, Entry]]]:
    """What the lines of the file `name` hold: its header, and each entry with its line, from 2.

    Raises `BadRecording` for a first line that is no header, and the iterator for any other that
    is no entry.
    """
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (1, b""))
    header = _parsed(first, _HEADER, f"{name}:1", "the first line of a recording")
    return Header(int(header["began_ms"])), _entries(numbered, name)


def _entries(numbered: Iterator[tuple[int, bytes]], name: str) -> Iterator[tuple[int, Entry]]:
    for number, line in numbered:
        if not line.endswith(b"\n") and len(line) <= MAX_LINE_BYTES and not _is_json(line):
            return  # the last one, which its writer did not live to finish
        yield number, Entry(**_parsed(line, _ENTRY, f"{name}:{number}", "an entry"))


def _parsed(line: bytes, schema: Mapping[str, Any], where: str, what: str) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise BadRecording(f"{where}: expected {what}, found more than {MAX_LINE_BYTES} bytes")
    try:
        content: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        raise BadRecording(f"{where}: expected {what}, found what is not JSON") from None
    problems = _validator(schema is _HEADER).problems(content)
    if problems:
        raise BadRecording(f"{where}: expected {what}: {problems[0]}")
    return content


@lru_cache
def _validator(for_header: bool) -> FastValidator:
    """Compiled at first use."""
    return FastValidator(_HEADER if for_header else _ENTRY)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _line(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
