"""How long one waits: for `mockzoom --help`, for `mockzoom serve` to be ready, for the fixture.

Wall-clock time is what a person waits, and the best of some tries is shown, beside the CPU time of
that try: on a machine that is busy with something else the two are far apart.  The fixture's
cost is what a test pays that uses `mockzoom` and does nothing with it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from mockzoom import MockZoom

__all__ = ["measure"]

COMMAND = (sys.executable, "-m", "mockzoom")
SERVE = (*COMMAND, "serve", "--port", "0", "--rtms-port", "0", "--json")


def measure(quick: bool) -> dict[str, dict[str, float]]:
    """Milliseconds."""
    tries = 1 if quick else 7
    return {
        "mockzoom --help": _best(_help, tries),
        "mockzoom serve, ready": _best(_serve, tries),
        "fixture, per test": _best(_fixture, tries),
    }


def _best(run: Callable[[], dict[str, float]], tries: int) -> dict[str, float]:
    return min((run() for _ in range(tries)), key=lambda figures: figures["ms"])


def _help() -> dict[str, float]:
    began_s, cpu_s = time.perf_counter(), _children_cpu_s()
    subprocess.run((*COMMAND, "--help"), check=True, capture_output=True, timeout=60)
    return _figures(time.perf_counter() - began_s, _children_cpu_s() - cpu_s)


def _serve() -> dict[str, float]:
    """CPU time includes that of its end."""
    began_s, cpu_s = time.perf_counter(), _children_cpu_s()
    with subprocess.Popen(SERVE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"{")
        ready_s = time.perf_counter() - began_s
        process.terminate()
    return _figures(ready_s, _children_cpu_s() - cpu_s)


def _fixture() -> dict[str, float]:
    tests = 20
    with MockZoom() as server:
        began_s, cpu_s = time.perf_counter(), time.process_time()
        for _ in range(tests):
            assert len(server.worlds) == 1
            server.reset()
        took_s, used_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    return _figures(took_s / tests, used_s / tests)


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _figures(wall_s: float, cpu_s: float) -> dict[str, float]:
    return {"ms": wall_s * 1000, "CPU ms": cpu_s * 1000}
