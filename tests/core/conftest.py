"""A stage on which the app's part of a stream is played by hand, with the time as a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from mockzoom.core import messages
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.effects import Close, Drop, Effect, Emit, Found, Send
from mockzoom.core.handshake import Identity
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.products import MEETING, Product
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamMachine, StreamPolicy, StreamUrls
from mockzoom.core.timings import Timings

T = MessageType

START_MS = 1_790_000_000_000
STREAM_ID = "609340fb2a7946909659956c8aa9250c"
ID = "4444AAAiAAAAAiAiAiiAii=="
CREDENTIALS = Credentials("client-id", "client-secret", "secret-token")
URLS = StreamUrls(
    "wss://127.0.0.1/signaling", {key: f"wss://127.0.0.1/{key}" for key in MEDIA_KEYS.values()}
)
SIGNATURE = handshake_signature(CREDENTIALS.client_id, CREDENTIALS.client_secret, ID, STREAM_ID)
MEDIA_TYPES = {key: media for media, key in MEDIA_KEYS.items()}


class Stage:
    """One stream, started at `START_MS`; `now_ms` moves by `wait` alone.

    `effects` are all so far, each with its time.  Sockets in `silent` leave keep-alives unanswered.
    """

    def __init__(
        self, product: Product = MEETING, *, timings: Timings | None = None, **policy: Any
    ) -> None:
        self.stream = StreamMachine(
            Identity(product, ID, STREAM_ID),
            CREDENTIALS,
            URLS,
            timings or Timings(),
            StreamPolicy(**policy),
        )
        self.now_ms = START_MS
        self.effects: list[tuple[int, Effect]] = []
        self.silent: set[int] = set()
        self._conns = count(1)
        self.stream.start(self.now_ms)
        self.settle()

    # --- what the app does --------------------------------------------------------------------

    def open(self, key: str = SIGNALING) -> int:
        conn = next(self._conns)
        self.stream.opened(conn, key, self.now_ms)
        self.settle()
        return conn

    def send(self, conn: int, message: Message | str | bytes) -> list[Message]:
        """Send it on `conn`; returns what comes back on the same socket at once."""
        data = messages.encode(message) if isinstance(message, dict) else message
        self.stream.receive(conn, data, self.now_ms)
        return [e.message for e in self.settle() if isinstance(e, Send) and e.conn == conn]

    def ask(self, conn: int, kind: MessageType, /, **fields: Any) -> list[Message]:
        """Send the correct request of type `kind` with other `fields`; None leaves one out."""
        message = self.request(kind, self.stream.sockets[conn].key) | fields
        return self.send(conn, {k: v for k, v in message.items() if v is not None})

    def signaling(self, **fields: Any) -> int:
        conn = self.open()
        self.ask(conn, T.SIGNALING_HAND_SHAKE_REQ, **fields)
        return conn

    def media(self, key: str = "audio", **fields: Any) -> int:
        conn = self.open(key)
        self.ask(conn, T.DATA_HAND_SHAKE_REQ, **fields)
        return conn

    def ready(self, *keys: str) -> tuple[int, ...]:
        """Signaling, a media socket for each of `keys` (audio if none), and the acknowledgement."""
        signaling = self.signaling()
        media = [self.media(key) for key in keys or ("audio",)]
        self.ask(signaling, T.CLIENT_READY_ACK)
        return signaling, *media

    def request(self, kind: MessageType, key: str = SIGNALING) -> Message:
        """A correct request of type `kind` for the socket `key`."""
        handshake = (self.stream.identity.product.id_field, ID, STREAM_ID, SIGNATURE)
        match kind:
            case T.SIGNALING_HAND_SHAKE_REQ:
                return messages.signaling_handshake_req(*handshake, sequence=1, buffer=True)
            case T.DATA_HAND_SHAKE_REQ:
                media = MEDIA_TYPES.get(key, MediaType.AUDIO)
                return messages.data_handshake_req(
                    *handshake, sequence=1, media_type=media, media_params=None
                )
            case T.EVENT_SUBSCRIPTION:
                return messages.event_subscription([(2, True)])
            case T.CLIENT_READY_ACK:
                return messages.client_ready_ack(STREAM_ID)
            case T.SESSION_STATE_REQ:
                return messages.session_state_req(next(iter(self.stream.sessions), "none"))
            case T.STREAM_STATE_REQ:
                return messages.stream_state_req(STREAM_ID)
            case T.STREAM_CLOSE_REQ:
                return messages.stream_close_req(STREAM_ID)
            case T.VIDEO_SUBSCRIPTION_REQ:
                return messages.video_subscription_req(
                    next(iter(self.stream.roster), 0), True, self.now_ms
                )
        raise LookupError(kind.name)

    def lose(self, *conns: int) -> None:
        for conn in conns:
            self.stream.lost(conn, self.now_ms)
        self.settle()

    # --- time ---------------------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        """Let time pass; keep-alives are answered at once, but not by the silent."""
        until_ms = self.now_ms + ms
        while (due_ms := self.stream.next_timer()) is not None and due_ms <= until_ms:
            self.now_ms = due_ms
            self.stream.handle_timer(due_ms)
            for effect in self.settle():
                self._answer(effect)
        self.now_ms = until_ms

    def _answer(self, effect: Effect) -> None:
        match effect:
            case Send(conn, {"msg_type": T.KEEP_ALIVE_REQ} as asked) if conn not in self.silent:
                self.send(conn, messages.keep_alive_resp(asked))

    def settle(self) -> list[Effect]:
        """Take the machine's effects; what it cut or closed is lost a moment later."""
        effects = self.stream.take_effects()
        self.effects += [(self.now_ms, effect) for effect in effects]
        for effect in effects:
            if isinstance(effect, Close | Drop):
                self.stream.lost(effect.conn, self.now_ms)
        return effects + (self.settle() if self.stream.effects else [])

    # --- what came of it ----------------------------------------------------------------------

    @property
    def elapsed_ms(self) -> int:
        return self.now_ms - START_MS

    def sent(self, conn: int, kind: MessageType | None = None) -> list[Message]:
        """Everything that was sent on `conn`, or what of it has the type `kind`."""
        return [
            e.message
            for _, e in self.effects
            if isinstance(e, Send) and e.conn == conn and kind in (None, e.message["msg_type"])
        ]

    def webhooks(self) -> list[tuple[int, str, dict[str, Any]]]:
        """Milliseconds since the start, happening and fields of each webhook."""
        return [
            (at_ms - START_MS, e.happening, e.fields)
            for at_ms, e in self.effects
            if isinstance(e, Emit)
        ]

    def found(self) -> list[str]:
        return [e.finding.check for _, e in self.effects if isinstance(e, Found)]

    def ended(self, conn: int) -> str:
        """How `conn` ended: dropped, closed, or not at all."""
        ends = {Drop: "dropped", Close: "closed"}
        return next(
            (ends[type(e)] for _, e in self.effects if type(e) in ends and e.conn == conn), "open"
        )


@pytest.fixture
def stage() -> Callable[..., Stage]:
    """Makes stages: ``stage(product, timings=…, gate_events=…)``."""
    return Stage


@pytest.fixture
def quick_timings() -> Timings:
    """Zoom's own, but with a socket that may be silent for longer than its first keep-alives."""
    return replace(Timings(), handshake_ms=100_000)
