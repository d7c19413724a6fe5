"""The worlds of one server, which know nothing of one another: parallel CI jobs share a mock.

Each has its own meetings, journal, faults, subscriptions, clock and seed.  The ports, the account
and the app's credentials are everybody's.  The first one, `DEFAULT`, is always there; a request
that names none is for it.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from itertools import count

from mockzoom.engine.world import World
from mockzoom.errors import UnknownObject, UsageError, nearest

__all__ = ["DEFAULT", "MAX_WORLDS", "Worlds"]

DEFAULT = "default"

#: More than parallel jobs of one machine need, few enough that forgotten ones do no harm.
MAX_WORLDS = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Worlds:
    """Worlds by name; `build(name, seed)` makes one.  Belongs to the loop's thread."""

    def __init__(self, default: World, seed: int, build: Callable[[str, int], World]) -> None:
        self._worlds = {DEFAULT: default}
        self._seed = seed
        self._build = build
        self._numbers = count(1)

    def __getitem__(self, name: str) -> World:
        """Raises `UnknownObject`: a mistyped name must not be a new, empty world."""
        try:
            return self._worlds[name]
        except KeyError:
            raise UnknownObject(
                f"world {name!a:.80}: there is none, make it by POST /_mockzoom/worlds"
                f"{nearest(name, self._worlds)}"
            ) from None

    def __contains__(self, name: str) -> bool:
        return name in self._worlds

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._worlds))

    def create(self, name: str | None = None, seed: int | None = None) -> str:
        """A new world: its name, made up if need be.

        Without a `seed` it has one that follows from the server's and its name.
        """
        name = name or self._unused()
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"world {name!a:.80}: expected 1 to 64 of A-Z, a-z, 0-9, and '.', '_', '-' inside"
            )
        if name in self._worlds:
            raise UsageError(f"world {name!r}: there is one already; use another name")
        if len(self._worlds) >= MAX_WORLDS:
            raise UsageError(f"world {name!r}: expected at most {MAX_WORLDS} worlds; remove some")
        if seed is None:
            seed = random.Random(f"{self._seed}/{name}").getrandbits(32)  # noqa: S311 - no secret
        self._worlds[name] = self._build(name, seed)
        return name

    def _unused(self) -> str:
        return next(name for n in self._numbers if (name := f"world-{n}") not in self._worlds)

    def remove(self, name: str) -> int:
        """End a world with all that is in it: how many webhooks were on their way and are lost."""
        world = self[name]
        if name == DEFAULT:
            raise UsageError(f"world {name!r}: it is always there; reset it instead")
        del self._worlds[name]
        world.journal.give_up()
        return world.close()

    def give_up(self) -> None:
        """Nobody waits any longer for what happens in any of them."""
        for world in self._worlds.values():
            world.journal.give_up()

    def close(self) -> None:
        """Close every world."""
        for world in self._worlds.values():
            world.close()
