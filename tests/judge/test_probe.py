"""What is found out about a receiver before it is judged."""

from __future__ import annotations

from pathlib import Path

import pytest
from misbehaving import OK, Behaviour, Misbehaving, answering, hanging

from mockzoom.core.signing import Credentials
from mockzoom.errors import ReceiverUnreachable
from mockzoom.judge import probe as probing
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.probe import probe
from mockzoom.receiver.receiver import Receiver

CREDENTIALS = Credentials("client", "secret", "token")
OTHER = Credentials("client", "secret", "another token")


def test_a_good_receiver(tmp_path: Path) -> None:
    """It answers, proves its secret and connects."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as receiver:
        found = probe(Assignment(receiver.url, CREDENTIALS), rtms=True)
    assert found.lines() == [("answers", "yes"), ("URL validation", "right"), ("RTMS", "connects")]


def test_the_wrong_secret_is_guessed(tmp_path: Path) -> None:
    """Most of all red first runs have this cause."""
    with Receiver(CREDENTIALS, recordings=tmp_path) as receiver:
        found = probe(Assignment(receiver.url, OTHER), rtms=False)
    assert found.validates.startswith("no: status 401")
    assert found.validates.endswith("is --secret-token the one that it has?")
    assert found.connects == ""


PROOF = b'{"plainToken":"qgg8vlvZRS6UYooatFL8Aw","encryptedToken":"0"}'


@pytest.mark.parametrize(
    ("behave", "answers", "validates"),
    [
        (answering(OK), "yes", "no: the answer is not its proof"),
        (
            answering(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(PROOF), PROOF),
            "yes",
            "no: a wrong encryptedToken; is --secret-token the one that it has?",
        ),
        (answering(b"HELO\r\n"), "the answer is not HTTP", "no: the answer is not HTTP"),
        (hanging, "no answer in time", "no: no answer in time (within 3 s)"),
    ],
    ids=["no proof", "a wrong proof", "no HTTP", "silent"],
)
def test_others(behave: Behaviour, answers: str, validates: str) -> None:
    """What is wrong is said in a few words, and nobody waits for streams of who does not answer."""
    with Misbehaving(behave) as server:
        found = probe(Assignment(server.url, CREDENTIALS), rtms=answers != "yes")
    assert (found.answers, found.validates, found.connects) == (answers, validates, "")


def test_who_does_not_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is told how to say that this is so meant, and what else it may be."""
    monkeypatch.setattr(probing, "_CONNECT_S", 0.2)
    with Misbehaving(answering(OK)) as server:
        found = probe(Assignment(server.url, CREDENTIALS, seed=5), rtms=True)
        declared = Assignment(server.url, CREDENTIALS, without=frozenset({"rtms"}))
        assert probe(declared, rtms=True).connects == "declared not to be done"
    assert "--without rtms if so meant" in found.connects
    assert "start it anew if it was judged with seed 5 before" in found.connects


def test_nobody_there() -> None:
    """There is nothing to judge."""
    with Misbehaving(answering(OK)) as server:
        url = server.url
    with pytest.raises(ReceiverUnreachable, match="nobody listens; is the receiver running"):
        probe(Assignment(url, CREDENTIALS), rtms=True)
