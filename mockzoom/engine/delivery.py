"""Delivers events to the app's endpoints as Zoom does: at least once, and mostly in order.

Each endpoint is validated before it gets its first event, and has a queue and timers of its own
(`mockzoom.engine.endpoint`), so that one that hangs delays nobody else.  Every attempt is an entry
in the journal, with the number of the delivery and its own; what follows on it is said by
`mockzoom.core.retries`.  What can no longer be delivered is told and counted, never just gone.

What is on its way is told to a `Store` as well: before its first attempt, with each attempt that
begins and ends, and when it is done.  `resume` goes on with what a process before this one has left
there.

An event that cannot be sent because of a mistake of ours is a failure in the journal, and the next
one is sent all the same.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import count
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.findings import Finding
from mockzoom.core.retries import Delivery, Event, Then
from mockzoom.core.subscriptions import Notice, Subscription, Subscriptions, SubscriptionState
from mockzoom.core.timings import DeliveryTimings
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.engine.endpoint import Endpoint
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.sender import Attempt, WebhookSender, checked_url
from mockzoom.engine.store import Store
from mockzoom.errors import ContractBroken, ReceiverUnreachable, UsageError

__all__ = ["KEPT_PENDING", "Deliveries"]

#: So many events wait for one endpoint; then the oldest is given up for each new one.
KEPT_PENDING = 10_000

_EXPECTED = {
    "webhook.validation": "200 with both tokens",
    "webhook.answer": "200 or 204",
    "webhook.delivered": "one attempt that is accepted",
    "webhook.forged": "401 or another 4xx",
}


class Deliveries:
    """The app's endpoints and what is on its way to them; belongs to the loop's thread."""

    def __init__(
        self,
        sender: WebhookSender,
        clock: Clock,
        journal: Journal,
        timings: DeliveryTimings | None = None,
        faults: Faults | None = None,
        store: Store | None = None,
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._journal = journal
        self._timings = timings or DeliveryTimings()
        self._faults = Faults() if faults is None else faults
        self._store = store or Store()
        self._pacer = Pacer(clock, journal)
        self._ids = count(self._store.last_id("deliveries") + 1)
        self._endpoints: dict[str, Endpoint] = {}
        self.subscriptions = Subscriptions(
            self._store.subscriptions(), self._store.last_id("subscriptions")
        )

    @property
    def urls(self) -> list[str]:
        return [subscription.url for subscription in self.subscriptions]

    @property
    def pending(self) -> list[Delivery]:
        """What was neither accepted nor given up, endpoint by endpoint."""
        return [one for endpoint in self._endpoints.values() for one in endpoint.pending.values()]

    # --- from one process to the next ---------------------------------------------------------

    def resume(self) -> None:
        """Go on with what the store has kept; what was under way is made again at once."""
        for subscription in self.subscriptions:
            self._open(subscription.url).validate_at(subscription.validate_at_ms)
        kept = list(self._store.deliveries())
        if self._store.restarted:
            self._journal.add("restart", pending=len(kept))
        for delivery in kept:
            again = self._interrupted(delivery) if delivery.under_way else delivery
            self._endpoints[delivery.url].take(again)

    def _interrupted(self, delivery: Delivery) -> Delivery:
        again = delivery.interrupted(self._clock.now_ms())
        self._store.put_delivery(again)
        self._journal.counters["webhooks_interrupted"] += 1
        self._journal.add(
            "webhook",
            delivery.event.stream,
            url=delivery.url,
            event=delivery.event.name,
            outcome="interrupted",
            delivery=delivery.id,
            attempt=delivery.attempts + 1,
            then=Then.RETRY.value,
            retry_at_ms=again.due_ms,
        )
        return again

    def close(self) -> int:
        """Send nothing more: how many events were on their way.  The store still has them."""
        left = sum(len(endpoint.close()) for endpoint in self._endpoints.values())
        self._endpoints.clear()
        self._pacer.clear()
        return left

    def _open(self, url: str) -> Endpoint:
        self._endpoints[url] = Endpoint(
            url, self._clock, self._pacer, self._attempt, self._revalidate
        )
        return self._endpoints[url]

    # --- subscriptions ------------------------------------------------------------------------

    async def subscribe(
        self, url: str, events: Sequence[str] = (), *, validate: bool = True
    ) -> Subscription:
        """Save `url` as an endpoint for `events`, or for all of them, and validate it.

        Without `validate` it is believed.

        Raises `ReceiverUnreachable` or `ContractBroken` when it does not validate; it stays saved
        and is validated again when the next event is due.  Raises `UsageError` for one too many.
        """
        self._store.put_subscription(self.subscriptions.save(checked_url(url), tuple(events)))
        endpoint = self._endpoints.get(url) or self._open(url)
        if not validate:
            self._validated(endpoint, "", self._clock.now_ms() + self._timings.validation_ms)
            return self.subscriptions[url]
        attempt, problem = await self._validate(endpoint)
        if problem and attempt.status is None:
            raise ReceiverUnreachable(
                f"receiver {url}: URL validation: {problem}; is it running and listening there?"
            )
        if problem:
            raise ContractBroken(
                f"receiver {url}: URL validation: expected 200 with plainToken and "
                f"encryptedToken, found {problem}"
            )
        if url not in self.subscriptions:
            raise UsageError(f"subscription {url}: it was removed while it was validated")
        return self.subscriptions[url]

    def unsubscribe(self, id_: int) -> int:
        """Remove a subscription: how many events were on their way to it, and are cancelled.

        Raises `UnknownObject`.
        """
        subscription = self.subscriptions.get(id_)
        self.subscriptions.remove(subscription.url)
        self._store.forget_subscription(subscription)
        return self._cancelled(self._endpoints.pop(subscription.url))

    def forget(self) -> int:
        """Remove every subscription: how many events were on their way, and are cancelled."""
        cancelled = sum(self.unsubscribe(subscription.id) for subscription in self.subscriptions)
        self._pacer.clear()
        return cancelled

    def _cancelled(self, endpoint: Endpoint) -> int:
        left = endpoint.close()
        for delivery in left:
            self._store.forget_delivery(delivery)
        if left:
            self._lost(len(left))
            self._journal.add("webhook", url=endpoint.url, outcome="cancelled", events=len(left))
        return len(left)

    # --- events -------------------------------------------------------------------------------

    def send(self, name: str, body: bytes, stream: str = "") -> None:
        """Send `body`, an event called `name`, to every endpoint that wants it."""
        event = Event(name, body, stream)
        now_ms = self._clock.now_ms()
        for url, endpoint in self._endpoints.items():
            if not self.subscriptions[url].wants(name):
                continue
            departures = self._faults.departures(url, event)
            if not departures:
                self._note_lost(url, event, next(self._ids), "lost on the way")
            for departure in departures:
                self._make_room(endpoint)
                delivery = Delivery(
                    next(self._ids),
                    url,
                    event,
                    now_ms + departure.delay_ms,
                    in_order=departure.in_order,
                )
                self._store.add_delivery(delivery)
                endpoint.take(delivery)

    async def drained(self, timeout_s: float) -> None:
        """Wait until all that was sent has been tried once; raises `TimeoutError`."""
        endpoints = list(self._endpoints.values())
        try:
            async with asyncio.timeout(timeout_s):
                for endpoint in endpoints:
                    await endpoint.tried()
        except TimeoutError:
            waiting = ", ".join(e.url for e in endpoints if not e.idle)
            raise TimeoutError(f"waited {timeout_s:g} s for webhooks to {waiting}") from None

    def _make_room(self, endpoint: Endpoint) -> None:
        if len(endpoint.pending) >= KEPT_PENDING:
            self._give_up(endpoint, next(iter(endpoint.pending.values())), "too many wait")

    def _give_up(self, endpoint: Endpoint, delivery: Delivery, why: str) -> None:
        if not self._done(endpoint, delivery):
            return
        self._note_lost(delivery.url, delivery.event, delivery.id, why)

    def _note_lost(self, url: str, event: Event, delivery: int, why: str) -> None:
        self._lost(1)
        self._journal.add(
            "webhook",
            event.stream,
            url=url,
            event=event.name,
            outcome=why,
            delivery=delivery,
        )

    def _done(self, endpoint: Endpoint, delivery: Delivery) -> bool:
        """Nothing more is to be done for `delivery`: whether it was not given up before."""
        self._store.forget_delivery(delivery)
        return endpoint.done(delivery)

    def _lost(self, events: int) -> None:
        self._journal.counters["webhooks_lost"] += events

    # --- attempts -----------------------------------------------------------------------------

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> None:
        try:
            if why := await self._closed(endpoint):
                self._give_up(endpoint, delivery, why)
                return
            delivery = delivery.begun()
            self._store.put_delivery(delivery)
            await self._store.on_disk()
            began_ms, now_s = self._clock.now_ms(), self._sender.now_s()
            request, faults = self._faults.request(
                WebhookRequest.genuine(delivery.event.body, now_s), delivery.url, delivery.event
            )
            attempt = await self._sender.send(delivery.url, request)
            delivery, then = delivery.attempted(attempt.status, began_ms, self._timings)
            self._note_webhook(delivery, request, attempt, then, faults)
            self._judge(delivery, attempt, then, request.is_forged(now_s))
            self._follow(endpoint, delivery, then)
        except Exception as error:
            self._lost(self._done(endpoint, delivery))
            self._journal.failed(f"webhook {delivery.event.name} to {delivery.url}", error)

    async def _closed(self, endpoint: Endpoint) -> str:
        """Why nothing may be sent to an endpoint, if nothing may."""
        match self.subscriptions[endpoint.url].state:
            case SubscriptionState.DISABLED:
                return "disabled"
            case SubscriptionState.NEW if (await self._validate(endpoint))[1]:
                return "not validated"
        return ""

    def _follow(self, endpoint: Endpoint, delivery: Delivery, then: Then) -> None:
        if then is Then.RETRY:
            self._store.put_delivery(delivery)
            endpoint.again(delivery)
        elif self._done(endpoint, delivery) and then is not Then.ACCEPTED:
            self._lost(1)

    def _note_webhook(
        self,
        delivery: Delivery,
        request: WebhookRequest,
        attempt: Attempt,
        then: Then,
        faults: list[str],
    ) -> None:
        more: dict[str, Any] = {"faults": faults} if faults else {}
        if then is Then.RETRY:
            more["retry_at_ms"] = delivery.due_ms
        event = delivery.event
        genuine = request.body is event.body
        self._note(
            "webhook",
            attempt,
            event.stream,
            event=event.name,
            body=event.told if genuine else json.loads(request.body),
            delivery=delivery.id,
            attempt=delivery.attempts,
            stamp_s=request.stamp_s,
            then=then.value,
            **more,
        )

    def _judge(self, delivery: Delivery, attempt: Attempt, then: Then, forged: bool) -> None:
        event = delivery.event
        where = f"{event.name} to {delivery.url}"
        if forged and not attempt.refused:
            self._found("webhook.forged", where, attempt.told, event.stream)
        elif not forged and not attempt.ok:
            self._found("webhook.answer", where, attempt.told, event.stream)
        if then is Then.DROPPED:
            told = f"{delivery.attempts} that failed, the last one with {attempt.told}"
            self._found("webhook.delivered", where, told, event.stream)

    # --- validation ---------------------------------------------------------------------------

    async def _revalidate(self, endpoint: Endpoint) -> None:
        try:
            await self._validate(endpoint)
        except Exception as error:
            self._journal.failed(f"validation of {endpoint.url}", error)

    async def _validate(self, endpoint: Endpoint) -> tuple[Attempt, str]:
        url, now_ms = endpoint.url, self._clock.now_ms()
        attempt, problem = await self._sender.validate(url, now_ms)
        notice = self._validated(endpoint, problem, now_ms + self._timings.validation_ms)
        more = {"notice": notice.value} if notice else {}
        self._note("validation", attempt, problem=problem, **more)
        if problem:
            self._found("webhook.validation", url, problem)
        return attempt, problem

    def _validated(self, endpoint: Endpoint, problem: str, next_ms: int) -> Notice | None:
        if self._endpoints.get(endpoint.url) is not endpoint:
            return None  # it was removed meanwhile
        was = self.subscriptions[endpoint.url]
        subscription = was.failed(next_ms) if problem else was.proved(next_ms)
        self.subscriptions.put(subscription)
        self._store.put_subscription(subscription)
        endpoint.validate_at(next_ms)
        return subscription.notice

    # --- the journal --------------------------------------------------------------------------

    def _note(self, kind: str, attempt: Attempt, stream: str = "", /, **fields: Any) -> None:
        self._journal.counters[f"{kind}s"] += 1
        self._journal.add(
            kind,
            stream,
            url=attempt.url,
            status=attempt.status,
            outcome="accepted" if attempt.ok else attempt.told,
            elapsed_ms=attempt.elapsed_ms,
            request_id=attempt.request_id,
            **fields,
        )

    def _found(self, check: str, where: str, actual: str, stream: str = "") -> None:
        self._journal.find(Finding(check, where, _EXPECTED[check], actual, CLAUSES[check], stream))
