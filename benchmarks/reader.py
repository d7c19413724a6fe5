"""The receiving side of the benchmarks: a process of its own that joins streams and reads cheaply.

It shakes hands as an app does, and from then on counts bytes and looks at none of them, so that
what a benchmark measures is the server.  It does the same for the bare transports of
`benchmarks/ceiling.py`, where there is nothing to join.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import uvloop

from mockzoom.core import messages
from mockzoom.core.codes import MessageType
from mockzoom.core.messages import Message

__all__ = ["Plan", "Reader"]

_AT_ONCE = 64
_PATIENCE_S = 120.0
_TEXT = 0x81
_UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

#: Bytes are read into here and forgotten; one buffer is enough for a process with one thread.
_WASTE = bytearray(1 << 18)


@dataclass(frozen=True)
class Plan:
    """How to join one stream: its signaling URL, and what is said on it and on the media socket."""

    url: str
    signaling: Message
    media: Message
    media_key: str
    ready: Message


class Reader:
    """A handle on the process, which `close` ends; `ca` is the file of an authority to trust."""

    def __init__(self, ca: str | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_main, args=(theirs, ca), daemon=True)
        self._process.start()

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._pipe.send(("end", None))
        self._process.join(10)
        self._process.kill()

    def join(self, plans: Sequence[Plan]) -> None:
        """Join all streams; media flows on them when it returns."""
        self._ask("join", plans)

    def connect(self, port: int, number: int) -> None:
        """Open `number` bare connections to `port`."""
        self._ask("connect", (port, number))

    def leave(self) -> None:
        """Close every connection."""
        self._ask("leave", None)

    @property
    def bytes(self) -> int:
        """How many were read since the start."""
        return int(self._ask("bytes", None))

    def _ask(self, what: str, argument: Any) -> Any:
        self._pipe.send((what, argument))
        if not self._pipe.poll(_PATIENCE_S):
            raise TimeoutError(f"the reader did not {what} within {_PATIENCE_S:g} s")
        answer = self._pipe.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Sink(asyncio.BufferedProtocol):
    """Counts what comes."""

    total = 0

    def get_buffer(self, sizehint: int) -> bytearray:
        return _WASTE

    def buffer_updated(self, nbytes: int) -> None:
        _Sink.total += nbytes


class _Joiner:
    """Belongs to the loop of the reader's process."""

    def __init__(self, trust: ssl.SSLContext | None) -> None:
        self._trust = trust
        self._transports: list[asyncio.BaseTransport] = []
        self._writers: list[StreamWriter] = []  # one that is forgotten closes its socket
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def join(self, plans: Sequence[Plan]) -> None:
        await asyncio.gather(*(self._join(plan) for plan in plans))

    async def _join(self, plan: Plan) -> None:
        async with self._room:
            signaling = await self._dial(plan.url)
            answer = await _ask(signaling, plan.signaling)
            media = await self._dial(answer["media_server"]["server_urls"][plan.media_key])
            await _ask(media, plan.media)
            _send(signaling[1], plan.ready)
            for _, writer in (signaling, media):
                writer.transport.set_protocol(_Sink())

    async def _dial(self, url: str) -> tuple[StreamReader, StreamWriter]:
        parts = urlsplit(url)
        trust = self._trust if parts.scheme == "wss" else None
        reader, writer = await asyncio.open_connection("127.0.0.1", parts.port, ssl=trust)
        self._transports.append(writer.transport)
        self._writers.append(writer)
        writer.write(_UPGRADE.format(path=parts.path).encode())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        return reader, writer

    async def connect(self, port: int, number: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(number):
            made = await loop.create_connection(_Sink, "127.0.0.1", port, ssl=self._trust)
            self._transports.append(made[0])

    def leave(self) -> None:
        for transport in self._transports:
            transport.abort()  # type: ignore[attr-defined]
        self._transports.clear()
        self._writers.clear()


async def _ask(socket: tuple[StreamReader, StreamWriter], message: Message) -> Message:
    _send(socket[1], message)
    while (answer := await _receive(socket[0]))["msg_type"] == MessageType.KEEP_ALIVE_REQ:
        pass
    assert answer["status_code"] == 0, answer
    return answer


def _send(writer: StreamWriter, message: Message) -> None:
    payload = messages.encode(message).encode()
    size = len(payload)  # handshakes have between 126 and 65,535 bytes, an acknowledgement fewer
    told = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    writer.write(bytes([_TEXT]) + told + bytes(4) + payload)


async def _receive(reader: StreamReader) -> Message:
    _, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2), "big")
    message: Message = json.loads(await reader.readexactly(size))
    return message


async def _serve(pipe: Connection, ca: str | None) -> None:
    trust = ssl.create_default_context(cafile=ca) if ca else None
    if trust is not None:
        trust.check_hostname = False  # it is for localhost, and the address is what is dialled
    joiner = _Joiner(trust)
    while True:
        what, argument = await asyncio.to_thread(pipe.recv)
        answer: object = None
        try:
            match what:
                case "join":
                    await joiner.join(argument)
                case "connect":
                    await joiner.connect(*argument)
                case "leave":
                    joiner.leave()
                case "bytes":
                    answer = _Sink.total
                case "end":
                    return
        except Exception as error:
            answer = RuntimeError(f"reader: {what}: {type(error).__name__}: {error}")
        pipe.send(answer)


def _main(pipe: Connection, ca: str | None) -> None:
    uvloop.run(_serve(pipe, ca))
