"""What breaks, and how a receiver comes back: in time, with a pause, and not for ever."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import MessageType, StatusCode, StopReason
from mockzoom.judge.answer import ACCEPTED
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, contract
from mockzoom.judge.evidence import Evidence
from mockzoom.judge.stage import Stage
from mockzoom.judge.staged_stream import StagedStream

WINDOWS = "Zoom's docs: working with streams, reconnection"
FAILOVER = "Zoom's docs: failover"
REFUSALS = "spec/rtms-protocol.asyncapi.yaml: status_code"
T = MessageType

#: More attempts than this in so many seconds of an outage are no back-off any more.
MANY = 10
WATCHED_S = 0.7

#: In these, what is refused is refused for good.
ALWAYS = 1_000_000


#: With what a handshake is refused while the last connection still counts.
DUPLICATES = {
    "signaling": StatusCode.DUPLICATE_SIGNAL_REQUEST,
    "media": StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION,
}


def lose(stream: StagedStream, socket: str) -> int:
    """Cut `socket` as a failing network does; the last entry before that."""
    before = stream.evidence.last_id
    stream.fault("reset", socket=socket)
    return before


def a_medium(stream: StagedStream) -> str:
    """A media key that the receiver is connected for."""
    return stream.evidence.media[0].key


@contract(
    "RT-401",
    MUST,
    source=WINDOWS,
    loses="One hiccup of the network and the rest of the meeting is lost.",
    needs=("rtms", "reconnect"),
    gotchas=(20,),
)
def test_it_comes_back_when_signaling_is_lost(stage: Stage) -> None:
    """It redoes the signaling handshake and the media handshakes, within Zoom's window."""
    stream = stage.stream()
    stream.is_back(lose(stream, "signaling"))


@contract(
    "RT-402",
    MUST,
    source="spec/rtms-events.openapi.yaml: the interrupted webhook has no server_urls",
    loses="The webhook that asks it to come back crashes it, and is sent again and again.",
    needs=("rtms",),
    gotchas=(20,),
)
def test_the_interrupted_webhook_is_taken(stage: Stage) -> None:
    """The interrupted webhook of a stream that it has lost is answered with 200 or 204."""
    stream = stage.stream()
    lose(stream, "signaling")
    window_s = stage.window_s("connect_window")
    told = stream.until("an answer", lambda seen: seen.webhooks("interrupted"), window_s)
    answered = told[-1]["outcome"]
    stream.evidence.demand(answered == "accepted", "200 or 204 to the webhook", answered)


@contract(
    "RT-403",
    MUST,
    source=f"{WINDOWS}; event 7",
    loses="No media any more, until Zoom ends the stream a minute later.",
    needs=("rtms", "reconnect"),
    gotchas=(21,),
)
def test_it_comes_back_when_a_media_socket_is_lost(stage: Stage) -> None:
    """A media socket that is lost is opened again within its window."""
    stream = stage.stream()
    key = a_medium(stream)
    stream.media_is_back(key, lose(stream, key))


@contract(
    "RT-404",
    SHOULD,
    source=f"{WINDOWS}; event 7",
    loses="A second of everything, in place of a second of one medium.",
    needs=("rtms", "reconnect", "media-only"),
    gotchas=(21,),
)
def test_only_the_lost_media_socket_is_opened_again(stage: Stage) -> None:
    """While signaling lives, it stays: only the media socket is redone."""
    stream = stage.stream()
    key = a_medium(stream)
    stream.media_is_back(key, lose(stream, key))
    seen = stream.evidence
    seen.demand(len(seen.signaling) == 1, "one signaling connection all along")


@contract(
    "RT-405",
    MUST,
    source=WINDOWS,
    loses="The second hiccup is the end, however long the first one is over.",
    needs=("rtms", "reconnect"),
    gotchas=(20,),
)
def test_it_comes_back_again(stage: Stage) -> None:
    """What was lost once and came back may be lost again."""
    stream = stage.stream()
    for _ in range(2):
        stream.is_back(lose(stream, "signaling"))


@contract(
    "RT-406",
    MUST,
    source=f"{REFUSALS} 8 and 16; Zoom may not have seen yet that the old connection is gone",
    loses="The reconnect that comes too early is the last one.",
    needs=("rtms", "reconnect", "busy-retry"),
    gotchas=(18,),
)
@pytest.mark.parametrize("socket", DUPLICATES)
def test_a_duplicate_after_a_loss_is_tried_again(stage: Stage, socket: str) -> None:
    """Refused as a duplicate right after a loss, it waits and tries again."""
    stream = stage.stream()
    stream.fault("refuse", socket=socket, code=DUPLICATES[socket].value, times=1)
    if socket == "signaling":
        stream.is_back(lose(stream, socket))
    else:
        key = a_medium(stream)
        stream.media_is_back(key, lose(stream, key))


@contract(
    "RT-407",
    SHOULD,
    source=f"{WINDOWS}, with increasing pauses",
    loses="All receivers at once keep a server down that is about to come back.",
    needs=("rtms",),
    gotchas=(19,),
)
def test_a_server_that_is_down_is_not_hammered(stage: Stage) -> None:
    """Where every connection is hung up on, it pauses between attempts."""
    trap = stage.trap()
    stage.deliver(stage.event("started", server_urls=trap.url)).must_be(ACCEPTED)
    dialled = trap.called(stage.window_s("connect_window"))
    Evidence("", ()).demand(dialled, "a connection to the server", "none")
    stage.watch(WATCHED_S)
    expected = f"at most {MANY} attempts in {WATCHED_S} s"
    Evidence("", ()).demand(len(trap.calls) <= MANY, expected, "more of them")


@contract(
    "RT-408",
    SHOULD,
    source=REFUSALS,
    loses="A refusal is answered with a thousand handshakes a second, and with a block.",
    needs=("rtms",),
    gotchas=(19,),
)
@pytest.mark.parametrize("socket", ["signaling", "media"])
def test_a_refusal_is_not_hammered(stage: Stage, socket: str) -> None:
    """Where every handshake is refused, it gives up, or pauses between attempts."""
    stage.fault("refuse", socket=socket, code=StatusCode.INTERNAL_EXCEPTION.value, times=ALWAYS)
    stream = stage.begin()
    request, _ = HANDSHAKES[socket]
    refused(stage, stream, socket)
    stage.watch(WATCHED_S)
    seen = stream.evidence
    keys = [s.key for s in seen.sockets if seen.said(request, socket=s)]
    asked = max(map(keys.count, keys))
    seen.demand(asked <= MANY, f"at most {MANY} handshakes in {WATCHED_S} s", "more of them")


HANDSHAKES = {
    "signaling": (T.SIGNALING_HAND_SHAKE_REQ, T.SIGNALING_HAND_SHAKE_RESP),
    "media": (T.DATA_HAND_SHAKE_REQ, T.DATA_HAND_SHAKE_RESP),
}


def refused(stage: Stage, stream: StagedStream, socket: str) -> None:
    """Wait until a handshake on `socket` was answered."""
    _, response = HANDSHAKES[socket]
    stream.until(
        f"a handshake on {socket}",
        lambda seen: seen.told(response),
        stage.window_s("connect_window"),
    )


@contract(
    "RT-409",
    SHOULD,
    source=f"{WINDOWS}, with increasing pauses",
    loses="It is refused as a duplicate, because Zoom has not seen the loss yet.",
    needs=("rtms", "reconnect"),
    gotchas=(18, 19),
)
def test_it_takes_a_breath_before_it_comes_back(stage: Stage) -> None:
    """It does not dial in the same moment in which a socket is lost."""
    stream = stage.stream()
    stream.is_back(lose(stream, "signaling"))
    key = a_medium(stream)
    stream.media_is_back(key, lose(stream, key))
    stream.keeps("rtms.reconnect")


@contract(
    "RT-410",
    MUST,
    source=FAILOVER,
    loses="When Zoom moves a stream to another server, the rest of the meeting is lost.",
    needs=("rtms", "failover"),
    gotchas=(3,),
)
def test_it_moves_to_another_server(stage: Stage) -> None:
    """Started again with new server_urls, a stream that runs is joined there."""
    stream = stage.stream()
    before = stream.evidence.last_id
    stream.stream.relocate()
    stream.is_back(before)
    stream.keeps("rtms.url")


@contract(
    "RT-411",
    ADVICE,  # who keeps the old sockets until the new server has answered is right, too
    source=FAILOVER,
    loses="It listens to two servers, of which one is about to go.",
    needs=("rtms", "failover"),
    gotchas=(3, 2),
)
def test_it_leaves_the_server_that_it_moves_from(stage: Stage) -> None:
    """Started again with new server_urls, it dials these and closes what it had elsewhere."""
    stream, trap = stage.stream(), stage.trap()
    old = [socket.conn for socket in stream.evidence.open]
    stage.deliver(stream.started(server_urls=trap.url)).must_be(ACCEPTED)
    window_s = stage.window_s("connect_window")
    stream.evidence.demand(trap.called(window_s), "the new URL dialled", "it was not")
    stream.until(
        "every old socket closed",
        lambda seen: not any(socket.conn in old for socket in seen.open),
        stage.window_s("signaling_window"),
    )


@contract(
    "RT-412",
    ADVICE,
    source=f"{FAILOVER}; {REFUSALS}",
    loses="A late delivery of the first start drags it back to a server that is gone.",
    needs=("rtms", "failover"),
    gotchas=(3,),
)
def test_an_old_start_does_not_move_it_back(stage: Stage) -> None:
    """After a failover the first started webhook, delivered late, changes nothing."""
    stream = stage.stream()
    first = stream.first_start()
    before = stream.evidence.last_id
    stream.stream.relocate()
    stream.is_back(before)
    stage.deliver(first).must_be(ACCEPTED)
    stage.watch(0.3)
    stream.survives()


@contract(
    "RT-413",
    MUST,
    source=REFUSALS,
    loses="The app believes that it records, and holds a stream in which nothing flows.",
    needs=("rtms",),
    gotchas=(17,),
)
def test_refused_media_does_not_hang_it(stage: Stage) -> None:
    """When its media is refused it gives the stream up, or tries again; it does not just sit."""
    stage.fault("refuse", socket="media", code=StatusCode.INTERNAL_EXCEPTION.value, times=ALWAYS)
    stream = stage.begin()
    refused(stage, stream, "media")

    def moved_on(seen: Evidence) -> bool:
        keys = [socket.key for socket in seen.media]
        return not seen.open or any(keys.count(key) > 1 for key in keys)

    window_s = stage.window_s("signaling_window")
    stream.until("every socket closed, or another media handshake", moved_on, window_s)


@contract(
    "RT-414",
    SHOULD,
    source=REFUSALS,
    loses="A socket that leads nowhere stays open until Zoom closes it.",
    needs=("rtms",),
    gotchas=(17,),
)
@pytest.mark.parametrize("socket", ["signaling", "media"])
def test_a_refused_socket_is_closed(stage: Stage, socket: str) -> None:
    """A socket on which the handshake was refused is closed, or shakes hands anew in time."""
    stage.fault("refuse", socket=socket, code=StatusCode.INTERNAL_EXCEPTION.value, times=1)
    stream = stage.begin()
    refused(stage, stream, socket)
    request, response = HANDSHAKES[socket]
    no = next(e for e in stream.evidence.told(response) if e["message"]["status_code"])

    def left(seen: Evidence) -> bool:
        mine = next(one for one in seen.sockets if one.conn == no["conn"])
        return not mine.open or len(seen.said(request, socket=mine)) > 1

    stream.until("the refused socket closed", left, stage.window_s("handshake"))
    stream.keeps("rtms.handshake")


@contract(
    "RT-415",
    SHOULD,
    source="spec/rtms-protocol.asyncapi.yaml: stop reasons 10 to 19 and 24 are breakdowns",
    loses="A stream that Zoom starts again after its own breakdown is taken for one that is over.",
    needs=("rtms", "failover"),
    gotchas=(26,),
)
def test_a_stream_may_return_after_a_breakdown(stage: Stage) -> None:
    """A stream that an internal error has ended may start again, with newer URLs."""
    stream, trap = stage.stream(), stage.trap()
    stream.stop(StopReason.INTERNAL_EXCEPTION)
    stream.hangs_up()
    stage.deliver(stream.started(server_urls=trap.url)).must_be(ACCEPTED)
    dialled = trap.called(stage.window_s("connect_window"))
    stream.evidence.demand(dialled, "the new URL dialled", "it was not")
