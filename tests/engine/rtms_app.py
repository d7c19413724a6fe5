"""A small app for tests: it shakes hands, answers keep-alives, and keeps what it is sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import aiohttp

from mockzoom.core import messages
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.handshake import Identity
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.signing import Credentials, handshake_signature

PATIENCE_S = 5.0


class Conn:
    """One socket; `received` are all messages so far, `broken` what could not be read."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, *, answers: bool = True) -> None:
        self.ws = ws
        self.received: list[Message] = []
        self.broken: list[str] = []
        self.ended = False
        self._answers = answers
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for frame in self.ws:
            assert frame.type is not aiohttp.WSMsgType.ERROR, frame.data
            message = messages.decode(frame.data)
            if message is None:
                self.broken.append(frame.data)
            else:
                self.received.append(message)
                await self._answer(message)
            self._news.set()
        self.ended = True
        self._news.set()

    async def _answer(self, message: Message) -> None:
        asked = message.get("msg_type") == MessageType.KEEP_ALIVE_REQ
        if asked and self._answers and {"sequence", "timestamp"} <= message.keys():
            with contextlib.suppress(ConnectionError):
                await self.send(messages.keep_alive_resp(message))

    async def send(self, message: Message) -> None:
        await self.ws.send_str(json.dumps(message))

    async def until(self, reached: Callable[[], Any], what: str = "") -> Any:
        """What `reached` returns once it is true; asked again whenever something came."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := reached()):
                assert not self.ended, f"the socket ended while waiting for {what}"
                self._news.clear()
                await self._news.wait()
        return found

    async def next(self, msg_type: int, nth: int = 1) -> Message:
        """The `nth` message of this type since the beginning."""
        found = await self.until(lambda: self.of(msg_type)[nth - 1 :], f"message {msg_type}")
        return found[0]  # type: ignore[no-any-return]

    def of(self, msg_type: int) -> list[Message]:
        return [m for m in self.received if m.get("msg_type") == msg_type]

    @property
    def audio(self) -> list[Message]:
        return [m["content"] for m in self.of(MessageType.MEDIA_DATA_AUDIO)]

    @property
    def transcript(self) -> list[Message]:
        return [m["content"] for m in self.of(MessageType.MEDIA_DATA_TRANSCRIPT)]

    async def heard(self, frames: int) -> list[Message]:
        """The first `frames` audio frames, once they are here."""
        await self.until(lambda: len(self.audio) >= frames, f"{frames} frames of audio")
        return self.audio

    async def close_code(self) -> int | None:
        """The code with which the socket was closed, once it is."""
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([self._reader])
        return self.ws.close_code

    async def close(self) -> None:
        await self.ws.close()
        await asyncio.wait([self._reader])


class RtmsApp:
    """The app of one stream, given its identity and the signaling URL of its webhook."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        conns: list[Conn],
        credentials: Credentials,
        identity: Identity,
        server_urls: str,
    ) -> None:
        self._session = session
        self._conns = conns
        self.identity = identity
        self._signature = handshake_signature(
            credentials.client_id,
            credentials.client_secret,
            identity.id,
            identity.rtms_stream_id,
        )
        self.server_urls = server_urls
        self.media_urls: dict[str, str] = {}

    async def dial(self, url: str, **settings: Any) -> Conn:
        conn = Conn(await self._session.ws_connect(url, max_msg_size=0), **settings)
        self._conns.append(conn)
        return conn

    async def join_signaling(self, *, buffer: bool = True, **settings: Any) -> Conn:
        self.signaling = await self.dial(self.server_urls, **settings)
        await self.signaling.send(
            messages.signaling_handshake_req(
                self.identity.product.id_field,
                self.identity.id,
                self.identity.rtms_stream_id,
                self._signature,
                sequence=1,
                buffer=buffer,
            )
        )
        answer = await self.signaling.next(MessageType.SIGNALING_HAND_SHAKE_RESP)
        assert answer["status_code"] == 0, answer
        self.media_urls = answer["media_server"]["server_urls"]
        return self.signaling

    async def join_media(
        self,
        media: MediaType = MediaType.AUDIO,
        audio: Message | None = None,
        *,
        params: Message | None = None,
    ) -> Conn:
        conn = await self.dial(self.media_urls[MEDIA_KEYS[media]])
        await conn.send(
            messages.data_handshake_req(
                self.identity.product.id_field,
                self.identity.id,
                self.identity.rtms_stream_id,
                self._signature,
                sequence=2,
                media_type=media,
                media_params=params if audio is None else {"audio": audio},
            )
        )
        answer = await conn.next(MessageType.DATA_HAND_SHAKE_RESP)
        assert answer["status_code"] == 0, answer
        return conn

    async def acknowledge(self) -> None:
        """Be ready, and wait until the server has taken note."""
        told = len(self.signaling.of(MessageType.STREAM_STATE_UPDATE))
        id_ = self.identity.rtms_stream_id
        await self.signaling.send(messages.client_ready_ack(id_))
        await self.signaling.next(MessageType.STREAM_STATE_UPDATE, told + 1)

    async def join(self, audio: Message | None = None, *, buffer: bool = True) -> Conn:
        """Everything up to the audio socket on which media flows."""
        await self.join_signaling(buffer=buffer)
        conn = await self.join_media(MediaType.AUDIO, audio)
        await self.acknowledge()
        return conn


def sound(frames: list[Message]) -> bytes:
    """The bytes of audio frames, joined."""
    return b"".join(b64decode(frame["data"]) for frame in frames)
