"""The world: meetings, streams, the webhooks that tell of them, and forgetting."""

from __future__ import annotations

import gc
import json
from weakref import ref

import aiohttp
import pytest
from rig import CREDENTIALS, FakeClock, Outbox, in_loop, rig
from rtms_app import RtmsApp

from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import MessageType, StopReason, StreamState
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.messages import Message
from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec
from mockzoom.core.stream import StreamMachine, StreamPolicy
from mockzoom.core.timings import Timings
from mockzoom.engine import streams
from mockzoom.engine import world as worlds
from mockzoom.engine.journal import Journal
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.engine.world import World
from mockzoom.errors import UnknownEvent, UnknownObject, UsageError


@pytest.mark.parametrize("product", list(PRODUCTS))
@in_loop
async def test_each_product_tells_of_its_streams(product: str) -> None:
    """Started, interrupted and stopped name the same stream, valid by their contracts."""
    async with rig() as r:
        r.world.deliveries = outbox = Outbox()
        meeting = r.meeting(product=product)
        stream, app = r.start(meeting)
        conn = await app.join_signaling()
        await conn.close()
        await r.entry("state", state="INTERRUPTED")
        r.world.stop_rtms(stream, StopReason.STREAM_REVOKED)
        row = PRODUCTS[product]
        assert [event["event"] for event in outbox.sent] == [
            row.event(happening) for happening in ("started", "interrupted", "stopped")
        ]
        for event in outbox.sent:
            assert load_spec().event(str(event["event"])).problems(event) == []
            payload = event["payload"]
            assert payload["rtms_stream_id"] == stream.id  # type: ignore[index]
            assert payload[row.id_field] == meeting.id  # type: ignore[index]


@in_loop
async def test_ids_are_unique_even_when_chance_repeats_itself() -> None:
    """A seed that gives the same ids again gives no second meeting or stream of that id."""
    async with rig() as r:
        first = r.meeting()
        r.world._examples = ExampleFactory(load_spec(), seed=1)
        second = r.meeting()
        assert first.key != second.key
        streams = [r.world.start_rtms(first)]
        r.world._examples = ExampleFactory(load_spec(), seed=1)
        for _ in range(2):
            r.meeting()
        streams += [r.world.start_rtms(second)]
        assert len({s.id for s in streams}) == 2
        assert len({s.machine.urls.signaling for s in streams}) == 2
        assert len(r.world.meetings) == 4


@in_loop
async def test_the_same_seed_makes_the_same_world() -> None:
    """Ids and webhooks repeat with the seed."""
    told = []
    for _ in range(2):
        async with rig(seed=5) as r:
            r.world.deliveries = outbox = Outbox()
            meeting = r.meeting("Alice", "Bob")
            r.world.start_rtms(meeting)
            text = json.dumps([meeting.ids, meeting.fields, outbox.sent])
            told.append(text.replace(str(r.rtms.port), "PORT"))
    assert told[0] == told[1]


@in_loop
async def test_a_word_in_a_meeting_without_a_stream_is_fine() -> None:
    """People speak whether or not an app listens, and it is in the journal."""
    async with rig() as r:
        meeting = r.meeting()
        r.world.say(meeting, "Alice", "Is anybody there?")
        r.clock.advance(10_000)
        assert (await r.entry("speech"))["text"] == "Is anybody there?"
        assert r.entries("failure") == []


@in_loop
async def test_old_speech_is_forgotten() -> None:
    """A long meeting does not grow: what no app can get any more is dropped."""
    async with rig() as r:
        meeting = r.meeting()
        for _ in range(100):
            r.world.say(meeting, "Alice", "Again.")
            r.clock.advance(10_000)
        assert len(meeting.utterances) <= 8


@in_loop
async def test_what_does_not_exist_is_named() -> None:
    """Unknown meetings, products and streams are one line with a hint."""
    async with rig() as r:
        meeting = r.meeting()
        with pytest.raises(UnknownObject, match=rf"did you mean '{meeting.key}'"):
            r.world.meeting(meeting.key[:-1])
        with pytest.raises(UnknownObject, match="did you mean 'webinar'"):
            r.world.create_meeting("x", [], "webiner")
        with pytest.raises(UsageError, match="expected one live stream, found 0; start one first"):
            r.world.live_stream(meeting)
        streams = [r.world.start_rtms(meeting) for _ in range(2)]
        with pytest.raises(UsageError, match="found 2; say which one"):
            r.world.live_stream(meeting)
        assert r.world.live_stream(meeting, streams[1].id) is streams[1]
        with pytest.raises(UnknownObject, match="no live stream 'x'"):
            r.world.live_stream(meeting, "x")


@in_loop
async def test_a_document_without_the_webhooks_of_a_stream_starts_none() -> None:
    """What could not be told of is not begun, and the missing event is named."""
    async with rig() as r:
        meeting = r.meeting()
        spec = load_spec()
        known = spec.event

        class Poor:
            def event(self, name: str) -> object:
                if name == "meeting.rtms_interrupted":
                    raise UnknownEvent(f"no event {name}")
                return known(name)

        r.world._examples.spec = Poor()  # type: ignore[assignment]
        with pytest.raises(UnknownEvent, match=r"meeting\.rtms_interrupted"):
            r.world.start_rtms(meeting)
        assert r.world.streams == {}


@in_loop
async def test_ended_streams_are_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last ones that ended still answer; older ones are forgotten, live ones never."""
    monkeypatch.setattr(streams, "KEPT_STREAMS", 3)
    async with rig() as r:
        meeting = r.meeting()
        live = r.world.start_rtms(meeting)
        ended = []
        for _ in range(6):
            stream = r.world.start_rtms(meeting)
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            ended.append(stream)
        newest = r.world.start_rtms(meeting)
        assert list(r.world.streams) == [s.id for s in (live, *ended[-2:], newest)]
        assert r.world.live_streams(meeting) == [live, newest]
        await r.app(ended[-1]).dial(ended[-1].machine.urls.signaling)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await r.app(ended[0]).dial(ended[0].machine.urls.signaling)


@in_loop
async def test_old_meetings_without_a_stream_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The oldest idle meeting makes room for a new one."""
    monkeypatch.setattr(worlds, "KEPT_MEETINGS", 3)
    async with rig() as r:
        first = r.meeting()
        r.world.start_rtms(first)
        others = [r.meeting() for _ in range(5)]
        assert list(r.world.meetings.values()) == [first, *others[-2:]]


@in_loop
async def test_streams_of_forgotten_meetings_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds on to a meeting may stream it; once that is over nothing of it is left."""
    monkeypatch.setattr(worlds, "KEPT_MEETINGS", 1)
    monkeypatch.setattr(streams, "KEPT_STREAMS", 1)
    async with rig() as r:
        meetings = [r.meeting() for _ in range(5)]
        gone = []
        for meeting in meetings:
            stream = r.world.start_rtms(meeting)
            r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
            gone.append(ref(stream))
        r.journal.clear()
        del stream
        gc.collect()
        assert [stream() is not None for stream in gone] == [False] * 4 + [True]


@in_loop
async def test_reset_cancels_everything_in_flight() -> None:
    """No socket, timer, speech, endpoint or entry is left, and a new meeting works at once."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        stream, app = r.start(meeting)
        conn = await app.join()
        r.world.say(meeting, "Alice", "This takes a while to say, as you will hear.")
        r.world.say(meeting, "Bob", "And so does this.")
        r.world.reset()
        assert await conn.close_code() == 1006
        assert await app.signaling.close_code() == 1006
        assert r.clock.pending == []
        assert (r.world.meetings, r.world.streams, list(r.journal)) == ({}, {}, [])
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await app.dial(app.server_urls)
        assert r.found == [], "a stranger to the new world, but not one who made the URL up"
        stream.feed(StreamMachine.handle_timer)
        meeting = r.meeting()
        _, app = r.start(meeting)
        await app.join()
        assert stream.machine.state is StreamState.ACTIVE
        assert r.entries("failure") == []


def events(app: RtmsApp) -> list[Message]:
    return [m["event"] for m in app.signaling.of(MessageType.EVENT_UPDATE)]


@in_loop
async def test_what_people_do_is_told_to_every_stream() -> None:
    """Camera, share, leave and any other event, with the time at which it happened."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        apps = [r.start(meeting)[1] for _ in range(2)]
        for app in apps:
            await app.join()
        alice, bob = meeting.participants.values()
        r.clock.advance(1_000)
        r.world.camera(meeting, "Bob", True)
        r.world.share(meeting, "Alice", True)
        r.world.tell(meeting, 10, {"group": "x"})
        r.world.leave(meeting, "Bob")
        at = {"timestamp": r.clock.now_ms()}
        for app in apps:
            await app.signaling.next(MessageType.EVENT_UPDATE, 5)
            assert events(app)[1:] == [
                {"event_type": 8, **at, "participants": [{"user_id": bob.user_id}]},
                {"event_type": 5, **at, "user_id": alice.user_id, "user_name": "Alice"},
                {"event_type": 10, **at, "group": "x"},
                {"event_type": 4, **at, "participants": [{"user_id": bob.user_id}]},
            ]
            session = app.signaling.of(MessageType.SESSION_STATE_UPDATE)[-1]
            assert (session["rtms_session_id"], session["state"]) == (bob.rtms_session_id, 5)
        assert list(meeting.participants) == ["Alice"]


@in_loop
async def test_voice_has_events_and_media_of_its_channels() -> None:
    """The channel of the events is that of the media, and the time is an `event_ts`."""
    async with rig() as r:
        meeting = r.meeting("Caller", "Agent", product="contact_center")
        _, app = r.start(meeting)
        conn = await app.join({"data_opt": 2})
        r.world.tell(meeting, 12, {"participant_info": {}})
        r.world.say(meeting, "Agent", "Hello.")
        r.clock.advance(2_000)
        heard = await conn.heard(1)
        told = events(app)
        assert [event["event_type"] for event in told[:3]] == [8, 10, 12]
        assert all(isinstance(event["event_ts"], int) for event in told)
        assert heard[0]["channel_id"] == told[1]["participant_info"]["channel_id"]
        with pytest.raises(UsageError, match="event_type 2: expected 8 to 29"):
            r.world.tell(meeting, 2, {})


@in_loop
async def test_after_a_relocation_the_old_urls_are_gone() -> None:
    """404 there and no finding; the new ones are in a second started webhook, and work."""
    async with rig() as r:
        r.world.deliveries = outbox = Outbox()
        stream, app = r.start(r.meeting())
        conn = await app.join()
        old = app.server_urls, app.media_urls["audio"]
        r.world.relocate(stream)
        assert await conn.close_code() == await app.signaling.close_code() == 1006
        for url in old:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await app.dial(url)
            assert refused.value.status == 404
        first, second = (event["payload"] for event in outbox.sent)
        assert first["rtms_stream_id"] == second["rtms_stream_id"]  # type: ignore[index]
        assert first["server_urls"] != second["server_urls"]  # type: ignore[index]
        app = r.app(stream)
        assert app.server_urls == second["server_urls"]  # type: ignore[index]
        await app.join()
        assert stream.machine.flowing
        assert r.found == []


def test_a_world_has_no_loop_of_its_own() -> None:
    """It can be built before any loop runs."""
    clock = FakeClock()
    journal = Journal(clock)
    World(
        credentials=CREDENTIALS,
        examples=ExampleFactory(load_spec(), 1),
        clock=clock,
        journal=journal,
        pacer=Pacer(clock, journal),
        rtms=RtmsServer(journal),
        deliveries=Outbox(),
        timings=Timings(),
        policy=StreamPolicy(),
        faults=Faults(1),
    )
