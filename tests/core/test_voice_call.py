"""What happens in a voice call: the table, and what is told of whom."""

from __future__ import annotations

from mockzoom.core.codes import VoiceEventType
from mockzoom.core.voice_call import VOICE_HAPPENINGS, call_fields, participant_info


def test_every_event_but_coming_and_going_has_a_name() -> None:
    """Each of the events from 12 on happens by one name; 8 to 11 tell of people."""
    events = [happening.event for happening in VOICE_HAPPENINGS.values()]
    assert sorted(events) == [event for event in VoiceEventType if event >= 12]


def test_people_are_told_with_their_call() -> None:
    """The consumer is the caller, all others are callees; ids are texts."""
    info = participant_info(16_778_240, "Ann", call_fields("the-account"), consumer=True)
    assert info.keys() == {
        "channel_id",
        "participant_mode",
        "queue_id",
        "queue_name",
        "account_id",
        "division_id",
        "phone_number",
        "user_id",
        "display_name",
    }
    assert all(isinstance(value, str) for value in info.values())
    assert (info["participant_mode"], info["account_id"]) == ("caller", "the-account")
    assert participant_info(1, "Bob", {}, consumer=False)["participant_mode"] == "callee"
