"""Counts the streams of the app, and tells it when it comes close to its limit or is at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mockzoom.clock import Alarm, Clock
from mockzoom.core.app_limit import LIMITED, NEAR_LIMIT, AppLimit
from mockzoom.core.meeting import Meeting
from mockzoom.core.timings import Timings
from mockzoom.errors import LimitReached, UnknownEvent

__all__ = ["LimitWatch"]


class LimitWatch:
    """`send_event` takes the name and the payload of a webhook.

    Close to the limit a webhook goes out at once, and again every `Timings.near_limit_ms` for as
    long as that lasts.
    """

    def __init__(
        self,
        limit: AppLimit,
        timings: Timings,
        clock: Clock,
        send_event: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self.limit = limit
        self._every_ms = timings.near_limit_ms
        self._clock = clock
        self._send_event = send_event
        self._running: set[str] = set()
        self._near = False
        self._alarm = Alarm(clock, self._tell)

    def admit(self, meeting: Meeting) -> None:
        """Raise `LimitReached`, and tell the app so, when no stream of `meeting` may start."""
        running = len(self._running)
        if self.limit.admits(running):
            return
        named = {meeting.product.id_field: meeting.id}
        self._send(
            LIMITED,
            {**meeting.fields, "concurrency_number": running, "id_field": named},
        )
        raise LimitReached(
            f"meeting {meeting.key}: the app has {running} streams, as many as it may have; "
            "stop one, or raise max_streams"
        )

    def limit_to(self, limit: AppLimit) -> None:
        """Another limit from now on; streams that are too many go on."""
        self.limit = limit
        self._look()

    def started(self, rtms_stream_id: str) -> None:
        self._running.add(rtms_stream_id)
        self._look()

    def ended(self, rtms_stream_id: str) -> None:
        self._running.discard(rtms_stream_id)
        self._look()

    def clear(self) -> None:
        """No stream is left."""
        self._running.clear()
        self._look()

    def _look(self) -> None:
        near = self.limit.is_near(len(self._running))
        if near != self._near:
            self._near = near
            self._alarm.set(None)
            if near:
                self._tell()

    def _tell(self) -> None:
        self._alarm.set(self._clock.now_ms() + self._every_ms)
        self._send(NEAR_LIMIT, self.limit.as_payload(len(self._running)))

    def _send(self, name: str, payload: dict[str, Any]) -> None:
        try:
            self._send_event(name, payload)
        except UnknownEvent:
            return  # another document, which does not know of limits
