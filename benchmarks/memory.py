"""What a stream takes of memory, and what is left of a thousand that came and went.

The mock is a process of its own here, fresh, because what an earlier benchmark has taken of memory
would hide what a stream takes.  The first streams are not counted: with them code and codecs are
loaded.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.streams import AUDIO, Held

__all__ = ["measure", "memory_mb"]

_PATIENCE_S = 240.0


def measure(quick: bool) -> dict[str, dict[str, float]]:
    """Kilobytes a stream: while media flows on all, when all have gone, and after a reset.

    Of streams that have gone the mock remembers who was there, and the journal what was said.
    """
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    process = context.Process(target=_main, args=(theirs, 20 if quick else 1_000))
    process.start()
    try:
        if not pipe.poll(_PATIENCE_S):
            raise TimeoutError(f"memory: no figures within {_PATIENCE_S:g} s")
        figures: dict[str, float] = pipe.recv()
        return {"memory": figures}
    finally:
        process.join(20)
        process.kill()


def _main(pipe: Connection, streams: int) -> None:
    with Held(AUDIO) as held:
        held.grow(20)
        held.shrink()
        before = memory_mb()
        held.grow(streams)
        during = memory_mb()
        held.shrink()
        after = memory_mb()
        held.zoom.reset()
        forgotten = memory_mb()
    pipe.send(
        {
            "kB a stream": (during - before) * 1000 / streams,
            "streams": streams,
            "kB a stream that has gone": (after - before) * 1000 / streams,
            "kB left of it after a reset": (forgotten - before) * 1000 / streams,
        }
    )


def memory_mb() -> float:
    """What this process has in memory, after everything was given back that can be."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
