"""What becomes of one event on its way to one endpoint.

Zoom delivers at least once.  An answer of 200 or 204 accepts an event; a status of 500 and above, a
time-out and a connection that broke or never was are tried again, up to three times; any other
answer is final, as is the failure of the last attempt.  Every attempt carries the same bytes.

A `Delivery` is a value that says all of this about itself, so that what is pending can be kept
anywhere: `attempted` gives the next one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

from mockzoom.core.timings import DeliveryTimings

__all__ = ["Delivery", "Event", "Then", "after", "is_accepted"]


class Then(StrEnum):
    """What follows on an attempt."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    REFUSED = "refused"
    DROPPED = "dropped"


#: What statuses mean, by the reference on webhooks: the first row that holds one counts, and a
#: status that is in none is final.  No answer at all is as good as a 500.
_ANSWERS: Sequence[tuple[range, Then]] = (
    (range(200, 201), Then.ACCEPTED),
    (range(204, 205), Then.ACCEPTED),
    (range(500, 1000), Then.RETRY),
)


def is_accepted(status: int | None) -> bool:
    return after(status, retries_left=0) is Then.ACCEPTED


def after(status: int | None, retries_left: int) -> Then:
    """What follows on an attempt that was answered with `status`, or with nothing (None)."""
    if status is None:
        then = Then.RETRY
    else:
        then = next((then for row, then in _ANSWERS if status in row), Then.REFUSED)
    return Then.DROPPED if then is Then.RETRY and not retries_left else then


@dataclass(frozen=True)
class Event:
    """An event as it was serialised, once; `stream` is the `rtms_stream_id` it tells of, or ""."""

    name: str
    body: bytes
    stream: str = ""

    @cached_property
    def told(self) -> Any:
        """The body as the journal shows it."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Delivery:
    """`attempts` is how often `event` was tried at `url`, `due_ms` when it is tried next.

    One that is `in_order` overtakes nobody with its first attempt.  While an attempt is
    `under_way` nobody knows how it ends; if that is never learned, because the process was killed,
    it was `interrupted`.
    """

    id: int
    url: str
    event: Event
    due_ms: int
    attempts: int = 0
    in_order: bool = True
    under_way: bool = False

    def begun(self) -> Delivery:
        """This delivery while it is attempted."""
        return replace(self, under_way=True)

    def interrupted(self, now_ms: int) -> Delivery:
        """This delivery after an attempt of which nobody knows how it ended: to be made again.

        It does not count.  The event may have arrived, and then comes twice, as at least once
        allows; if it counted, a mock that is killed often enough would drop what nobody ever saw.
        """
        return replace(self, under_way=False, due_ms=now_ms)

    def attempted(
        self, status: int | None, began_ms: int, timings: DeliveryTimings
    ) -> tuple[Delivery, Then]:
        """This delivery after an attempt that began at `began_ms`, and what follows."""
        retries = timings.retries_ms
        then = after(status, len(retries) - self.attempts)
        due_ms = began_ms + retries[self.attempts] if then is Then.RETRY else self.due_ms
        attempted = replace(self, attempts=self.attempts + 1, due_ms=due_ms, under_way=False)
        return attempted, then
