"""The sockets of one stream, as the app sees them: where each stands and what may follow.

Signaling and media have a table each.  A media socket is simpler, because it does not outlive its
signaling socket: nobody moves, stops or terminates it, it is closed and forgotten.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from enum import Enum

from mockzoom.core.codes import MediaType, StopReason
from mockzoom.core.machine import Table
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.products import Product

__all__ = ["MEDIA", "SIGNALING", "ClientSocket", "Ending", "Link", "Step"]


class Link(Enum):
    """Where a socket stands, seen from the app."""

    IDLE = "not started"
    DIALING = "being opened"
    SHAKING = "handshake sent"
    JOINING = "handshake accepted, media handshakes under way"
    JOINED = "handshakes done, media may flow"
    WAITING = "lost, to be dialled again after a pause"
    ENDED = "closed for good"


class Step(Enum):
    """What moves a socket from one `Link` to the next."""

    START = "start"
    OPENED = "opened"
    ACCEPTED = "handshake accepted"
    READY = "every media handshake settled"
    LOST = "lost"
    RETRY = "pause over"
    FAILOVER = "other server"
    STOPPED = "stopped"
    TERMINATED = "terminated"
    REFUSED = "refused"
    GAVE_UP = "gave up"


L, S = Link, Step

_MOVED_OR_ENDED = {
    S.FAILOVER: L.DIALING,
    S.STOPPED: L.ENDED,
    S.REFUSED: L.ENDED,
    S.GAVE_UP: L.ENDED,
}
_CONNECTED = {**_MOVED_OR_ENDED, S.LOST: L.WAITING, S.TERMINATED: L.ENDED}

SIGNALING = Table(
    "the app's signaling socket",
    {
        L.IDLE: {S.START: L.DIALING, S.STOPPED: L.ENDED, S.REFUSED: L.ENDED},
        L.DIALING: {**_MOVED_OR_ENDED, S.OPENED: L.SHAKING, S.LOST: L.WAITING},
        L.SHAKING: {**_CONNECTED, S.ACCEPTED: L.JOINING},
        L.JOINING: {**_CONNECTED, S.READY: L.JOINED},
        L.JOINED: _CONNECTED,
        L.WAITING: {**_MOVED_OR_ENDED, S.RETRY: L.DIALING},
        L.ENDED: {},
    },
)

MEDIA = Table(
    "the app's media socket",
    {
        L.IDLE: {S.START: L.DIALING},
        L.DIALING: {S.OPENED: L.SHAKING, S.LOST: L.WAITING, S.GAVE_UP: L.ENDED},
        L.SHAKING: {
            S.ACCEPTED: L.JOINED,
            S.LOST: L.WAITING,
            S.REFUSED: L.ENDED,
            S.GAVE_UP: L.ENDED,
        },
        L.JOINED: {S.LOST: L.WAITING, S.GAVE_UP: L.ENDED},
        L.WAITING: {S.RETRY: L.DIALING},
        L.ENDED: {},
    },
)


#: Reasons 10 to 19 and 24 tell of a breakdown; all others of a decision, which is final.
_BREAKDOWNS = frozenset(
    {
        *(reason for reason in StopReason if 10 <= reason <= 19),
        StopReason.KEEP_ALIVE_TIMEOUT,
    }
)


@dataclass(frozen=True)
class Ending:
    """Why a stream is over.

    `cause` is the step that ended it.  `code` is the `StopReason` of a termination, the
    `StatusCode` of a refusal, the webhook's `stop_reason` of a stop, and 0 where there is none.
    """

    cause: Step
    code: int = 0
    detail: str = ""

    def may_return(self, product: Product) -> bool:
        """Whether the same stream may be started anew: what broke it was not anybody's will."""
        return self._among(product, _BREAKDOWNS) or self.cause in (Step.REFUSED, Step.GAVE_UP)

    def revoked(self, product: Product) -> bool:
        """Whether what was recorded of the stream has to be deleted."""
        return self._among(product, {StopReason.STREAM_REVOKED})

    def _among(self, product: Product, reasons: Set[StopReason]) -> bool:
        """Whether `code` is one of `reasons`, in the numbers of the wire or of the webhook."""
        if self.cause is Step.STOPPED:
            return self.code in {product.stop_reasons[reason] for reason in reasons}
        return self.cause is Step.TERMINATED and self.code in reasons

    def __str__(self) -> str:
        code = f" ({self.code})" if self.code else ""
        return f"{self.cause.value}{code}{self.detail and ': ' + self.detail}"


@dataclass(eq=False)
class ClientSocket:
    """One socket's place in its table, and the history that its back-off needs.

    `media` is None for signaling.  `urls` are taken in turn.  `losses` counts in a row, `until_ms`
    is when the window closes that began with the first of them, `heard_ms` when the peer last
    said anything.
    """

    table: Table[Link, Step]
    media: MediaType | None
    urls: tuple[str, ...]
    window_ms: int
    state: Link
    conn: int | None = None
    losses: int = 0
    until_ms: int | None = None
    heard_ms: int = 0

    @property
    def name(self) -> str:
        return "signaling" if self.media is None else MEDIA_KEYS[self.media]

    def step(self, step: Step) -> None:
        self.state = self.table.after(self.state, step)
