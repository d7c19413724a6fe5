"""An app's subscriptions: where its events go, which ones, and whether the URL is proved.

A URL proves that it knows the app's secret when it is saved, and again every 72 hours.  Failures in
a row are counted: the app's owner gets a mail after 2 and 4 of them, and after 6 the subscription
is disabled until it validates again.

In production a URL that does not validate cannot be saved at all.  Here it can, because a receiver
is often started after the mock: it is `NEW`, gets nothing, is asked again whenever an event is due,
and is never disabled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from mockzoom.errors import UnknownObject, UsageError

__all__ = ["MAX_SUBSCRIPTIONS", "Notice", "Subscription", "SubscriptionState", "Subscriptions"]

#: The vendor allows an app so many.
MAX_SUBSCRIPTIONS = 20


class SubscriptionState(StrEnum):
    NEW = "new"
    VALIDATED = "validated"
    DISABLED = "disabled"


class Notice(StrEnum):
    """What a failed validation has the vendor do."""

    MAIL = "mail"
    DISABLED = "disabled"


_NOTICES: Mapping[int, Notice] = {2: Notice.MAIL, 4: Notice.MAIL, 6: Notice.DISABLED}


@dataclass(frozen=True)
class Subscription:
    """`events` are names, none of them for every event; `failures` are validations in a row."""

    id: int
    url: str
    events: tuple[str, ...] = ()
    state: SubscriptionState = SubscriptionState.NEW
    failures: int = 0
    validate_at_ms: int | None = None

    def wants(self, event: str) -> bool:
        return not self.events or event in self.events

    def proved(self, next_ms: int) -> Subscription:
        """After a validation; the next one is due at `next_ms`."""
        return replace(self, state=SubscriptionState.VALIDATED, failures=0, validate_at_ms=next_ms)

    def failed(self, next_ms: int) -> Subscription:
        """After a validation that failed; the next one is due at `next_ms`."""
        failed = replace(self, failures=self.failures + 1, validate_at_ms=next_ms)
        if failed.notice is Notice.DISABLED:
            return replace(failed, state=SubscriptionState.DISABLED)
        return failed

    @property
    def notice(self) -> Notice | None:
        """What the last failure leads to."""
        return None if self.state is SubscriptionState.NEW else _NOTICES.get(self.failures)

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "url": self.url,
            "events": list(self.events),
            "state": self.state.value,
            "failures": self.failures,
            "validate_at_ms": self.validate_at_ms,
        }


class Subscriptions:
    """The subscriptions of one app, by their URLs, in the order in which they were saved.

    It begins with those that were `kept` from an earlier time, when ids went up to `last_id`.
    """

    def __init__(self, kept: Iterable[Subscription] = (), last_id: int = 0) -> None:
        self._by_url = {subscription.url: subscription for subscription in kept}
        self._next_id = last_id + 1

    def save(self, url: str, events: tuple[str, ...] = ()) -> Subscription:
        """A subscription of `url` to `events`; the one that it has is changed.

        Raises `UsageError` when there are as many as the vendor allows.
        """
        known = self._by_url.get(url)
        if known is not None:
            subscription = replace(known, events=events)
        elif len(self._by_url) < MAX_SUBSCRIPTIONS:
            subscription = Subscription(self._next_id, url, events)
            self._next_id += 1
        else:
            raise UsageError(
                f"subscription {url}: an app has at most {MAX_SUBSCRIPTIONS}; remove one first"
            )
        self._by_url[url] = subscription
        return subscription

    def put(self, subscription: Subscription) -> None:
        """Keep the new state of a subscription."""
        self._by_url[subscription.url] = subscription

    def get(self, id_: int) -> Subscription:
        """Raises `UnknownObject` when there is none with this id."""
        for subscription in self:
            if subscription.id == id_:
                return subscription
        raise UnknownObject(f"subscription {id_}: there is none")

    def remove(self, url: str) -> None:
        del self._by_url[url]

    def clear(self) -> None:
        self._by_url.clear()

    def __iter__(self) -> Iterator[Subscription]:
        return iter(list(self._by_url.values()))

    def __getitem__(self, url: str) -> Subscription:
        return self._by_url[url]

    def __contains__(self, url: str) -> bool:
        return url in self._by_url
