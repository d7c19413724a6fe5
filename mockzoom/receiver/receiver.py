"""The whole app: a web server for the webhooks, and a loop for the streams, a thread each.

A webhook is answered on the first and crosses to the second as an event, which is the only thing
that ever crosses in that direction.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from mockzoom.clock import Clock
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.errors import ConfigurationError
from mockzoom.receiver.recorder import PICTURES, WANTED
from mockzoom.receiver.rtms_client import allowed, open_session
from mockzoom.receiver.streams import OnEvent, Settings, Streams, StreamStatus
from mockzoom.receiver.webhook import MAX_BODY_BYTES, create_app
from mockzoom.threads import LoopThread, WebThread

__all__ = ["Receiver"]

_log = logging.getLogger(__name__)

LOOPBACK = ("127.0.0.1", "localhost")

_CLOSE_S = 10


class Receiver:
    """A running receiver, between `with` and its end.

    It listens on 127.0.0.1 at `port`, 0 for any free one; `url` is where webhooks go.  Streams are
    recorded under `recordings`, and only hosts in `allowed_hosts` are dialled.  `ca` is a PEM file
    to trust instead of the system's.  With `video` cameras and screens are asked for too.
    `on_event(kind, fields)` is called on the loop's thread for "webhook", "joined", "reconnecting",
    "transcript", "event", "finding" and "ended".

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
        video: bool = False,
    ) -> None:
        self._settings = Settings(
            credentials,
            recordings,
            allowed(allowed_hosts),
            _trust(ca),
            timings or Timings(),
            {**WANTED, **PICTURES} if video else WANTED,
        )
        self._port = port
        self._window_s = window_s
        self._listener = on_event
        self._changed = threading.Condition()

    def __enter__(self) -> Receiver:
        self._web = WebThread(
            self._app(),
            name="receiver",
            host="127.0.0.1",
            port=self._port,
            max_body_bytes=MAX_BODY_BYTES,
            option="--port",
        )
        self._loop = LoopThread("receiver streams")
        self._streams, self._session = self._loop.run(self._open())
        self._web.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._web.close()
        self._loop.run(self._close(), _CLOSE_S)
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
            over = status is not None and (reached(status) or status.ending is not None)
            return status if over else None

        with self._changed:
            status = self._changed.wait_for(seen, timeout_s)
        if status is None or not reached(status):
            now = self.streams.get(id_)
            found = "never started" if now is None else str(now.ending or now.state.name)
            raise TimeoutError(f"stream {id_}: not {what} within {timeout_s} s, found {found}")
        return status

    # --- the two threads ----------------------------------------------------------------------

    def _app(self) -> Any:
        token = self._settings.credentials.secret_token
        return create_app(token, self._inbox, window_s=self._window_s)

    def _inbox(self, event: dict[str, Any]) -> None:
        self._loop.post(self._streams.handle, event)

    async def _open(self) -> tuple[Streams, ClientSession]:
        session = open_session()
        return Streams(self._settings, session, Clock().now_ms, self._on_event), session

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


def _trust(ca: Path | None) -> ssl.SSLContext | bool:
    if ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=str(ca))
    except OSError as error:
        raise ConfigurationError(f"CA file {ca}: {error.strerror or error}") from None
