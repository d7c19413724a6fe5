"""What an attack has come to, as data: what was tried, how it was taken, what did harm.

Three things may go wrong, and they are told apart, because they are repaired in different places:
a receiver *crashes* (a 5xx, no answer, no process), it *refuses* what Zoom may well send, or it
*breaks a clause* of the protocol on the way.  That it accepts what is no valid event is none of
them: it may have ignored it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import Any

from mockzoom.errors import ContractBroken, MockzoomError, NothingTested, ReceiverUnreachable
from mockzoom.judge.answer import Answer

__all__ = ["SEQUENCES", "Failure", "FuzzReport", "Harm", "Row", "Taken", "taken"]

#: What the row of the sequences is called, among rows that are called by their event.
SEQUENCES = "sequences"


class Taken(StrEnum):
    """How one body or sequence was taken; the columns of the table."""

    VALID_ACCEPTED = "valid, accepted"
    VALID_REFUSED = "valid, refused"
    INVALID_ACCEPTED = "invalid, accepted"
    INVALID_REFUSED = "invalid, refused"
    SURVIVED = "survived"
    BROKE = "broke a clause"
    CRASHED = "crashed"


class Harm(StrEnum):
    """What a failure is."""

    CRASHED = "crashed"
    REFUSED = "refused a valid event"
    BROKE = "broke a clause"


def taken(answer: Answer, *, valid: bool) -> Taken:
    """What `answer` makes of a body that keeps the document, or does not."""
    if not answer.alive:
        return Taken.CRASHED
    if valid:
        return Taken.VALID_ACCEPTED if answer.accepted else Taken.VALID_REFUSED
    return Taken.INVALID_ACCEPTED if answer.accepted else Taken.INVALID_REFUSED


@dataclass(frozen=True)
class Failure:
    """The smallest that does this harm.

    `what` is the event, or `SEQUENCES`.  `sample` is the body, or the text of a scenario; `again`
    a line of shell that sends it again, "" for a scenario.  `repeats` says whether it did so a
    second time, None where that was not tried; `last_words` are what a process said before it died.
    """

    what: str
    harm: Harm
    expected: str
    found: str
    sample: bytes
    again: str = ""
    repeats: bool | None = None
    last_words: str = ""

    def explained(self) -> Iterator[tuple[str, str]]:
        """What there is to say about it: heading and text, in order."""
        yield "expected", self.expected
        yield "found", self.found
        if self.repeats is not None:
            yield "again", "the same" if self.repeats else "not the same: it depends on more"
        if self.last_words:
            yield "last words", self.last_words

    def as_dict(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "harm": self.harm.value,
            "expected": self.expected,
            "found": self.found,
            "sample": self.sample.decode(errors="backslashreplace"),
            "again": self.again,
            "repeats": self.repeats,
            "last_words": self.last_words,
        }


@dataclass
class Row:
    """What became of one event, or of the sequences."""

    what: str
    counts: Counter[Taken] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        counts = {name.value: self.counts[name] for name in Taken if self.counts[name]}
        return {"what": self.what, "tried": self.counts.total(), "counts": counts}


@dataclass(frozen=True)
class FuzzReport:
    """`ended` is why the attack ended before its time, "" where it did not."""

    url: str
    seed: int
    rows: tuple[Row, ...]
    ended: str = ""

    @property
    def failures(self) -> list[Failure]:
        return [failure for row in self.rows for failure in row.failures]

    @property
    def files(self) -> dict[str, Failure]:
        """A name for a file with each sample: ``sequences-crashed.yaml``."""
        named: dict[str, Failure] = {}
        for failure in self.failures:
            ending = "yaml" if failure.what == SEQUENCES else "body"
            stem = name = f"{failure.what}-{failure.harm.name.lower()}"
            numbers = count(2)
            while f"{name}.{ending}" in named:
                name = f"{stem}-{next(numbers)}"
            named[f"{name}.{ending}"] = failure
        return named

    @property
    def tried(self) -> int:
        return sum(row.counts.total() for row in self.rows)

    def problem(self) -> MockzoomError | None:
        """The error with whose status the attack ends; None when nothing broke."""
        if self.failures:
            harms = ", ".join(dict.fromkeys(f"{f.what} ({f.harm})" for f in self.failures))
            return ContractBroken(f"{self.url}: it does not survive: {harms}")
        if not self.tried:
            why = f": {self.ended}" if self.ended else ""
            return NothingTested(f"{self.url}: nothing was tested{why}")
        if self.ended == GONE:
            return ReceiverUnreachable(f"{self.url}: {self.ended}; nothing that was sent did it")
        return None

    def as_dict(self) -> dict[str, Any]:
        problem = self.problem()
        return {
            "kind": "report",
            "receiver": self.url,
            "seed": self.seed,
            "ended": self.ended,
            "exit_code": problem.exit_code if problem else 0,
            "rows": [row.as_dict() for row in self.rows],
            "failures": [failure.as_dict() for failure in self.failures],
        }


#: Why an attack ends when there is nobody left to attack.
GONE = "the receiver answers no more"
