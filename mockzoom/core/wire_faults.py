"""What can become of a message on its way to the app.

Each fault takes a `Packet` and gives none, one or more.  Packets are values: what they say, how
much of it comes through, and when.  So faults compose in any order, and none undoes another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, ClassVar

from mockzoom.core.codes import MessageType
from mockzoom.core.fault import MANY
from mockzoom.core.faults import Lasting, whole
from mockzoom.core.messages import Message, encode

__all__ = [
    "Backlog",
    "Bandwidth",
    "Binary",
    "Delay",
    "Duplicate",
    "ExtraField",
    "Fragments",
    "Huge",
    "Jitter",
    "Late",
    "Malformed",
    "MediaFault",
    "MissingField",
    "Packet",
    "Reorder",
    "Silence",
    "UnknownType",
    "WireFault",
    "WrongBase64",
    "WrongType",
]

_MEDIA_MESSAGES = range(MessageType.MEDIA_DATA_AUDIO, MessageType.MEDIA_DATA_CHAT + 1)

_HOUR_MS = 3_600_000

#: How much sound a frame of audio holds, if nobody asked for more.
_FRAME_MS = 20

#: As much as one message may be made to weigh.  Twice that may wait for an app, see `Limits`.
_MAX_PADDING = 16_000_000

_EXTRA = {"x_undocumented": {"since": "tomorrow", "values": [1, None, True]}}


@dataclass(frozen=True)
class Packet:
    """A message on its way out.

    `share` of its JSON text comes through, all of it for 1; it is held back for `delay_ms`, and
    goes over a line of `bytes_per_s`, or one that is wide enough.  Packets that are `in_order`
    never overtake one another.  It comes in a text or a `binary` frame, or in several frames of
    `frame_bytes`.
    """

    message: Message
    delay_ms: int = 0
    in_order: bool = True
    share: float = 1.0
    bytes_per_s: int | None = None
    binary: bool = False
    frame_bytes: int | None = None

    @property
    def text(self) -> str:
        text = encode(self.message)
        return text if self.share == 1 else text[: 1 + int((len(text) - 1) * self.share)]

    def holding(self, message: Message) -> Packet:
        return replace(self, message=message)

    def later(self, ms: int) -> Packet:
        return replace(self, delay_ms=self.delay_ms + ms)


@dataclass(frozen=True, kw_only=True)
class WireFault(Lasting):
    """Changes what the server sends, or what of it has the type `msg_type`."""

    msg_type: int | None = whole(None, 0, 1_000_000_000)

    def fits(self, message: Message) -> bool:
        return self.msg_type in (None, message.get("msg_type"))

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        raise TypeError(f"{type(self).__name__} is a family, not a fault")


@dataclass(frozen=True, kw_only=True)
class MediaFault(WireFault):
    """Changes media only."""

    def fits(self, message: Message) -> bool:
        return message.get("msg_type") in _MEDIA_MESSAGES and super().fits(message)


# --- when -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Delay(WireFault):
    """Everything comes `ms` later."""

    kind: ClassVar[str] = "delay"
    ms: int = whole(500, 0, _HOUR_MS)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.later(self.ms)]


@dataclass(frozen=True, kw_only=True)
class Jitter(WireFault):
    """Everything comes up to `ms` later, each message by another delay, in order."""

    kind: ClassVar[str] = "jitter"
    ms: int = whole(200, 0, _HOUR_MS)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.later(chance.randint(0, self.ms))]


@dataclass(frozen=True, kw_only=True)
class Late(MediaFault):
    """Media comes `ms` late, with the timestamps of when it was captured."""

    kind: ClassVar[str] = "late"
    ms: int = whole(2_000, 0, _HOUR_MS)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.later(self.ms)]


@dataclass(frozen=True, kw_only=True)
class Reorder(MediaFault):
    """Half of the media is overtaken by what follows within `ms`."""

    kind: ClassVar[str] = "reorder"
    ms: int = whole(50, 0, _HOUR_MS)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        late = packet.later(self.ms if chance.random() < 0.5 else 0)
        return [replace(late, in_order=False)]


@dataclass(frozen=True, kw_only=True)
class Bandwidth(WireFault):
    """The line carries `bytes_per_s`; what does not fit waits."""

    kind: ClassVar[str] = "bandwidth"
    bytes_per_s: int = whole(16_000, 1, 1_000_000_000)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        narrower = min(self.bytes_per_s, packet.bytes_per_s or self.bytes_per_s)
        return [replace(packet, bytes_per_s=narrower)]


# --- how often --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Silence(WireFault):
    """The server says nothing more, and hears on."""

    kind: ClassVar[str] = "silence"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return []


@dataclass(frozen=True, kw_only=True)
class Duplicate(MediaFault):
    """Media comes twice."""

    kind: ClassVar[str] = "duplicate"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet, packet]


@dataclass(frozen=True, kw_only=True)
class UnknownType(WireFault):
    """A message of a type that does not exist, `number`, goes ahead of each message."""

    kind: ClassVar[str] = "unknown_type"
    number: int = whole(77, 0, 1_000_000_000)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding({"msg_type": self.number, "content": {}}), packet]


@dataclass(frozen=True, kw_only=True)
class Backlog(MediaFault):
    """Audio of the last `ms` goes ahead at once, as to an app that connects late."""

    kind: ClassVar[str] = "backlog"
    ms: int = whole(60_000, 20, 600_000)
    times: int | None = whole(1, 1, MANY)

    def fits(self, message: Message) -> bool:
        return message.get("msg_type") == MessageType.MEDIA_DATA_AUDIO and super().fits(message)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        content = packet.message.get("content")
        if not isinstance(content, dict) or not isinstance(content.get("timestamp"), int):
            return [packet]  # another fault was here before
        earlier = range(content["timestamp"] - self.ms, content["timestamp"], _FRAME_MS)
        heard = [{**content, "timestamp": timestamp} for timestamp in earlier]
        return [*(packet.holding({**packet.message, "content": c}) for c in heard), packet]


# --- in which frames --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Binary(WireFault):
    """Everything comes in binary frames."""

    kind: ClassVar[str] = "binary"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, binary=True)]


@dataclass(frozen=True, kw_only=True)
class Fragments(WireFault):
    """Each message comes in several frames, of `bytes` each."""

    kind: ClassVar[str] = "fragments"
    bytes: int = whole(100, 1, 1_000_000)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, frame_bytes=self.bytes)]


# --- what -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Malformed(WireFault):
    """JSON that breaks off."""

    kind: ClassVar[str] = "malformed_json"

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [replace(packet, share=packet.share * chance.random())]


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
        message = {
            name: {**value, **_EXTRA} if isinstance(value, dict) else value
            for name, value in packet.message.items()
        }
        return [packet.holding({**message, **_EXTRA})]


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
        content = packet.message.get("content")
        if not isinstance(content, dict) or not isinstance(content.get("data"), str):
            return [packet]  # another fault was here before
        short = {**content, "data": content["data"][:-1]}
        return [packet.holding({**packet.message, "content": short})]


@dataclass(frozen=True, kw_only=True)
class Huge(WireFault):
    """Each message carries `bytes` more than anybody needs."""

    kind: ClassVar[str] = "huge"
    bytes: int = whole(4_000_000, 1, _MAX_PADDING)

    def apply(self, packet: Packet, chance: Random) -> list[Packet]:
        return [packet.holding({**packet.message, "padding": "x" * self.bytes})]


def _changed(
    message: Message, field: str, chance: Random, change: Callable[[dict[str, Any], str], None]
) -> Message:
    """`message` with one field changed, looked for at the top and one level below."""
    copy: Message = json.loads(encode(message))
    places = [copy, *(value for value in copy.values() if isinstance(value, dict))]
    found = [
        (place, name)
        for place in places
        for name in place
        if (name == field if field else name != "msg_type")
    ]
    if found:
        change(*chance.choice(found))
    return copy


def _remove(place: dict[str, Any], name: str) -> None:
    del place[name]


def _retype(place: dict[str, Any], name: str) -> None:
    value = place[name]
    place[name] = {"unexpected": True} if isinstance(value, str) else str(value)
