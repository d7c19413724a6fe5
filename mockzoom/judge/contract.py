"""What a contract is: one promise that a receiver keeps or breaks, said by a test.

    @contract("WH-101", MUST, source="reference: URL validation", loses="…", gotchas=(7,))
    def test_the_token_is_encrypted(receiver: ReceiverUnderTest) -> None:
        \"\"\"A validation is answered with the token and its HMAC.\"\"\"

The first line of the docstring is the promise.  The id is stable: reports, baselines and teams
refer to it, so that a test may be renamed and its id may not.  A parametrised test is one contract
with many cases; a case that asks more of a receiver than the others says so with `needs`.

``WH-…`` and ``RT-…`` are ours.  A team's own contracts have a prefix of their own, as ``ACME-001``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

__all__ = ["ADVICE", "MUST", "SHOULD", "Broken", "Contract", "Severity", "contract", "needs"]

_ID = re.compile(r"[A-Z]{2,10}-\d{3}")

_PROFILES = {"WH": "webhook", "RT": "rtms"}


class Severity(StrEnum):
    """MUST: a clause of Zoom's.  SHOULD: what Zoom asks for and lives without.  ADVICE: ours."""

    MUST = "must"
    SHOULD = "should"
    ADVICE = "advice"


MUST, SHOULD, ADVICE = Severity


@dataclass(frozen=True)
class Contract:
    """`source` is the clause or page it comes from, `loses` what a user loses when it is broken.

    `needs` are capabilities without which it cannot be judged (see `CAPABILITIES`): a receiver
    that declares not to have one is not judged by it.  `gotchas` are rows of docs/gotchas.md.
    """

    id: str
    severity: Severity
    source: str
    loses: str
    needs: tuple[str, ...] = ()
    gotchas: tuple[int, ...] = ()

    @property
    def profile(self) -> str:
        """``webhook`` or ``rtms``; ``own`` for a team's contract, which every profile has."""
        return _PROFILES.get(self.id.partition("-")[0], "own")


def contract(
    id_: str,
    severity: Severity,
    *,
    source: str,
    loses: str,
    needs: Sequence[str] = (),
    gotchas: Sequence[int] = (),
) -> pytest.MarkDecorator:
    """Make a test a contract.

    `id_` is ``WH-…`` for webhooks, ``RT-…`` for RTMS clients, and anything of that shape for a
    team's own.  Raises ValueError for what is no id.
    """
    if not _ID.fullmatch(id_):
        raise ValueError(
            f"contract {id_!r}: expected an id such as WH-101, or ACME-001 for a contract of yours"
        )
    row = Contract(id_, severity, source, loses, tuple(needs), tuple(gotchas))
    return pytest.mark.contract(row)


def needs(*capabilities: str) -> pytest.MarkDecorator:
    """What one case of a contract asks of a receiver beside what the contract asks."""
    return pytest.mark.needs(*capabilities)


class Broken(AssertionError):
    """A contract is broken: what was expected and found, and the last messages of the wire.

    `sent` is a line that repeats what was sent, where one request did it.
    """

    def __init__(
        self, expected: str, found: str, *, sent: str = "", wire: Sequence[str] = ()
    ) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found
        self.sent = sent
        self.wire = tuple(wire)

    def __reduce__(self) -> Any:
        return (_rebuilt, (self.expected, self.found, self.sent, self.wire))


def _rebuilt(expected: str, found: str, sent: str, wire: Sequence[str]) -> Broken:
    """A `Broken` that came from another process, where pytest-xdist had it found."""
    return Broken(expected, found, sent=sent, wire=wire)
