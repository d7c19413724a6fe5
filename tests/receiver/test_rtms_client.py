"""The receiver's sockets, where no server can make happen what is to be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from mockzoom.core.client import ClientMachine
from mockzoom.core.products import MEETING
from mockzoom.core.signing import Credentials
from mockzoom.receiver import rtms_client
from mockzoom.receiver.rtms_client import RtmsClient


class Gone:
    """A socket whose peer has gone: there is nothing to read, and writing fails or never ends."""

    def __init__(self, *, hangs: bool) -> None:
        self.closed = False
        self._hangs = hangs

    async def __aiter__(self) -> AsyncIterator[Any]:
        return
        yield

    async def send_str(self, text: str) -> None:
        if self._hangs:
            await asyncio.Event().wait()
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    async def close(self, code: int) -> None:
        self.closed = True


class Session:
    """Whatever is dialled is `ws`."""

    def __init__(self, ws: Gone) -> None:
        self._ws = ws

    async def ws_connect(self, url: str, **settings: Any) -> Gone:
        return self._ws


@pytest.mark.parametrize("hangs", [False, True])
@pytest.mark.parametrize("interrupted", [False, True])
def test_a_socket_is_closed_also_where_the_last_words_cannot_be_said(
    monkeypatch: pytest.MonkeyPatch, hangs: bool, interrupted: bool
) -> None:
    """The peer has gone while a message to it was waiting, and so may who waits for the end."""
    monkeypatch.setattr(rtms_client, "_CLOSE_S", 0.01)

    async def run() -> Gone:
        ws = Gone(hangs=hangs)
        machine = ClientMachine(
            MEETING, "uuid", "id", "ws://x/", Credentials("a", "b", "c"), {}, allow_url=bool
        )
        told: list[Any] = []
        client = RtmsClient(
            machine,
            Session(ws),  # type: ignore[arg-type]
            True,
            lambda: 0,
            on_received=told.append,
            on_found=told.append,
            on_change=lambda: None,
        )
        client.act(machine.start)
        [socket] = client._sockets.values()
        if interrupted:
            await asyncio.sleep(0)
            socket.close(1000)
        await asyncio.wait([socket.task], timeout=5)
        client.act(machine.stop)
        return ws

    assert asyncio.run(run()).closed
