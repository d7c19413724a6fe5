"""One app that does everything right, in a process of its own, and says what it heard.

    echo PLAN | python tests/soak/healthy.py

It joins the stream of the plan, takes its audio until the stream ends, and prints one line of JSON:
the timestamps of the frames, and by how many milliseconds each was late.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import aiohttp
import rtms_app
import uvloop
from rtms_app import Conn, RtmsApp

from mockzoom.core.codes import MessageType, StreamState
from mockzoom.core.handshake import Identity
from mockzoom.core.products import MEETING
from mockzoom.core.signing import Credentials

FRAME_MS = 20


class Heard(list[dict[str, Any]]):
    """Messages in the order of their coming, and of audio frames only when they came."""

    def __init__(self) -> None:
        super().__init__()
        self.at_ms: list[int] = []
        self.timestamps: list[int] = []

    def append(self, message: dict[str, Any]) -> None:
        if message["msg_type"] != MessageType.MEDIA_DATA_AUDIO:
            super().append(message)
            return
        self.at_ms.append(time.time_ns() // 1_000_000)
        self.timestamps.append(message["content"]["timestamp"])


def has_ended(signaling: Conn) -> bool:
    told = signaling.of(MessageType.STREAM_STATE_UPDATE)
    return told[-1]["state"] == StreamState.TERMINATED


async def listen(plan: dict[str, Any]) -> dict[str, Any]:
    rtms_app.PATIENCE_S = plan["patience_s"]
    conns: list[Conn] = []
    identity = Identity(MEETING, plan["id"], plan["rtms_stream_id"])
    keys = Credentials(plan["client_id"], plan["client_secret"], "none")
    async with aiohttp.ClientSession() as session:
        app = RtmsApp(session, conns, keys, identity, plan["url"])
        await app.join_signaling()
        audio = await app.join_media()
        heard = audio.received = Heard()
        await app.acknowledge()
        await app.signaling.until(lambda: has_ended(app.signaling), "the end of the stream")
        for conn in conns:
            await conn.close()
    late_ms = [at - then - FRAME_MS for at, then in zip(heard.at_ms, heard.timestamps, strict=True)]
    return {"timestamps": heard.timestamps, "late_ms": late_ms}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(listen(json.load(sys.stdin)))))
