"""What the official SDK makes of refusals, lost sockets, ends, events and the other products."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from sdk_process import SdkApp

from mockzoom import MockZoom, Stream
from mockzoom.core.codes import StatusCode, StopReason, StreamState

pytestmark = pytest.mark.usefixtures("official_sdk")

SPEECH = "One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve."

#: What the SDK says in its leave callback after a close frame.
CLOSED = 960


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=11) as server:
        yield server


@pytest.fixture
def zoom(server: MockZoom) -> MockZoom:
    server.reset()
    return server


@pytest.fixture(scope="module")
def app(server: MockZoom) -> Iterator[SdkApp]:
    """One process for all: the SDK takes any number of streams, one after the other."""
    with SdkApp(server) as app:
        yield app


def joined(zoom: MockZoom, app: SdkApp, product: str = "meeting") -> Stream:
    zoom.subscribe(app.url)
    stream = zoom.meeting("Talk", ["Alice", "Bob"], product).start_rtms()
    assert app.wait("join", stream=stream.rtms_stream_id)["code"] == 0
    stream.wait_ready()
    return stream


@pytest.mark.parametrize("socket", ["signaling", "audio"])
def test_refusal_codes_come_out_of_the_join_callback_unchanged(
    zoom: MockZoom, app: SdkApp, socket: str
) -> None:
    """Whatever status a handshake is refused with, that is what the app is told."""
    zoom.subscribe(app.url)
    for code in StatusCode:
        if code != StatusCode.OK:
            zoom.fault("refuse", code=code, socket=socket)
            stream = zoom.meeting().start_rtms()
            told = app.wait("join", stream=stream.rtms_stream_id)
            assert (code.name, told["code"]) == (code.name, code)
            stream.stop()


@pytest.mark.parametrize("socket", ["signaling", "audio"])
def test_after_a_dropped_connection_the_sdk_rejoins_and_media_goes_on(
    zoom: MockZoom, app: SdkApp, socket: str
) -> None:
    """Timestamps go on from where they are, and the gap is what was spoken meanwhile."""
    zoom.subscribe(app.url)
    meeting = zoom.meeting("Talk", ["Alice"])
    stream = meeting.start_rtms()
    stream.wait_ready()
    utterance = meeting.say("Alice", SPEECH)
    app.wait("audio", stream=stream.rtms_stream_id, timestamp=utterance.start_ms + 500)
    zoom.fault("reset", socket=socket)
    stream.wait_state(StreamState.INTERRUPTED)
    stream.wait_ready(20)
    app.wait("audio", stream=stream.rtms_stream_id, timestamp=utterance.end_ms - 20)
    times = [told["timestamp"] for told in app.all("audio", stream=stream.rtms_stream_id)]
    steps = [later - earlier for earlier, later in pairwise(times)]
    gaps = [step for step in steps if step != 20]
    assert len(gaps) == 1
    assert 900 <= gaps[0] <= 3_000, "the SDK waits a second before it comes back"
    assert gaps[0] % 20 == 0
    assert len(app.all("join", stream=stream.rtms_stream_id)) == 1
    stream.stop()
    app.wait("leave", stream=stream.rtms_stream_id, code=StopReason.MEETING_ENDED)


@pytest.mark.parametrize("socket", ["signaling", "audio"])
def test_a_close_frame_is_the_end(zoom: MockZoom, app: SdkApp, socket: str) -> None:
    """The SDK leaves for good, whichever socket it came on."""
    stream = joined(zoom, app)
    zoom.fault("close", code=1011, socket=socket)
    assert app.wait("leave", stream=stream.rtms_stream_id)["code"] == CLOSED


@pytest.mark.parametrize("reason", list(StopReason), ids=lambda reason: reason.name)
def test_every_reason_of_an_end_arrives_in_the_leave_callback(
    zoom: MockZoom, app: SdkApp, reason: StopReason
) -> None:
    """TERMINATED carries the reason of the wire, whatever the webhook says."""
    stream = joined(zoom, app)
    stream.stop(reason)
    assert app.wait("leave", stream=stream.rtms_stream_id)["code"] == reason
    zoom.check()


@pytest.mark.parametrize("product", ["webinar", "session", "contact_center"])
def test_the_other_products_join_and_are_heard(zoom: MockZoom, app: SdkApp, product: str) -> None:
    """The SDK puts every product's id under meeting_uuid, and is understood."""
    zoom.subscribe(app.url)
    meeting = zoom.meeting("Talk", ["Alice"], product)
    stream = meeting.start_rtms()
    stream.wait_ready()
    utterance = meeting.say("Alice", "Hello.")
    app.wait("audio", stream=stream.rtms_stream_id, timestamp=utterance.end_ms - 20)
    stream.stop()
    app.wait("leave", stream=stream.rtms_stream_id, code=StopReason.MEETING_ENDED)
    zoom.check()


def test_people_cameras_and_sharing_reach_their_callbacks(zoom: MockZoom, app: SdkApp) -> None:
    """Who is there, who speaks, whose camera is on, who shares."""
    zoom.subscribe(app.url)
    meeting = zoom.meeting("Talk", ["Alice"])
    stream = meeting.start_rtms()
    id_ = stream.rtms_stream_id
    stream.wait_ready()
    app.wait("user", stream=id_, op=0, name="Alice")
    meeting.add("Bob")
    app.wait("user", stream=id_, op=0, name="Bob")
    bob = app.all("user", stream=id_, name="Bob")[0]["id"]
    meeting.say("Bob", "Hello.")
    app.wait("speaker", stream=id_, user_id=bob, name="Bob")
    meeting.camera("Bob", on=True)
    app.wait("camera", stream=id_, users=[bob], on=True)
    meeting.share("Bob", on=True)
    app.wait("sharing", stream=id_, event="start")
    meeting.share("Bob", on=False)
    app.wait("sharing", stream=id_, event="stop")
    meeting.camera("Bob", on=False)
    app.wait("camera", stream=id_, users=[bob], on=False)
    meeting.leave("Bob")
    app.wait("participant", stream=id_, event="leave")
    assert {told["op"] for told in app.all("session", stream=id_)} >= {1}
    zoom.check()


def test_one_participants_video_can_be_subscribed_to(zoom: MockZoom) -> None:
    """The answer to message 28 arrives in the SDK's callback, then video does; and a screen."""
    with SdkApp(zoom, media=["video", "deskshare"], video_data_opt=4) as app:
        zoom.subscribe(app.url)
        meeting = zoom.meeting("Talk", ["Alice"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        meeting.camera("Alice", on=True)
        alice = app.wait("camera", stream=stream.rtms_stream_id)["users"][0]
        app.command(stream.rtms_stream_id, "subscribe_video", alice, True)
        told = app.wait("subscribed", stream=stream.rtms_stream_id, user=alice)
        assert told["status"] == StatusCode.OK
        assert app.wait("video", stream=stream.rtms_stream_id)["user_id"] == alice
        meeting.share("Alice", on=True)
        assert app.wait("deskshare", stream=stream.rtms_stream_id)["user_name"] == "Alice"
        app.command(stream.rtms_stream_id, "subscribe_video", 4242, True)
        told = app.wait("subscribed", stream=stream.rtms_stream_id, user=4242)
        assert told["status"] == StatusCode.INVALID_PAYLOAD
