"""What can go wrong with webhooks on their way, each as a small value like the faults of sockets.

They are narrowed down by `url`, `event` and `stream`, and there are two families:

- `DepartureFault`: when an event leaves, how often, and in what order.  It hits an event once for
  each endpoint, not its retries.
- `RequestFault`: what an attempt looks like.  Whoever answers 200 to one that is forged has broken
  the contract; whoever refuses it has kept it, and the event is lost, as on a hostile line.

Where a fault of sockets has the same name, the one of webhooks begins with ``webhook_``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import ClassVar

from mockzoom.core.examples import encode
from mockzoom.core.fault import LastingFault, whole
from mockzoom.core.webhook_request import Signature, WebhookRequest

__all__ = [
    "DELIVERY_FAULTS",
    "DelayWebhook",
    "DeliveryFault",
    "Departure",
    "DepartureFault",
    "DuplicateWebhook",
    "FutureTimestamp",
    "LostWebhook",
    "MissingSignature",
    "OldSignature",
    "ReorderWebhook",
    "RequestFault",
    "StaleTimestamp",
    "Tamper",
    "WrongSignature",
]

_HOUR_MS = 3_600_000
_YEAR_S = 31_536_000


@dataclass(frozen=True)
class Departure:
    """An event leaves `delay_ms` late; those `in_order` never overtake one another."""

    delay_ms: int = 0
    in_order: bool = True


@dataclass(frozen=True, kw_only=True)
class DeliveryFault(LastingFault):
    """`url` is an endpoint and `event` the name of an event; ``""`` is every one."""

    url: str = ""
    event: str = ""

    def concerns(self, url: str, event: str, stream: str) -> bool:
        return self.url in ("", url) and self.event in ("", event) and self.stream in ("", stream)


# --- leaving ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DepartureFault(DeliveryFault):
    """Changes when an event leaves, and how often."""

    def apply(self, departure: Departure) -> list[Departure]:
        raise TypeError(f"{type(self).__name__} is a family, not a fault")


@dataclass(frozen=True, kw_only=True)
class DuplicateWebhook(DepartureFault):
    """An event comes twice, the second time `ms` later, signed anew."""

    kind: ClassVar[str] = "webhook_duplicate"
    ms: int = whole(0, 0, _HOUR_MS)

    def apply(self, departure: Departure) -> list[Departure]:
        # One that comes later is in nobody's way meanwhile.
        in_order = departure.in_order and not self.ms
        return [departure, Departure(departure.delay_ms + self.ms, in_order)]


@dataclass(frozen=True, kw_only=True)
class LostWebhook(DepartureFault):
    """An event never leaves."""

    kind: ClassVar[str] = "webhook_loss"

    def apply(self, departure: Departure) -> list[Departure]:
        return []


@dataclass(frozen=True, kw_only=True)
class DelayWebhook(DepartureFault):
    """An event leaves `ms` late, and what follows it waits behind it."""

    kind: ClassVar[str] = "webhook_delay"
    ms: int = whole(5_000, 0, _HOUR_MS)

    def apply(self, departure: Departure) -> list[Departure]:
        return [replace(departure, delay_ms=departure.delay_ms + self.ms)]


@dataclass(frozen=True, kw_only=True)
class ReorderWebhook(DepartureFault):
    """An event is held back for `ms`, and overtaken by what follows; it hits every other one."""

    kind: ClassVar[str] = "webhook_reorder"
    probability: float = 0.5
    ms: int = whole(1_000, 0, _HOUR_MS)

    def apply(self, departure: Departure) -> list[Departure]:
        return [Departure(departure.delay_ms + self.ms, in_order=False)]


# --- forging ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class RequestFault(DeliveryFault):
    """Changes what an attempt looks like."""

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        raise TypeError(f"{type(self).__name__} is a family, not a fault")


@dataclass(frozen=True, kw_only=True)
class Tamper(RequestFault):
    """The body was changed after it was signed: its `event_ts` is another."""

    kind: ClassVar[str] = "tamper"

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        return replace(request, body=_of_another_time(request.body, 1))


@dataclass(frozen=True, kw_only=True)
class WrongSignature(RequestFault):
    """Signed with another secret than the app's."""

    kind: ClassVar[str] = "wrong_signature"

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        return replace(request, signature=Signature.WRONG)


@dataclass(frozen=True, kw_only=True)
class MissingSignature(RequestFault):
    """Not signed; the timestamp is there."""

    kind: ClassVar[str] = "missing_signature"

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        return replace(request, signature=Signature.MISSING)


@dataclass(frozen=True, kw_only=True)
class StaleTimestamp(RequestFault):
    """Well signed, `age_s` seconds ago."""

    kind: ClassVar[str] = "stale_timestamp"
    age_s: int = whole(600, 1, _YEAR_S)

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        return replace(request, stamp_s=request.stamp_s - self.age_s)


@dataclass(frozen=True, kw_only=True)
class FutureTimestamp(RequestFault):
    """Well signed, with a stamp `ahead_s` seconds from now."""

    kind: ClassVar[str] = "future_timestamp"
    ahead_s: int = whole(600, 1, _YEAR_S)

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        return replace(request, stamp_s=request.stamp_s + self.ahead_s)


@dataclass(frozen=True, kw_only=True)
class OldSignature(RequestFault):
    """The signature and stamp that were right for an event of `age_s` seconds ago."""

    kind: ClassVar[str] = "old_signature"
    age_s: int = whole(60, 0, _YEAR_S)

    def apply(self, request: WebhookRequest) -> WebhookRequest:
        earlier = _of_another_time(request.signed, -1000 * self.age_s - 1)
        return replace(request, signed=earlier, stamp_s=request.stamp_s - self.age_s)


def _of_another_time(body: bytes, later_ms: int) -> bytes:
    event = json.loads(body)
    stamp = event.get("event_ts")
    # An event that breaks its contract on purpose may have a stamp that is no number.
    return encode({**event, "event_ts": (stamp if isinstance(stamp, int) else 0) + later_ms})


DELIVERY_FAULTS: tuple[type[DeliveryFault], ...] = (
    DuplicateWebhook,
    LostWebhook,
    DelayWebhook,
    ReorderWebhook,
    Tamper,
    WrongSignature,
    MissingSignature,
    StaleTimestamp,
    FutureTimestamp,
    OldSignature,
)
