"""A recording as a file: written line by line while it happens, read line by line when played."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.messages import Message
from mockzoom.core.recording import MAX_LINE_BYTES, Entry, Header, read
from mockzoom.core.redaction import Redactor
from mockzoom.errors import BadRecording, ConfigurationError

__all__ = ["Tape", "opened_recording"]


class Tape:
    """Writes a new file; messages are redacted on the way.

    Every line is handed to the system at once and whole, so that it is there even if this process
    is killed.  A disk that takes no more ends the recording and nothing else: `error` says so.
    Raises `ConfigurationError` for a file that is there already or cannot be made.
    """

    def __init__(self, path: Path, redactor: Redactor, clock: Clock) -> None:
        self.error = ""
        self.lines = 0
        self._path = path
        self._redactor = redactor
        self._clock = clock
        self._began_ms = clock.now_ms()
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError:
            raise ConfigurationError(f"{path}: is there already; give another --out") from None
        except OSError as error:
            raise ConfigurationError(f"{path}: cannot be written: {error.strerror}") from None
        self._write(Header(self._began_ms).line())

    def add(
        self, leg: str, by: str, conn: int = 0, *, message: Message | None = None, **what: Any
    ) -> None:
        """Write that it happened now; `what` are fields of `Entry`."""
        if message is not None:
            message = self._redactor.redacted(message)
        at_ms = self._clock.now_ms() - self._began_ms
        self._write(Entry(at_ms, leg, by, conn, message, **what).line())

    def close(self) -> None:
        self._file.close()

    def _write(self, line: bytes) -> None:
        if self.error or self._file.closed:
            return
        self.lines += 1
        try:
            if self._file.write(line) != len(line):
                self.error = f"{self._path}:{self.lines}: is cut short; is the disk full?"
        except OSError as error:
            self.error = f"{self._path}:{self.lines}: cannot be written: {error.strerror}"


@contextmanager
def opened_recording(path: Path) -> Iterator[tuple[Header, Iterator[tuple[int, Entry]]]]:
    """The header of the file, and its entries with their lines, read as they are asked for.

    Raises `BadRecording`, as `mockzoom.core.recording.read` does, and for a file that is not there.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise BadRecording(f"{path}: cannot be read: {error.strerror}") from None
    with file:
        yield read(iter(lambda: file.readline(MAX_LINE_BYTES + 1), b""), str(path))
