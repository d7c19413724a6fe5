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
    "where": "signaling socket #7",
    "clause": "a handshake is signed",
    "expected": "HMAC-SHA256",
    "actual": "abc…",
    "wire": [],
}
SAID_LINE = 'receiver on signaling #1: SIGNALING_HAND_SHAKE_REQ {"msg_type":1}'


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
    """Each socket that was opened, signaling first, and when it was closed."""
    video = {"conn": 2, "socket": "video", "happened": "opened"}
    audio = {"conn": 3, "socket": "audio", "happened": "opened"}
    closed = {"conn": 1, "happened": "closed"}
    seen = evidence(("socket", video), ("socket", audio), ("socket", OPENED), ("socket", closed))
    told = ["signaling #1 closed", "audio #1 open", "video #1 open"]
    assert [str(socket) for socket in seen.sockets] == told
    assert [socket.conn for socket in seen.open] == [3, 2]
    assert seen.signaling[0].closed_ms == 40
    assert [socket.key for socket in seen.media] == ["audio", "video"]


def test_of_many_sockets_the_first_few_are_told() -> None:
    """How often a receiver has knocked is a matter of time."""
    opened = [("socket", {**OPENED, "conn": conn}) for conn in range(7, 12)]
    told = "signaling #1 open, signaling #2 open, signaling #3 open, more signaling"
    assert str(evidence(*opened)) == f"INACTIVE: {told}"


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
    """The first of the clauses asked for, on the socket as it is called here, and no other."""
    opened = {**OPENED, "conn": 7}
    said = {**SAID, "conn": 7}
    seen = evidence(("socket", opened), ("message", said), ("finding", FOUND))
    seen.keeps("rtms.id")
    with pytest.raises(Broken) as caught:
        seen.keeps("rtms.id", "rtms.signature")
    assert caught.value.expected == "a handshake is signed: HMAC-SHA256"
    assert caught.value.found == "abc… (signaling socket #1)"
    assert caught.value.wire == (SAID_LINE,)
    assert str(seen).endswith("; broken: rtms.signature")


def test_a_demand_shows_the_wire() -> None:
    """What is not kept is told with what there was, and survives pickling, as xdist wants it."""
    seen = evidence(("socket", OPENED), ("message", SAID))
    seen.demand(kept=True, expected="anything")
    with pytest.raises(Broken) as caught:
        seen.demand(kept=False, expected="a miracle")
    broken = pickle.loads(pickle.dumps(caught.value))
    assert (broken.expected, broken.found) == ("a miracle", "INACTIVE: signaling #1 open")
    assert broken.wire == (SAID_LINE,)


def test_which_of_two_findings_is_told_does_not_depend_on_their_order() -> None:
    """Two sockets that break the same clause do so at about the same time."""
    opened = [("socket", {"conn": n, "socket": key, "happened": "opened"})
              for n, key in ((5, "video"), (6, "audio"))]  # fmt: skip
    found = [("finding", {**FOUND, "where": f"{key} socket #{n}"})
             for n, key in ((5, "video"), (6, "audio"))]  # fmt: skip
    for findings in (found, found[::-1]):
        with pytest.raises(Broken) as caught:
            evidence(*opened, *findings).keeps("rtms.signature")
        assert caught.value.found == "abc… (audio socket #1)"
