"""The two kinds of thread that both sides have: one for an asyncio loop, one for a web app."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

import waitress

from mockzoom.errors import PortInUse

__all__ = ["LoopThread", "WebThread"]

T = TypeVar("T")

_CLOSE_S = 10


class LoopThread:
    """An asyncio loop on a thread of its own; uvloop where there is one."""

    def __init__(self, name: str) -> None:
        self._loop = _new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def post(self, step: Callable[..., None], *args: Any) -> None:
        """Have `step` called on the loop, soon."""
        self._loop.call_soon_threadsafe(step, *args)

    def call(self, step: Callable[..., T], *args: Any) -> T:
        """What `step` returns or raises, called on the loop."""

        async def on_loop() -> T:
            return step(*args)

        return self.run(on_loop())

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """What `work` returns or raises, run on the loop."""
        if not self._thread.is_alive():
            work.close()
            raise RuntimeError(f"{self._thread.name} has stopped")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(timeout_s)
        except CancelledError:
            raise RuntimeError(f"{self._thread.name} has stopped") from None

    def close(self) -> None:
        """Cancel what still runs, then stop."""
        if self._thread.is_alive():
            self.run(_cancel_everything(), _CLOSE_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_S)
        self._loop.close()


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def _cancel_everything() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()


class WebThread:
    """Waitress on a thread of its own, that can be stopped.

    It listens as soon as it is made, on `port` or, for 0, on any free one; raises `PortInUse`.
    """

    def __init__(
        self, app: Any, *, name: str, host: str, port: int, max_body_bytes: int, option: str
    ) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._server = waitress.create_server(
                app,
                map=self._sockets,
                host=host,
                port=port,
                threads=8,
                ident=None,
                max_request_body_size=max_body_bytes,
                channel_timeout=30,
            )
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
                raise
            raise PortInUse(
                f"{name}: cannot listen on {host}:{port}: {error.strerror}; "
                f"give another {option}, or 0 for any"
            ) from None
        self.port: int = self._server.effective_port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._server.asyncore.loop(timeout=30, map=self._sockets, use_poll=True, count=1)

    def close(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._server.pull_trigger()
            self._thread.join(_CLOSE_S)
        self._server.task_dispatcher.shutdown()
        self._server.asyncore.close_all(self._sockets)
