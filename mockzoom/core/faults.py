"""What can go wrong on the sockets, each as a small value that composes with the others.

A fault says what it does (its class), where (`socket`, `stream`, `msg_type`), how often (`times`,
`probability`), and nothing else; it can be switched on and lifted while everything runs.  The
families are:

- `CutFault`: sockets that are open now are closed, once.
- `WireFault` (in `mockzoom.core.wire_faults`): what the server sends is changed, multiplied, held
  back or swallowed.
- `DeafFault`: what the app sends is not heard.
- `NoKeepAlive`: the server does not ask whether the app is alive.
- `HandshakeFault`: the next handshakes are answered otherwise.

Those of webhooks are in `mockzoom.core.delivery_faults`.
`mockzoom.core.fault_kinds` lists them all, `mockzoom.core.active_faults` holds those that are on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mockzoom.core.codes import StatusCode
from mockzoom.core.fault import MANY, Fault, LastingFault, whole
from mockzoom.core.media_params import Refused, grant
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.sockets import SIGNALING
from mockzoom.errors import ConfigurationError, nearest

__all__ = [
    "CloseFrame",
    "CutFault",
    "DeafFault",
    "Fault",
    "Grant",
    "HalfOpen",
    "HandshakeFault",
    "Lasting",
    "NoKeepAlive",
    "Offer",
    "Refuse",
    "Reset",
    "SocketFault",
    "StopAnswering",
    "whole",
]

_SOCKETS = ("any", SIGNALING, "media", *MEDIA_KEYS.values())
_MEDIA_OF = {key: media for media, key in MEDIA_KEYS.items() if key != "all"}


@dataclass(frozen=True, kw_only=True)
class SocketFault(Fault):
    """`socket` is a media key, ``signaling``, ``media`` (all but signaling) or ``any``."""

    socket: str = "any"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.socket not in _SOCKETS:
            raise ConfigurationError(
                f"fault {self.kind}: socket {self.socket!a:.80}: expected one of "
                f"{', '.join(_SOCKETS)}{nearest(self.socket, _SOCKETS)}"
            )

    def concerns(self, stream: str, key: str) -> bool:
        here = self.socket in ("any", key) or (self.socket == "media" and key != SIGNALING)
        return here and self.stream in ("", stream)


@dataclass(frozen=True, kw_only=True)
class Lasting(SocketFault, LastingFault):
    """A fault of sockets that stays on."""


# --- cutting ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CutFault(SocketFault):
    """Closes sockets that are open now."""


@dataclass(frozen=True, kw_only=True)
class CloseFrame(CutFault):
    """A WebSocket close frame with `code`; to the official SDK the end of the stream."""

    kind: ClassVar[str] = "close"
    code: int = whole(1011, 1000, 4999)


@dataclass(frozen=True, kw_only=True)
class Reset(CutFault):
    """The TCP connection is reset with no close frame, as by a failing network."""

    kind: ClassVar[str] = "reset"


# --- not hearing, not asking ------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DeafFault(Lasting):
    """What the app sends is lost, or what of it has the type `msg_type`."""

    msg_type: int | None = whole(None, 0, MANY)

    def fits(self, msg_type: int | None) -> bool:
        return self.msg_type in (None, msg_type)


@dataclass(frozen=True, kw_only=True)
class StopAnswering(DeafFault):
    """The server takes no notice of what the app sends, and goes on sending."""

    kind: ClassVar[str] = "stop_answering"


@dataclass(frozen=True, kw_only=True)
class HalfOpen(DeafFault):
    """The connection looks alive, and no message goes through in either direction."""

    kind: ClassVar[str] = "half_open"


@dataclass(frozen=True, kw_only=True)
class NoKeepAlive(Lasting):
    """Keep-alives are not sent, and no answer to them is missed."""

    kind: ClassVar[str] = "no_keep_alive"


# --- handshakes -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class HandshakeFault(Lasting):
    """Answers the next handshakes otherwise."""


@dataclass(frozen=True, kw_only=True)
class Refuse(HandshakeFault):
    """The next handshakes are refused with the status `code`."""

    kind: ClassVar[str] = "refuse"
    code: int = whole(StatusCode.INTERNAL_EXCEPTION.value, 1, max(StatusCode).value)
    times: int | None = whole(1, 1, MANY)


@dataclass(frozen=True, kw_only=True)
class Grant(HandshakeFault):
    """Media handshakes grant `params` (by media key) in place of what was asked for."""

    kind: ClassVar[str] = "grant"
    params: dict[str, dict[str, Any]]

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, wanted in self.params.items():
            if key not in _MEDIA_OF:
                raise self.wrong("params", f"parameters of {', '.join(_MEDIA_OF)}")
            try:
                granted = _granted(key, wanted)
            except Refused as refused:
                raise ConfigurationError(f"fault grant: params: {key}: {refused}") from None
            for name in wanted:
                if name not in granted:
                    raise ConfigurationError(
                        f"fault grant: params: {key}: unknown {name!r}{nearest(name, granted)}"
                    )

    def instead(self, params: Message) -> Message:
        """What is granted where `params` were to be; always a combination that exists.

        What else the app asked for stays where it goes together with that.
        """
        return {key: self._instead(key, asked) for key, asked in params.items()}

    def _instead(self, key: str, asked: Mapping[str, Any]) -> Message:
        wanted = self.params.get(key)
        if wanted is None:
            return dict(asked)
        try:
            return _granted(key, {**asked, **wanted})
        except Refused:
            return _granted(key, wanted)


@dataclass(frozen=True, kw_only=True)
class Offer(HandshakeFault):
    """Signaling handshakes name only the media URLs of `keys`, separated by commas."""

    kind: ClassVar[str] = "offer"
    keys: str = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not set(self.keys.split(",")) <= set(MEDIA_KEYS.values()):
            raise self.wrong("keys", f"some of {','.join(MEDIA_KEYS.values())}")

    def of(self, urls: Mapping[str, str]) -> Mapping[str, str]:
        """What is offered where `urls`, by media key, were to be."""
        return {key: url for key, url in urls.items() if key in self.keys.split(",")}


def _granted(key: str, asked: Mapping[str, Any]) -> Message:
    media = _MEDIA_OF[key]
    granted: Message = grant((media,), {key: asked})[key]
    return granted
