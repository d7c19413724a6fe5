"""Meetings: made, listed, told about, and what happens in them as a whole.

A meeting is addressed by its key: `meeting_id` for a meeting, `webinar_id`, `session_key` or
`engagement_id` for the other products.
"""

from __future__ import annotations

from typing import Any

from mockzoom.core.meeting import Meeting
from mockzoom.web.control.asked import Asked
from mockzoom.web.control.told import told_stream

__all__ = ["create_meeting", "end_meeting", "get_meeting", "happen", "list_meetings", "tell_event"]


def list_meetings(asked: Asked) -> Any:
    return {"meetings": [_told(meeting) for meeting in asked.world.meetings.values()]}


def create_meeting(asked: Asked) -> Any:
    body = asked.body
    return _told(asked.world.create_meeting(body["topic"], body["participants"], body["product"]))


def get_meeting(asked: Asked, key: str) -> Any:
    meeting = asked.world.meeting(key)
    streams = [s for s in asked.world.streams.values() if s.meeting is meeting]
    return {**_told(meeting), "streams": [told_stream(stream) for stream in streams]}


def end_meeting(asked: Asked, key: str) -> Any:
    asked.world.end_meeting(asked.world.meeting(key))
    return {}


def happen(asked: Asked, key: str) -> Any:
    body = asked.body
    asked.world.happen(asked.world.meeting(key), body["name"], body.get("participant"))
    return {}


def tell_event(asked: Asked, key: str) -> Any:
    fields = {name: value for name, value in asked.body.items() if name != "event_type"}
    asked.world.tell(asked.world.meeting(key), asked.body["event_type"], fields)
    return {}


def _told(meeting: Meeting) -> dict[str, Any]:
    return {
        "product": meeting.product.name,
        **meeting.ids,
        "topic": meeting.topic,
        "participants": [person.as_person() for person in meeting.participants.values()],
    }
