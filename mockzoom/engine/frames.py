"""How frames are written to a socket of picows, and how one is closed."""

from __future__ import annotations

import asyncio
from typing import cast

from picows import WSCloseCode, WSMsgType, WSTransport

__all__ = ["end", "write"]

#: The longest header of a WebSocket frame.
_HEADER_BYTES = 14

_CLOSE_S = 2.0


def write(
    transport: WSTransport, data: bytes, kind: WSMsgType = WSMsgType.TEXT, last: bool = True
) -> None:
    # A buffer of its own for each frame: the library's plain `send` uses one for all, which a
    # transport of uvloop still reads from when the app is slow and the next frame is written.
    frame = bytearray(_HEADER_BYTES) + data
    transport.send_reuse_external_bytearray(kind, frame, _HEADER_BYTES, last)


def end(transport: WSTransport, code: int = 1000, reason: str = "") -> None:
    """A close frame and the end of the connection."""
    # An app's own codes (4000 and up) are no names of the enum, but go out as well.
    transport.send_close(cast(WSCloseCode, code), reason.encode())
    transport.disconnect()
    # Nobody waits for ever for a peer that does not take the rest.
    asyncio.get_running_loop().call_later(_CLOSE_S, transport.disconnect, False)
