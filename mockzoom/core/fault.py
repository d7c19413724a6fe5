"""What all faults have in common: where and how often they hit, and that they are JSON.

Those of the sockets are in `mockzoom.core.faults`, those of webhooks in
`mockzoom.core.delivery_faults`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from mockzoom.errors import ConfigurationError

__all__ = ["MANY", "Fault", "LastingFault", "whole"]

#: As often as anybody may ask for.
MANY = 1_000_000_000


def whole(default: int | None, low: int, high: int) -> Any:
    """A field of a fault for whole numbers from `low` to `high`."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`stream` is an `rtms_stream_id`, or ``""`` for every one."""

    kind: ClassVar[str]
    stream: str = ""

    def __post_init__(self) -> None:
        for its in fields(self):
            value = getattr(self, its.name)
            low, high = its.metadata.get("low"), its.metadata.get("high")
            if low is not None and value is not None and not low <= value <= high:
                raise self.wrong(its.name, f"{low} to {high}")

    def wrong(self, name: str, expected: str) -> ConfigurationError:
        """The mistake that the field `name` is."""
        found = getattr(self, name)
        return ConfigurationError(
            f"fault {self.kind}: {name}: expected {expected}, found {found!a:.80}"
        )

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class LastingFault(Fault):
    """It hits with `probability`, and `times` times; None is until it is lifted."""

    times: int | None = whole(None, 1, MANY)
    probability: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.probability <= 1:
            raise self.wrong("probability", "above 0, at most 1")
