"""One stream, one connection, from the first webhook to the last: repeats, order, and ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from mockzoom.core.codes import MessageType, StopReason
from mockzoom.judge.answer import ACCEPTED, ALIVE
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, contract
from mockzoom.judge.evidence import Evidence
from mockzoom.judge.stage import Stage
from mockzoom.judge.staged_stream import StagedStream

DELIVERY = "Zoom's docs: webhooks are delivered at least once, in no order"
ENDING = "Zoom's docs: rtms_stopped and the state TERMINATED"
T = MessageType

#: How long a receiver is watched that should do nothing.
QUIET_S = 0.5


def is_alone(stage: Stage, stream: StagedStream) -> None:
    """The receiver holds one connection of the stream, and tries no other."""
    stage.watch(QUIET_S)
    seen = stream.evidence
    seen.keeps("rtms.duplicate")
    seen.demand(len(seen.signaling) == 1, "one signaling connection")
    seen.demand(seen.open, "a connection that stays")


@contract(
    "RT-301",
    MUST,
    source=DELIVERY,
    loses="A slow answer is followed by a second connection, and all is seen twice or not at all.",
    needs=("rtms",),
    gotchas=(1, 2),
)
def test_a_repeated_start_changes_nothing(stage: Stage) -> None:
    """The started webhook of a stream that runs, sent again, opens no other connection."""
    stream = stage.stream()
    again = stream.first_start()
    stage.deliver(again).must_be(ACCEPTED)
    stage.deliver(again).must_be(ACCEPTED)
    is_alone(stage, stream)


@contract(
    "RT-302",
    MUST,
    source=DELIVERY,
    loses="Two deliveries at the same moment open two sets of sockets, one of which leaks.",
    needs=("rtms",),
    gotchas=(2,),
)
def test_starts_at_the_same_moment_are_one(stage: Stage) -> None:
    """The same started webhook, five times at once, is one stream."""
    stage.fault("webhook_loss", times=1)
    stage.fault("delay", ms=100, socket="signaling", msg_type=T.SIGNALING_HAND_SHAKE_RESP)
    stream = stage.begin()
    event = stream.started()
    with ThreadPoolExecutor(5) as posting:
        for answer in posting.map(stage.deliver, [event] * 5):
            answer.must_be(ALIVE)
    stream.is_ready()
    is_alone(stage, stream)


@contract(
    "RT-303",
    MUST,
    source=ENDING,
    loses="Sockets pile up, until the app or its host has no more.",
    needs=("rtms",),
    gotchas=(22,),
)
def test_sockets_are_closed_at_the_end(stage: Stage) -> None:
    """When a stream has ended, the receiver closes every socket of it."""
    stream = stage.stream()
    stream.stop()
    stream.hangs_up()


@contract(
    "RT-304",
    SHOULD,
    source=ENDING,
    loses="A webhook that is the only sign of the end is not enough, and the sockets stay.",
    needs=("rtms",),
    gotchas=(22,),
)
def test_the_stopped_webhook_is_enough(stage: Stage) -> None:
    """It hangs up on the stopped webhook, also when the signaling socket says nothing."""
    stream = stage.stream()
    stream.fault("silence")
    stream.stop()
    stream.hangs_up()


@contract(
    "RT-305",
    SHOULD,
    source=ENDING,
    loses="While the webhook is late or lost the app holds on to sockets of a stream that is over.",
    needs=("rtms",),
    gotchas=(22,),
)
def test_the_state_on_signaling_is_enough(stage: Stage) -> None:
    """It hangs up on TERMINATED, also when the stopped webhook never comes."""
    stream = stage.stream()
    stream.fault("webhook_loss")
    stream.stop()
    stream.hangs_up()


@contract(
    "RT-306",
    MUST,
    source="Zoom's docs: webhooks are answered with 200 or 204 within 3 seconds",
    loses="Zoom sends the end of the stream again and again, and then disables the endpoint.",
    needs=("rtms",),
    gotchas=(22, 26),
)
def test_the_end_of_a_stream_is_taken(ordinary: Evidence) -> None:
    """The stopped webhook of a stream that it has joined is answered with 200 or 204."""
    stopped = ordinary.webhooks("stopped")
    ordinary.demand(stopped, "a stopped webhook that was delivered")
    for webhook in stopped:
        answered = webhook["outcome"]
        ordinary.demand(answered == "accepted", "200 or 204 to the stopped webhook", answered)


@contract(
    "RT-307",
    MUST,
    source=DELIVERY,
    loses="A stop for a stream that another instance holds takes this one down.",
    needs=("rtms",),
    gotchas=(22,),
)
def test_the_stop_of_an_unknown_stream_is_harmless(stage: Stage) -> None:
    """The stopped webhook of a stream that it never joined is taken, and hurts no other."""
    stream = stage.stream()
    stage.deliver(stage.event("stopped")).must_be(ACCEPTED)
    stage.deliver(stage.event("interrupted")).must_be(ACCEPTED)
    stream.survives()


@contract(
    "RT-308",
    ADVICE,
    source=DELIVERY,
    loses="It dials a stream that is over, and goes on dialling.",
    needs=("rtms",),
)
def test_a_start_that_comes_after_its_stop_is_ignored(stage: Stage) -> None:
    """A started webhook that was overtaken by its stopped one is not acted upon."""
    trap = stage.trap()
    started = stage.event("started", server_urls=trap.url)
    stopped = stage.event("stopped")
    for name in started["payload"].keys() & stopped["payload"].keys():
        stopped["payload"][name] = started["payload"][name]
    started["event_ts"] = stopped["event_ts"] - 1_000
    stage.deliver(stopped).must_be(ACCEPTED)
    stage.deliver(started).must_be(ACCEPTED)
    dialled = trap.called(QUIET_S)
    no_stream(not dialled, "nothing dialled", "a connection to the server of a stream that is over")


def no_stream(kept: bool, expected: str, found: str) -> None:
    """What `Evidence.demand` is where there is no stream of the mock's."""
    Evidence("", ()).demand(kept, expected, found)


@contract(
    "RT-309",
    MUST,
    source="Zoom's docs: stop reason 8, stream revoked",
    loses="It goes on listening after consent was taken back.",
    needs=("rtms",),
    gotchas=(26,),
)
def test_a_revoked_stream_is_left_at_once(stage: Stage) -> None:
    """A stream that is revoked is left: every socket closed, the webhook taken."""
    stream = stage.stream()
    stream.stop(StopReason.STREAM_REVOKED)
    stream.hangs_up()
    stopped = stream.evidence.webhooks("stopped")
    taken = bool(stopped) and stopped[-1]["outcome"] == "accepted"
    stream.evidence.demand(taken, "200 or 204 to the stopped webhook")


@contract(
    "RT-310",
    SHOULD,
    source=ENDING,
    loses="It knocks on the door of a stream that is over until somebody stops it.",
    needs=("rtms",),
    gotchas=(22,),
)
def test_a_stream_that_has_ended_is_left_alone(stage: Stage) -> None:
    """After the end it does not dial again, not even when the first webhook is delivered late."""
    stream = stage.stream()
    first = stream.first_start()
    stream.stop()
    stream.hangs_up()
    stage.deliver(first).must_be(ACCEPTED)
    stage.watch(QUIET_S)
    seen = stream.evidence
    seen.demand(len(seen.signaling) == 1, "no more connections after the end")


@contract(
    "RT-311",
    MUST,
    source="Zoom's docs: an app may have many streams at once",
    loses="People are heard in a meeting that they are not in.",
    needs=("rtms", "parallel"),
    gotchas=(28,),
)
def test_two_streams_are_not_mixed_up(stage: Stage) -> None:
    """Two streams at once have sockets and ids of their own, and the end of one is not of both."""
    first, second = stage.stream(), stage.stream()
    first.survives()
    for stream in (first, second):
        stream.keeps("rtms.stream-id", "rtms.id", "rtms.signature", "rtms.duplicate")
    first.stop()
    first.hangs_up()
    second.survives()


@contract(
    "RT-312",
    SHOULD,
    source="Zoom's docs: streams are told apart by rtms_stream_id",
    loses="The second stream of a meeting is taken for a repeat of the first, and lost.",
    needs=("rtms", "parallel"),
    gotchas=(28,),
)
def test_two_streams_of_one_meeting_are_two(stage: Stage) -> None:
    """A meeting may be streamed twice; what counts is the stream's id, not the meeting's."""
    first = stage.stream()
    second = stage.begin(meeting=first.meeting)
    second.is_ready()
    first.survives()


@contract(
    "RT-313",
    MUST,
    source="Zoom's docs: signatures cover the body and the timestamp, and no other header",
    loses="Whoever repeats a header makes the app deaf to an event.",
    needs=("rtms", "parallel"),
    gotchas=(30,),
)
def test_events_are_told_apart_by_what_is_signed(stage: Stage) -> None:
    """Two events with the same request id are two, and one event with two request ids is one."""
    stage.fault("webhook_loss", times=2)
    streams = [stage.begin(), stage.begin()]
    events = [stream.started() for stream in streams]
    for stream, event in zip(streams, events, strict=True):
        stage.deliver(event, _requested_as("one")).must_be(ACCEPTED)
        stream.is_ready()
    stage.deliver(events[1], _requested_as("other")).must_be(ACCEPTED)
    is_alone(stage, streams[1])


def _requested_as(id_: str) -> dict[str, str]:
    return {"x-zm-request-id": id_, "x-zm-trackingid": id_}
