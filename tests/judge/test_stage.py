"""The stage: what it makes of receivers that come, that fail, and that never come."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from misbehaving import OK, Misbehaving

from mockzoom.core.codes import MessageType
from mockzoom.core.signing import Credentials
from mockzoom.core.timings import Timings
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import Broken
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.run import verify
from mockzoom.judge.selection import Selection
from mockzoom.judge.stage import Stage, Theatre, stage_timings
from mockzoom.judge.verdict import Outcome, Verdict
from mockzoom.receiver.receiver import Receiver

APP = Credentials("client", "secret", "token")

#: Windows of two seconds, for what is to run out.
SHORT = "0.033"


def only_answers(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(65_536)
    connection.sendall(OK)


@contextmanager
def a_theatre(url: str, timings: str = "fast", **given: int) -> Iterator[Theatre]:
    assignment = Assignment(url, APP, timings=timings, **given)
    with ReceiverUnderTest(url, APP) as receiver, Theatre(assignment, receiver) as running:
        yield running


@pytest.fixture
def app(tmp_path: Path) -> Callable[..., AbstractContextManager[Receiver]]:
    """The reference receiver with these credentials, which reconnects quickly."""

    def start(credentials: Credentials = APP) -> Receiver:
        quick = Timings(backoff_ms=20, backoff_cap_ms=320)
        return Receiver(credentials, recordings=tmp_path, timings=quick)

    return start


@pytest.fixture
def theatre(app: Callable[..., AbstractContextManager[Receiver]]) -> Iterator[Theatre]:
    """A theatre for the reference receiver."""
    with app() as running, a_theatre(running.url) as open_:
        yield open_


@pytest.fixture
def stage(theatre: Theatre) -> Iterator[Stage]:
    """A stage for one contract."""
    with Stage(theatre, "a case") as open_:
        yield open_


def test_fast_leaves_time_to_come_back() -> None:
    """The windows of ``fast`` leave room for the official SDK's first pauses: 1, 2 and 4 s."""
    assert stage_timings("fast").signaling_window_ms > 7_000
    assert stage_timings("zoom") == Timings()
    assert stage_timings("0.1") == Timings.named("0.1")


def test_an_ordinary_stream_is_played_once(theatre: Theatre) -> None:
    """A good receiver joins, answers, and leaves, with no finding; asking again plays nothing."""
    assert theatre.unfit == ""
    seen = theatre.ordinary
    assert seen.findings() == []
    assert seen.state == "TERMINATED"
    assert {socket.key for socket in seen.sockets} == {"signaling", "audio", "transcript"}
    assert not seen.open
    assert all(seen.answered(socket) >= 2 for socket in seen.sockets)
    assert theatre.ordinary is seen


def test_a_receiver_that_never_connects_is_told_so_once() -> None:
    """It takes webhooks and never dials: that is the one reason for all that is not tested."""

    with Misbehaving(only_answers) as deaf, a_theatre(deaf.url, SHORT) as theatre:
        assert theatre.ordinary.sockets == []
        assert theatre.unfit == (
            "it never connected to RTMS (its answer to the started webhook: ['accepted'])"
        )


def test_a_receiver_that_is_refused_is_not_waited_for(
    app: Callable[..., AbstractContextManager[Receiver]],
) -> None:
    """With a wrong client secret it is unfit, and the finding is told long before the window."""
    wrong = Credentials("client", "another", "token")
    with app(wrong) as running, a_theatre(running.url) as theatre:
        began_s = time.monotonic()
        assert theatre.unfit.startswith("it connected and never got as far as media (")
        assert theatre.ordinary.sockets
        with Stage(theatre, "a case") as stage, pytest.raises(Broken) as caught:
            stage.stream()
        assert "signed with the client secret" in caught.value.expected
        assert any("SIGNALING_HAND_SHAKE_REQ" in line for line in caught.value.wire)
        assert time.monotonic() - began_s < stage.window_s("connect_window")


def test_what_happens_in_time_is_not_waited_for(stage: Stage) -> None:
    """Ready, lost, back, one medium lost, back, over: each is seen when it happens."""
    stream = stage.stream()
    stream.talk()
    before = stream.evidence.last_id
    stream.fault("reset", socket="signaling")
    stream.is_back(before)
    before = stream.evidence.last_id
    stream.fault("reset", socket="audio")
    stream.media_is_back("audio", before)
    stream.survives()
    stream.stop()
    stream.hangs_up()
    stream.keeps("rtms.signature", "rtms.reconnect")


def test_what_never_happens_is_broken(stage: Stage) -> None:
    """A wait that is over says what was expected, what there is, and the last messages."""
    stream = stage.stream()
    with pytest.raises(Broken) as caught:
        stream.until("a miracle", lambda _: False, 0.05)
    assert caught.value.expected == "a miracle within 0.05 s"
    assert caught.value.found.startswith("ACTIVE: signaling #")
    assert caught.value.wire


def test_a_socket_that_closes_does_not_survive(stage: Stage) -> None:
    """A socket that the receiver had is gone, even if another one has taken its place."""
    stream = stage.stream()
    before = stream.evidence.last_id
    stream.fault("reset", socket="audio")
    stream.until(
        "audio again", lambda seen: any(s.entry > before for s in seen.media), timeout_s=10
    )
    with pytest.raises(Broken, match=r"audio #\d+ closed"):
        stream.survives()


def test_zoom_does_not_hang_up_for_the_receiver(stage: Stage) -> None:
    """Sockets that Zoom itself had to close in the end were left open by the receiver."""
    stream = stage.stream()
    stream.fault("silence")
    stream.fault("webhook_loss")
    stream.stop()
    with pytest.raises(Broken, match="sockets are closed once the stream has terminated"):
        stream.hangs_up()


def test_a_contract_leaves_nothing_behind(theatre: Theatre) -> None:
    """At the end of a contract its streams are over, its faults lifted and its traps closed."""
    with Stage(theatre, "a case") as stage:
        first, trap = stage.stream(), stage.trap()
        stage.fault("unknown_type")
        event = stage.event("started", server_urls=trap.url)
        assert stage.deliver(event).accepted
        assert trap.called(10)
    assert first.evidence.state == "TERMINATED"
    assert not first.evidence.open
    with Stage(theatre, "another case") as stage:
        assert stage.zoom.journal() == []
        second = stage.stream()
        second.survives()
        assert not [e for e in second.evidence.entries if e["kind"] == "fault"]
        assert not second.evidence.said(MessageType.MEDIA_DATA_CHAT)


def ids(theatre: Theatre, name: str) -> list[str]:
    """Those of the first streams of the case `name`, its own and those that are told by hand."""
    with Stage(theatre, name) as stage:
        streams = [stage.begin(), stage.begin("session")]
        made_up = [stage.event("started")["payload"]["rtms_stream_id"] for _ in range(2)]
        keys = [str(id_) for stream in streams for id_ in stream.meeting.ids.values()]
        paths = [stream.stream.server_urls.rpartition("/")[2] for stream in streams]
        return [*(stream.id for stream in streams), *made_up, *keys, *paths]


def test_ids_follow_from_the_seed_and_the_case() -> None:
    """They are the same whatever was judged before, and no two cases or seeds share any."""
    with Misbehaving(only_answers) as deaf:
        with a_theatre(deaf.url, seed=5) as theatre:
            first, second = ids(theatre, "RT-1"), ids(theatre, "RT-2[a/b]")
        with a_theatre(deaf.url, seed=5) as theatre:
            assert [ids(theatre, "RT-2[a/b]"), ids(theatre, "RT-1")] == [second, first]
        with a_theatre(deaf.url) as theatre:
            other = ids(theatre, "RT-1")
    assert len({*first, *second, *other}) == len([*first, *second, *other])


def test_a_stream_can_be_started_by_hand(stage: Stage) -> None:
    """With the mock's own webhook lost, one that is posted by hand starts the same stream."""
    stage.fault("webhook_loss", times=1)
    stream = stage.begin("webinar")
    assert stage.deliver(stream.started()).accepted
    stream.is_ready()
    assert stream.product.name == "webinar"


def test_the_first_start_is_told_once_it_was_answered(stage: Stage) -> None:
    """A receiver may join and answer later: what was sent to it is waited for."""
    stream = stage.begin()
    sent = stream.first_start()
    assert sent["payload"]["rtms_stream_id"] == stream.id
    assert stream.evidence.webhooks("started")[0]["outcome"] == "accepted"


def test_who_never_connects_breaks_one_contract() -> None:
    """RT-101 is broken; the others are not tested, for one reason, and without waiting again."""
    wanted = Selection("rtms", select=("RT-101", "RT-103[meeting]", "RT-201", "RT-303", "RT-401"))
    with Misbehaving(only_answers) as deaf:
        steps = verify(Assignment(deaf.url, APP, timings=SHORT), wanted)
        verdicts = {step.key: step for step in steps if isinstance(step, Verdict)}
    assert len(verdicts) == 5
    assert verdicts.pop("RT-101").outcome is Outcome.FAILED
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.NOT_TESTED}
    (reason,) = {verdict.reason for verdict in verdicts.values()}
    assert "it never connected to RTMS" in reason
