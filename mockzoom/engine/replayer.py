"""Plays a recording into a receiver that may never have heard of the one that was recorded.

All ids, timestamps and URLs are fresh, and so are the signatures of the webhooks.  What happens
when is in `replay_script`, who is connected where in `replay_stage`.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mockzoom.clock import Clock
from mockzoom.core.findings import Finding
from mockzoom.core.outline import Outline
from mockzoom.core.restaging import Restaging
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.core.zoom_ids import ZoomIds
from mockzoom.engine.replay_script import Pace, Script
from mockzoom.engine.replay_stage import Listener, Stage
from mockzoom.engine.sender import WebhookSender, checked_url
from mockzoom.engine.tape import opened_recording
from mockzoom.errors import ConfigurationError, NothingTested

__all__ = ["Replayed", "Replayer"]

_GOING_AWAY = 1001


@dataclass(frozen=True)
class Replayed:
    """What was played: counts of streams, webhooks and messages on sockets, and the findings."""

    streams: int
    webhooks: int
    messages: int
    findings: tuple[Finding, ...]


class Replayer:
    """Plays the file `path` into `receiver` once.

    `speed` divides all gaps.  Ids and URLs follow from `seed`; without one they are new in every
    run.  The receiver is waited for as long as Zoom would, or for `patience_s`.
    `on_event(kind, fields)` is called for "webhook", "waiting" and "finding".

    Raises `ConfigurationError` for settings that cannot be.
    """

    def __init__(
        self,
        path: Path,
        receiver: str,
        credentials: Credentials,
        *,
        speed: float = 1.0,
        seed: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        patience_s: float | None = None,
        on_event: Listener | None = None,
    ) -> None:
        if not 0 < speed < float("inf"):
            raise ConfigurationError(f"speed: expected a number above 0, found {speed}")
        timings = Timings()
        self._path = path
        self._receiver = checked_url(receiver)
        self._credentials = credentials
        self._speed = speed
        self._seed = secrets.randbits(128) if seed is None else seed
        self._host, self._port = host, port
        self._patience_s = timings.connect_window_ms / 1000 if patience_s is None else patience_s
        self._grace_s = min(timings.close_grace_ms / 1000, self._patience_s)
        self._tell = on_event or (lambda kind, fields: None)

    def play(self) -> Replayed:
        """Play it to its end.

        Raises `BadRecording`, before anything is sent; `NothingTested` for a recording of nothing;
        `ReceiverUnreachable` when nobody takes the first webhook; and what `listen` raises.
        """
        with opened_recording(self._path) as (_, entries):
            outline = Outline.of(entries, str(self._path))
        if not outline.webhooks:
            raise NothingTested(f"{self._path}: holds no webhook, so there is nothing to replay")
        return asyncio.run(self._play(outline))

    async def _play(self, outline: Outline) -> Replayed:
        pace = Pace(self._speed, self._patience_s)
        stage = Stage(
            outline,
            self._credentials,
            now_ms=Clock().now_ms,
            timeout_s=self._patience_s,
            on_news=pace.news.set,
            tell=self._tell,
        )
        await stage.server.start(self._host, self._port)
        try:
            async with WebhookSender(self._credentials) as sender:
                script = await self._perform(outline, stage, pace, sender)
        finally:
            await stage.server.close(_GOING_AWAY)
        return Replayed(script.streams, script.webhooks, stage.sent, tuple(stage.findings))

    async def _perform(
        self, outline: Outline, stage: Stage, pace: Pace, sender: WebhookSender
    ) -> Script:
        ids = ZoomIds(self._seed)
        with opened_recording(self._path) as (header, entries):
            restaging = Restaging(ids, header.began_ms, Clock().now_ms())
            post = partial(sender.post, self._receiver)
            token = ids.rtms_stream_id
            script = Script(outline, stage, pace, restaging, token, post, self._tell)
            for _, entry in entries:
                await pace.wait_until(entry.at_ms)
                await script.perform(entry)
        await script.leave(self._grace_s)
        return script
