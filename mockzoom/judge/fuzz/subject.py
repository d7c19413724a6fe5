"""The receiver under attack: it may die of any request, and the attack has to go on.

Before each try it is seen to be there.  One that has died, or hangs for everybody, is started again
if it was started here (`Launched`), and given some seconds to come back if it was not: many are
watched by something that restarts them.  When it stays away the attack is over, and what was found
up to then is what there is.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time

from mockzoom.judge.answer import Answer
from mockzoom.judge.fuzz.findings import GONE
from mockzoom.judge.fuzz.launched import Launched
from mockzoom.judge.receiver_under_test import ReceiverUnderTest

__all__ = ["Over", "Subject"]

#: How long one that is not ours may take to come back.
_BACK_S = 5.0
_LOOK_S = 0.1

#: Changes nothing in any receiver; whatever it answers, it lives.
_HARMLESS = json.dumps({"event": "mockzoom.fuzz", "event_ts": 1, "payload": {}}).encode()


class Over(BaseException):
    """The attack ends here.  Hypothesis takes an `Exception` for a finding, and lets this pass."""


class Subject:
    """`deadline_s` is when the attack is to be over, by the monotonic clock."""

    def __init__(
        self, receiver: ReceiverUnderTest, deadline_s: float, process: Launched | None = None
    ) -> None:
        self.receiver = receiver
        self._deadline_s = deadline_s
        self._process = process
        self._suspect = False

    @property
    def url(self) -> str:
        return self.receiver.url

    def ready(self) -> None:
        """See that there is time left and somebody to attack; raises `Over`."""
        if time.monotonic() > self._deadline_s:
            raise Over("the time is over (--max-time)")
        if self._suspect:
            self._revive()
            self._suspect = False

    def fresh(self) -> None:
        """As `ready`, and as newly started where it was started here: nothing is left of before."""
        if self._process is not None:
            self._process.restart()
            self._suspect = False
        self.ready()

    def post(self, body: bytes) -> Answer:
        """`body`, rightly signed."""
        answer = self.receiver.post(body)
        if answer.trouble is None:
            return answer
        self.suspect()
        return dataclasses.replace(answer, died=self.died())

    def suspect(self) -> None:
        """Something happened after which it may be gone."""
        self._suspect = True

    def died(self) -> bool:
        """Whether its process has ended, as far as that can be seen."""
        return self._process.ended() if self._process else not self.receiver.listens()

    def answers(self) -> bool:
        return self.receiver.post(_HARMLESS).trouble is None

    def last_words(self) -> str:
        """What its process has said, without the secrets, where it was started here."""
        if self._process is None:
            return ""
        said = self._process.last_words()
        credentials = self.receiver.credentials
        for secret in (credentials.client_secret, credentials.secret_token):
            said = said.replace(secret, "(secret)") if secret else said
        return said

    def _revive(self) -> None:
        deadline_s = time.monotonic() + _BACK_S
        while not self.answers():
            if self._process is not None:
                self._process.restart()
                return
            if time.monotonic() > deadline_s:
                raise Over(GONE)
            threading.Event().wait(_LOOK_S)
