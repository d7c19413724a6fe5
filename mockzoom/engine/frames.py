"""How frames are written to a socket of picows, and how one is closed."""

from __future__ import annotations

import asyncio
from typing import cast

from picows import WSCloseCode, WSMsgType, WSTransport

__all__ = ["end", "write"]

#: The longest header of a WebSocket frame.
_HEADER_BYTES = 14

#: Up to this size the library copies a frame, and what the system does not take of it once more.
_COPIED_BYTES = 8192

_CLOSE_S = 2.0


def write(
    transport: WSTransport, data: bytes, kind: WSMsgType = WSMsgType.TEXT, last: bool = True
) -> None:
    if len(data) <= _COPIED_BYTES:
        transport.send(kind, data, last)
        return
    # A buffer of its own for each longer frame: the library's plain `send` uses one for the headers
    # of all, from which a transport of uvloop still reads when the app is slow.
    frame = bytearray(_HEADER_BYTES) + data
    transport.send_reuse_external_bytearray(kind, frame, _HEADER_BYTES, last)


def end(transport: WSTransport, code: WSCloseCode | int = 1000, reason: str = "") -> None:
    """A close frame and the end of the connection."""
    # An app's own codes (4000 and up) are no names of the enum, but go out as well.
    transport.send_close(cast(WSCloseCode, code), reason.encode())
    transport.disconnect()
    # Nobody waits for ever for a peer that does not take the rest.
    asyncio.get_running_loop().call_later(_CLOSE_S, transport.disconnect, False)
