"""Where a socket stands, and which keep-alives are open on it."""

from __future__ import annotations

import pytest

from mockzoom.core.machine import Table
from mockzoom.core.sockets import (
    MEDIA_SOCKET,
    SIGNALING,
    SIGNALING_SOCKET,
    KeepAlive,
    Socket,
    SocketEvent,
    SocketState,
)
from mockzoom.errors import RefusedTransition


@pytest.mark.parametrize("table", [SIGNALING_SOCKET, MEDIA_SOCKET], ids=lambda table: table.name)
@pytest.mark.parametrize("state", SocketState)
@pytest.mark.parametrize("event", SocketEvent)
def test_every_pair_is_in_the_table_or_refused(
    table: Table[SocketState, SocketEvent], state: SocketState, event: SocketEvent
) -> None:
    """There is a next state, or an error that names both."""
    if table.allows(state, event):
        assert table.after(state, event) in SocketState
        return
    with pytest.raises(RefusedTransition, match=f"{event.name} .* {state.name}"):
        table.after(state, event)


def test_only_signaling_is_acknowledged() -> None:
    """A media socket has no READY: it is joined, and that is all."""
    signaling, media = Socket(1, SIGNALING, 0), Socket(2, "audio", 0)
    for socket in (signaling, media):
        assert not socket.joined
        socket.step(SocketEvent.HANDSHAKE)
        assert socket.joined
    signaling.step(SocketEvent.ACK)
    assert signaling.joined
    with pytest.raises(RefusedTransition):
        media.step(SocketEvent.ACK)
    assert (str(signaling), str(media)) == ("signaling socket #1", "audio socket #2")


@pytest.mark.parametrize(
    ("answers", "taken", "left"),
    [
        ([10], [True], [20, 30]),
        ([10, 20, 30], [True, True, True], []),
        ([30], [True], []),
        ([20, 10], [True, False], [30]),
        ([10, 10], [True, False], [20, 30]),
        ([11, None, "10", [], {}], [False] * 5, [10, 20, 30]),
    ],
)
def test_an_answer_settles_its_keep_alive_and_those_before(
    answers: list[object], taken: list[bool], left: list[int]
) -> None:
    """An answer counts once, by its timestamp, and makes up for earlier ones."""
    keep_alive = KeepAlive()
    assert [keep_alive.send(at_ms) for at_ms in (10, 20, 30)] == [1, 2, 3]
    assert [keep_alive.answer(timestamp) for timestamp in answers] == taken
    assert keep_alive.unanswered == left


def test_what_was_asked_before_a_leap_of_time_is_not_missed() -> None:
    """Excused ones may still be answered; those after them count."""
    keep_alive = KeepAlive()
    for at_ms in (10, 20):
        keep_alive.send(at_ms)
    keep_alive.excuse()
    assert keep_alive.missed == 0
    keep_alive.send(30)
    assert (keep_alive.missed, keep_alive.answer(10), keep_alive.missed) == (1, True, 1)
    assert (keep_alive.answer(30), keep_alive.missed) == (True, 0)
    keep_alive.send(40)
    assert keep_alive.missed == 1
