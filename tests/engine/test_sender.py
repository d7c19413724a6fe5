"""Single webhooks on the wire: what counts as an answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from rig import CREDENTIALS, PATIENCE_S, in_loop
from webhook_app import (
    a_port,
    an_app,
    dripping_body,
    endless_body,
    endless_header,
    garbage,
    nothing,
    reset,
    silence,
)

from mockzoom.engine.sender import WebhookSender
from mockzoom.errors import ConfigurationError


@pytest.mark.parametrize(
    ("talk", "timeout_s", "told"),
    [
        (silence, 0.1, "no answer within 0.1 s"),
        (nothing, PATIENCE_S, "Server disconnected"),
        (reset, PATIENCE_S, ""),
        (garbage, PATIENCE_S, ""),
        (endless_header, PATIENCE_S, ""),
        (dripping_body, 0.3, "no answer within 0.3 s"),
    ],
)
@in_loop
async def test_no_sound_answer_is_no_answer(talk: Any, timeout_s: float, told: str) -> None:
    """Whatever comes in place of HTTP, the attempt says in one short line why there is none."""
    async with a_port(talk) as url, WebhookSender(CREDENTIALS, timeout_s) as sender:
        attempt = await sender.post(url, b"{}")
    assert attempt.status is None
    assert attempt.error
    assert told in attempt.error
    assert "\n" not in attempt.error
    assert len(attempt.error) <= 200
    assert not attempt.ok


@in_loop
async def test_an_answer_without_end_is_read_to_a_bound() -> None:
    """The status counts; of the body 64 KiB are kept."""
    async with a_port(endless_body) as url, WebhookSender(CREDENTIALS, PATIENCE_S) as sender:
        attempt = await sender.post(url, b"{}")
    assert attempt.ok
    assert len(attempt.body) == 64 * 1024


@in_loop
async def test_the_first_webhooks_may_come_together() -> None:
    """All of them wait for what posts them to be loaded, and share it."""
    async with an_app() as app, WebhookSender(CREDENTIALS, PATIENCE_S) as sender:
        attempts = await asyncio.gather(*(sender.post(app.url, b'{"event":"x"}') for _ in range(3)))
    assert all(attempt.ok for attempt in attempts)
    assert len(app.requests) == 3


@in_loop
async def test_nobody_listens() -> None:
    """A refused connection, an unknown host, a scheme that is none."""
    async with WebhookSender(CREDENTIALS) as sender:
        attempt = await sender.post("http://127.0.0.1:1/", b"{}")
        assert (attempt.status, attempt.ok) == (None, False)
        assert "refused" in attempt.error.lower() or "connect call failed" in attempt.error.lower()
        for url in ("ftp://x", "127.0.0.1:3000", "http://", "http://[::1", "http://x:0/"):
            with pytest.raises(ConfigurationError, match=r"receiver .*: expected an address"):
                await sender.post(url, b"{}")


@in_loop
async def test_a_request_is_stamped_with_the_time_of_this_machine() -> None:
    """Unix seconds of a clock that tests may set; each request has an id and a trace of its own."""
    heads: list[dict[str, str]] = []

    async with an_app() as app, WebhookSender(CREDENTIALS, PATIENCE_S, lambda: 1234.9) as sender:
        for _ in range(2):
            assert (await sender.post(app.url, b'{"event":"x"}')).ok
        heads = [dict(request.headers) for request, _ in app.requests]
    assert {head["x-zm-request-timestamp"] for head in heads} == {"1234"}
    assert len({head["x-zm-request-id"] for head in heads}) == 2
    assert len({head["traceparent"] for head in heads}) == 2
