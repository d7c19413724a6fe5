"""The URLs that the recording proxy gives out, and what each stands for.

A URL of the source is known by three names: its own, which only the proxy dials; the proxy's,
which the receiver is told; and an alias, under which it is in the file.  All belong to one stream
and one kind of socket, because a source may use one host for all of its streams.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from mockzoom.core.messages import Message
from mockzoom.core.server_urls import with_urls

__all__ = ["Route", "Routes"]


@dataclass(frozen=True)
class Route:
    """What a URL of the proxy stands for: `url`, which the file knows as `alias`."""

    stream: str
    leg: str
    url: str
    ours: str
    alias: str


class Routes:
    """All that were given out; those of the proxy begin with `base_url`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._routes: dict[tuple[str, str, str], Route] = {}
        self._by_path: dict[str, Route] = {}

    def find(self, path: str) -> Route | None:
        """The route of the proxy's URL with that path."""
        return self._by_path.get(path)

    def ours(self, stream: str, message: Message) -> Message:
        """`message`, which is about `stream`, with the proxy's URLs."""
        return with_urls(message, lambda leg, url: self._route(stream, leg, url).ours)

    def aliased(self, stream: str, message: Message) -> Message:
        """`message`, which is about `stream`, with URLs that tell nothing."""
        return with_urls(message, lambda leg, url: self._route(stream, leg, url).alias)

    def _route(self, stream: str, leg: str, url: str) -> Route:
        known = self._routes.get((stream, leg, url))
        if known is not None:
            return known
        path = f"/{leg}/{secrets.token_hex(16)}"
        alias = f"wss://rtms-{len(self._routes) + 1}.example.com/{leg}"
        route = Route(stream, leg, url, self._base_url + path, alias)
        self._routes[stream, leg, url] = self._by_path[path] = route
        return route
