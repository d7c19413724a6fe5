"""A receiver that is started here, so that it can be started again when it has died.

The command is split as a shell would, and run without one.  It must be the server itself: only the
process that was started is ended, and what a wrapper has started would be left behind.
"""

from __future__ import annotations

import shlex
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable

from mockzoom.errors import ReceiverUnreachable, UsageError
from mockzoom.judge.answer import excerpt

__all__ = ["Launched"]

_START_S = 20.0
_END_S = 5.0
_LOOK_S = 0.05
_LEAVE_S = 0.5

#: So much of what it says is kept: the end of a traceback.
_KEPT_BYTES = 2_000


class Launched:
    """A process between `with` and its end; `listens` tells whether it is up.

    Raises `UsageError` for a command that cannot be run, and when somebody listens there before it
    was started; `ReceiverUnreachable` when it does not listen in 20 seconds, or ends.
    """

    def __init__(self, command: str, listens: Callable[[], bool]) -> None:
        try:
            self._arguments = shlex.split(command)
        except ValueError as error:
            raise UsageError(f"--exec {command!r}: {error}") from None
        if not self._arguments:
            raise UsageError("--exec: expected a command that starts the receiver, found nothing")
        self._listens = listens
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Launched:
        if self._listens():
            raise UsageError("--exec: somebody listens there already; end it, or leave --exec out")
        self._output = tempfile.TemporaryFile()
        try:
            self.restart()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._output.close()

    def restart(self) -> None:
        """End what is left of it, start it, and wait until it listens."""
        self._end()
        self._output.seek(0)
        self._output.truncate()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the command of who calls this
                self._arguments,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise UsageError(f"--exec {self._arguments[0]}: {error.strerror}") from None
        self._wait()

    def ended(self) -> bool:
        """Whether it has died; it is given a moment, in which it may still be taking its leave."""
        assert self._process is not None
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def last_words(self) -> str:
        """What it said last, and how it ended if it has."""
        end = self._output.seek(0, 2)
        self._output.seek(max(0, end - _KEPT_BYTES))
        said = self._output.read().decode(errors="replace").strip()
        self._output.seek(0, 2)
        status = self._process.poll() if self._process else None
        ended = f"(ended with status {status})" if status is not None else ""
        return f"{said}\n{ended}".strip()

    def _wait(self) -> None:
        assert self._process is not None
        deadline_s = time.monotonic() + _START_S
        while not self._listens():
            gone = self._process.poll() is not None
            if gone or time.monotonic() > deadline_s:
                what = "it ended" if gone else f"it does not listen after {_START_S:g} s"
                said = excerpt(self.last_words().encode())
                raise ReceiverUnreachable(f"--exec {self._arguments[0]}: {what}: {said}")
            threading.Event().wait(_LOOK_S)

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_END_S)
        self._process = None
