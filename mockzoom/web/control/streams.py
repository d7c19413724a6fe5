"""Streams: started, paused, resumed, moved and stopped."""

from __future__ import annotations

from typing import Any

from mockzoom.core.codes import StopReason
from mockzoom.engine.live_stream import LiveStream
from mockzoom.web.control.asked import Asked
from mockzoom.web.control.told import find_stream, told_stream

__all__ = [
    "get_stream",
    "list_streams",
    "pause_stream",
    "relocate_stream",
    "resume_stream",
    "start_stream",
    "stop_stream",
]


def list_streams(asked: Asked) -> Any:
    return {"streams": [told_stream(stream) for stream in asked.world.streams.values()]}


def get_stream(asked: Asked, rtms_stream_id: str) -> Any:
    return told_stream(find_stream(asked.world, rtms_stream_id))


def start_stream(asked: Asked, key: str) -> Any:
    return told_stream(asked.world.start_rtms(asked.world.meeting(key)))


def stop_stream(asked: Asked, key: str) -> Any:
    stream = _live(asked, key)
    asked.world.stop_rtms(stream, StopReason(asked.body["stop_reason"]))
    return told_stream(stream)


def pause_stream(asked: Asked, key: str) -> Any:
    stream = _live(asked, key)
    asked.world.pause(stream)
    return told_stream(stream)


def resume_stream(asked: Asked, key: str) -> Any:
    stream = _live(asked, key)
    asked.world.resume(stream)
    return told_stream(stream)


def relocate_stream(asked: Asked, key: str) -> Any:
    stream = _live(asked, key)
    asked.world.relocate(stream)
    return told_stream(stream)


def _live(asked: Asked, key: str) -> LiveStream:
    """The stream that is named, or the only one of the meeting."""
    return asked.world.live_stream(asked.world.meeting(key), asked.body.get("rtms_stream_id"))
