"""Faults: switched on, listed, and lifted."""

from __future__ import annotations

from typing import Any

from mockzoom.core.active_faults import Active
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.web.control.asked import Asked

__all__ = ["add_fault", "lift_fault", "lift_faults", "list_faults"]


def list_faults(asked: Asked) -> Any:
    return {"faults": [_told(active) for active in asked.world.faults]}


def add_fault(asked: Asked) -> Any:
    fault = parse_fault(asked.body)
    return _told(Active(asked.world.add_fault(fault), fault))


def lift_faults(asked: Asked) -> Any:
    asked.world.lift_faults()
    return {}


def lift_fault(asked: Asked, id: int) -> Any:
    asked.world.lift_fault(id)
    return {}


def _told(active: Active) -> dict[str, Any]:
    return {"id": active.number, **active.fault.as_dict(), "hits": active.hits}
