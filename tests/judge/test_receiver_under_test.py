"""Whatever a receiver does, a request to it ends, and the answer says what happened."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest
from misbehaving import (
    OK,
    Behaviour,
    Misbehaving,
    answering,
    dripping,
    dripping_body,
    flooding,
    hanging,
    read_request,
    resetting,
)

from mockzoom.core.signing import Credentials, webhook_signature
from mockzoom.judge import receiver_under_test
from mockzoom.judge.answer import ACCEPTED, ALIVE, REFUSED, Answer, Trouble
from mockzoom.judge.contract import Broken
from mockzoom.judge.events import example_of
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.request import Signing

CREDENTIALS = Credentials("id", "a-long-client-secret", "a-long-secret-token")

EVENT = {"event": "rtms.concurrency_near_limit"}


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for three seconds here."""
    monkeypatch.setattr(receiver_under_test, "PATIENCE_S", 0.5)


def deliver(url: str) -> Answer:
    with ReceiverUnderTest(url, CREDENTIALS) as receiver:
        return receiver.deliver(EVENT)


TROUBLES: dict[str, tuple[Behaviour, Trouble, int | None]] = {
    "hangs": (hanging, Trouble.HUNG, None),
    "closes": (answering(), Trouble.CRASHED, None),
    "resets": (resetting, Trouble.CRASHED, None),
    "speaks no HTTP": (answering(b"220 smtp.example.com ESMTP\r\n"), Trouble.GARBAGE, None),
    "speaks binary": (answering(bytes(range(256)) * 10), Trouble.GARBAGE, None),
    "garbles its status": (answering(b"HTTP/1.1 abc OK\r\n\r\n"), Trouble.GARBAGE, None),
    "garbles its headers": (answering(b"HTTP/1.1 200 OK\r\n\0\0:\r\n\r\n"), Trouble.GARBAGE, None),
    "garbles its chunks": (
        answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        Trouble.GARBAGE,
        None,
    ),
    "closes in the head": (answering(b"HTTP/1.1 200"), Trouble.CRASHED, None),
    "closes in the body": (
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"),
        Trouble.CUT,
        200,
    ),
    "drips its head": (dripping, Trouble.HUNG, None),
    "drips its body": (dripping_body, Trouble.ENDLESS, 200),
    "streams without end": (flooding, Trouble.ENDLESS, 200),
}


@pytest.mark.parametrize(("behave", "trouble", "status"), TROUBLES.values(), ids=TROUBLES)
def test_trouble_is_told_apart(behave: Behaviour, trouble: Trouble, status: int | None) -> None:
    """Each kind of misbehaviour has its own name, in time, and is neither taken nor refused."""
    began_s = time.monotonic()
    with Misbehaving(behave) as server:
        answer = deliver(server.url)
    assert time.monotonic() - began_s < 10
    assert (answer.trouble, answer.status) == (trouble, status)
    assert not answer.accepted | answer.refused | answer.alive
    assert not answer.died
    assert trouble.value in str(answer)


def test_nobody_there() -> None:
    """A closed port is unreachable, which is no crash."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    answer = deliver(url)
    assert answer.trouble is Trouble.UNREACHABLE
    assert answer.died


def test_a_dead_process_is_told_from_a_lost_connection() -> None:
    """Who hangs up and takes no further connection has died."""

    def last_words(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        server.die()

    with Misbehaving(last_words) as server:
        answer = deliver(server.url)
    assert answer.trouble is Trouble.CRASHED
    assert answer.died
    assert "the process has died" in str(answer)


def test_a_redirect_is_not_followed() -> None:
    """A redirect is an answer, neither accepted nor refused, and its target is told."""
    there = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"
    with Misbehaving(answering(there)) as server:
        answer = deliver(server.url)
    assert answer.status == 302
    assert not answer.accepted | answer.refused
    assert "redirect to http://127.0.0.1:1/" in str(answer)


def test_what_a_careless_receiver_sends_back_is_no_leak() -> None:
    """A secret in an answer is in no report."""
    body = json.dumps({"debug": CREDENTIALS.secret_token}).encode()
    head = b"HTTP/1.1 500 Oops\r\ncontent-length: %d\r\n\r\n" % len(body)
    with (
        Misbehaving(answering(head, body)) as server,
        ReceiverUnderTest(server.url, CREDENTIALS) as receiver,
    ):
        answer = receiver.deliver(EVENT)
        told = f"{answer} {answer.sent} {receiver.wire}"
    assert "(secret)" in told
    assert CREDENTIALS.secret_token not in told


def test_a_request_is_signed_over_its_bytes() -> None:
    """The headers of a delivery are those of Zoom, and the signature is right."""
    seen: list[bytes] = []

    def noting(connection: socket.socket, over: threading.Event) -> None:
        seen.append(read_request(connection))
        connection.sendall(OK)

    with (
        Misbehaving(noting) as server,
        ReceiverUnderTest(server.url, CREDENTIALS) as receiver,
    ):
        receiver.deliver(EVENT).must_be(ACCEPTED)
        receiver.post(b"x", Signing(signature="v0={hex:.63}é", stamp=None)).must_be(ACCEPTED)
    head, _, body = seen[0].partition(b"\r\n\r\n")
    sent = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    stamp = sent["x-zm-request-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    assert sent["x-zm-signature"] == webhook_signature(CREDENTIALS.secret_token, stamp, body)
    assert json.loads(body) == EVENT
    assert b"x-zm-request-timestamp" not in seen[1]
    assert "é".encode() in seen[1]


def test_a_failure_says_what_was_sent_and_what_came() -> None:
    """`must_be` raises with expectation, answer, a line of shell, and the wire."""
    teapot = b"HTTP/1.1 418 I'm a teapot\r\ncontent-length: 5\r\n\r\nshort"
    with (
        Misbehaving(answering(teapot)) as server,
        ReceiverUnderTest(server.url, CREDENTIALS) as receiver,
    ):
        receiver.deliver(EVENT).must_be(REFUSED)
        receiver.deliver(EVENT).must_be(ALIVE)
        with pytest.raises(Broken) as broken:
            receiver.deliver(EVENT).must_be(ACCEPTED)
    assert broken.value.expected == "200 or 204 within 3 s"
    assert broken.value.found == "status 418: short"
    assert "curl" in broken.value.sent
    assert [line[0] for line in broken.value.wire] == [">", "<"] * 3


def test_streams_that_a_test_has_started_are_stopped() -> None:
    """After a test each stream that it told of is told to have stopped, and no other is."""
    events: list[dict[str, object]] = []

    def noting(connection: socket.socket, over: threading.Event) -> None:
        events.append(json.loads(read_request(connection).partition(b"\r\n\r\n")[2]))
        connection.sendall(OK)

    with (
        Misbehaving(noting) as server,
        ReceiverUnderTest(server.url, CREDENTIALS) as receiver,
    ):
        with receiver.one_test():
            receiver.deliver(example_of("meeting.rtms_started", rtms_stream_id="one"))
            receiver.deliver(example_of("meeting.rtms_interrupted", rtms_stream_id="two"))
        with receiver.one_test():
            receiver.deliver(EVENT)
    assert [event["event"] for event in events] == [
        "meeting.rtms_started",
        "meeting.rtms_interrupted",
        "meeting.rtms_stopped",
        "rtms.concurrency_near_limit",
    ]
    assert events[2]["payload"]["rtms_stream_id"] == "one"


def test_nobody_waits_for_the_silent_for_ever() -> None:
    """After three tests without an answer it is given up; one answer in between is enough."""
    silent = threading.Event()
    silent.set()

    def moody(connection: socket.socket, over: threading.Event) -> None:
        read_request(connection)
        if not silent.is_set():
            connection.sendall(OK)

    with Misbehaving(moody) as server, ReceiverUnderTest(server.url, CREDENTIALS) as receiver:

        def one_test() -> bool:
            with receiver.one_test():
                receiver.deliver(EVENT)
            return receiver.gave_up

        assert [one_test(), one_test()] == [False, False]
        silent.clear()
        assert not one_test()
        silent.set()
        assert [one_test(), one_test(), one_test()] == [False, False, True]


def test_who_is_silent_on_odd_events_only_is_judged_on() -> None:
    """Before a receiver is given up it gets an ordinary event, and may answer that."""

    def picky(connection: socket.socket, over: threading.Event) -> None:
        if b"rtms.concurrency_near_limit" in read_request(connection):
            connection.sendall(OK)

    with Misbehaving(picky) as server, ReceiverUnderTest(server.url, CREDENTIALS) as receiver:
        for _ in range(4):
            with receiver.one_test():
                receiver.deliver({"event": "endpoint.url_validation"})
            assert not receiver.gave_up
