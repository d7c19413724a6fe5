"""What a recording holds, found out before any of it is played.

Playing begins with a webhook, after which a receiver is at work; so the whole file is read once
before that, and whatever is wrong with it is told with its line.  What is kept of the reading is
small, however long the recording is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from mockzoom.core.messages import Message, message_type
from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.recording import WEBHOOK, ZOOM, Entry
from mockzoom.core.server_urls import with_urls
from mockzoom.errors import BadRecording

__all__ = ["Outline", "product_of"]

_STARTED = {product.event("started"): product for product in PRODUCTS.values()}


@dataclass
class Outline:
    """`used` are the URLs that were dialled.  `told` and `heard` count, by URL and message type,
    what Zoom and what the app said there.
    """

    webhooks: int = 0
    used: set[str] = field(default_factory=set)
    told: Counter[tuple[str, int]] = field(default_factory=Counter)
    heard: Counter[tuple[str, int]] = field(default_factory=Counter)

    @classmethod
    def of(cls, entries: Iterable[tuple[int, Entry]], name: str) -> Outline:
        """Raises `BadRecording` for an entry that does not follow from those before it."""
        outline, named, urls = cls(), set[str](), dict[int, str]()
        for line, entry in entries:
            problem = outline._take(entry, named, urls)
            if problem:
                raise BadRecording(f"{name}:{line}: {problem}")
        return outline

    def _take(self, entry: Entry, named: set[str], urls: dict[int, str]) -> str:
        """Take `entry` in, with the URLs named and those of the connections: what is wrong."""
        if entry.leg == WEBHOOK:
            return self._take_webhook(entry.message, named) if entry.message is not None else ""
        if entry.opened is not None:
            if entry.opened not in named:
                return f"opened: expected a URL that was named before, found {entry.opened!r:.120}"
            urls[entry.conn] = entry.opened
            self.used.add(entry.opened)
        elif entry.conn not in urls:
            return f"conn: expected one that was opened before, found {entry.conn}"
        elif entry.message is not None:
            with_urls(entry.message, lambda _, url: named.add(url))
            counts = self.told if entry.by == ZOOM else self.heard
            counts[urls[entry.conn], message_type(entry.message) or 0] += 1
        return ""

    def _take_webhook(self, message: Message, named: set[str]) -> str:
        self.webhooks += 1
        urls: list[str] = []
        with_urls(message, lambda _, url: urls.append(url))
        named.update(urls)
        started = urls or product_of(message) is not None
        return _problem_of(message) if started else ""


def product_of(webhook: Message) -> Product | None:
    """The product whose stream starts with `webhook`, if one does."""
    name = webhook.get("event")
    return _STARTED.get(name) if isinstance(name, str) else None


def _problem_of(webhook: Message) -> str:
    """What keeps a webhook that starts a stream from being played."""
    product = product_of(webhook)
    if product is None:
        return f"event: expected one of {', '.join(_STARTED)}, found {webhook.get('event')!r:.80}"
    payload = webhook.get("payload")
    for name in (product.id_field, "rtms_stream_id"):
        if not isinstance(payload, dict) or not isinstance(payload.get(name), str):
            return f"payload.{name}: is required, but is not there"
    return ""
