"""Streams, as several operations name and tell them."""

from __future__ import annotations

from typing import Any

from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.world import World
from mockzoom.errors import UnknownObject, nearest

__all__ = ["find_stream", "told_stream"]


def find_stream(world: World, rtms_stream_id: str) -> LiveStream:
    """A stream of `world`, live or not; raises `UnknownObject`."""
    if rtms_stream_id not in world.streams:
        hint = nearest(rtms_stream_id, world.streams)
        raise UnknownObject(f"stream {rtms_stream_id!a:.80}: there is none{hint}")
    return world.streams[rtms_stream_id]


def told_stream(stream: LiveStream) -> dict[str, Any]:
    return {
        "rtms_stream_id": stream.id,
        "meeting": stream.meeting.key,
        "server_urls": stream.machine.urls.signaling,
        "state": stream.machine.state.name,
        "sent": dict(stream.sent),
    }
