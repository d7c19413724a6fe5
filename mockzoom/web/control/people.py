"""People: they come and go, speak, chat, and turn things on.

A participant is addressed by their name, percent-encoded.
"""

from __future__ import annotations

from typing import Any

from mockzoom.core.meeting import Utterance
from mockzoom.web.control.asked import Asked

__all__ = ["chat", "join", "leave", "mute", "play", "say", "turn_camera", "turn_share"]


def join(asked: Asked, key: str) -> Any:
    return asked.world.join(asked.world.meeting(key), asked.body["name"]).as_person()


def leave(asked: Asked, key: str, name: str) -> Any:
    asked.world.leave(asked.world.meeting(key), name)
    return {}


def mute(asked: Asked, key: str, name: str) -> Any:
    change = asked.world.mute if asked.body["on"] else asked.world.unmute
    change(asked.world.meeting(key), name)
    return {}


def turn_camera(asked: Asked, key: str, name: str) -> Any:
    asked.world.camera(asked.world.meeting(key), name, asked.body["on"])
    return {}


def turn_share(asked: Asked, key: str, name: str) -> Any:
    asked.world.share(asked.world.meeting(key), name, asked.body["on"])
    return {}


def chat(asked: Asked, key: str, name: str) -> Any:
    body = asked.body
    message_id = asked.world.chat(
        asked.world.meeting(key),
        name,
        body["text"],
        to=body.get("to"),
        operation=body["operation_type"],
        message_id=body.get("message_id"),
        parent_message_id=body.get("parent_message_id", ""),
    )
    return {"message_id": message_id}


def say(asked: Asked, key: str, name: str) -> Any:
    body = asked.body
    meeting = asked.world.meeting(key)
    return _when(asked.world.say(meeting, name, body["text"], body.get("language")))


def play(asked: Asked, key: str, name: str) -> Any:
    # Only what the mock was started with: no file is named from outside.
    return _when(asked.world.play(asked.world.meeting(key), name))


def _when(utterance: Utterance) -> Any:
    return {"start_ms": utterance.start_ms, "duration_ms": utterance.duration_ms}
