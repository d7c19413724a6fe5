"""Hypothesis as a hunter: it tries, and makes what does harm smaller until nothing can go.

The smallest of each harm is remembered here, at each try, and not taken from what Hypothesis
reports in the end: a receiver that died of it cannot be asked again, one that remembers its past
answers otherwise the second time, and the time may be over before the end.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, NoReturn, TypeVar

import hypothesis
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky

__all__ = ["SHRINK_S", "Trophies", "hunt", "repeatable", "without_traces"]

T = TypeVar("T")

#: How long to go on, once something has done harm: receivers that hang cost 3 s a try.
SHRINK_S = 30.0


def repeatable(max_examples: int, *, shrink: bool = True, **more: Any) -> hypothesis.settings:
    """Settings under which the seed alone says what is tried."""
    phases = [hypothesis.Phase.generate, hypothesis.Phase.shrink]
    return hypothesis.settings(
        max_examples=max_examples,
        database=None,
        deadline=None,
        phases=phases if shrink else phases[:1],
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        print_blob=False,
        **more,
    )


@contextmanager
def without_traces() -> Iterator[None]:
    """Hypothesis keeps its own files out of the folder that somebody works in."""
    with tempfile.TemporaryDirectory() as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)


class _Harmed(Exception):
    """Something did harm; there is a class for each kind, as Hypothesis tells bugs by them."""


class _Enough(BaseException):
    """This is small enough, or has to be."""


@cache
def _harmed(kind: str) -> type[_Harmed]:
    return type("Harmed", (_Harmed,), {"__doc__": kind})


class Trophies(Generic[T]):
    """The smallest of each kind of harm, by its kind, in the order in which they were found."""

    def __init__(self) -> None:
        self.smallest: dict[str, T] = {}
        self._sizes: dict[str, Any] = {}
        self._since_s = 0.0

    def keep(self, kind: str, size: Any, trophy: T) -> None:
        """Keep it if it is smaller than what there is of its kind."""
        if kind not in self._sizes or size < self._sizes[kind]:
            self._sizes[kind], self.smallest[kind] = size, trophy

    def take(self, kind: str, size: Any, trophy: T) -> NoReturn:
        """Keep it, and tell Hypothesis by raising."""
        self.keep(kind, size, trophy)
        raise _harmed(kind)

    def hurry(self) -> None:
        """Before each try: raises what ends the hunt when it has gone on for long enough."""
        if not self.smallest:
            self._since_s = time.monotonic()
        elif time.monotonic() - self._since_s > SHRINK_S:
            raise _Enough


def hunt(search: Callable[[], None]) -> None:
    """Run a search of Hypothesis to its end; what it found is in the `Trophies`.

    Raises `Over`, and whatever is a mistake of ours.
    """
    try:
        search()
    except _Enough:
        return
    except Exception as error:
        if not _foreseen(error):
            raise


def _foreseen(error: BaseException) -> bool:
    if isinstance(error, _Harmed | Flaky):
        return True
    return isinstance(error, ExceptionGroup) and all(map(_foreseen, error.exceptions))
