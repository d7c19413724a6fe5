"""What is told of a case, without what would differ in another run with the same seed.

Ids and events follow from the seed.  The time of day and the free ports that the judge has found do
not, and are told as what they are: a Unix time of about now as ``(now in ms)`` or ``(now in s)``,
and a port of this machine as 0, which is how a program asks for a free one.  The receiver's own
port stays, and so does any time that was made up.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace
from urllib.parse import urlsplit

from mockzoom.judge.verdict import Verdict

__all__ = ["about_now", "repeatable", "retold", "timeless"]

#: Further from now than this a number is no time of this run.
_ABOUT_S = 24 * 3600

_TIME = re.compile(r"(?<![\w.])(\d{10}(?:\d{3})?)(?:\.\d+)?(?!\w)")

_PORT = re.compile(r"(?<![\w.])(127(?:\.\d+){3}|localhost|\[::1\]):(\d{4,5})(?!\d)")


def repeatable(text: str, url: str) -> str:
    """`text` about the receiver at `url`, as every run tells it."""
    return timeless(_without_ports(text, url))


def timeless(text: str) -> str:
    """`text` with the times of about now as what they are."""
    return _TIME.sub(_named, text)


def retold(verdict: Verdict, url: str) -> Verdict:
    """The same verdict on the receiver at `url`, as every run tells it.

    The line that sends a request again takes the time of then, so there is none in it.
    """
    failure = verdict.failure and replace(
        verdict.failure,
        expected=repeatable(verdict.failure.expected, url),
        found=repeatable(verdict.failure.found, url),
        sent=_without_ports(verdict.failure.sent, url),
    )
    wire = tuple(repeatable(line, url) for line in verdict.wire)
    return replace(verdict, reason=repeatable(verdict.reason, url), failure=failure, wire=wire)


def about_now(digits: str) -> bool:
    """Whether `digits` are a time of about now, in Unix seconds or milliseconds."""
    return abs(int(digits[:10]) - time.time()) < _ABOUT_S


def _named(found: re.Match[str]) -> str:
    if not about_now(found[1]):
        return found[0]
    return "(now in s)" if len(found[1]) == len("1700000000") else "(now in ms)"


def _without_ports(text: str, url: str) -> str:
    own = str(urlsplit(url).port)
    return _PORT.sub(lambda found: found[0] if found[2] == own else f"{found[1]}:0", text)
