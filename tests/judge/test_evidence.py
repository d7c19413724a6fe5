"""Evidence out of journal entries: what is seen, and what is broken by it."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from mockzoom.core.codes import MessageType
from mockzoom.judge.contract import Broken
from mockzoom.judge.evidence import Evidence

T = MessageType
OPENED = {"conn": 1, "socket": "signaling", "happened": "opened"}
SAID = {"conn": 1, "way": "in", "name": "SIGNALING_HAND_SHAKE_REQ", "message": {"msg_type": 1}}
ANSWER = {"msg_type": 2, "status_code": 0}
TOLD = {"conn": 1, "way": "out", "name": "SIGNALING_HAND_SHAKE_RESP", "message": ANSWER}
FOUND = {
    "check": "rtms.signature",
    "where": "signaling socket #1",
    "clause": "a handshake is signed",
    "expected": "HMAC-SHA256",
    "actual": "abc…",
    "wire": ["one line"],
}


def evidence(*told: tuple[str, dict[str, Any]], stream: str = "s") -> Evidence:
    entries = [
        {"id": number, "at_ms": number * 10, "kind": kind, "stream": stream, **fields}
        for number, (kind, fields) in enumerate(told, 1)
    ]
    return Evidence("s", entries)


def keep_alive(way: str, timestamp: object, conn: int = 1) -> tuple[str, dict[str, Any]]:
    name = "KEEP_ALIVE_REQ" if way == "out" else "KEEP_ALIVE_RESP"
    message = {"timestamp": timestamp}
    return "message", {"conn": conn, "way": way, "name": name, "message": message}


def test_sockets_are_told_with_their_ends() -> None:
    """Each socket that was opened, in order, and when it was closed."""
    audio = {"conn": 2, "socket": "audio", "happened": "opened"}
    seen = evidence(
        ("socket", OPENED), ("socket", audio), ("socket", {"conn": 1, "happened": "closed"})
    )
    assert [str(socket) for socket in seen.sockets] == ["signaling #1 closed", "audio #2 open"]
    assert [socket.key for socket in seen.open] == ["audio"]
    assert seen.signaling[0].closed_ms == 30
    assert [socket.key for socket in seen.media] == ["audio"]


def test_only_the_stream_counts() -> None:
    """What belongs to another stream is no evidence."""
    seen = evidence(("socket", OPENED), stream="another")
    assert seen.entries == []
    assert seen.last_id == 0
    assert str(seen) == "INACTIVE: no socket"


def test_messages_are_found_by_kind_socket_and_time() -> None:
    """What was said and told, since an entry, on a socket."""
    seen = evidence(("socket", OPENED), ("message", SAID), ("message", TOLD))
    assert len(seen.said(T.SIGNALING_HAND_SHAKE_REQ, socket=seen.sockets[0])) == 1
    assert seen.said(T.SIGNALING_HAND_SHAKE_REQ, after=2) == []
    assert seen.told(T.SIGNALING_HAND_SHAKE_REQ) == []
    assert seen.joined(seen.sockets[0])


@pytest.mark.parametrize(
    ("answers", "count"),
    [([5], 1), ([5, 6], 2), ([5, 5], 1), ([7], 0), ([[5]], 0), ([None], 0), ([], 0)],
)
def test_keep_alives_are_answered_by_their_timestamp(answers: list[object], count: int) -> None:
    """An answer counts once, and only with a timestamp that was asked."""
    asked = [keep_alive("out", 5), keep_alive("out", 6)]
    seen = evidence(("socket", OPENED), *asked, *(keep_alive("in", told) for told in answers))
    assert seen.answered(seen.sockets[0]) == count


@pytest.mark.parametrize(
    ("states", "after", "flowing"),
    [(["ACTIVE"], 0, True), (["ACTIVE"], 1, False), (["ACTIVE", "INTERRUPTED"], 0, False),
     (["ACTIVE", "INTERRUPTED", "ACTIVE"], 1, True), ([], 0, False)],
)  # fmt: skip
def test_media_flows_after_an_entry(states: list[str], after: int, flowing: bool) -> None:
    """The state has become one with media since the entry, and still is."""
    assert evidence(*(("state", {"state": s}) for s in states)).flowing(after) is flowing


def test_a_finding_breaks_its_clause() -> None:
    """The first finding of the clauses asked for, as it was told, and no other."""
    seen = evidence(("finding", FOUND))
    seen.keeps("rtms.id")
    with pytest.raises(Broken) as caught:
        seen.keeps("rtms.id", "rtms.signature")
    assert caught.value.expected == "a handshake is signed: HMAC-SHA256"
    assert caught.value.found == "abc… (signaling socket #1)"
    assert caught.value.wire == ("one line",)
    assert str(seen).endswith("; broken: rtms.signature")


def test_a_demand_shows_the_wire() -> None:
    """What is not kept is told with what there was, and survives pickling, as xdist wants it."""
    seen = evidence(("socket", OPENED), ("message", SAID))
    seen.demand(kept=True, expected="anything")
    with pytest.raises(Broken) as caught:
        seen.demand(kept=False, expected="a miracle")
    broken = pickle.loads(pickle.dumps(caught.value))
    assert (broken.expected, broken.found) == ("a miracle", "INACTIVE: signaling #1 open")
    line = 'receiver on signaling #1: SIGNALING_HAND_SHAKE_REQ {"msg_type":1}'
    assert broken.wire == (line,)
