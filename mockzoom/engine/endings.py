"""How a connection ends when the end of another one is repeated on it."""

from __future__ import annotations

import asyncio
import socket
import struct

from mockzoom.core.recording import CUT

__all__ = ["cut", "sendable"]

#: SO_LINGER on with a time of 0: closing sends RST, as a failing network would.
_RESET = struct.pack("ii", 1, 0)

#: Codes that only tell of how something ended, and are not for sending (RFC 6455, 7.4.1).
_TOLD_ONLY = (1004, 1005, CUT, 1015)


def cut(transport: asyncio.Transport | None) -> None:
    """End a connection without a close frame: by a reset, where the platform has one."""
    if transport is None or transport.is_closing():
        return
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


def sendable(code: int) -> int:
    """`code`, if it may stand in a close frame, else that of a normal closure."""
    return code if 1000 <= code < 5000 and code not in _TOLD_ONLY else 1000
