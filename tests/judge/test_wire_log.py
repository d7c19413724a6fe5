"""What was said on sockets, told in a way that milliseconds do not change."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockzoom.judge.wire_log import Entry, names, renamed, wire_log


def opened(conn: int, key: str) -> Entry:
    return {"kind": "socket", "happened": "opened", "conn": conn, "socket": key}


def said(conn: int, way: str, name: str, **message: Any) -> Entry:
    return {"kind": "message", "conn": conn, "way": way, "name": name, "message": message}


def asked(conn: int, timestamp: int) -> Entry:
    return said(conn, "out", "KEEP_ALIVE_REQ", timestamp=timestamp)


def answered(conn: int, timestamp: int | None) -> Entry:
    return said(conn, "in", "KEEP_ALIVE_RESP", timestamp=timestamp)


SOCKETS = (
    [opened(4, "signaling"), said(4, "in", "HELLO"), asked(4, 1), answered(4, 1), asked(4, 2)],
    [opened(5, "audio"), said(5, "in", "HELLO", audio=1), said(5, "out", "WELCOME"), asked(5, 1)],
    [opened(6, "video"), said(6, "in", "HELLO", video=1), said(6, "out", "WELCOME")],
)


@given(st.lists(st.sampled_from(range(3)), max_size=30), st.data())
def test_sockets_are_told_one_after_another(order: list[int], data: st.DataObject) -> None:
    """However their messages have mixed, each socket has its name and its own lines."""
    left = [list(socket) for socket in SOCKETS]
    mixed = [left[socket].pop(0) for socket in order if left[socket]]
    mixed += [entry for socket in data.draw(st.permutations(left)) for entry in socket]
    assert wire_log(mixed) == (
        "receiver on signaling #1: HELLO {}",
        'receiver on audio #1: HELLO {"audio":1}',
        "zoom on audio #1: WELCOME {}",
        'receiver on video #1: HELLO {"video":1}',
        "zoom on video #1: WELCOME {}",
    )


def test_keep_alives_are_told_where_they_fail() -> None:
    """The first that has no answer although another came after it, and the first odd answer."""
    log = [opened(1, "audio"), asked(1, 1), answered(1, 1), asked(1, 2), answered(1, None)]
    log += [asked(1, 3), answered(1, 7), asked(1, 4)]
    assert wire_log(log) == (
        'zoom on audio #1: KEEP_ALIVE_REQ {"timestamp":2} (never answered)',
        'receiver on audio #1: KEEP_ALIVE_RESP {"timestamp":null} (answers none)',
    )


def test_news_are_told_after_what_was_asked() -> None:
    """What happens meanwhile comes between questions and answers, here or there, in any order."""
    events = [said(1, "out", "EVENT_UPDATE", event=number) for number in (7, 2)]
    asked_, answer = said(1, "in", "ASKED"), said(1, "out", "ANSWERED")
    lines = (
        "receiver on signaling #1: ASKED {}",
        "zoom on signaling #1: ANSWERED {}",
        'zoom on signaling #1: EVENT_UPDATE {"event":2}',
        'zoom on signaling #1: EVENT_UPDATE {"event":7}',
    )
    assert wire_log([opened(1, "signaling"), asked_, *events, answer]) == lines
    assert wire_log([opened(1, "signaling"), events[1], asked_, answer, events[0]]) == lines


def test_a_dead_socket_is_told_once_a_key() -> None:
    """How many keep-alives the next one has had time to miss is a matter of chance."""
    dead = [entry for n in (1, 2) for entry in (opened(n, "audio"), asked(n, 1), asked(n, 2))]
    line = 'zoom on audio #1: KEEP_ALIVE_REQ {"timestamp":1} (never answered)'
    assert wire_log(dead) == wire_log(dead[:-1]) == (line,)


@given(st.permutations([said(1, "in", "READY"), *[said(1, "out", "NEWS", number=1)] * 3]))
def test_what_is_said_again_is_told_once(between: list[Entry]) -> None:
    """Whenever it is said again: a receiver may say the same with every keep-alive."""
    log = [opened(1, "signaling"), said(1, "in", "READY"), said(1, "out", "NEWS", number=1)]
    assert wire_log([*log, *between]) == (
        "receiver on signaling #1: READY {} (more than once)",
        'zoom on signaling #1: NEWS {"number":1} (more than once)',
    )


def test_there_are_not_too_many_lines() -> None:
    """Of a long talk the beginning is told."""
    lines = wire_log([opened(1, "audio"), *(said(1, "out", "NEWS", n=n) for n in range(40))])
    assert len(lines) == 13
    assert lines[-1] == "more on audio #1 …"


def test_what_counts_messages_is_left_out() -> None:
    """Two sockets at once take their numbers from one counter; what is no number stays."""
    log = [opened(1, "audio"), said(1, "in", "A", sequence=7), said(1, "in", "B", sequence="x")]
    lines = ('receiver on audio #1: A {"sequence":"…"}', 'receiver on audio #1: B {"sequence":"x"}')
    assert wire_log(log) == lines


def test_of_many_sockets_the_first_few_are_told() -> None:
    """A receiver that knocks a hundred times says the same each time."""
    log = [entry for n in range(9) for entry in (opened(n, "audio"), said(n, "in", "KNOCK"))]
    assert wire_log(log) == tuple(f"receiver on audio #{n}: KNOCK {{}}" for n in (1, 2, 3))


def test_one_socket_can_be_told_alone() -> None:
    """What a finding is about is enough, if it is about a socket."""
    log = [entry for socket in SOCKETS for entry in socket]
    lines = ('receiver on video #1: HELLO {"video":1}', "zoom on video #1: WELCOME {}")
    assert wire_log(log, "video socket #6") == lines
    assert wire_log(log, "upgrade request") == wire_log(log)


def test_the_numbers_of_the_mock_are_told_as_ours() -> None:
    """They count the connections to all streams, and so differ from run to run."""
    of = names([opened(17, "audio"), opened(18, "audio")])
    text = "audio is connected on audio socket #18, not on socket #3"
    assert renamed(text, of) == "audio is connected on audio socket #2, not on socket"
