"""Everything that mockzoom raises on purpose, as one tree.

    MockzoomError                  any of the below; `exit_code` says how the command line ends
    ├── UsageError            (2)  what was asked for cannot be done as asked
    │   ├── ConfigurationError     a setting is unknown or has an impossible value
    │   ├── SpecError              a contract document is broken: file, place, reason
    │   ├── UnknownEvent           no such event in the document
    │   ├── UnknownField           no such field in the event
    │   ├── UnknownObject          no such meeting, stream or participant
    │   ├── LimitReached           the app has as many streams as it may have at once
    │   ├── InvalidEvent           an event of ours would break its own contract
    │   ├── RefusedTransition      a machine was asked for a step that its table does not have
    │   ├── BadRecording           a recording that cannot be replayed: file, line, reason
    │   ├── ScenarioError          a scenario has mistakes: all of them, each with its place
    │   └── PortInUse              another process listens there
    ├── ContractBroken        (1)  a receiver broke the contract (also an AssertionError)
    ├── NothingTested         (3)  there was nothing to judge
    ├── Closing               (5)  what was waited for cannot come any more
    ├── ReceiverUnreachable   (4)  the receiver never answered
    └── MockUnreachable       (4)  no mock answered where one was to run

What a *peer* does wrong is never an exception: it is a status code on the wire and a
`Finding` (see `mockzoom.core.findings`).  Each message is one line that says what, where,
what was expected and found, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

__all__ = [
    "BadRecording",
    "ConfigurationError",
    "ContractBroken",
    "InvalidEvent",
    "LimitReached",
    "MockUnreachable",
    "MockzoomError",
    "NothingTested",
    "PortInUse",
    "ReceiverUnreachable",
    "RefusedTransition",
    "ScenarioError",
    "SpecError",
    "UnknownEvent",
    "UnknownField",
    "UnknownObject",
    "UsageError",
    "nearest",
]


class MockzoomError(Exception):
    """Root of the tree; `exit_code` is the status with which the command line ends."""

    exit_code = 5


class UsageError(MockzoomError):
    exit_code = 2


class ConfigurationError(UsageError):
    pass


class SpecError(UsageError):
    pass


class UnknownEvent(UsageError):
    pass


class UnknownField(UsageError):
    pass


class UnknownObject(UsageError):
    pass


class LimitReached(UsageError):
    pass


class InvalidEvent(UsageError):
    pass


class RefusedTransition(UsageError):
    pass


class ScenarioError(UsageError):
    """`mistakes` are lines: ``file:line:column: what was expected and found``."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


class PortInUse(UsageError):
    pass


class BadRecording(UsageError):
    pass


class ContractBroken(MockzoomError, AssertionError):
    exit_code = 1


class NothingTested(MockzoomError):
    exit_code = 3


class Closing(MockzoomError):
    pass


class ReceiverUnreachable(MockzoomError):
    exit_code = 4


class MockUnreachable(MockzoomError):
    exit_code = 4


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint for a mistyped name: ``"; did you mean 'x'?"``, or ``""`` when nothing is near."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
