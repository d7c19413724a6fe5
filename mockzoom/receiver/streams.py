"""The streams that the app knows of, and what a webhook means for each.

Events come twice, late and in any order, so what counts is what is known of the stream:

    started      unknown: join it.  Live: a repeat, or a failover if it is newer and says so.
                 Ended: join it only if a breakdown ended it and this start is newer than that.
    interrupted  live: its sockets are dead, whatever they look like.  Else: too late, ignored.
    stopped      live: close it.  Unknown: remember it, for its start may be yet to come.

Ended streams are remembered, the last thousand of them.  A stream that was revoked is deleted from
the disk, and also when the webhook says so only after the end.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import Ending, Link, Step
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.findings import Finding
from mockzoom.core.messages import Message, message_type
from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.receiver.recorder import WANTED, Recorder, discard, stream_folder
from mockzoom.receiver.rtms_client import RtmsClient

__all__ = ["Settings", "StreamStatus", "Streams"]

_log = logging.getLogger(__name__)

#: The vendor's default limit of concurrent streams an app.
MAX_LIVE = 2_000
MAX_REMEMBERED = 1_000

_MEANINGS: Mapping[str, tuple[Product, str]] = {
    product.event(happening): (product, happening)
    for product in PRODUCTS.values()
    for happening in ("started", "interrupted", "stopped")
}

OnEvent = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True)
class Settings:
    """What a receiver is set up with.

    `allow_url` says which URLs may be dialled, `wanted` is what is asked for, by media type.
    """

    credentials: Credentials
    recordings: Path
    allow_url: Callable[[str], bool]
    tls: ssl.SSLContext | bool = True
    timings: Timings = field(default_factory=Timings)
    wanted: Mapping[MediaType, Mapping[str, Any]] = field(default_factory=lambda: WANTED)


@dataclass(frozen=True)
class StreamStatus:
    """How a stream is doing.

    `joined` is whether media ever flowed, `state` what the signaling socket is at, `ending` why it
    is over (None while it is not), `counters` what came by kind, `granted` the media parameters in
    force by media key, `refused` the status codes of media that the server would not give.
    """

    rtms_stream_id: str
    product: str
    id: str
    state: Link
    joined: bool
    ending: Ending | None
    counters: Mapping[str, int]
    granted: Mapping[str, Mapping[str, Any]]
    refused: Mapping[str, int]
    folder: Path


class Streams:
    """All streams of one receiver; lives on its loop.  `on_event` hears what happens."""

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        now_ms: Callable[[], int],
        on_event: OnEvent,
    ) -> None:
        self._settings = settings
        self._session = session
        self._now_ms = now_ms
        self._on_event = on_event
        self._live: dict[str, _Stream] = {}
        self._past: OrderedDict[str, _Past] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def statuses(self) -> dict[str, StreamStatus]:
        """Every stream known, by `rtms_stream_id`; may be asked from any thread."""
        past = {id_: past.status for id_, past in self._past.copy().items() if past.status}
        return past | {id_: stream.status() for id_, stream in self._live.copy().items()}

    def handle(self, event: Mapping[str, Any]) -> None:
        """One valid webhook, once."""
        self._on_event("webhook", dict(event))
        if event["event"] not in _MEANINGS:
            return
        product, happening = _MEANINGS[event["event"]]
        payload = event["payload"]
        stream = self._live.get(payload["rtms_stream_id"])
        if stream is not None and stream.machine.id != payload[product.id_field]:
            _log.warning("%s: another %s, ignored", event["event"], product.id_field)
        elif happening == "started":
            self._started(product, event, stream)
        elif happening == "stopped":
            self._stopped(product, event, stream)
        elif stream is not None:
            stream.client.act(stream.machine.interrupted)

    def close(self) -> None:
        """Leave every stream; the sockets close in tasks of their own."""
        for stream in list(self._live.values()):
            stream.client.act(stream.machine.stop)

    # --- webhooks -----------------------------------------------------------------------------

    def _started(self, product: Product, event: Mapping[str, Any], stream: _Stream | None) -> None:
        payload = event["payload"]
        id_ = payload["rtms_stream_id"]
        if stream is not None:
            if event["event_ts"] >= stream.event_ts:
                stream.event_ts = event["event_ts"]
                stream.client.act(stream.machine.failover, payload["server_urls"])
        elif id_ in self._past and not self._past[id_].may_return(product, event["event_ts"]):
            _log.info("start of a stream that has ended, ignored")
        elif len(self._live) >= MAX_LIVE:
            _log.error("%d streams are live: start ignored", MAX_LIVE)
        else:
            self._live[id_] = stream = _Stream(self, product, event)
            stream.client.act(stream.machine.start)

    def _stopped(self, product: Product, event: Mapping[str, Any], stream: _Stream | None) -> None:
        payload = event["payload"]
        id_, reason = payload["rtms_stream_id"], payload["stop_reason"]
        if stream is not None:
            stream.event_ts = max(stream.event_ts, event["event_ts"])
            stream.client.act(partial(stream.machine.stop, reason=reason))
            return
        ending = Ending(Step.STOPPED, reason)
        past = self._past.get(id_)
        self._remember(id_, _Past(event["event_ts"], ending, past.status if past else None))
        if ending.revoked(product):
            discard(self._settings.recordings, id_)

    # --- for the streams ----------------------------------------------------------------------

    def client(self, machine: ClientMachine, stream: _Stream) -> RtmsClient:
        return RtmsClient(
            machine,
            self._session,
            self._settings.tls,
            self._now_ms,
            on_received=stream.received,
            on_found=stream.found,
            on_change=stream.changed,
        )

    def ended(self, stream: _Stream, ending: Ending) -> None:
        """It is over for the world; for who waits, only when its files are in order."""
        id_ = stream.machine.rtms_stream_id
        self._remember(id_, _Past(stream.event_ts, ending, stream.status()))
        del self._live[id_]
        if ending.revoked(stream.machine.product) or not stream.recorder.movie:
            self._settled(stream, ending)
        else:
            task = asyncio.get_running_loop().create_task(self._put_together(stream, ending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _put_together(self, stream: _Stream, ending: Ending) -> None:
        """The movie is made in a thread; that it cannot be made costs nothing else."""
        try:
            await asyncio.to_thread(stream.recorder.make_movie)
        except Exception as error:
            _log.error("no recording.mkv: %s", error)
        self._settled(stream, ending)

    def _settled(self, stream: _Stream, ending: Ending) -> None:
        id_, product = stream.machine.rtms_stream_id, stream.machine.product
        past = self._past.get(id_)
        if past is not None:
            # Meanwhile a webhook may have said that it was revoked.
            if past.ending.revoked(product):
                discard(self._settings.recordings, id_)
            self._past[id_] = replace(past, status=stream.status(past.ending))
        self.tell("ended", stream, ending=str(ending))

    def tell(self, kind: str, stream: _Stream, /, **fields: Any) -> None:
        self._on_event(kind, {"rtms_stream_id": stream.machine.rtms_stream_id, **fields})

    @property
    def settings(self) -> Settings:
        return self._settings

    def _remember(self, id_: str, past: _Past) -> None:
        self._past[id_] = past
        self._past.move_to_end(id_)
        if len(self._past) > MAX_REMEMBERED:
            self._past.popitem(last=False)


@dataclass(frozen=True)
class _Past:
    """A stream that has ended; `status` is None when only its stop was ever heard of."""

    event_ts: int
    ending: Ending
    status: StreamStatus | None

    def may_return(self, product: Product, event_ts: int) -> bool:
        return self.ending.may_return(product) and event_ts > self.event_ts


class _Stream:
    """A live stream: its machine on its sockets, and its recorder."""

    def __init__(self, streams: Streams, product: Product, event: Mapping[str, Any]) -> None:
        payload, settings = event["payload"], streams.settings
        self._streams = streams
        self.event_ts: int = event["event_ts"]
        self.machine = ClientMachine(
            product,
            payload[product.id_field],
            payload["rtms_stream_id"],
            payload["server_urls"],
            settings.credentials,
            settings.wanted,
            allow_url=settings.allow_url,
            timings=settings.timings,
        )
        self.client = streams.client(self.machine, self)
        self.recorder = Recorder(stream_folder(settings.recordings, payload["rtms_stream_id"]))
        self._joined = False
        self._disk_error = ""

    def status(self, ending: Ending | None = None) -> StreamStatus:
        """As it is now; only who has put the files in order tells the `ending`."""
        machine = self.machine
        return StreamStatus(
            machine.rtms_stream_id,
            machine.product.name,
            machine.id,
            machine.state,
            self._joined,
            ending,
            dict(self.recorder.counters),
            dict(machine.granted),
            {media.name or str(int(media)): code for media, code in machine.refused.items()},
            self.recorder.folder,
        )

    def received(self, message: Message) -> None:
        kind = message_type(message)
        if kind == MessageType.DATA_HAND_SHAKE_RESP:
            self._record(self.recorder.granted, self.machine.granted)
            return
        self._record(self.recorder.receive, message)
        if kind == MessageType.MEDIA_DATA_TRANSCRIPT:
            self._streams.tell("transcript", self, content=message.get("content"))
        elif kind == MessageType.EVENT_UPDATE:
            self._streams.tell("event", self, event=message.get("event"))

    def found(self, finding: Finding) -> None:
        self._streams.tell("finding", self, **finding.as_dict())

    def changed(self) -> None:
        """The machine is in another state."""
        machine = self.machine
        if machine.ending is not None:
            self._record(self.recorder.close, self._summary(machine.ending))
            self._streams.ended(self, machine.ending)
        elif machine.state is Link.JOINED:
            self._joined = True
            self._streams.tell("joined", self, granted=dict(machine.granted))
        elif machine.state is Link.WAITING:
            self._streams.tell("reconnecting", self)

    def _record(self, step: Callable[..., None], *args: Any) -> None:
        """A full disk costs the recording, not the stream."""
        try:
            if not self._disk_error:
                step(*args)
        except OSError as error:
            self._disk_error = str(error)
            _log.error("recording stopped: %s", error)

    def _summary(self, ending: Ending) -> dict[str, Any]:
        status = self.status()
        return {
            "rtms_stream_id": status.rtms_stream_id,
            "product": status.product,
            self.machine.product.id_field: status.id,
            "joined": status.joined,
            "ended": {"cause": ending.cause.value, "code": ending.code, "detail": ending.detail},
            "granted": status.granted,
            "refused": status.refused,
        }
