"""A stream as who uses the mock in Python holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockzoom.core.codes import StopReason, StreamState
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.world import World as EngineWorld
from mockzoom.threads import LoopThread

__all__ = ["Stream"]

_DELIVERED_S = 20.0


class Stream:
    """A stream of a running `MockZoom`."""

    def __init__(self, stream: LiveStream, world: EngineWorld, loop: LoopThread) -> None:
        self._stream = stream
        self._world = world
        self._loop = loop

    @property
    def rtms_stream_id(self) -> str:
        return self._stream.id

    @property
    def server_urls(self) -> str:
        return self._stream.machine.urls.signaling

    @property
    def state(self) -> StreamState:
        return self._stream.machine.state

    @property
    def sent(self) -> dict[str, int]:
        """Media messages sent so far, by kind."""
        return dict(self._stream.sent)

    def wait_ready(self, timeout_s: float = 10) -> None:
        """Wait until the app is connected and media flows; raises `TimeoutError`."""
        self._wait(lambda: self._stream.machine.flowing, timeout_s, "connected")

    def wait_ended(self, timeout_s: float = 10) -> None:
        """Wait until the stream has terminated; raises `TimeoutError`."""
        self._wait(lambda: self.state is StreamState.TERMINATED, timeout_s, "ended")

    def wait_spoken(self, timeout_s: float = 60) -> None:
        """Wait until what was said in the meeting so far was sent to the app and read by it.

        Only an app that is connected is waited for.  Raises `TimeoutError`.
        """
        try:
            self._loop.run(self._stream.spoken_out(timeout_s))
        except TimeoutError:
            raise TimeoutError(
                f"waited {timeout_s:g} s for stream {self.rtms_stream_id} to be sent what was "
                f"said, it is {self.state.name} and was sent {self.sent}"
            ) from None

    def wait_state(self, state: StreamState, timeout_s: float = 10) -> None:
        """Wait until the stream is in `state`; raises `TimeoutError`."""
        self._wait(lambda: self.state is state, timeout_s, state.name)

    def relocate(self) -> None:
        """Server failover: sockets are cut, and a new started webhook names new URLs."""
        self._loop.call(self._world.relocate, self._stream)

    def keep_alive(self) -> None:
        """Ask the app on every socket whether it is alive, before that is due."""
        self._loop.call(self._stream.feed, lambda machine, now_ms: machine.ask(now_ms))

    def send(self, message: Mapping[str, Any], socket: str = "signaling") -> None:
        """Send the app `message` as it is, also one that no protocol knows.

        `socket` is ``signaling`` or a media key; where none is open nothing happens.
        """
        self._loop.call(self._stream.say, socket, dict(message))

    def pause(self) -> None:
        self._loop.call(self._world.pause, self._stream)

    def resume(self) -> None:
        self._loop.call(self._world.resume, self._stream)

    def stop(self, reason: StopReason = StopReason.MEETING_ENDED) -> None:
        """End the stream and wait until the webhooks that tell of it were attempted."""
        self._loop.call(self._world.stop_rtms, self._stream, reason)
        self._loop.run(self._world.deliveries.drained(_DELIVERED_S))

    def _wait(self, reached: Callable[[], bool], timeout_s: float, what: str) -> None:
        if reached():
            return
        try:
            # Each change of state is an entry, so this asks again whenever it may have come.
            self._loop.run(self._world.journal.wait(lambda _: reached(), timeout_s))
        except TimeoutError:
            raise TimeoutError(
                f"waited {timeout_s:g} s for stream {self.rtms_stream_id} to be {what}, "
                f"it is {self.state.name}"
            ) from None
