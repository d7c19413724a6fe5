"""The faults that are on, and what they make of messages, handshakes and what the app says.

There is one seeded source of chance for all of them, so that a run repeats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from mockzoom.core.codes import StatusCode
from mockzoom.core.faults import (
    Bandwidth,
    CutFault,
    DeafFault,
    Fault,
    Grant,
    HalfOpen,
    NoKeepAlive,
    Packet,
    Refuse,
    WireFault,
)
from mockzoom.core.messages import Message
from mockzoom.errors import UnknownObject

__all__ = ["Faults"]

F = TypeVar("F", bound=Fault)


@dataclass
class _Active:
    fault: Fault
    left: int | None


class Faults:
    """The faults that are on, by number, in the order in which they were switched on."""

    def __init__(self, seed: int | None = None) -> None:
        self._chance = Random(seed)  # noqa: S311 - repeatable chance is what a fault needs
        self._active: dict[int, _Active] = {}
        self._next = 1

    def add(self, fault: Fault) -> int:
        """Switch `fault` on; its number lifts it again."""
        number, self._next = self._next, self._next + 1
        if not isinstance(fault, CutFault):
            self._active[number] = _Active(fault, fault.times)
        return number

    def lift(self, number: int) -> None:
        if self._active.pop(number, None) is None:
            raise UnknownObject(f"fault {number}: none of that number is on")

    def clear(self) -> None:
        self._active.clear()

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter([(number, active.fault) for number, active in self._active.items()])

    def __bool__(self) -> bool:
        return bool(self._active)

    def outgoing(self, stream: str, key: str, message: Message) -> list[Packet]:
        """What becomes of `message` on its way to the app: none, one or more packets."""
        packets = [Packet.of(message)]
        if self._of(HalfOpen, stream, key):
            return []
        for number, fault in self._of(WireFault, stream, key):
            if fault.fits(message) and self._hits(number):
                packets = [out for packet in packets for out in fault.apply(packet, self._chance)]
        return packets

    def line_bytes_per_s(self, stream: str, key: str) -> int | None:
        """How much the line of a socket carries, None for as much as there is."""
        return min((f.bytes_per_s for _, f in self._of(Bandwidth, stream, key)), default=None)

    def hears(self, stream: str, key: str) -> bool:
        """Whether what the app sends on a socket is heard."""
        return not any(self._hits(number) for number, _ in self._of(DeafFault, stream, key))

    def spares_keep_alives(self, stream: str, key: str) -> bool:
        """Whether unanswered keep-alives on a socket are to be overlooked."""
        return bool(self._of(NoKeepAlive, stream, key))

    def refusal(self, stream: str, key: str) -> StatusCode | None:
        """The status that refuses a handshake which comes now, if one does."""
        for number, fault in self._of(Refuse, stream, key):
            if self._hits(number):
                return StatusCode(fault.code)
        return None

    def granted(self, stream: str, key: str, params: Message) -> Message:
        """What a media handshake grants in place of `params`."""
        for number, fault in self._of(Grant, stream, key):
            if self._hits(number):
                params = fault.instead(params)
        return params

    def _of(self, family: type[F], stream: str, key: str) -> list[tuple[int, F]]:
        return [
            (number, active.fault)
            for number, active in self._active.items()
            if isinstance(active.fault, family) and active.fault.concerns(stream, key)
        ]

    def _hits(self, number: int) -> bool:
        active = self._active[number]
        if active.fault.probability < 1 and self._chance.random() >= active.fault.probability:
            return False
        if active.left is not None:
            active.left -= 1
            if active.left <= 0:
                del self._active[number]
        return True
