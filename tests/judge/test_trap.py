"""The address at which nobody serves."""

from __future__ import annotations

import socket

from mockzoom.judge.trap import Trap


def test_callers_are_noted_and_hung_up_on() -> None:
    """Whoever connects is counted, and gets the end of the connection."""
    with Trap() as trap:
        assert not trap.called(0)
        for times in (1, 2):
            with socket.create_connection(("127.0.0.1", trap.port), timeout=10) as caller:
                assert trap.called(10, times)
                assert caller.recv(1) == b""
        assert len(trap.calls) == 2
        assert trap.url == f"ws://127.0.0.1:{trap.port}/signaling/trap"


def test_it_is_gone_at_the_end() -> None:
    """After the end nobody listens there, and its thread is over."""
    with Trap() as trap:
        port = trap.port
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", port)) != 0
    trap._thread.join(10)
    assert not trap._thread.is_alive()
