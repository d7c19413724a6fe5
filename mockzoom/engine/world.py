"""Mock Zoom's world: meetings, their people and streams, and the webhooks that tell of them.

Whatever happens here happens on the loop's thread, at the time of `clock`, with ids and example
events from one seed.  What is over is kept for a while: of `KEPT_MEETINGS` meetings those that were
started last or have a live stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mockzoom.clock import Clock
from mockzoom.core.event_socket import SocketSubscription
from mockzoom.core.lateness import Lateness
from mockzoom.core.meeting import Meeting
from mockzoom.core.products import CONTACT_CENTER, MEETING, PRODUCTS
from mockzoom.core.subscriptions import MAX_SUBSCRIPTIONS, Subscription
from mockzoom.core.voice_call import call_fields
from mockzoom.engine.people import People
from mockzoom.engine.streams import unused
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["KEPT_MEETINGS", "World"]

KEPT_MEETINGS = 10_000

#: What the ids of subscriptions that get webhooks look like.
_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


class World(People):
    """Everything at once; what it is made of is given to `Streams`."""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @property
    def lateness(self) -> Lateness:
        """How late media went out so far."""
        return self._pacer.lateness.copy()

    # --- time ---------------------------------------------------------------------------------

    @property
    def clock(self) -> Clock:
        """To be read; it is steered here, so that the streams learn of it."""
        return self._clock

    def freeze(self) -> None:
        """Time stands still but for `advance`."""
        self._clock.freeze()
        self._steered()

    def thaw(self) -> None:
        self._clock.thaw()
        self._steered()

    def advance(self, by_ms: int) -> None:
        """Time leaps ahead, and what became due meanwhile happens now, each thing once.

        Raises `UsageError` for a leap back.
        """
        for stream in self.streams.values():
            stream.machine.leap()
        self._clock.advance(by_ms)
        self._steered(by_ms=by_ms)

    def set_speed(self, speed: float) -> None:
        """Time runs so many times as fast as real time; apps keep theirs (`Timings.at_speed`).

        Raises `UsageError`.
        """
        self._clock.set_speed(speed)
        for stream in self.streams.values():
            stream.feed(lambda machine, now_ms: machine.retime(self.timings, now_ms))
        self._steered()

    def _steered(self, by_ms: int = 0) -> None:
        clock = self._clock
        self.journal.add("clock", by_ms=by_ms, speed=clock.speed, frozen=clock.frozen)

    # --- meetings -----------------------------------------------------------------------------

    def create_meeting(
        self, topic: str, participants: Iterable[str], product: str = MEETING.name
    ) -> Meeting:
        """A meeting that is in progress, with its people in it; no stream yet."""
        row, ids = PRODUCTS[product], self._examples.ids
        made = {row.id_field: getattr(ids, row.id_field)()}
        made[row.key_field] = unused(getattr(ids, row.key_field), self.meetings.__contains__)
        meeting = Meeting(
            row,
            ids=made,
            fields={
                "account_id": self.account_id,
                "operator_id": ids.operator_id(),
                "is_original_host": True,
            },
            topic=topic,
            begun_ms=self._clock.now_ms(),
            call=call_fields(self.account_id) if row is CONTACT_CENTER else {},
        )
        for name in participants:
            meeting.join(name, ids.rtms_session_id())
        self._forget_a_meeting()
        self.meetings[meeting.key] = self._by_id[meeting.id] = meeting
        return meeting

    def _forget_a_meeting(self) -> None:
        if len(self.meetings) >= KEPT_MEETINGS:
            idle = (key for key, meeting in self.meetings.items() if not self.live_streams(meeting))
            key = next(idle, "")
            if meeting := self.meetings.pop(key, None):
                self._by_id.pop(meeting.id, None)

    def meeting(self, key: str) -> Meeting:
        try:
            return self.meetings[key]
        except KeyError:
            raise UnknownObject(
                f"meeting {key!r}: there is none{nearest(key, self.meetings)}"
            ) from None

    def find(self, id_: str) -> list[Meeting]:
        """The meetings in progress that have `id_` as key or as the id that handshakes sign."""
        found = (self.meetings.get(id_), self._by_id.get(id_))
        return [meeting for meeting in found if meeting is not None and not meeting.ended]

    async def subscribe(
        self, url: str, events: Sequence[str] = (), *, validate: bool = True
    ) -> Subscription:
        """See `Deliveries.subscribe`; raises `UnknownEvent` for one that no document has."""
        for name in events:
            self._examples.spec.event(name)
        if url not in self.deliveries.subscriptions:
            self._must_have_room()
        return await self.deliveries.subscribe(url, events, validate=validate)

    def subscribe_socket(
        self, events: Sequence[str] = (), id_: str | None = None
    ) -> SocketSubscription:
        """A subscription to events that the app takes over a WebSocket, called `id_`.

        Raises `UnknownEvent`, and `UsageError` for one too many or an `id_` that is taken.
        """
        for name in events:
            self._examples.spec.event(name)
        self._must_have_room()
        if id_ is None:
            id_ = unused(self._examples.ids.subscription_id, self.event_sockets.knows)
        return self.event_sockets.subscribe(id_, tuple(events))

    def unsubscribe(self, id_: str) -> int:
        """Remove a subscription of either kind: how many events were on their way, and are lost.

        Raises `UnknownObject`.
        """
        if _NUMBER.fullmatch(id_) and id_ not in self.event_sockets:
            return self.deliveries.unsubscribe(int(id_))
        return self.event_sockets.unsubscribe(id_)

    def _must_have_room(self) -> None:
        saved = len(list(self.deliveries.subscriptions)) + len(self.event_sockets.subscriptions)
        if saved >= MAX_SUBSCRIPTIONS:
            raise UsageError(
                f"subscription: an app has at most {MAX_SUBSCRIPTIONS}; remove one first"
            )

    # --- the end ------------------------------------------------------------------------------

    def close(self) -> int:
        """Cancel what is in flight, cut every socket, and do nothing more.

        Returns how many webhooks were on their way: they are lost, but for a state file.
        """
        for stream in self.streams.values():
            stream.close()
            self._rtms.forget(stream)
        self._limit.clear()
        left = self.deliveries.close() + self.event_sockets.close()
        self.faults.clear()
        self._pacer.clear()
        return left

    def reset(self) -> None:
        """Forget every meeting, stream, endpoint and journal entry, as if newly started.

        The clock runs on as it did at the start.  Ids go on too, so that whoever is left over from
        before cannot be taken for somebody new, and the counters say how many webhooks were
        cancelled.
        """
        lost = self.deliveries.forget() + self.event_sockets.close()
        self.close()
        self._clock.set_speed(self._speed)
        self._clock.thaw()
        self.streams.clear()
        self._live.clear()
        self.meetings.clear()
        self._by_id.clear()
        self.journal.clear()
        if lost:
            self.journal.counters["webhooks_lost"] = lost
