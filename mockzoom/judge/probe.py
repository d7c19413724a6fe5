"""What can be found out about a receiver before it is judged: is it there, and what does it do?

Nothing here is a verdict.  It is told first, because most of what a first run shows red has one of
three causes: the URL, the secret, or a receiver that was never meant to do that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from mockzoom.core.signing import encrypted_token
from mockzoom.errors import ReceiverUnreachable
from mockzoom.judge.answer import Answer, Trouble
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import Broken
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.repeatable import repeatable

__all__ = ["Discovery", "probe"]

#: How long a receiver has to open its first socket.
_CONNECT_S = 5.0

_TOKEN = "qgg8vlvZRS6UYooatFL8Aw"  # noqa: S105 - as Zoom's example has it


@dataclass(frozen=True)
class Discovery:
    """`validates` and `connects` are what was found, in words; "" for what was not tried."""

    answers: str
    validates: str
    connects: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """What was found out, each with its name."""
        found = {
            "answers": self.answers,
            "URL validation": self.validates,
            "RTMS": self.connects,
        }
        return [(name, text) for name, text in found.items() if text]


def probe(assignment: Assignment, *, rtms: bool) -> Discovery:
    """Ask the receiver to validate, and with `rtms` start a stream to see whether it connects.

    Raises ReceiverUnreachable when nobody listens at its URL.
    """
    with ReceiverUnderTest(assignment.url, assignment.credentials) as receiver:
        event = {"event": "endpoint.url_validation", "event_ts": 1}
        answer = receiver.deliver({**event, "payload": {"plainToken": _TOKEN}})
        if answer.trouble is Trouble.UNREACHABLE:
            raise ReceiverUnreachable(f"{assignment.url}: nobody listens; is the receiver running?")
        connects = _connects(assignment, receiver) if rtms and answer.trouble is None else ""
    validates = repeatable(_validates(assignment, answer), assignment.url)
    return Discovery(str(answer.trouble or "yes"), validates, connects)


def _validates(assignment: Assignment, answer: Answer) -> str:
    secret = assignment.credentials.secret_token
    expected = {"plainToken": _TOKEN, "encryptedToken": encrypted_token(secret, _TOKEN)}
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if answer.status != 200 or answer.trouble:
        hint = "; is --secret-token the one that it has?" if answer.status in (401, 403) else ""
        return f"no: {answer}{hint}"
    if not isinstance(found, dict) or found.get("plainToken") != _TOKEN:
        return "no: the answer is not its proof"
    if found.get("encryptedToken") != expected["encryptedToken"]:
        return "no: a wrong encryptedToken; is --secret-token the one that it has?"
    return "right"


def _connects(assignment: Assignment, receiver: ReceiverUnderTest) -> str:
    if "rtms" in assignment.without:
        return "declared not to be done"
    from mockzoom.judge.stage import Stage, Theatre

    with Theatre(assignment, receiver) as theatre, Stage(theatre, "probe") as stage:
        stream = stage.begin()
        try:
            stream.until("a socket", lambda seen: bool(seen.sockets), _CONNECT_S)
        except Broken:
            return (
                f"no connection within {_CONNECT_S:g} s of a start (--without rtms if so meant; "
                f"start it anew if it was judged with seed {assignment.seed} before)"
            )
    return "connects"
