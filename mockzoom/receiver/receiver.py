"""The whole app: a web server for the webhooks, and a loop for the streams, a thread each.

A webhook is answered on the first and crosses to the second as an event, which is the only thing
that ever crosses in that direction.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import ssl
import threading
import time
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import waitress
from aiohttp import ClientSession

from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.errors import ConfigurationError, PortInUse
from mockzoom.receiver.rtms_client import allowed, open_session
from mockzoom.receiver.streams import OnEvent, Settings, Streams, StreamStatus
from mockzoom.receiver.webhook import MAX_BODY_BYTES, create_app

__all__ = ["Receiver"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost")

_CLOSE_S = 10


class Receiver:
    """A running receiver, between `with` and its end.

    It listens on 127.0.0.1 at `port`, 0 for any free one; `url` is where webhooks go.  Streams are
    recorded under `recordings`, and only hosts in `allowed_hosts` are dialled.  `ca` is a PEM file
    to trust instead of the system's.  `on_event(kind, fields)` is called on the loop's thread for
    "webhook", "joined", "reconnecting", "transcript", "event", "finding" and "ended".

    Raises PortInUse, and ConfigurationError for a `ca` that cannot be read.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        port: int = 0,
        recordings: Path = Path("recordings"),
        allowed_hosts: Collection[str] = LOOPBACK,
        ca: Path | None = None,
        on_event: OnEvent | None = None,
        timings: Timings | None = None,
        window_s: int = 300,
    ) -> None:
        self._settings = Settings(
            credentials, recordings, allowed(allowed_hosts), _trust(ca), timings or Timings()
        )
        self._port = port
        self._window_s = window_s
        self._listener = on_event
        self._changed = threading.Condition()

    def __enter__(self) -> Receiver:
        self._web = _Web(self._app(), self._port)
        self._loop = _Loop()
        self._streams, self._session = self._loop.run(self._open())
        self._web.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._web.close()
        self._loop.run(self._close())
        self._loop.close()

    @property
    def port(self) -> int:
        return self._web.port

    @property
    def url(self) -> str:
        """Where the app's webhooks are to be sent."""
        return f"http://127.0.0.1:{self.port}/webhook"

    @property
    def streams(self) -> dict[str, StreamStatus]:
        """Every stream heard of, by `rtms_stream_id`, as it is now."""
        return self._streams.statuses()

    def wait_joined(self, rtms_stream_id: str, timeout_s: float = 10) -> StreamStatus:
        """Wait until media flows; raises TimeoutError, also when the stream ends before that."""
        return self._wait(rtms_stream_id, timeout_s, "joined", lambda status: status.joined)

    def wait_ended(self, rtms_stream_id: str, timeout_s: float = 10) -> StreamStatus:
        """Wait until the stream is over and its files are written; raises TimeoutError."""
        return self._wait(
            rtms_stream_id, timeout_s, "ended", lambda status: status.ending is not None
        )

    def _wait(
        self, id_: str, timeout_s: float, what: str, reached: Callable[[StreamStatus], bool]
    ) -> StreamStatus:
        def seen() -> StreamStatus | None:
            status = self.streams.get(id_)
            return status if status is not None and reached(status) else None

        with self._changed:
            status = self._changed.wait_for(seen, timeout_s)
        if status is None:
            now = self.streams.get(id_)
            found = "never started" if now is None else str(now.ending or now.state.name)
            raise TimeoutError(f"stream {id_}: not {what} within {timeout_s} s, found {found}")
        return status

    # --- the two threads ----------------------------------------------------------------------

    def _app(self) -> Any:
        token = self._settings.credentials.secret_token
        return create_app(token, self._inbox, window_s=self._window_s)

    def _inbox(self, event: dict[str, Any]) -> None:
        self._loop.call(self._streams.handle, event)

    async def _open(self) -> tuple[Streams, ClientSession]:
        session = open_session()
        return Streams(self._settings, session, _clock(), self._on_event), session

    async def _close(self) -> None:
        self._streams.close()
        sockets = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*sockets, return_exceptions=True)
        await self._session.close()

    def _on_event(self, kind: str, fields: dict[str, Any]) -> None:
        with self._changed:
            self._changed.notify_all()
        if self._listener is None:
            return
        try:
            self._listener(kind, fields)
        except Exception:  # a listener's mistake must not cost a stream
            _log.exception("on_event(%r) failed", kind)


def _clock() -> Callable[[], int]:
    """Unix milliseconds that go on evenly, whatever happens to the system's clock."""
    offset_s = time.time() - time.monotonic()
    return lambda: int((time.monotonic() + offset_s) * 1000)


def _trust(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise ConfigurationError(f"CA file {ca}: {error.strerror or error}") from None


class _Loop:
    """An asyncio loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="receiver streams")
        self._thread.start()

    def call(self, step: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon_threadsafe(step, *args)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CLOSE_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_S)
        self._loop.close()


class _Web:
    """Waitress on a thread of its own, that can be stopped."""

    def __init__(self, app: Any, port: int) -> None:
        self._sockets: dict[int, Any] = {}
        try:
            self._server = waitress.create_server(
                app,
                map=self._sockets,
                host="127.0.0.1",
                port=port,
                threads=4,
                ident=None,
                # The app refuses less, but only a body that was read to its end gets its 413:
                # past this the connection is cut while the sender is still sending.
                max_request_body_size=16 * MAX_BODY_BYTES,
                channel_timeout=30,
            )
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortInUse(f"port {port} is in use: choose another with --port") from None
        self.port: int = self._server.effective_port
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="receiver webhooks")

    def start(self) -> None:
        self._thread.start()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._server.asyncore.loop(timeout=30, map=self._sockets, use_poll=True, count=1)

    def close(self) -> None:
        self._stopping.set()
        self._server.pull_trigger()
        self._thread.join(_CLOSE_S)
        self._server.task_dispatcher.shutdown()
        self._server.asyncore.close_all(self._sockets)
