"""An address at which nobody serves, and that notes who calls: for URLs that must not be dialled,
and for servers that are down.

Whoever connects is hung up on at once.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time

__all__ = ["Trap"]


class Trap:
    """Listens on a free port of `host` between `with` and its end; raises `OSError` if it cannot.

    `calls` are the times of the connections so far, in seconds of the monotonic clock.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.calls: list[float] = []
        self._changed = threading.Condition()

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    @property
    def url(self) -> str:
        """A WebSocket URL that leads here."""
        return f"ws://{self.host}:{self.port}/signaling/trap"

    def called(self, timeout_s: float, times: int = 1) -> bool:
        """Wait until it was called so many times, or until the time is over."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.calls) >= times, timeout_s)

    def __enter__(self) -> Trap:
        self._listening = socket.create_server((self.host, 0))
        self._thread = threading.Thread(target=self._answer, name="trap", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # not on every platform, and then closing is enough
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _answer(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return  # closed
            with connection, self._changed:
                self.calls.append(time.monotonic())
                self._changed.notify_all()
