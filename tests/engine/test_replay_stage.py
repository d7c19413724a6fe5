"""Whatever a receiver says while it is played to, it is answered or found fault with."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from recorded import OTHER

from mockzoom.core.codes import MessageType
from mockzoom.core.handshake import Identity
from mockzoom.core.outline import Outline
from mockzoom.core.products import MEETING
from mockzoom.core.protocol import load_protocol
from mockzoom.core.signing import handshake_signature
from mockzoom.engine.replay_sockets import AppSocket, Place
from mockzoom.engine.replay_stage import Stage

UUID, STREAM = "4444AAAiAAAAAiAiAiiAii==", "609340fb2a7946909659956c8aa9250c"
SIGNATURE = handshake_signature(OTHER.client_id, OTHER.client_secret, UUID, STREAM)
URL = "wss://rtms-1.example.com/"

fields = {
    "msg_type": st.sampled_from(MessageType) | st.integers(-1, 40),
    "protocol_version": st.just(1) | st.none(),
    "sequence": st.integers() | st.text(max_size=3),
    "meeting_uuid": st.just(UUID) | st.integers(),
    "rtms_stream_id": st.just(STREAM) | st.text(max_size=3),
    "signature": st.just(SIGNATURE) | st.none() | st.text(max_size=3),
    "media_type": st.integers(-1, 70) | st.floats(allow_nan=False),
    "media_params": st.none() | st.lists(st.integers()) | st.dictionaries(st.text(), st.none()),
    "rtms_session_id": st.none() | st.text(max_size=3),
    "user_id": st.integers() | st.text(max_size=3),
}
said = st.fixed_dictionaries({}, optional=fields).map(json.dumps) | st.text() | st.binary()


class Deaf(AppSocket):
    """A socket without a connection: what it is sent is kept."""

    def __init__(self) -> None:
        super().__init__(None, None)  # type: ignore[arg-type]
        self.answers: list[dict[str, Any]] = []

    @property
    def alive(self) -> bool:
        return True

    async def send(self, message: dict[str, Any], *, binary: bool, timeout_s: float) -> bool:
        self.answers.append(message)
        return True


@given(st.sampled_from(["signaling", "audio"]), st.lists(said, max_size=6))
@example("signaling", ['{"msg_type": 1, "sequence": ""}'])
@example("signaling", ['{"msg_type": 28}'])
@example("signaling", ['{"msg_type": 10, "rtms_session_id": 7}'])
@example("signaling", ['{"msg_type": 19}', '{"msg_type": 21}'])
@example("audio", ['{"msg_type": 3, "sequence": 4294967296}'])
def test_nothing_breaks_the_stage(leg: str, messages: list[str | bytes]) -> None:
    """Any bytes at all: no exception, a finding for each refusal, and answers of the protocol."""
    outline = Outline()
    kind = 1 if leg == "signaling" else 3
    outline.heard[URL, kind] = 1
    stage = Stage(
        outline,
        OTHER,
        now_ms=lambda: 1763814001000,
        timeout_s=1,
        on_news=lambda: None,
        tell=lambda kind, fields: None,
    )
    place = Place(leg, "ws://here", URL, Identity(MEETING, UUID, STREAM))
    socket = Deaf()

    async def hear() -> None:
        for message in messages:
            await stage.heard(place, socket, message)

    asyncio.run(hear())
    assert len(socket.answers) <= len(stage.findings) <= len(messages)
    assert all(answer["status_code"] for answer in socket.answers)
    assert [p for answer in socket.answers for p in load_protocol().problems(answer)] == []
