"""The clock of a world: read, frozen, advanced, and made faster."""

from __future__ import annotations

from typing import Any

from mockzoom.web.control.asked import Asked

__all__ = ["advance_clock", "get_clock", "set_clock"]


def get_clock(asked: Asked) -> Any:
    clock = asked.world.clock
    return {"now_ms": clock.now_ms(), "speed": clock.speed, "frozen": clock.frozen}


def set_clock(asked: Asked) -> Any:
    world, body = asked.world, asked.body
    if "speed" in body:
        world.set_speed(body["speed"])
    if "frozen" in body:
        (world.freeze if body["frozen"] else world.thaw)()
    return get_clock(asked)


def advance_clock(asked: Asked) -> Any:
    asked.world.advance(asked.body["by_ms"])
    return get_clock(asked)
