"""What came back from a receiver, or what happened instead.

A receiver under test may do anything: hang, die, speak no HTTP, redirect, never end.  Each of these
is a `Trouble` here, told apart from a refusal, because a refusal is often right and the others
never are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from mockzoom.judge.contract import Broken

__all__ = ["ACCEPTED", "ALIVE", "REFUSED", "SPARED", "Answer", "Expectation", "Trouble"]

#: Zoom waits this long for an answer and then counts the delivery as failed.
PATIENCE_S = 3.0

#: An answer that took longer than this is worth a word about its time.
_SLOW_S = 1.0


class Trouble(StrEnum):
    """Why there is no answer that counts."""

    UNREACHABLE = "nobody listens"
    CRASHED = "the connection was closed without an answer"
    CUT = "the answer broke off"
    GARBAGE = "the answer is not HTTP"
    HUNG = "no answer in time"
    ENDLESS = "the answer does not end"


@dataclass(frozen=True)
class Answer:
    """`status` is None where `trouble` says why; a cut or endless answer has both.

    `body` is as much of it as was read.  `sent` is a line of shell that sends the same request
    again, `wire` what was exchanged in this test so far, and `died` whether nobody listens there
    any more.
    """

    status: int | None
    body: bytes = b""
    took_s: float = 0.0
    trouble: Trouble | None = None
    detail: str = ""
    content_type: str = ""
    location: str = ""
    died: bool = False
    sent: str = field(default="", compare=False)
    wire: tuple[str, ...] = field(default=(), compare=False)

    @property
    def accepted(self) -> bool:
        """By the only two statuses that Zoom takes for a delivery."""
        return self.trouble is None and self.status in (200, 204)

    @property
    def refused(self) -> bool:
        return self.trouble is None and self.status is not None and 400 <= self.status < 500

    @property
    def alive(self) -> bool:
        """Whether it is an answer at all, and none of a receiver that has failed."""
        return self.trouble is None and self.status is not None and self.status < 500

    def must_be(self, expected: Expectation) -> Answer:
        """Itself; raises Broken when it is not as `expected`."""
        if not expected.met(self):
            raise self.broken(expected.text)
        return self

    def broken(self, expected: str, found: str = "") -> Broken:
        """The exception that says so: `found` instead of what the answer is, if given."""
        return Broken(expected, found or str(self), sent=self.sent, wire=self.wire)

    def __str__(self) -> str:
        if self.trouble is not None:
            return self._told_trouble()
        told = f"status {self.status}"
        if self.location:
            told += f", a redirect to {self.location} (Zoom follows none)"
        if self.took_s >= _SLOW_S:
            told += f" after more than {int(self.took_s)} s"
        return told + (f": {excerpt(self.body)}" if self.body else "")

    def _told_trouble(self) -> str:
        begun = f" after status {self.status}" if self.status is not None else ""
        detail = f" ({self.detail})" if self.detail else ""
        died = ""
        if self.died and self.trouble is not Trouble.UNREACHABLE:
            died = "; now nobody listens there any more: the process has died"
        return f"{self.trouble}{begun}{detail}{died}"


@dataclass(frozen=True)
class Expectation:
    """What an answer is to be, in words and as a question."""

    text: str
    met: Callable[[Answer], bool]


ACCEPTED = Expectation("200 or 204 within 3 s", lambda answer: answer.accepted)
REFUSED = Expectation("a refusal: a status from 400 to 499", lambda answer: answer.refused)
ALIVE = Expectation("any answer but a 5xx", lambda answer: answer.alive)

#: A body may be so big that a server hangs up in the middle of it, which is a refusal too.
SPARED = Expectation(
    "any answer but a 5xx, or a closed connection, and a receiver that still runs",
    lambda answer: answer.alive or (answer.trouble is Trouble.CRASHED and not answer.died),
)


def excerpt(data: bytes, limit: int = 300) -> str:
    """The beginning of `data` for people to read: on one line, control characters made visible."""
    text = data[: 4 * limit].decode(errors="replace")
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return shown if len(shown) <= limit else f"{shown[:limit]}… ({len(data):,} bytes)"
