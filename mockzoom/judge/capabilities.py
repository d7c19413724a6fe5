"""What a receiver may leave undone, if it says so.

A contract names what it asks of a receiver (`needs`).  A receiver that declares not to do that is
not judged by it, and the report says "declared" instead of "passed": an app that only reads
transcripts is a good app.  Whatever is not declared is expected.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from mockzoom.core.products import PRODUCTS
from mockzoom.errors import UsageError, nearest

__all__ = ["CAPABILITIES", "checked", "without_products"]

CAPABILITIES: Mapping[str, str] = {
    "url-validation": "It answers Zoom's check of its endpoint itself, not a gateway before it.",
    "timestamp-window": "It looks at the age of a webhook, not a gateway before it.",
    "meeting": "It takes the events and the streams of meetings.",
    "webinar": "It takes the events and the streams of webinars.",
    "session": "It takes the events and the streams of Video SDK sessions.",
    "contact_center": "It takes the events and the streams of contact-center voice calls.",
    "rtms": "It connects to the streams that it is told of, over WebSockets.",
    "audio": "It asks for audio.",
    "video": "It asks for video.",
    "deskshare": "It asks for screen share.",
    "transcript": "It asks for transcripts.",
    "chat": "It asks for chat messages.",
    "early-keep-alive": "It answers keep-alives before its handshake is answered, too.",
    "all-in-one": "It takes all media over one socket where only that is offered.",
    "url-list": "It takes server_urls for a list, separated by commas.",
    "reconnect": "It comes back by itself when one of its sockets is lost.",
    "media-only": "It opens a lost media socket again without a new signaling handshake.",
    "busy-retry": "It tries again when a handshake is refused as a duplicate after a loss.",
    "failover": "It moves to other servers when a running stream starts again with new URLs.",
    "pause": "It lives through a stream that is paused and resumed.",
    "parallel": "It follows several streams at once.",
    "host-check": "It dials only hosts that it was told to trust, from a webhook.",
    "media-host-check": "It looks at the hosts of a handshake's media URLs, too.",
}

assert set(PRODUCTS) <= set(CAPABILITIES)


def checked(names: Iterable[str]) -> frozenset[str]:
    """`names`, if each is a capability; raises UsageError for the first that is none."""
    known = frozenset(names)
    for name in sorted(known - set(CAPABILITIES)):
        hint = nearest(name, CAPABILITIES) or f"; there are {', '.join(CAPABILITIES)}"
        raise UsageError(f"no capability {name!r}{hint}")
    return known


def without_products(kept: Collection[str]) -> frozenset[str]:
    """What a receiver does not do that is only for the products in `kept`; nothing if empty."""
    for name in kept:
        PRODUCTS[name]  # raises UnknownObject
    return frozenset(PRODUCTS) - set(kept) if kept else frozenset()
