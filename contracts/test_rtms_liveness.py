"""What is said while a stream runs: keep-alives, and what the app asks to be told."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import MessageType
from mockzoom.judge.contract import MUST, SHOULD, contract
from mockzoom.judge.evidence import Evidence, SeenSocket
from mockzoom.judge.stage import Stage

PROTOCOL = "spec/rtms-protocol.asyncapi.yaml"
KEEP_ALIVE = f"{PROTOCOL}: KEEP_ALIVE_REQ, KEEP_ALIVE_RESP"
T = MessageType


def answers(seen: Evidence, sockets: list[SeenSocket]) -> None:
    """Each of `sockets` has answered what it was asked, but for the last, which it may still."""
    seen.demand(sockets, "a socket that has joined")
    for socket in sockets:
        asked = len(seen.told(T.KEEP_ALIVE_REQ, socket=socket))
        said = len(seen.said(T.KEEP_ALIVE_RESP, socket=socket))
        seen.demand(asked, f"a keep-alive on {socket.name}", "closed before the first one")
        found = "some were answered" if said else "none was answered"
        seen.demand(said >= asked - 1, f"every keep-alive on {socket.name} answered", found)


@contract(
    "RT-201",
    MUST,
    source=KEEP_ALIVE,
    loses="After three without an answer Zoom cuts the whole stream.",
    needs=("rtms",),
    gotchas=(15,),
)
def test_keep_alives_are_answered_on_signaling(ordinary: Evidence) -> None:
    """Each keep-alive on the signaling socket is answered on it, before the next one."""
    answers(ordinary, [socket for socket in ordinary.signaling if ordinary.joined(socket)])


@contract(
    "RT-202",
    MUST,
    source=KEEP_ALIVE,
    loses="After three without an answer Zoom cuts the media, and the stream a minute later.",
    needs=("rtms",),
    gotchas=(15,),
)
def test_keep_alives_are_answered_on_media_sockets(ordinary: Evidence) -> None:
    """Each keep-alive on a media socket is answered on that socket, before the next one."""
    answers(ordinary, [socket for socket in ordinary.media if ordinary.joined(socket)])


@contract(
    "RT-203",
    MUST,
    source=KEEP_ALIVE,
    loses="Zoom cannot tell what was answered, and takes the app for dead.",
    needs=("rtms",),
    gotchas=(15,),
)
def test_keep_alives_are_answered_with_their_timestamp(ordinary: Evidence) -> None:
    """The timestamp of a keep-alive comes back as it was."""
    answers = ordinary.said(T.KEEP_ALIVE_RESP)
    ordinary.demand(answers, "KEEP_ALIVE_RESP")
    for socket in ordinary.sockets:
        asked = ordinary.told(T.KEEP_ALIVE_REQ, socket=socket)
        stamps = [entry["message"]["timestamp"] for entry in asked]
        for answer in ordinary.said(T.KEEP_ALIVE_RESP, socket=socket):
            found = answer["message"].get("timestamp", "none")
            expected = f"a timestamp that was sent on {socket.name}"
            ordinary.demand(found in stamps, expected, f"another one: {found}")


@contract(
    "RT-204",
    SHOULD,
    source="Zoom's SDK, which sends it back",
    loses="Who reads the log cannot tell which answer is missing.",
    needs=("rtms",),
    gotchas=(15,),
)
def test_keep_alives_are_answered_with_their_sequence(ordinary: Evidence) -> None:
    """The sequence of a keep-alive comes back as it was."""
    for socket in ordinary.sockets:
        asked = {
            entry["message"]["timestamp"]: entry["message"]["sequence"]
            for entry in ordinary.told(T.KEEP_ALIVE_REQ, socket=socket)
        }
        for answer in ordinary.said(T.KEEP_ALIVE_RESP, socket=socket):
            message = answer["message"]
            wanted = asked.get(message.get("timestamp"))
            found = message.get("sequence", "none")
            ordinary.demand(found == wanted, f"sequence {wanted} on {socket.name}", f"{found}")


@contract(
    "RT-205",
    MUST,
    source=f"{PROTOCOL}: EVENT_SUBSCRIPTION",
    loses="Zoom refuses the whole subscription, and none of its events come.",
    needs=("rtms",),
    gotchas=(25,),
)
@pytest.mark.parametrize(
    "product",
    [
        pytest.param(name, marks=pytest.mark.needs(name))
        for name in ("meeting", "webinar", "session", "contact_center")
    ],
)
def test_it_subscribes_to_events_of_the_product(stage: Stage, product: str) -> None:
    """It subscribes to events that the product has, and never to 1 and 7, which come unasked."""
    stream = stage.stream(product)
    stage.watch(stage.timings.keep_alive_ms / 1000)  # it may subscribe a little later
    stream.keeps("rtms.subscription")


@contract(
    "RT-206",
    MUST,
    source=f"{PROTOCOL}: EVENT_SUBSCRIPTION is message 5; one page of Zoom's says 18",
    loses="Zoom does not know the message, and no event comes.",
    needs=("rtms",),
    gotchas=(25,),
)
def test_subscriptions_are_message_5(ordinary: Evidence) -> None:
    """Subscriptions are message 5; 18 is chat, and is nothing that an app says."""
    ordinary.demand(ordinary.said(T.SIGNALING_HAND_SHAKE_REQ), "a signaling handshake")
    ordinary.demand(not ordinary.said(T.MEDIA_DATA_CHAT), "no message 18", "one")


@contract(
    "RT-207",
    MUST,
    source=f"{PROTOCOL}: KEEP_ALIVE_REQ",
    loses="A stream that runs for an hour is lost in the middle.",
    needs=("rtms",),
)
def test_nothing_is_cut_while_all_is_well(ordinary: Evidence) -> None:
    """From the start to the stop Zoom sees no reason to interrupt the stream."""
    ordinary.demand(ordinary.said(T.CLIENT_READY_ACK), "a stream with media")
    states = [entry["state"] for entry in ordinary.entries if entry["kind"] == "state"]
    ordinary.demand("INTERRUPTED" not in states, "a stream that is never interrupted")


@contract(
    "RT-208",
    MUST,
    source=f"{PROTOCOL}: SESSION_STATE_REQ, VIDEO_SUBSCRIPTION_REQ",
    loses="The request is refused, and the picture or the state that it was for never comes.",
    needs=("rtms", "meeting"),
)
def test_it_asks_for_what_there_is(stage: Stage) -> None:
    """Sessions and participants that it asks for are there, and are asked for once."""
    stream = stage.stream("meeting")
    for on in (True, False):
        stream.meeting.camera("Alice", on=on)
        stream.survives()
    stream.keeps("rtms.session-id", "rtms.video-subscription")
