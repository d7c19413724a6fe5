"""The two kinds of thread that both sides have: one for an asyncio loop, one for a web app.

Both stop for good when they are closed, and leave no socket, task or thread behind.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

import waitress

from mockzoom.errors import ConfigurationError, PortInUse

__all__ = ["LoopThread", "WebThread", "listen", "wait_until"]

T = TypeVar("T")

_CLOSE_S = 10

#: How often a wait looks up.  Python wakes its main thread for a signal only where that one is
#: blocked already: Ctrl-C that comes while it hands over to a busy thread waits for the next look.
_LOOK_S = 0.25

#: Past this many times the app's own limit a body is not even read.  Up to there it is, because
#: only who has sent a body to its end gets to read the app's 413.
_UNREAD_FACTOR = 16

#: That a request waits a moment for a thread is nothing that anybody must be told.
_quiet = logging.getLogger("mockzoom.waitress")
_quiet.setLevel(logging.CRITICAL)


def listen(host: str, port: int, what: str, option: str) -> socket.socket:
    """A socket that listens on `host`, at `port` or, for 0, at any free one.

    Raises `PortInUse`, and `ConfigurationError` for a host or port that cannot be had; both name
    `what` was to listen, and `option`, which says where.
    """
    try:
        if not 0 <= port <= 65_535:
            raise OverflowError("a port is 0 to 65535")  # some systems take it modulo 65536
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=1024)
    except (OSError, OverflowError, UnicodeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (")[0]
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        kind, hint = (PortInUse, ", or 0 for any") if taken else (ConfigurationError, "")
        raise kind(
            f"{what}: cannot listen on {host}:{port}: {reason}; give another {option}{hint}"
        ) from None


def wait_until(event: threading.Event) -> None:
    """Wait for `event`, however long, and notice Ctrl-C whenever it comes."""
    while not event.wait(_LOOK_S):
        pass


class LoopThread:
    """An asyncio loop on a thread of its own; uvloop where there is one."""

    def __init__(self, name: str) -> None:
        self._loop = _new_loop()
        self._closed = False
        self._running: set[Future[Any]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def post(self, step: Callable[..., None], *args: Any) -> None:
        """Have `step` called on the loop, soon; passed over once the loop has stopped."""
        if not self._closed:
            self._loop.call_soon_threadsafe(step, *args)

    def call(self, step: Callable[..., T], *args: Any) -> T:
        """What `step` returns or raises, called on the loop."""

        async def on_loop() -> T:
            return step(*args)

        return self.run(on_loop())

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """What `work` returns or raises, run on the loop.

        It is cancelled when it takes longer than `timeout_s`, which raises `TimeoutError`, and
        when the caller is interrupted.
        """
        if self._closed or threading.current_thread() is self._thread:
            work.close()
            why = "has stopped" if self._closed else "cannot wait for itself"
            raise RuntimeError(f"{self._thread.name} {why}")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        self._running.add(future)
        try:
            return _result(future, timeout_s)
        except CancelledError:
            raise RuntimeError(f"{self._thread.name} has stopped") from None
        finally:
            self._running.discard(future)
            future.cancel()

    def close(self) -> None:
        """Cancel what still runs, then stop; safe to call twice."""
        if self._closed:
            return
        try:
            self.run(_cancel_everything(), _CLOSE_S)
        finally:
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_S)
            for future in list(self._running):
                future.cancel()
            if not self._thread.is_alive():
                self._loop.close()


def _result(future: Future[T], timeout_s: float | None) -> T:
    """What `future.result` returns or raises; Ctrl-C is noticed whenever it comes."""
    until_s = math.inf if timeout_s is None else time.monotonic() + timeout_s
    while True:
        left_s = until_s - time.monotonic()
        try:
            return future.result(max(0, min(_LOOK_S, left_s)))
        except TimeoutError:
            if future.done():  # at the last moment, or the error is its own
                return future.result()
            if left_s <= _LOOK_S:
                raise


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


async def _cancel_everything() -> None:
    loop = asyncio.get_running_loop()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


class WebThread:
    """Waitress on a thread of its own, that can be stopped.

    It listens as soon as it is made, and answers `threads` requests at once; raises what `listen`
    raises.
    """

    def __init__(
        self,
        app: Any,
        *,
        name: str,
        host: str,
        port: int,
        max_body_bytes: int,
        option: str,
        threads: int = 8,
    ) -> None:
        self._sockets: dict[int, Any] = {}
        listening = listen(host, port, name, option)
        self.port: int = listening.getsockname()[1]
        self._server = waitress.create_server(
            app,
            map=self._sockets,
            sockets=[listening],
            threads=threads,
            ident=None,
            max_request_body_size=_UNREAD_FACTOR * max_body_bytes,
            channel_timeout=30,
        )
        self._server.task_dispatcher.queue_logger = _quiet
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._server.asyncore.loop(timeout=30, map=self._sockets, use_poll=True, count=1)

    def close(self) -> None:
        """Stop serving; safe to call twice."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._thread.is_alive():
            self._server.pull_trigger()
            self._thread.join(_CLOSE_S)
        self._server.task_dispatcher.shutdown()
        self._server.asyncore.close_all(self._sockets)
