"""The faults that are on: what they make of messages, handshakes, webhooks, what the app says.

There is one seeded source of chance for all of them, so that a run repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from mockzoom.core.codes import StatusCode
from mockzoom.core.delivery_faults import (
    DeliveryFault,
    Departure,
    DepartureFault,
    RequestFault,
)
from mockzoom.core.fault import LastingFault
from mockzoom.core.faults import (
    CutFault,
    DeafFault,
    Fault,
    Grant,
    HalfOpen,
    Lasting,
    NoKeepAlive,
    Offer,
    Refuse,
)
from mockzoom.core.messages import Message, message_type
from mockzoom.core.retries import Event
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.core.wire_faults import Packet, WireFault
from mockzoom.errors import UnknownObject

__all__ = ["Active", "Faults"]

F = TypeVar("F", bound=Lasting)
D = TypeVar("D", bound=DeliveryFault)


@dataclass
class Active:
    """A fault that is on: the `number` that lifts it, and how often it has hit."""

    number: int
    fault: Fault
    hits: int = 0


class Faults:
    """The faults that are on, in the order in which they were switched on.

    `active` are they by their numbers.  `over` is told of each that ends by itself, with its last
    hit.
    """

    def __init__(self, seed: int | None = None) -> None:
        self.over: Callable[[Active], None] = lambda _: None
        self._chance = Random(seed)  # noqa: S311 - repeatable chance is what a fault needs
        self.active: dict[int, Active] = {}
        self._next = 1

    def add(self, fault: Fault) -> int:
        """Switch `fault` on; its number lifts it again."""
        number, self._next = self._next, self._next + 1
        if not isinstance(fault, CutFault):
            self.active[number] = Active(number, fault)
        return number

    def lift(self, number: int) -> Active:
        """Switch the fault of this number off; raises `UnknownObject` when it is not on."""
        if number not in self.active:
            on = ", ".join(map(str, self.active)) or "none"
            raise UnknownObject(f"fault {number}: it is not on; on are: {on}")
        return self.active.pop(number)

    def clear(self) -> None:
        self.active.clear()

    def __iter__(self) -> Iterator[Active]:
        return iter(list(self.active.values()))

    def __bool__(self) -> bool:
        return bool(self.active)

    def outgoing(self, stream: str, key: str, message: Message) -> list[Packet]:
        """What becomes of `message` on its way to the app: none, one or more packets."""
        kind = message_type(message)
        for active, half in self._of(HalfOpen, stream, key):
            if half.fits(kind) and self._hits(active):
                return []
        packets = [Packet(message)]
        for active, fault in self._of(WireFault, stream, key):
            if fault.fits(message) and self._hits(active):
                packets = [out for packet in packets for out in fault.apply(packet, self._chance)]
        return packets

    def hears(self, stream: str, key: str, msg_type: int | None) -> bool:
        """Whether a message from the app is heard on a socket."""
        return not any(
            fault.fits(msg_type) and self._hits(active)
            for active, fault in self._of(DeafFault, stream, key)
        )

    def spares_keep_alive(self, stream: str, key: str) -> bool:
        """Whether the keep-alive that is due now is left out."""
        return any(self._hits(active) for active, _ in self._of(NoKeepAlive, stream, key))

    def refusal(self, stream: str, key: str) -> StatusCode | None:
        """The status that refuses a handshake which comes now, if one does."""
        for active, fault in self._of(Refuse, stream, key):
            if self._hits(active):
                return StatusCode(fault.code)
        return None

    def granted(self, stream: str, key: str, params: Message) -> Message:
        """What a media handshake grants in place of `params`."""
        for active, fault in self._of(Grant, stream, key):
            if self._hits(active):
                params = fault.instead(params)
        return params

    def offered(self, stream: str, key: str, urls: Mapping[str, str]) -> Mapping[str, str]:
        """The media URLs that a signaling handshake names in place of `urls`."""
        for active, fault in self._of(Offer, stream, key):
            if self._hits(active):
                urls = fault.of(urls)
        return urls

    def departures(self, url: str, event: Event) -> list[Departure]:
        """When `event` leaves for `url`: once and at once, but for the faults."""
        departures = [Departure()]
        for active, fault in self._of_webhooks(DepartureFault, url, event):
            if self._hits(active):
                departures = [out for one in departures for out in fault.apply(one)]
        return departures

    def request(
        self, request: WebhookRequest, url: str, event: Event
    ) -> tuple[WebhookRequest, list[str]]:
        """What becomes of an attempt, and the kinds of the faults whose work that is."""
        kinds = []
        for active, fault in self._of_webhooks(RequestFault, url, event):
            if self._hits(active):
                request = fault.apply(request)
                kinds.append(fault.kind)
        return request, kinds

    def _of_webhooks(self, family: type[D], url: str, event: Event) -> list[tuple[Active, D]]:
        return [
            (active, active.fault)
            for active in self.active.values()
            if isinstance(active.fault, family)
            and active.fault.concerns(url, event.name, event.stream)
        ]

    def _of(self, family: type[F], stream: str, key: str) -> list[tuple[Active, F]]:
        return [
            (active, active.fault)
            for active in self.active.values()
            if isinstance(active.fault, family) and active.fault.concerns(stream, key)
        ]

    def _hits(self, active: Active) -> bool:
        fault = active.fault
        assert isinstance(fault, LastingFault)
        if fault.probability < 1 and self._chance.random() >= fault.probability:
            return False
        active.hits += 1
        if active.hits == fault.times:
            del self.active[active.number]
            self.over(active)
        return True
