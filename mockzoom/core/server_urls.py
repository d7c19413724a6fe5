"""The URLs in messages: who stands between Zoom and an app puts its own in their place.

Two messages tell an app where to connect: the `started` webhook names the signaling URL, and the
answer to the signaling handshake names the media URLs by their keys.  Each may be a list in a
string, separated by commas.  Whatever else a message holds stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable

from mockzoom.core.messages import Message
from mockzoom.core.sockets import SIGNALING

__all__ = ["FIELD", "with_urls"]

FIELD = "server_urls"

Change = Callable[[str, str], str | None]
"""Takes the key of a socket (`SIGNALING` or a media key) and a URL; None takes the URL away."""


def with_urls(message: Message, change: Change) -> Message:
    """A copy of `message` with every URL changed; `message` itself where it has none.

    A media key all of whose URLs are taken away goes as well.
    """
    for name in ("payload", "media_server"):
        part = message.get(name)
        if not isinstance(part, dict):
            continue
        urls = part.get(FIELD)
        if isinstance(urls, str):
            return {**message, name: {**part, FIELD: _changed(SIGNALING, urls, change)}}
        if isinstance(urls, dict):
            told = {
                key: _changed(key, listed, change) if isinstance(listed, str) else listed
                for key, listed in urls.items()
            }
            kept = {key: listed for key, listed in told.items() if listed != ""}
            return {**message, name: {**part, FIELD: kept}}
    return message


def _changed(key: str, listed: str, change: Change) -> str:
    urls = (url.strip() for url in listed.split(","))
    return ",".join(new for url in urls if url and (new := change(key, url)) is not None)
