"""The app's side of one stream: the state machine that a receiver of RTMS is built around.

An app dials the signaling URL of the `started` webhook and handshakes; the answer names the media
URLs.  It dials those, handshakes on each, and says CLIENT_READY_ACK on signaling: it has JOINED,
and media flows.  From then on it echoes keep-alives and waits for three things:

- *a media socket is lost* (or the server says so, event 7): that socket alone is dialled again;
- *signaling is lost*, silent, or interrupted says a webhook: everything is done again, from the
  first handshake on, because media sockets do not outlive their signaling socket;
- *the end*: a TERMINATED on signaling, or the `stopped` webhook.

Whatever is dialled again is dialled after a pause that doubles with every loss and is forgotten at
the first keep-alive of a connection that holds.  A window limits the whole: what is not back by
then is given up.  A refused handshake is final, except for "duplicate": that is the server still
holding on to the socket that was just lost, so it is one more loss.

Nothing here trusts the peer.  Media parameters are those granted, not those asked for; a URL is
dialled only if `allow_url` says so; a message of a type, shape or time that nobody expects is
skipped.  Sockets that were closed here may go on talking for a while: they are strangers then.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from mockzoom.core import messages
from mockzoom.core.client_sockets import MEDIA, SIGNALING, ClientSocket, Ending, Link, Step
from mockzoom.core.codes import (
    EventType,
    MediaType,
    MessageType,
    StatusCode,
    StreamState,
    VoiceEventType,
)
from mockzoom.core.effects import Close, Dial, Found, Received, Send
from mockzoom.core.findings import Finding
from mockzoom.core.machine import Machine
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.products import Product
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.core.timings import Timings

__all__ = ["ClientMachine"]

T = MessageType
L, S = Link, Step


#: Events 1 and 7 come unasked and must not be asked for; chat groups (10-14) are of no use here.
_SUBSCRIPTIONS: Mapping[type, tuple[int, ...]] = {
    EventType: (
        EventType.ACTIVE_SPEAKER_CHANGE,
        EventType.PARTICIPANT_JOIN,
        EventType.PARTICIPANT_LEAVE,
        EventType.SHARING_START,
        EventType.SHARING_STOP,
        EventType.PARTICIPANT_VIDEO_ON,
        EventType.PARTICIPANT_VIDEO_OFF,
    ),
    VoiceEventType: tuple(VoiceEventType),
}

#: Refusals that pass: the server has not noticed yet that the last socket is gone.
_PASSING = (StatusCode.DUPLICATE_SIGNAL_REQUEST, StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION)

#: What this side can find fault with.
_CLAUSES = {
    "server.message": "every frame is one JSON object",
    "server.handshake": "a handshake response carries an integer status_code",
    "server.url": "the URLs of a stream lie on hosts that the app may talk to",
}

_NEWS = frozenset(
    {
        T.EVENT_UPDATE,
        T.STREAM_STATE_UPDATE,
        T.SESSION_STATE_UPDATE,
        T.SESSION_STATE_RESP,
        T.STREAM_STATE_RESP,
        T.STREAM_CLOSE_RESP,
        T.VIDEO_SUBSCRIPTION_RESP,
    }
)
_MEDIA_DATA = frozenset(range(T.MEDIA_DATA_AUDIO, T.MEDIA_DATA_CHAT + 1)) | frozenset(
    range(T.META_DATA_AUDIO, T.META_DATA_CHAT + 1)
)


class ClientMachine(Machine):
    """One stream, from the app's side.

    `id_` is the value of the product's id field, `server_urls` the string of the `started` webhook
    (one URL, or several separated by commas that are tried in turn).  `wanted` maps each media
    type to the parameters to ask for, empty for the server's defaults.  `allow_url` is asked before
    every dial and has to be strict: the URLs come from outside.

    `state` is that of the signaling socket; `granted` are the media parameters in force by media
    key, `refused` the status codes of media that the server would not give, and `ending` says why
    the stream is over once it is.
    """

    def __init__(
        self,
        product: Product,
        id_: str,
        rtms_stream_id: str,
        server_urls: str,
        credentials: Credentials,
        wanted: Mapping[MediaType, Mapping[str, Any]],
        *,
        allow_url: Callable[[str], bool],
        timings: Timings | None = None,
        buffer: bool = True,
    ) -> None:
        super().__init__()
        self.product = product
        self.id = id_
        self.rtms_stream_id = rtms_stream_id
        self.wanted = wanted
        self.granted: dict[str, Mapping[str, Any]] = {}
        self.refused: dict[MediaType, int] = {}
        self.ending: Ending | None = None
        self._allow_url = allow_url
        self._timings = timings or Timings()
        self._buffer = buffer
        self._signature = handshake_signature(
            credentials.client_id, credentials.client_secret, id_, rtms_stream_id
        )
        self._signaling = ClientSocket(
            SIGNALING,
            None,
            self._usable(server_urls),
            self._timings.signaling_window_ms,
            SIGNALING.initial,
        )
        self._media: list[ClientSocket] = []
        self._open: dict[int, ClientSocket] = {}
        self._conns = 0
        self._sequence = 0

    @property
    def state(self) -> Link:
        return self._signaling.state

    # --- what the app decides -----------------------------------------------------------------

    def start(self, now_ms: int) -> None:
        """Dial; a second start of the same stream changes nothing."""
        if self.state is L.IDLE:
            self._begin(S.START, now_ms)

    def failover(self, server_urls: str, now_ms: int) -> None:
        """A `started` webhook for the same stream: go where it says, unless that is known."""
        urls = self._usable(server_urls)
        if urls == self._signaling.urls or not SIGNALING.allows(self.state, S.FAILOVER):
            return
        self._hang_up()
        self._signaling.urls = urls
        self._begin(S.FAILOVER, now_ms)

    def interrupted(self, now_ms: int) -> None:
        """The `interrupted` webhook: what looks alive from here is not.  It carries no URL."""
        if self.state in (L.JOINING, L.JOINED):
            self._lose(self._signaling, now_ms)

    def stop(self, now_ms: int, reason: int = 0) -> None:
        """The `stopped` webhook with its `stop_reason`, or the app itself shuts down."""
        if SIGNALING.allows(self.state, S.STOPPED):
            self._end(Ending(S.STOPPED, reason))

    # --- what the network says ----------------------------------------------------------------

    def opened(self, conn: int, now_ms: int) -> None:
        """The socket that a `Dial` asked for is open."""
        socket = self._open.get(conn)
        if socket is None or not socket.table.allows(socket.state, S.OPENED):
            return
        socket.step(S.OPENED)
        self._heard(socket, now_ms)
        self._sequence += 1
        self.effects.append(Send(conn, self._handshake(socket)))

    def receive(self, conn: int, data: str | bytes, now_ms: int) -> None:
        """One whole WebSocket message, text or binary."""
        socket = self._open.get(conn)
        if socket is None:
            return
        message = messages.decode(data)
        if message is None:
            self._found("server.message", socket, "one JSON object a frame", repr(data[:40]))
            return
        self._heard(socket, now_ms)
        kind = messages.message_type(message)
        if kind == T.KEEP_ALIVE_REQ:
            self._keep_alive(socket, message)
        elif socket.media is not None:
            self._on_media(socket, kind, message, now_ms)
        else:
            self._on_signaling(socket, kind, message, now_ms)

    def lost(self, conn: int, now_ms: int) -> None:
        """Socket `conn` could not be opened, or is gone, by whomever and however."""
        socket = self._open.get(conn)
        if socket is not None:
            self._lose(socket, now_ms)

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        match name:
            case ("retry", ClientSocket() as socket):
                self._dial(socket, S.RETRY, now_ms)
            case ("handshake", ClientSocket() as socket) | ("silence", ClientSocket() as socket):
                self._lose(socket, now_ms)
            case _:
                super().on_timer(name, now_ms)

    # --- dialling, losing, dialling again -----------------------------------------------------

    def _begin(self, step: Step, now_ms: int) -> None:
        """Dial signaling with a clean record."""
        self._signaling.losses = 0
        self._signaling.until_ms = now_ms + self._signaling.window_ms
        if self._signaling.urls:
            self._dial(self._signaling, step, now_ms)
        else:
            self._end(Ending(S.REFUSED, detail="server_urls has no URL that may be dialled"))

    def _dial(self, socket: ClientSocket, step: Step, now_ms: int) -> None:
        socket.step(step)
        self._conns += 1
        socket.conn = self._conns
        self._open[socket.conn] = socket
        self.timers.set(("handshake", socket), now_ms + self._timings.handshake_ms)
        url = socket.urls[socket.losses % len(socket.urls)]
        self.effects.append(Dial(socket.conn, url))

    def _lose(self, socket: ClientSocket, now_ms: int) -> None:
        """Socket and all that hangs on it is gone; try again after a pause or give up."""
        if socket.media is None:
            self._hang_up()
        else:
            self._close(socket)
        if socket.until_ms is None:
            socket.until_ms = now_ms + socket.window_ms
        retry_ms = now_ms + self._pause_ms(socket)
        socket.losses += 1
        if retry_ms <= socket.until_ms:
            socket.step(S.LOST)
            self.timers.set(("retry", socket), retry_ms)
        elif socket.media is None:
            self._end(Ending(S.GAVE_UP, detail="signaling did not come back in its window"))
        else:
            socket.step(S.GAVE_UP)
            self._settle(Ending(S.GAVE_UP, detail="no media socket came back in its window"))

    def _pause_ms(self, socket: ClientSocket) -> int:
        doubled = self._timings.backoff_ms << min(socket.losses, 16)
        return min(doubled, self._timings.backoff_cap_ms)

    def _close(self, socket: ClientSocket) -> None:
        for name in ("handshake", "silence", "retry"):
            self.timers.cancel((name, socket))
        if socket.conn is not None:
            del self._open[socket.conn]
            self.effects.append(Close(socket.conn))
            socket.conn = None

    def _hang_up(self) -> None:
        """Close every socket; media sockets are forgotten, for the next handshake names others."""
        for socket in (*self._media, self._signaling):
            self._close(socket)
        self._media.clear()

    def _end(self, ending: Ending) -> None:
        self._hang_up()
        self._signaling.step(ending.cause)
        self.ending = ending

    # --- liveness -----------------------------------------------------------------------------

    def _heard(self, socket: ClientSocket, now_ms: int) -> None:
        socket.heard_ms = now_ms
        if socket.media is None:
            self.timers.set(("silence", socket), now_ms + self._timings.silence_ms)

    def _keep_alive(self, socket: ClientSocket, message: Message) -> None:
        assert socket.conn is not None
        self.effects.append(Send(socket.conn, messages.keep_alive_resp(message)))
        if socket.state is L.JOINED:
            socket.losses = 0

    # --- signaling ----------------------------------------------------------------------------

    def _on_signaling(
        self, socket: ClientSocket, kind: int | None, message: Message, now_ms: int
    ) -> None:
        if kind == T.SIGNALING_HAND_SHAKE_RESP and socket.state is L.SHAKING:
            if self._accepted(socket, message, now_ms):
                self._open_media(message, now_ms)
        elif kind in _NEWS:
            self._news(socket, message)
            if kind == T.EVENT_UPDATE:
                self._on_event(message, now_ms)
            elif kind == T.STREAM_STATE_UPDATE and message.get("state") == StreamState.TERMINATED:
                self._terminated(socket, message)

    def _terminated(self, socket: ClientSocket, message: Message) -> None:
        if SIGNALING.allows(socket.state, S.TERMINATED):
            self._end(Ending(S.TERMINATED, _integer(message.get("reason"))))

    def _on_event(self, message: Message, now_ms: int) -> None:
        event = _mapping(message.get("event"))
        if event.get("event_type") == EventType.MEDIA_CONNECTION_INTERRUPTED:
            socket = self._interrupted_media(event)
            if socket is not None:
                self._lose(socket, now_ms)

    def _interrupted_media(self, event: Mapping[str, Any]) -> ClientSocket | None:
        """The media socket that event 7 means; None when it is being redialled already.

        Only a timestamp is documented.  Where the event names no media type: keep-alives come on
        every socket that lives, so the one silent for the longest time is it.
        """
        joined = [socket for socket in self._media if socket.state is L.JOINED]
        if "media_type" in event:
            mask = _integer(event["media_type"])
            return next((s for s in joined if s.media in (mask, MediaType.ALL)), None)
        if len(joined) < len(self._media):
            return None
        return min(joined, key=lambda socket: socket.heard_ms, default=None)

    # --- media --------------------------------------------------------------------------------

    def _on_media(
        self, socket: ClientSocket, kind: int | None, message: Message, now_ms: int
    ) -> None:
        if kind == T.DATA_HAND_SHAKE_RESP and socket.state is L.SHAKING:
            if self._accepted(socket, message, now_ms):
                self._adopt(socket, message)
                self._news(socket, message)
                self._settle(Ending(S.REFUSED))
        elif kind in _MEDIA_DATA and socket.state is L.JOINED:
            self._news(socket, message)

    def _open_media(self, message: Message, now_ms: int) -> None:
        """Dial the media URLs of a handshake response, or end where none is of use."""
        self._media = [
            ClientSocket(MEDIA, media, (url,), self._timings.media_window_ms, MEDIA.initial)
            for media, url in self._media_urls(message).items()
        ]
        for socket in self._media:
            self._dial(socket, S.START, now_ms)
        if not self._media:
            self._end(Ending(S.REFUSED, detail="no media URL for what this app wants"))

    def _media_urls(self, message: Message) -> dict[MediaType, str]:
        """Which sockets to open: one a type, or the one for all, which excludes the others."""
        offered = _mapping(_mapping(message.get("media_server")).get("server_urls"))
        usable = {
            media: url
            for media, key in MEDIA_KEYS.items()
            if isinstance(url := offered.get(key), str) and self._may_dial(url)
        }
        if MediaType.ALL in usable and not all(media in usable for media in self.wanted):
            return {MediaType.ALL: usable[MediaType.ALL]}
        return {media: usable[media] for media in self.wanted if media in usable}

    def _adopt(self, socket: ClientSocket, message: Message) -> None:
        """What the server grants is what counts; where it is silent, what was asked for."""
        given = _mapping(message.get("media_params"))
        for media in self._carried(socket):
            key = MEDIA_KEYS[media]
            self.granted[key] = {**self.wanted[media], **_mapping(given.get(key))}

    def _carried(self, socket: ClientSocket) -> list[MediaType]:
        return [m for m in self.wanted if socket.media in (m, MediaType.ALL)]

    def _settle(self, otherwise: Ending) -> None:
        """Once no first handshake is open: ready, or the end where no media socket is left."""
        states = {socket.state for socket in self._media}
        if states <= {L.ENDED}:
            self._end(otherwise)
        elif self.state is L.JOINING and states <= {L.JOINED, L.ENDED}:
            self._ready()

    def _ready(self) -> None:
        conn = self._signaling.conn
        assert conn is not None
        self._signaling.step(S.READY)
        self._signaling.until_ms = None
        events = [(event, True) for event in _SUBSCRIPTIONS[self.product.events]]
        self.effects.append(Send(conn, messages.client_ready_ack(self.rtms_stream_id)))
        self.effects.append(Send(conn, messages.event_subscription(events)))

    # --- handshakes ---------------------------------------------------------------------------

    def _handshake(self, socket: ClientSocket) -> Message:
        identity = (self.product.id_field, self.id, self.rtms_stream_id, self._signature)
        if socket.media is None:
            return messages.signaling_handshake_req(
                *identity, sequence=self._sequence, buffer=self._buffer
            )
        params = {MEDIA_KEYS[m]: dict(self.wanted[m]) for m in self._carried(socket)}
        asked = {key: value for key, value in params.items() if value}
        return messages.data_handshake_req(
            *identity,
            sequence=self._sequence,
            media_type=socket.media,
            media_params=asked or None,
        )

    def _accepted(self, socket: ClientSocket, message: Message, now_ms: int) -> bool:
        """Whether a handshake response says yes; what a no means is done here."""
        status = message.get("status_code")
        if not isinstance(status, int) or isinstance(status, bool):
            self._found("server.handshake", socket, "an integer status_code", repr(status))
            self._lose(socket, now_ms)
        elif status in _PASSING:
            self._lose(socket, now_ms)
        elif status != StatusCode.OK:
            self._refused(socket, status, str(message.get("reason", "")))
        else:
            self.timers.cancel(("handshake", socket))
            socket.step(S.ACCEPTED)
            if socket.media is not None:
                socket.until_ms = None
            return True
        return False

    def _refused(self, socket: ClientSocket, status: int, reason: str) -> None:
        ending = Ending(S.REFUSED, status, f"{socket.name}: {reason[:200]}")
        if socket.media is None:
            self._end(ending)
            return
        self.refused[socket.media] = status
        self._close(socket)
        socket.step(S.REFUSED)
        self._settle(ending)

    # --- what the rest has in common ----------------------------------------------------------

    def _usable(self, server_urls: str) -> tuple[str, ...]:
        urls = (url.strip() for url in server_urls.split(","))
        return tuple(url for url in urls if url and self._may_dial(url))

    def _may_dial(self, url: str) -> bool:
        allowed = self._allow_url(url)
        if not allowed:
            self._found("server.url", None, "a URL on an allowed host", repr(url[:120]))
        return allowed

    def _news(self, socket: ClientSocket, message: Message) -> None:
        assert socket.conn is not None
        self.effects.append(Received(socket.conn, message))

    def _found(self, check: str, socket: ClientSocket | None, expected: str, actual: str) -> None:
        where = "server_urls" if socket is None else f"{socket.name} socket"
        clause = _CLAUSES[check]
        self.effects.append(
            Found(Finding(check, where, expected, actual, clause, self.rtms_stream_id))
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
