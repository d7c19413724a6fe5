"""What a stream takes of memory, and what is left of a thousand that came and went.

The mock is a process of its own here, fresh, because what an earlier benchmark has taken of memory
would hide what a stream takes.  The first streams are not counted: with them code and codecs are
loaded.
"""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.streams import AUDIO, Held

__all__ = ["measure"]

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
        before = _rss_kb()
        held.grow(streams)
        during = _rss_kb()
        held.shrink()
        after = _rss_kb()
        held.zoom.reset()
        forgotten = _rss_kb()
    pipe.send(
        {
            "kB a stream": (during - before) / streams,
            "streams": streams,
            "kB a stream that has gone": (after - before) / streams,
            "kB left of it after a reset": (forgotten - before) / streams,
        }
    )


def _rss_kb() -> float:
    """What the process holds; what is free in it is given back before, where the system can."""
    gc.collect()
    if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):
        trim(0)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS")]
    return float(line.split()[1])
