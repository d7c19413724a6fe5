"""What is to be judged, and on which terms: everything that a run of contracts is told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from mockzoom.core.products import PRODUCTS
from mockzoom.core.signing import Credentials
from mockzoom.judge.capabilities import checked, without_products

__all__ = ["Assignment", "new_seed"]


def new_seed() -> int:
    """One that hardly ever comes again."""
    return secrets.randbits(32)


@dataclass(frozen=True)
class Assignment:
    """The receiver at `url`, and the credentials that it shares with Zoom.

    `products` are those that it is for, all if empty; `without` are `CAPABILITIES` that it
    declares not to have.  `timings` is the pace of RTMS (``zoom``, ``fast`` or a factor).

    `seed` repeats a run, with every id: a receiver remembers the streams that have ended, so one
    that was judged with it has to be started anew before.  If none is given there is a new one.

    Raises UsageError for an unknown capability or product.
    """

    url: str
    credentials: Credentials
    products: tuple[str, ...] = ()
    without: frozenset[str] = field(default=frozenset())
    timings: str = "fast"
    seed: int = field(default_factory=new_seed)

    def __post_init__(self) -> None:
        undone = checked(self.without) | without_products(self.products)
        object.__setattr__(self, "without", undone)

    @property
    def product(self) -> str:
        """The product for contracts that are about any one: the first that the receiver takes."""
        return next((name for name in PRODUCTS if name not in self.without), "meeting")

    def undone(self, needed: frozenset[str]) -> list[str]:
        """What is `needed` and declared not to be done, in order."""
        return sorted(needed & self.without)
