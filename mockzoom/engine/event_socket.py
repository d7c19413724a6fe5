"""Event WebSockets: the connections of `mockzoom.core.event_socket`, and what is sent on them.

`EventDoor` is where apps come in, one for each listener: it knows the subscription, of whichever
world, that a URL names.  `EventSockets` are those of one world.

Heartbeats are counted in real time, because apps live in it, however fast or slow a world runs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import parse_qsl

from picows import WSTransport

from mockzoom.clock import Alarm, Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.delivery_faults import Departure
from mockzoom.core.effects import Close, Effect, Found, Send
from mockzoom.core.event_socket import (
    EVENTS_PATH,
    UNKNOWN_SUBSCRIPTION,
    EventSocket,
    SocketSubscription,
    build_connection,
    checked_id,
    refusal,
)
from mockzoom.core.messages import Message, encode
from mockzoom.core.oauth import Tokens
from mockzoom.core.retries import Event
from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, Credentials
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.engine import frames
from mockzoom.engine.delivery import KEPT_PENDING
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Moment, Pacer
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["EVENTS", "EventDoor", "EventSockets", "Visitor"]

#: What the journal calls these sockets.
EVENTS = "events"

_SIGNED = (TIMESTAMP_HEADER, SIGNATURE_HEADER)


class EventDoor:
    """The subscriptions of all worlds; belongs to the loop's thread.

    `base_url` is where the listener is, once it is.  `journal` is for who names no subscription.
    """

    def __init__(self, journal: Journal, heartbeat_timeout_ms: int) -> None:
        self.base_url = ""
        self.heartbeat_timeout_ms = heartbeat_timeout_ms
        self.clock = Clock()
        self.channels: dict[str, Channel] = {}
        self._journal = journal

    def url(self, id_: str) -> str:
        return f"{self.base_url}{EVENTS_PATH}?subscriptionId={id_}"

    def visitor(self, query: str) -> Visitor:
        """Who dials with `query`, the part of the URL after the question mark."""
        given = dict(parse_qsl(query))
        channel = self.channels.get(given.get("subscriptionId", ""))
        journal = self._journal if channel is None else channel.journal
        return Visitor(channel, given.get("access_token", ""), journal)


class Visitor:
    """One connection, whoever it is, as the listener feeds it."""

    #: A connection of events belongs to no stream.
    id = ""

    def __init__(self, channel: Channel | None, access_token: str, journal: Journal) -> None:
        self._channel = channel
        self._access_token = access_token
        self.journal = journal

    def opened(self, conn: int, key: str, transport: WSTransport) -> None:
        if self._channel is not None:
            self._channel.opened(conn, self._access_token, transport)
            return
        happened = f"refused: {UNKNOWN_SUBSCRIPTION}"
        self.journal.add("socket", conn=conn, socket=key, happened=happened)
        _write(transport, build_connection(UNKNOWN_SUBSCRIPTION))
        frames.end(transport, reason=UNKNOWN_SUBSCRIPTION)

    def received(self, conn: int, data: bytes) -> None:
        if self._channel is not None:
            self._channel.feed(lambda machine, now_ms: machine.receive(conn, data, now_ms))

    def lost(self, conn: int) -> None:
        if self._channel is not None:
            self._channel.lost(conn)


class EventSockets:
    """The subscriptions of one world; `tokens` are those that its apps may show."""

    def __init__(
        self,
        door: EventDoor,
        *,
        credentials: Credentials,
        tokens: Tokens,
        clock: Clock,
        journal: Journal,
        pacer: Pacer,
        faults: Faults,
    ) -> None:
        self._door = door
        self._secret_token = credentials.secret_token
        self._tokens = tokens
        self._clock = clock
        self._journal = journal
        self._pacer = pacer
        self._faults = faults
        self._deliveries = count(1)
        self._channels: dict[str, Channel] = {}

    @property
    def subscriptions(self) -> list[SocketSubscription]:
        return [channel.subscription for channel in self._channels.values()]

    def __contains__(self, id_: str) -> bool:
        return id_ in self._channels

    def knows(self, id_: str) -> bool:
        """Whether a subscription of any world is called so."""
        return id_ in self._door.channels

    def subscribe(self, id_: str, events: tuple[str, ...] = ()) -> SocketSubscription:
        """Take connections for `events`, or for all of them, under a new id.

        Raises `UsageError` for an id that is taken or cannot be one.
        """
        if self.knows(checked_id(id_)):
            raise UsageError(f"subscription {id_}: there is one already; use another id")
        subscription = SocketSubscription(id_, self._door.url(id_), events)
        channel = Channel(
            subscription,
            EventSocket(self._door.heartbeat_timeout_ms),
            self._door.clock,
            self._journal,
            lambda access_token: refusal(self._tokens, access_token, self._clock.now_ms()),
        )
        self._channels[id_] = self._door.channels[id_] = channel
        return subscription

    def unsubscribe(self, id_: str) -> int:
        """Remove a subscription: how many events were on their way to it, and are lost.

        Raises `UnknownObject`.
        """
        if id_ not in self._channels:
            hint = nearest(id_, self._channels)
            raise UnknownObject(f"subscription {id_!a:.80}: there is none{hint}")
        del self._door.channels[id_]
        lost = self._channels.pop(id_).close()
        self._journal.counters["webhooks_lost"] += lost
        return lost

    def close(self) -> int:
        """Remove them all: how many events were on their way, and are lost."""
        return sum(self.unsubscribe(id_) for id_ in list(self._channels))

    # --- events -------------------------------------------------------------------------------

    def send(self, name: str, body: bytes, stream: str = "") -> None:
        """Tell everybody who is connected and wants it of an event; nothing is sent again."""
        event = Event(name, body, stream)
        for channel in self._channels.values():
            if not channel.subscription.wants(name):
                continue
            departures = self._faults.departures(channel.subscription.url, event)
            if not departures:
                self._note(channel, event, next(self._deliveries), "lost on the way")
            for departure in departures:
                self._depart(channel, event, departure)

    def _depart(self, channel: Channel, event: Event, departure: Departure) -> None:
        number, now_ms = next(self._deliveries), self._clock.now_ms()
        due_ms = now_ms + departure.delay_ms
        if departure.in_order:
            due_ms = channel.last_ms = max(due_ms, channel.last_ms)
        if due_ms <= now_ms and not channel.waiting:
            self._tell(channel, event, number)
            return

        def tell_later() -> None:
            channel.waiting -= 1
            self._tell(channel, event, number)

        if channel.waiting >= KEPT_PENDING:
            self._note(channel, event, number, "too many wait")
            return
        channel.waiting += 1
        self._pacer.add(Moment(due_ms, tell_later))

    def _tell(self, channel: Channel, event: Event, number: int) -> None:
        if channel.closed:
            return  # it was counted then
        if not channel.connected:
            self._note(channel, event, number, "nobody connected")
            return
        genuine = WebhookRequest.genuine(event.body, int(time.time()))
        request, faults = self._faults.request(genuine, channel.subscription.url, event)
        headers = request.headers(self._secret_token, "", "")
        header = {name: headers[name] for name in _SIGNED if name in headers}
        channel.tell(request.body.decode(), header)
        more: dict[str, Any] = {"faults": faults} if faults else {}
        self._note(
            channel,
            event,
            number,
            "sent",
            body=json.loads(request.body),
            attempt=1,
            stamp_s=request.stamp_s,
            **more,
        )

    def _note(
        self, channel: Channel, event: Event, number: int, outcome: str, **fields: Any
    ) -> None:
        self._journal.counters["webhooks" if outcome == "sent" else "webhooks_lost"] += 1
        self._journal.add(
            "webhook",
            event.stream,
            url=channel.subscription.url,
            event=event.name,
            outcome=outcome,
            delivery=number,
            **fields,
        )


class Channel:
    """One subscription: its machine, and the sockets under it.

    `waiting` events are held back by faults; those in order leave not before `last_ms`.
    """

    def __init__(
        self,
        subscription: SocketSubscription,
        machine: EventSocket,
        clock: Clock,
        journal: Journal,
        refuses: Callable[[str], str],
    ) -> None:
        self.subscription = subscription
        self.waiting = 0
        self.last_ms = 0
        self.closed = False
        self._machine = machine
        self._clock = clock
        self.journal = journal
        self._refuses = refuses
        self._alarm = Alarm(clock, lambda: self.feed(EventSocket.handle_timer))
        self._transports: dict[int, WSTransport] = {}

    def feed(self, call: Callable[[EventSocket, int], None]) -> None:
        """Let `call` do something to the machine, then do what the machine wants."""
        call(self._machine, self._clock.now_ms())
        for effect in self._machine.take_effects():
            self._carry_out(effect)
        self._alarm.set(None if self.closed else self._machine.next_timer())

    def opened(self, conn: int, access_token: str, transport: WSTransport) -> None:
        self._transports[conn] = transport
        refused = UNKNOWN_SUBSCRIPTION if self.closed else self._refuses(access_token)
        self._note(conn, f"refused: {refused}" if refused else "opened")
        self.feed(lambda machine, now_ms: machine.opened(conn, refused, now_ms))

    def lost(self, conn: int) -> None:
        self._transports.pop(conn, None)
        if not self.closed:
            self._note(conn, "closed")
        self.feed(lambda machine, _: machine.lost(conn))

    @property
    def connected(self) -> bool:
        return self._machine.connected

    def tell(self, content: str, header: dict[str, str]) -> None:
        """Send an event to who is connected."""
        self.feed(lambda machine, _: machine.tell(content, header))

    def close(self) -> int:
        """Close every connection: how many events were held back."""
        self.closed = True
        self._alarm.set(None)
        for conn in list(self._transports):
            self._carry_out(Close(conn, reason="the subscription was removed"))
        return self.waiting

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(conn, message) if conn in self._transports:
                _write(self._transports[conn], message)
            case Close(conn, code, reason) if conn in self._transports:
                frames.end(self._transports.pop(conn), code, reason)
            case Found(finding):
                self.journal.find(finding)

    def _note(self, conn: int, happened: str) -> None:
        id_ = self.subscription.id
        self.journal.add("socket", conn=conn, socket=EVENTS, subscription=id_, happened=happened)


def _write(transport: WSTransport, message: Message) -> None:
    frames.write(transport, encode(message).encode())
