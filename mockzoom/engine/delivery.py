"""Delivers events to the app's endpoints as Zoom does: at least once, and mostly in order.

Each endpoint is validated before it gets its first event, and has a queue and timers of its own
(`mockzoom.engine.endpoint`), so that one that hangs delays nobody else.  Every attempt is an entry
in the journal, with the number of the delivery and its own; what follows on it is said by
`mockzoom.core.retries`.  What can no longer be delivered is told and counted, never just gone.

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
    ) -> None:
        self._sender = sender
        self._clock = clock
        self._journal = journal
        self._timings = timings or DeliveryTimings()
        self._faults = Faults() if faults is None else faults
        self._pacer = Pacer(clock, journal)
        self._ids = count(1)
        self._endpoints: dict[str, Endpoint] = {}
        self.subscriptions = Subscriptions()

    @property
    def urls(self) -> list[str]:
        return [subscription.url for subscription in self.subscriptions]

    @property
    def pending(self) -> list[Delivery]:
        """What was neither accepted nor given up, endpoint by endpoint."""
        return [one for endpoint in self._endpoints.values() for one in endpoint.pending.values()]

    # --- subscriptions ------------------------------------------------------------------------

    async def subscribe(self, url: str, events: Sequence[str] = ()) -> Subscription:
        """Save `url` as an endpoint for `events`, or for all of them, and validate it.

        Raises `ReceiverUnreachable` or `ContractBroken` when it does not validate; it stays saved
        and is validated again when the next event is due.  Raises `UsageError` for one too many.
        """
        self.subscriptions.save(checked_url(url), tuple(events))
        if url not in self._endpoints:
            self._endpoints[url] = Endpoint(
                url, self._clock, self._pacer, self._attempt, self._revalidate
            )
        attempt, problem = await self._validate(self._endpoints[url])
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
        url = self.subscriptions.get(id_).url
        self.subscriptions.remove(url)
        return self._cancelled(self._endpoints.pop(url))

    def forget(self) -> int:
        """Remove every subscription: how many events were on their way, and are cancelled."""
        self.subscriptions.clear()
        cancelled = sum(self._cancelled(endpoint) for endpoint in self._endpoints.values())
        self._endpoints.clear()
        self._pacer.clear()
        return cancelled

    def _cancelled(self, endpoint: Endpoint) -> int:
        left = endpoint.close()
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
            for departure in self._faults.departures(url, event):
                self._make_room(endpoint)
                delivery = Delivery(next(self._ids), url, event, now_ms + departure.delay_ms)
                endpoint.take(delivery, departure.in_order)

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
        endpoint.done(delivery)
        self._lost(1)
        event = delivery.event
        self._journal.add(
            "webhook",
            event.stream,
            url=delivery.url,
            event=event.name,
            outcome=why,
            delivery=delivery.id,
        )

    def _lost(self, events: int) -> None:
        self._journal.counters["webhooks_lost"] += events

    # --- attempts -----------------------------------------------------------------------------

    async def _attempt(self, endpoint: Endpoint, delivery: Delivery) -> None:
        try:
            if why := await self._closed(endpoint):
                self._give_up(endpoint, delivery, why)
                return
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
            endpoint.done(delivery)
            self._lost(1)
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
            endpoint.again(delivery)
            return
        endpoint.done(delivery)
        if then is not Then.ACCEPTED:
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
            then=then.value,
            **more,
        )

    def _judge(self, delivery: Delivery, attempt: Attempt, then: Then, forged: bool) -> None:
        event = delivery.event
        where = f"{event.name} to {delivery.url}"
        if forged and then is not Then.REFUSED:
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
