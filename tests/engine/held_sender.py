"""A sender whose attempts end when a test says so, and what must hold of each of them.

What the vendor documents is written down here once more, as simply as it can be: four attempts that
count, the next one so and so long after the one before, none after the end, each of them signed for
its moment.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import hypothesis.strategies as st
from rig import CREDENTIALS

from mockzoom.clock import Clock
from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.core.webhook_request import WebhookRequest
from mockzoom.engine.sender import Attempt, WebhookSender

MINUTE_MS = 60_000
RETRIES_MS = (5 * MINUTE_MS, 20 * MINUTE_MS, 60 * MINUTE_MS)
NEVER_MS = 2**60

statuses = st.sampled_from([None, 200, 204, 201, 302, 400, 404, 500, 503])


@dataclass
class Try:
    """One attempt, and how it ended; one that was interrupted ended without a word."""

    at_ms: int
    answer: asyncio.Future[int | None]
    status: int | None = None
    ended_ms: int | None = None
    interrupted: bool = False


@dataclass
class Sent:
    """One event for one endpoint."""

    url: str
    body: bytes
    tries: list[Try] = field(default_factory=list)

    @property
    def held(self) -> list[Try]:
        return [one for one in self.tries if one.ended_ms is None]

    @property
    def counted(self) -> list[Try]:
        return [one for one in self.tries if not one.interrupted]

    @property
    def over(self) -> bool:
        if not self.counted or self.held or self.tries[-1].interrupted:
            return False
        status = self.counted[-1].status
        return (status is not None and status < 500) or len(self.counted) == 4

    @property
    def due_ms(self) -> int:
        """When it is to be tried again."""
        if not self.tries or self.held or self.over:
            return NEVER_MS
        last = self.tries[-1]
        if last.interrupted:
            return last.ended_ms or 0
        return last.at_ms + RETRIES_MS[len(self.counted) - 1]


class HeldSender(WebhookSender):
    """Signs like the real one; what comes back is for the test to say.

    `sent` is what must be delivered.  An attempt comes at most `lateness_ms` after it is due.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(CREDENTIALS, now_s=lambda: self.clock.now_ms() / 1000)
        self.clock = clock
        self.sent: dict[tuple[str, bytes], Sent] = {}
        self.lateness_ms = 0

    @property
    def held(self) -> list[Try]:
        return [one for sent in self.sent.values() for one in sent.held]

    @property
    def unfinished(self) -> set[tuple[str, bytes]]:
        return {key for key, sent in self.sent.items() if not sent.over}

    def overdue(self) -> list[Sent]:
        """What should have been tried by now."""
        return [sent for sent in self.sent.values() if sent.due_ms <= self.clock.now_ms()]

    async def validate(self, url: str, now_ms: int) -> tuple[Attempt, str]:
        return Attempt(url, 200, 0), ""

    async def send(self, url: str, request: WebhookRequest) -> Attempt:
        sent = self.sent[url, request.body]
        self.check_time(sent)
        self.check_signature(request)
        one = Try(self.clock.now_ms(), asyncio.get_running_loop().create_future())
        sent.tries.append(one)
        one.status = await one.answer
        one.ended_ms = self.clock.now_ms()
        return Attempt(url, one.status, 0, "" if one.status else "no answer")

    def check_time(self, sent: Sent) -> None:
        """It is neither over nor on its way already, and tried when it is due or as soon after."""
        assert not sent.over
        assert not sent.held
        assert len(sent.counted) < 4
        if sent.due_ms != NEVER_MS:
            expected_ms = max(sent.due_ms, sent.tries[-1].ended_ms or 0)
            assert 0 <= self.clock.now_ms() - expected_ms <= self.lateness_ms

    def check_signature(self, request: WebhookRequest) -> None:
        headers = request.headers(CREDENTIALS.secret_token, "an-id", "a-trace")
        stamp = headers[TIMESTAMP_HEADER]
        assert stamp == str(self.clock.now_ms() // 1000)
        expected = webhook_signature(CREDENTIALS.secret_token, stamp, request.body)
        assert headers[SIGNATURE_HEADER] == expected
