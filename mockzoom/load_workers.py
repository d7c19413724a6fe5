"""A load that several processes share, each with a loop, and so with a core, of its own.

    python -m mockzoom.load_workers

A world lives on one loop, so a worker is a whole mock, which knows nothing of the others and has
ports and ids of its own.  On its standard input it is sent its share, a `Load`; on its standard
output it answers with what came of that, a `LoadResult` or the error that it ended with.  Both
are pickles, which is safe where both ends are this file.  Nobody else sees the secrets in them, as
he could see arguments and the environment of a process.

The standard input stays open as long as anybody waits for the answer.  Its end has the worker close
its mock and end too, so none is left behind, not even when `kill -9` ends who started it.  Ctrl-C
in a terminal is for that one only, because each worker is in a process group of its own.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import reduce
from operator import add
from selectors import EVENT_READ, DefaultSelector
from subprocess import PIPE, Popen, TimeoutExpired

from mockzoom.errors import MockzoomError, UsageError
from mockzoom.load import Load, LoadResult

__all__ = ["main", "run_shared"]

#: What a worker takes beside its load at most: thousands of streams end one after the other.
_GRACE_S = 300.0
#: How long it may take to close its mock when it is not needed any more.
_END_S = 5.0


def run_shared(load: Load, workers: int) -> LoadResult:
    """Have so many processes do it; however that ends, none of them is left.

    Raises what `Load.run` raises in any of them, `UsageError` where there are more of them than
    streams or one cannot be started, and `MockzoomError` for one that dies or does not end.
    """
    started: list[_Worker] = []
    try:
        for number, share in enumerate(load.shares(workers), 1):
            started.append(_Worker(f"load: worker {number} of {workers}", share))
        return reduce(add, _results(started, load.ramp_s + load.duration_s + _GRACE_S))
    finally:
        _end(started)


def _results(workers: Sequence[_Worker], limit_s: float) -> Iterator[LoadResult]:
    """Those of all workers, as they come."""
    until_s = time.monotonic() + limit_s
    with DefaultSelector() as waiting:
        for worker in workers:
            waiting.register(worker, EVENT_READ, worker)
        while waiting.get_map():
            ready = [key.data for key, _ in waiting.select(max(0, until_s - time.monotonic()))]
            if not ready:
                raise MockzoomError(f"load: expected workers to end in {limit_s:g} s, some go on")
            for worker in ready:
                if result := worker.read():
                    waiting.unregister(worker)
                    yield result


def _end(workers: Sequence[_Worker]) -> None:
    for worker in workers:
        worker.release()
    until_s = time.monotonic() + _END_S
    for worker in workers:
        worker.end(max(0, until_s - time.monotonic()))


class _Worker:
    """A process that has been sent its share; `name` is for errors."""

    def __init__(self, name: str, share: Load) -> None:
        self._name = name
        self._told = b""
        try:
            self._process = Popen(  # noqa: S603 - it is ourselves
                (sys.executable, "-m", __name__),
                stdin=PIPE,
                stdout=PIPE,
                bufsize=0,
                process_group=0,
            )
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._input, self._output = self._process.stdin, self._process.stdout
            self._input.write(pickle.dumps(share))
        except OSError as error:
            raise UsageError(
                f"{name} cannot be started: {error.strerror}; give fewer --workers"
            ) from None

    def fileno(self) -> int:
        """Where its answer comes from."""
        return self._output.fileno()

    def read(self) -> LoadResult | None:
        """More of its answer: the result once that is whole; raises the error that it may be."""
        chunk = self._output.read(65_536)
        self._told += chunk
        return None if chunk else self._result()

    def _result(self) -> LoadResult:
        if not self._told:
            raise MockzoomError(
                f"{self._name} {self._how_it_ended()} before it was done, so the others were "
                "ended; if nobody meant it to, this machine is too small: give fewer --streams"
            )
        result: LoadResult | Exception = pickle.loads(self._told)  # noqa: S301 - from `main`
        if isinstance(result, Exception):
            raise result
        return result

    def _how_it_ended(self) -> str:
        status = self._process.wait(_END_S)
        if status < 0:
            return f"was ended by signal {-status} ({signal.strsignal(-status)})"
        return f"ended with status {status}"

    def release(self) -> None:
        """Have it end, if it has not yet."""
        self._input.close()

    def end(self, within_s: float) -> None:
        """Wait for that, and have the system end it if it takes longer."""
        try:
            self._process.wait(within_s)
        except TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()


# --- in the worker ----------------------------------------------------------------------------


def main() -> None:
    """Take a share, answer with its result."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have it ignored at times
    share: Load = pickle.load(sys.stdin.buffer)  # noqa: S301 - from `_Worker`
    with suppress(KeyboardInterrupt):
        threading.Thread(target=_end_with_input, daemon=True).start()
        answer = pickle.dumps(_outcome(share))
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # there is nothing left to interrupt
        sys.stdout.buffer.write(answer)


def _outcome(share: Load) -> LoadResult | Exception:
    try:
        return share.run()
    except Exception as error:
        error.add_note(traceback.format_exc())  # for `--debug`
        return error


def _end_with_input() -> None:
    """Nobody waits any longer: interrupt the run, and do not wait long for that either."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_END_S)
    os._exit(1)


if __name__ == "__main__":
    main()
