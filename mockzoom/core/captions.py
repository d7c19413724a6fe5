"""Transcripts from files: WebVTT, SubRip, and JSON lines.

WebVTT (``.vtt``) and SubRip (``.srt``) are read alike: blocks with a line ``from --> to`` and text
below it; all other blocks (numbers, notes, styles) are passed over, and so is markup within the
text.  In JSON lines (``.jsonl``) each line is an object with `start_ms`, `end_ms` and `text`, and
may have a `language`, by the protocol's name or number.  Times count from the start of the file
that is played along.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from html import unescape
from pathlib import PurePath
from typing import Any

from mockzoom.core.languages import language_of
from mockzoom.core.speech import Line
from mockzoom.errors import ConfigurationError, UsageError

__all__ = ["CAPTIONS", "captions"]

_TIME = r"(?:(\d{1,3}):)?([0-5]?\d):([0-5]?\d)[.,](\d{3})"
_CUE = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s.*)?")
_MARKUP = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")


def captions(text: str, path: PurePath) -> tuple[Line, ...]:
    """The lines of a transcript in the order of their ends; the suffix of `path` says how to read.

    Raises `ConfigurationError` with the place of the first mistake.
    """
    lines = []
    for number, line in CAPTIONS[path.suffix.lower()](text, f"media {path}"):
        if not 0 <= line.start_ms < line.end_ms:
            raise ConfigurationError(
                f"media {path}:{number}: expected a line that ends after it starts, "
                f"found {line.start_ms} ms to {line.end_ms} ms"
            )
        lines.append(line)
    return tuple(sorted(lines, key=lambda line: line.end_ms))


def _cues(text: str, where: str) -> Iterator[tuple[int, Line]]:
    """WebVTT and SubRip."""
    rows = iter(enumerate(text.splitlines(), 1))
    for number, row in rows:
        if "-->" not in row:
            continue
        times = _CUE.fullmatch(row)
        if times is None:
            raise ConfigurationError(
                f"{where}:{number}: expected 00:00:01.000 --> 00:00:02.000, found {row[:60]!r}"
            )
        words = _text(rows)
        if words:
            yield number, Line(words, _ms(*times.groups()[:4]), _ms(*times.groups()[4:]))


def _text(rows: Iterator[tuple[int, str]]) -> str:
    """The rows up to the next empty one, as one line without markup."""
    words = []
    for _, row in rows:
        if not row.strip():
            break
        words.append(row.strip())
    return unescape(_MARKUP.sub("", " ".join(words))).strip()


def _ms(hours: str | None, minutes: str, seconds: str, milliseconds: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(milliseconds)


def _objects(text: str, where: str) -> Iterator[tuple[int, Line]]:
    """JSON lines."""
    for number, row in enumerate(text.split("\n"), 1):
        if row.strip():
            yield number, _object(row, f"{where}:{number}")


def _object(row: str, where: str) -> Line:
    try:
        fields = json.loads(row)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict) or not _is_line(fields):
        raise ConfigurationError(
            f'{where}: expected {{"start_ms": 0, "end_ms": 900, "text": "…"}}, found {row[:60]!r}'
        )
    unknown = sorted(fields.keys() - {"start_ms", "end_ms", "text", "language"})
    if unknown:
        raise ConfigurationError(f"{where}: unknown field {unknown[0]!r}")
    try:
        language = language_of(fields.get("language"))
    except UsageError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    return Line(fields["text"], fields["start_ms"], fields["end_ms"], language)


def _is_line(fields: Mapping[str, Any]) -> bool:
    times = [fields.get("start_ms"), fields.get("end_ms")]
    text = fields.get("text")
    return all(type(time) is int for time in times) and isinstance(text, str) and bool(text.strip())


CAPTIONS: Mapping[str, Callable[[str, str], Iterator[tuple[int, Line]]]] = {
    ".vtt": _cues,
    ".srt": _cues,
    ".jsonl": _objects,
}
"""The suffixes of transcripts, and what reads each."""
