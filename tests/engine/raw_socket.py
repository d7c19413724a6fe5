"""A WebSocket by hand, for what libraries do not do."""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

TEXT, BINARY, CONTINUATION, CLOSE, PING = 1, 2, 0, 8, 9


class Wire:
    """A WebSocket by hand, for what libraries do not do."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def upgrade(self, url: str) -> int:
        """The status of the answer to an upgrade request."""
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}"
        self.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        return int(head.split()[1])

    def send(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        head = bytes([opcode | (0x80 if fin else 0)])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65_536:
            head += bytes([0x80 | 126]) + struct.pack("!H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", len(payload))
        self.writer.write(head + bytes(4) + payload)

    async def receive(self) -> tuple[int, bytes]:
        """The opcode and payload of the next frame."""
        opcode, size = await self.reader.readexactly(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        return opcode & 0x0F, await self.reader.readexactly(size)

    async def message(self) -> dict[str, object]:
        opcode, payload = await self.receive()
        assert opcode == TEXT
        return json.loads(payload)  # type: ignore[no-any-return]

    async def close_code(self) -> int:
        while (frame := await self.receive())[0] != CLOSE:
            pass
        return int.from_bytes(frame[1][:2], "big")


@asynccontextmanager
async def wire(url: str, ca: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=ca)
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()
