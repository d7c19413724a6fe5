"""Worlds: made, listed, started afresh and removed; and whether the mock is there at all."""

from __future__ import annotations

from typing import Any

from mockzoom.core.operations import read_api
from mockzoom.web.control.asked import Asked

__all__ = ["create_world", "get_document", "get_health", "list_worlds", "remove_world", "reset"]


def get_health(asked: Asked) -> Any:
    return {"status": "ok"}


def get_document(asked: Asked) -> Any:
    return read_api("control-api.openapi.yaml").document


def list_worlds(asked: Asked) -> Any:
    return {"worlds": [_told(asked, name) for name in asked.worlds]}


def create_world(asked: Asked) -> Any:
    name = asked.worlds.create(asked.body.get("name"), asked.body.get("seed"))
    return _told(asked, name)


def remove_world(asked: Asked, name: str) -> Any:
    return {"webhooks_lost": asked.worlds.remove(name)}


def reset(asked: Asked) -> Any:
    asked.world.reset()
    return {}


def _told(asked: Asked, name: str) -> dict[str, Any]:
    world = asked.worlds[name]
    return {
        "name": name,
        "url": f"{asked.url}/w/{name}",
        "meetings": len(world.meetings),
        "streams": len(world.streams),
    }
