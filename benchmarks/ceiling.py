"""The ceiling: bare transports of uvloop that write the same bytes, and nothing else.

So many connections get a frame each in every interval, their phases spread over it, as the streams
of the mock do.  The bytes are there, nothing is told apart, nothing can be stopped.  What the mock
costs beyond this is what it can be blamed for.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import ssl
import time
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from benchmarks.reader import Reader

__all__ = ["Shape", "ceiling_us"]

_PATIENCE_S = 120.0


@dataclass(frozen=True)
class Shape:
    """What is written: to `connections`, a frame of `frame_bytes` every `interval_ms` each."""

    connections: int
    interval_ms: float
    frame_bytes: int
    tls: bool = False


class _Held(asyncio.Protocol):
    transports: list[asyncio.Transport]

    def connection_made(self, transport: Any) -> None:
        transport.set_write_buffer_limits(1 << 25)
        self.transports.append(transport)


def ceiling_us(shape: Shape, window_s: float) -> float:
    """CPU time (µs) that a message costs a bare transport, over `window_s`."""
    context = multiprocessing.get_context("spawn")
    pipe, theirs = context.Pipe()
    with TemporaryDirectory() as folder:
        ca = str(Path(folder) / "ca.pem") if shape.tls else None
        process = context.Process(target=_main, args=(theirs, shape, window_s, ca), daemon=True)
        process.start()
        try:
            port = _answer(pipe)
            with closing(Reader(ca)) as reader:
                reader.connect(int(port), shape.connections)
                pipe.send("go")
                return _answer(pipe)
        finally:
            process.kill()
            process.join(10)


def _answer(pipe: Connection) -> float:
    if not pipe.poll(_PATIENCE_S):
        raise TimeoutError("the bare server did not answer")
    return float(pipe.recv())


def _main(pipe: Connection, shape: Shape, window_s: float, ca: str | None) -> None:
    uvloop.run(_serve(pipe, shape, window_s, ca))


async def _serve(pipe: Connection, shape: Shape, window_s: float, ca: str | None) -> None:
    from mockzoom.engine.certificates import server_context

    held = _Held()
    held.transports = []
    tls: ssl.SSLContext | None = server_context("127.0.0.1", Path(ca)) if ca else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: held, "127.0.0.1", 0, ssl=tls)
    pipe.send(server.sockets[0].getsockname()[1])
    await asyncio.to_thread(pipe.recv)
    await _paced(held.transports, shape, window_s / 4)  # warm
    began_s = time.process_time()
    written = await _paced(held.transports, shape, window_s)
    pipe.send((time.process_time() - began_s) / written * 1e6)
    with contextlib.suppress(ConnectionError):
        server.close()


async def _paced(transports: list[asyncio.Transport], shape: Shape, window_s: float) -> int:
    """How many frames were written in `window_s`."""
    frame = bytes(shape.frame_bytes)
    slots = max(1, round(shape.interval_ms))
    phases = [transports[phase::slots] for phase in range(slots)]
    loop = asyncio.get_running_loop()
    over, began_s = loop.create_future(), loop.time()
    written = tick = 0

    def play() -> None:
        nonlocal written, tick
        now_s = loop.time()
        while began_s + tick / 1000 <= now_s:
            for transport in phases[tick % slots]:
                transport.write(frame)
                written += 1
            tick += 1
        if now_s - began_s < window_s:
            loop.call_at(began_s + tick / 1000, play)
        else:
            over.set_result(None)

    play()
    await over
    return written
