"""People of a meeting or a call, and what the app hears of them."""

from __future__ import annotations

import pytest
from rig import Rig, in_loop, rig
from rtms_app import RtmsApp

from mockzoom.core.codes import EventType, MediaType, MessageType, VoiceEventType
from mockzoom.core.meeting import Meeting
from mockzoom.core.messages import Message
from mockzoom.core.voice_call import VOICE_HAPPENINGS
from mockzoom.errors import UnknownObject, UsageError

A_SECOND_MS = 1_000


async def listening(r: Rig, meeting: Meeting) -> RtmsApp:
    """An app on the signaling and transcript sockets of a new stream."""
    _, app = r.start(meeting)
    await app.join_signaling()
    await app.join_media(MediaType.TRANSCRIPT)
    await app.acknowledge()
    return app


async def told(app: RtmsApp, event_type: int) -> Message:
    """The event of this type, once it is here."""

    def found() -> list[Message]:
        events = [m["event"] for m in app.signaling.of(MessageType.EVENT_UPDATE)]
        return [event for event in events if event["event_type"] == event_type]

    return (await app.signaling.until(found, f"event {event_type}"))[-1]  # type: ignore[no-any-return]


@in_loop
async def test_who_is_muted_is_not_heard() -> None:
    """Neither sound nor transcript of what is said while muted; what follows is heard again."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        stream, app = r.start(meeting)
        conn = await app.join()
        r.world.mute(meeting, "Alice")
        silent = r.world.say(meeting, "Alice", "Nobody hears me.")
        assert silent.duration_ms > 0
        r.clock.advance(10 * A_SECOND_MS)
        await r.settle()
        assert (conn.received[1:], stream.sent) == ([], {})
        assert EventType.ACTIVE_SPEAKER_CHANGE not in {
            m["event"]["event_type"] for m in app.signaling.of(MessageType.EVENT_UPDATE)
        }
        r.world.unmute(meeting, "Alice")
        r.world.say(meeting, "Alice", "Now you do.")
        assert (await told(app, EventType.ACTIVE_SPEAKER_CHANGE))["user_name"] == "Alice"
        assert [entry["muted"] for entry in r.entries("speech")] == [True, False]


@in_loop
async def test_who_mutes_in_the_middle_breaks_off() -> None:
    """What was said before is heard, the rest is not, also after unmuting; others speak on."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        whole = r.world.say(meeting, "Alice", "This is a sentence of some length, isn't it?")
        other = r.world.say(meeting, "Bob", "It is.")
        r.clock.advance(A_SECOND_MS)
        r.world.mute(meeting, "Alice")
        r.world.unmute(meeting, "Alice")
        cut, untouched = meeting.utterances
        assert cut.duration_ms <= A_SECOND_MS < whole.duration_ms
        assert untouched == other


@in_loop
async def test_only_who_is_there_can_mute() -> None:
    """A mistyped name is refused, and who comes back is not muted."""
    async with rig() as r:
        meeting = r.meeting("Alice")
        for step in (r.world.mute, r.world.unmute):
            with pytest.raises(UnknownObject, match="no participant 'Alise'"):
                step(meeting, "Alise")
        r.world.mute(meeting, "Alice")
        r.world.leave(meeting, "Alice")
        r.world.join(meeting, "Alice")
        assert not meeting.is_muted(meeting.participant("Alice"))


@pytest.mark.parametrize("name", list(VOICE_HAPPENINGS))
@in_loop
async def test_a_call_tells_of_what_happens(name: str) -> None:
    """Each happening is an event with its own time and the one whom it happens to."""
    async with rig() as r:
        call = r.meeting("Ann", "Bob", "Carol", product="contact_center")
        app = await listening(r, call)
        r.world.happen(call, name)
        event = await told(app, VOICE_HAPPENINGS[name].event)
        info = event["participant_info"]
        assert (event["event_ts"], info["participant_mode"]) == (r.clock.now_ms(), "callee")
        assert info["display_name"] in ("Bob", "Carol")
        assert info["account_id"] == r.world.account_id
        assert info["channel_id"] == call.participant(info["display_name"]).channel_id


@in_loop
async def test_it_happens_to_whom_it_is_said_to() -> None:
    """`who` is the one concerned, and somebody has to be."""
    async with rig() as r:
        call = r.meeting("Ann", "Bob", "Carol", product="contact_center")
        app = await listening(r, call)
        r.world.happen(call, "hold", "Carol")
        event = await told(app, VoiceEventType.USER_HOLD)
        assert event["participant_info"]["display_name"] == "Carol"
        with pytest.raises(UnknownObject, match="no participant 'Dave'"):
            r.world.happen(call, "hold", "Dave")
        alone = r.meeting("Ann", product="contact_center")
        with pytest.raises(UsageError, match=r"hold: expected who came after the first.*nobody"):
            r.world.happen(alone, "hold")


@in_loop
async def test_a_customer_who_hangs_up_is_told_of_first() -> None:
    """The consumer's end, then the end of the call."""
    async with rig() as r:
        call = r.meeting("Ann", "Bob", product="contact_center")
        app = await listening(r, call)
        r.world.happen(call, "customer_hangs_up")
        event = await told(app, VoiceEventType.CONSUMER_END)
        assert event["participant_info"]["display_name"] == "Ann"
        assert call.ended
