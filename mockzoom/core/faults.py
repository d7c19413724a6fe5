"""What can go wrong on the way, each as a small value that composes with the others.

A fault says what it does (its class), where (`socket`, `stream`, `msg_type`), how often (`times`,
`probability`), and nothing else; it can be switched on and lifted while everything runs.  There
are four families:

- `CutFault`: sockets that are open now are closed, once.
- `WireFault`: messages from the server are changed, multiplied, held back or swallowed.
- `DeafFault`: what the app sends is not heard.
- `HandshakeFault`: the next handshakes are answered otherwise.

`mockzoom.core.active_faults` holds those that are on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from random import Random
from types import UnionType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from mockzoom.core.codes import MessageType, StatusCode
from mockzoom.core.media_params import Refused, grant
from mockzoom.core.messages import MEDIA_KEYS, Message, encode
from mockzoom.core.sockets import SIGNALING
from mockzoom.errors import ConfigurationError, nearest

__all__ = [
    "FAULTS",
    "Bandwidth",
    "CloseFrame",
    "CutFault",
    "DeafFault",
    "Delay",
    "Duplicate",
    "ExtraField",
    "Fault",
    "Grant",
    "HalfOpen",
    "HandshakeFault",
    "Huge",
    "Jitter",
    "Late",
    "Malformed",
    "MediaFault",
    "MissingField",
    "NoKeepAlive",
    "Packet",
    "Refuse",
    "Reorder",
    "Reset",
    "Silence",
    "StopAnswering",
    "UnknownType",
    "WireFault",
    "WrongBase64",
    "WrongType",
    "parse_fault",
]

_SOCKETS = ("any", SIGNALING, "media", *MEDIA_KEYS.values())
_MEDIA_OF = {key: media for media, key in MEDIA_KEYS.items()}
_MEDIA_MESSAGES = range(MessageType.MEDIA_DATA_AUDIO, MessageType.MEDIA_DATA_CHAT + 1)


@dataclass(frozen=True)
class Packet:
    """A message on its way out: its JSON text, and how long it is held back.

    Packets that are `in_order` never overtake one another.
    """

    message: Message
    text: str
    delay_ms: int = 0
    in_order: bool = True

    @classmethod
    def of(cls, message: Message) -> Packet:
        return cls(message, encode(message))

    def holding(self, message: Message) -> Packet:
        return replace(self, message=message, text=encode(message))


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`socket` is a media key, ``signaling``, ``media`` (all but signaling) or ``any``; `stream`
    an `rtms_stream_id` or ``""`` for every one; `msg_type` narrows it to one type of message.

    It hits with `probability`, and `times` times; None is until it is lifted.
    """

    kind: ClassVar[str]
    socket: str = "any"
    stream: str = ""
    msg_type: int | None = None
    times: int | None = None
    probability: float = 1.0

    def __post_init__(self) -> None:
        if self.socket not in _SOCKETS:
            raise ConfigurationError(
                f"fault {self.kind}: socket {self.socket!r}: expected one of "
                f"{', '.join(_SOCKETS)}{nearest(self.socket, _SOCKETS)}"
            )
        if not 0 < self.probability <= 1:
            raise ConfigurationError(
                f"fault {self.kind}: probability {self.probability}: expected above 0, at most 1"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int) and value < 0:
                raise ConfigurationError(
                    f"fault {self.kind}: {field.name} {value}: expected 0 or more"
                )

    def concerns(self, stream: str, key: str) -> bool:
        here = self.socket in ("any", key) or (self.socket == "media" and key != SIGNALING)
        return here and self.stream in ("", stream)

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}


# --- cutting ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CutFault(Fault):
    """Closes sockets that are open now."""


@dataclass(frozen=True, kw_only=True)
class CloseFrame(CutFault):
    """A WebSocket close frame with `code`; to the official SDK the end of the stream."""

    kind: ClassVar[str] = "close"
    code: int = 1011

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1000 <= self.code <= 4999:
            raise ConfigurationError(f"fault close: code {self.code}: expected 1000 to 4999")


@dataclass(frozen=True, kw_only=True)
class Reset(CutFault):
    """The TCP connection is reset with no close frame, as by a failing network."""

    kind: ClassVar[str] = "reset"


# --- on the wire ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class WireFault(Fault):
    """Changes what the server sends."""

    def fits(self, message: Message) -> bool:
        return self.msg_type is None or message.get("msg_type") == self.msg_type

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        raise TypeError(f"{type(self).__name__} is a family, not a fault")


@dataclass(frozen=True, kw_only=True)
class MediaFault(WireFault):
    """Changes media only."""

    def fits(self, message: Message) -> bool:
        return message.get("msg_type") in _MEDIA_MESSAGES and super().fits(message)


@dataclass(frozen=True, kw_only=True)
class Delay(WireFault):
    """Everything comes `ms` later."""

    kind: ClassVar[str] = "delay"
    ms: int = 500

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, delay_ms=packet.delay_ms + self.ms)]


@dataclass(frozen=True, kw_only=True)
class Jitter(WireFault):
    """Everything comes up to `ms` later, each message by another delay, in order."""

    kind: ClassVar[str] = "jitter"
    ms: int = 200

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, delay_ms=packet.delay_ms + chance.randint(0, self.ms))]


@dataclass(frozen=True, kw_only=True)
class Bandwidth(WireFault):
    """The line carries `bytes_per_s`; what does not fit waits."""

    kind: ClassVar[str] = "bandwidth"
    bytes_per_s: int = 16_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bytes_per_s < 1:
            raise ConfigurationError("fault bandwidth: bytes_per_s: expected 1 or more, found 0")

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet]  # the line is kept by whoever sends: see `Faults.line_bytes_per_s`


@dataclass(frozen=True, kw_only=True)
class Silence(WireFault):
    """The server says nothing more, and hears on."""

    kind: ClassVar[str] = "silence"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return []


@dataclass(frozen=True, kw_only=True)
class NoKeepAlive(WireFault):
    """Keep-alives are not sent, and no answer to them is missed."""

    kind: ClassVar[str] = "no_keep_alive"

    def fits(self, message: Message) -> bool:
        return message.get("msg_type") == MessageType.KEEP_ALIVE_REQ

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return []


@dataclass(frozen=True, kw_only=True)
class Malformed(WireFault):
    """JSON that breaks off."""

    kind: ClassVar[str] = "malformed_json"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, text=packet.text[: chance.randrange(1, len(packet.text))])]


@dataclass(frozen=True, kw_only=True)
class UnknownType(WireFault):
    """A message of a type that does not exist goes ahead of each message."""

    kind: ClassVar[str] = "unknown_type"
    number: int = 77

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding({"msg_type": self.number, "content": {}}), packet]


@dataclass(frozen=True, kw_only=True)
class MissingField(WireFault):
    """A field is missing: the one called `field`, or any but `msg_type`."""

    kind: ClassVar[str] = "missing_field"
    field: str = ""

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding(_changed(packet.message, self.field, chance, _remove))]


@dataclass(frozen=True, kw_only=True)
class ExtraField(WireFault):
    """Fields that nobody documented, at the top and within."""

    kind: ClassVar[str] = "extra_field"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        extra = {"x_undocumented": {"since": "tomorrow", "values": [1, None, True]}}
        message = {
            name: {**value, **extra} if isinstance(value, dict) else value
            for name, value in packet.message.items()
        }
        return [packet.holding({**message, **extra})]


@dataclass(frozen=True, kw_only=True)
class WrongType(WireFault):
    """A field has a value of another type: the one called `field`, or any but `msg_type`."""

    kind: ClassVar[str] = "wrong_type"
    field: str = ""

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding(_changed(packet.message, self.field, chance, _retype))]


@dataclass(frozen=True, kw_only=True)
class WrongBase64(MediaFault):
    """Media data whose base64 is cut short, so that it no longer has its length."""

    kind: ClassVar[str] = "wrong_base64"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        content = packet.message["content"]
        short = {**content, "data": content["data"][:-1]}
        return [packet.holding({**packet.message, "content": short})]


@dataclass(frozen=True, kw_only=True)
class Huge(WireFault):
    """Each message carries `bytes` more than anybody needs."""

    kind: ClassVar[str] = "huge"
    bytes: int = 4_000_000

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding({**packet.message, "padding": "x" * self.bytes})]


@dataclass(frozen=True, kw_only=True)
class Duplicate(MediaFault):
    """Media comes twice."""

    kind: ClassVar[str] = "duplicate"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet, packet]


@dataclass(frozen=True, kw_only=True)
class Reorder(MediaFault):
    """Half of the media is overtaken by what follows within `ms`."""

    kind: ClassVar[str] = "reorder"
    ms: int = 50

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        late = self.ms if chance.random() < 0.5 else 0
        return [replace(packet, delay_ms=packet.delay_ms + late, in_order=False)]


@dataclass(frozen=True, kw_only=True)
class Late(MediaFault):
    """Media comes `ms` late, with the timestamps of when it was captured."""

    kind: ClassVar[str] = "late"
    ms: int = 2_000

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, delay_ms=packet.delay_ms + self.ms)]


# --- not hearing ------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DeafFault(Fault):
    """What the app sends is lost."""


@dataclass(frozen=True, kw_only=True)
class StopAnswering(DeafFault):
    """The server takes no notice of what the app sends, and goes on sending."""

    kind: ClassVar[str] = "stop_answering"


@dataclass(frozen=True, kw_only=True)
class HalfOpen(DeafFault):
    """The connection looks alive, and nothing goes through in either direction."""

    kind: ClassVar[str] = "half_open"


# --- handshakes -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class HandshakeFault(Fault):
    """Answers the next handshakes otherwise."""


@dataclass(frozen=True, kw_only=True)
class Refuse(HandshakeFault):
    """The next handshakes are refused with the status `code`."""

    kind: ClassVar[str] = "refuse"
    code: int = StatusCode.INTERNAL_EXCEPTION
    times: int | None = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.code not in tuple(StatusCode) or self.code == StatusCode.OK:
            raise ConfigurationError(
                f"fault refuse: code {self.code}: expected 1 to {max(StatusCode):d}"
            )


@dataclass(frozen=True, kw_only=True)
class Grant(HandshakeFault):
    """Media handshakes grant `params` (by media key) in place of what was asked for."""

    kind: ClassVar[str] = "grant"
    params: dict[str, dict[str, Any]]

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            self.instead({key: {} for key in self.params})
        except (Refused, KeyError, TypeError) as error:
            raise ConfigurationError(f"fault grant: params: {error}") from None

    def instead(self, params: Message) -> Message:
        """What is granted where `params` were to be; always a combination that exists."""
        return {
            key: grant((_MEDIA_OF[key],), {key: {**asked, **self.params.get(key, {})}})[key]
            for key, asked in params.items()
        }


FAULTS: Mapping[str, type[Fault]] = {
    fault.kind: fault
    for fault in (
        CloseFrame,
        Reset,
        Delay,
        Jitter,
        Bandwidth,
        Silence,
        NoKeepAlive,
        Malformed,
        UnknownType,
        MissingField,
        ExtraField,
        WrongType,
        WrongBase64,
        Huge,
        Duplicate,
        Reorder,
        Late,
        StopAnswering,
        HalfOpen,
        Refuse,
        Grant,
    )
}


def parse_fault(value: Mapping[str, Any]) -> Fault:
    """The fault in a JSON object such as ``{"kind": "delay", "ms": 200, "socket": "audio"}``.

    Raises `ConfigurationError`, which names the field that is unknown or of a wrong type.
    """
    given = dict(value)
    kind = given.pop("kind", None)
    if kind not in FAULTS:
        raise ConfigurationError(
            f"fault kind {kind!r}: expected one of {', '.join(FAULTS)}{nearest(str(kind), FAULTS)}"
        )
    fault = FAULTS[kind]
    types = {name: hint for name, hint in get_type_hints(fault).items() if name != "kind"}
    for name, found in given.items():
        if name not in types:
            raise ConfigurationError(f"fault {kind}: unknown field {name!r}{nearest(name, types)}")
        if not _is_a(found, types[name]):
            wanted = getattr(types[name], "__name__", str(types[name]))
            raise ConfigurationError(f"fault {kind}: {name}: expected {wanted}, found {found!r}")
    for field in fields(fault):
        if field.default is MISSING and field.name not in given:
            raise ConfigurationError(f"fault {kind}: {field.name} is missing")
    return fault(**given)


def _is_a(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if origin is UnionType:
        return any(_is_a(value, choice) for choice in get_args(hint))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, origin or hint)


def _changed(message: Message, field: str, chance: Random, change: Any) -> Message:
    """`message` with one field changed, looked for at the top and one level below."""
    copy = json.loads(encode(message))
    places = [copy, *(value for value in copy.values() if isinstance(value, dict))]
    found = [
        (place, name)
        for place in places
        for name in place
        if (name == field if field else name != "msg_type")
    ]
    if found:
        place, name = chance.choice(found)
        change(place, name)
    return dict(copy)


def _remove(place: dict[str, Any], name: str) -> None:
    del place[name]


def _retype(place: dict[str, Any], name: str) -> None:
    value = place[name]
    place[name] = {"unexpected": True} if isinstance(value, str) else str(value)
