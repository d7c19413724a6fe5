"""Slow work that many want at the same time, done once: encoding.

Fifty streams in which Alice says the same thing want the same frames within the same second.  The
first one to ask has them made, in a worker thread; the others wait for that, and who comes later
takes what is kept.  So nothing is ever encoded on the loop, nor twice while it is remembered.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, ParamSpec

__all__ = ["Frames", "Once"]

P = ParamSpec("P")

Frames = tuple[bytes, ...]
"""Encoded frames as the bodies of their messages (`mockzoom.core.frame_text`)."""


class Once(Generic[P]):
    """`work`, done once for arguments that are equal; may be awaited on any loop.

    The results that were asked for last are kept, up to `kept_bytes` of them.  What `work` raises
    is raised to all who wait for it, and the next one who asks makes it try again.  `count` is how
    often `work` was done.
    """

    def __init__(self, work: Callable[P, Frames], kept_bytes: int) -> None:
        self.count = 0
        self._work = work
        self._kept_bytes = kept_bytes
        self._size = 0
        self._results: OrderedDict[object, Future[Frames]] = OrderedDict()
        self._lock = Lock()  # several mocks in one process have a loop each

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Frames:
        key = (args, tuple(sorted(kwargs.items())))
        with self._lock:
            result = self._results.get(key)
            if result is None:
                self._results[key] = result = Future()
                # Running from the beginning: who stops waiting does not take it from the others.
                result.set_running_or_notify_cancel()
                loop = asyncio.get_running_loop()
                loop.run_in_executor(None, lambda: self._make(key, *args, **kwargs))
            self._results.move_to_end(key)
        return await asyncio.wrap_future(result)

    def _make(self, key: object, *args: P.args, **kwargs: P.kwargs) -> None:
        result = self._results[key]
        try:
            frames = self._work(*args, **kwargs)
        except Exception as error:
            with self._lock:
                del self._results[key]
            result.set_exception(error)
            return
        with self._lock:
            self.count += 1
            self._size += _size(frames)
            self._forget()
        result.set_result(frames)

    def _forget(self) -> None:
        """Let go of what nobody asked for the longest; what is being made has no size yet."""
        for key in [key for key, result in self._results.items() if result.done()]:
            if self._size <= self._kept_bytes:
                return
            self._size -= _size(self._results.pop(key).result())


def _size(frames: Frames) -> int:
    return sum(map(len, frames))
