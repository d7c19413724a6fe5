"""A mutant: the reference receiver with exactly one bug, and the contract that is to catch it.

A bug is planted by putting something else under one name, in a module or a class of the receiver,
for as long as the mutant lives: `put` gives what is put there, `around` makes it from what was
there, `with_app` changes the web app, and `settings` are arguments of `Receiver`.  Of a function or
method, `before` and `after` do something more, `skipped` leaves calls out, and `spoilt` changes
what it gives.  A name that is gone is an error, so that no mutant turns into the sound receiver
unnoticed.  Names belong to the process: only one mutant lives at a time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask

from mockzoom.core.products import PRODUCTS
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.judge.answer import PATIENCE_S
from mockzoom.receiver import receiver
from mockzoom.receiver.receiver import Receiver

__all__ = [
    "CREDENTIALS",
    "LATE_S",
    "STARTS",
    "Change",
    "Mutant",
    "after",
    "around",
    "before",
    "put",
    "skipped",
    "spoilt",
    "with_app",
]

CREDENTIALS = Credentials("client", "the client secret", "the secret token")

#: Comes back soon, so that a mutant which never does is told apart from it quickly.
QUICK = Timings(backoff_ms=150, backoff_cap_ms=320)

#: By then the judge, like Zoom, waits no more.
LATE_S = PATIENCE_S + 0.5

#: The names of the events that start a stream.
STARTS = frozenset(product.event("started") for product in PRODUCTS.values())


@dataclass(frozen=True)
class Change:
    """What is under `name` of `owner`, a module or class, becomes `made` of what it was."""

    owner: Any
    name: str
    made: Callable[[Any], Any]


def put(owner: Any, name: str, value: Any) -> Change:
    """`value` in place of what is there."""
    return Change(owner, name, lambda original: value)


def around(owner: Any, name: str, made: Callable[[Any], Any]) -> Change:
    """What `made` makes of what is there, which it gets as its argument."""
    return Change(owner, name, made)


def before(owner: Any, name: str, act: Callable[..., object]) -> Change:
    """`act` gets every call first, and may raise."""

    def made(original: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **kwargs: Any) -> Any:
            act(*args, **kwargs)
            return original(*args, **kwargs)

        return changed

    return Change(owner, name, made)


def after(owner: Any, name: str, act: Callable[..., object]) -> Change:
    """`act` gets every call, too, once it is done."""

    def made(original: Callable[..., Any]) -> Callable[..., Any]:
        def changed(*args: Any, **kwargs: Any) -> Any:
            given = original(*args, **kwargs)
            act(*args, **kwargs)
            return given

        return changed

    return Change(owner, name, made)


def skipped(owner: Any, name: str, when: Callable[..., object]) -> Change:
    """Calls of which `when` is true have no effect; their arguments are by position."""

    def made(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: None if when(*args) else original(*args)

    return Change(owner, name, made)


def spoilt(owner: Any, name: str, change: Callable[..., Any]) -> Change:
    """What is given is what `change` makes of it, and of the arguments, by position."""

    def made(original: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args: change(original(*args), *args)

    return Change(owner, name, made)


def with_app(spoil: Callable[[Flask], object]) -> Change:
    """The web app as `spoil` leaves it, which may hook into its requests and answers."""

    def made(create_app: Callable[..., Flask]) -> Callable[..., Flask]:
        def create(*args: Any, **kwargs: Any) -> Flask:
            app = create_app(*args, **kwargs)
            spoil(app)
            return app

        return create

    return Change(receiver, "create_app", made)


@dataclass(frozen=True)
class Mutant:
    """`contract` is the id of the one meant for it, `bug` what is wrong, in a sentence.

    `gotchas` are the rows of docs/gotchas.md that it is an instance of.  `also` is what has to go
    along with the change: a guard of the sound receiver's that would hide the bug.
    """

    name: str
    contract: str
    bug: str
    gotchas: tuple[int, ...] = ()
    change: Change | None = None
    also: tuple[Change, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[Receiver]:
        """It lives, and listens at a free port, between `with` and its end."""
        with ExitStack() as stack:
            for change in (self.change, *self.also):
                if change is not None:
                    value = change.made(getattr(change.owner, change.name))
                    stack.enter_context(mock.patch.object(change.owner, change.name, value))
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield stack.enter_context(
                Receiver(CREDENTIALS, recordings=folder, **{"timings": QUICK, **self.settings})
            )
