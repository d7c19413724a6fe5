"""What happens in a call of the contact center, beside people who come, go and speak.

Each happening is an event of the product's own table (`VoiceEventType`); whoever it happens to is
told in its `participant_info`.  Events 8 to 11 are not here: they tell of who comes and goes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mockzoom.core.codes import VoiceEventType
from mockzoom.core.meeting import Role

__all__ = ["VOICE_HAPPENINGS", "VoiceHappening", "call_fields", "participant_info"]

_E = VoiceEventType


class VoiceHappening(NamedTuple):
    """An event, the one it happens to when nobody is named, and a sentence about it."""

    event: VoiceEventType
    role: Role
    what: str


VOICE_HAPPENINGS: Mapping[str, VoiceHappening] = {
    "hold": VoiceHappening(_E.USER_HOLD, Role.SECOND, "The agent puts the customer on hold."),
    "unhold": VoiceHappening(_E.USER_UNHOLD, Role.SECOND, "The agent comes back to the customer."),
    "monitor_started": VoiceHappening(
        _E.MONITOR_STARTED, Role.LATEST, "A supervisor begins to listen in."
    ),
    "monitor_transitioned": VoiceHappening(
        _E.MONITOR_TRANSITIONED, Role.LATEST, "The supervisor whispers or barges in."
    ),
    "monitor_ended": VoiceHappening(_E.MONITOR_ENDED, Role.LATEST, "The supervisor goes."),
    "takeover_started": VoiceHappening(
        _E.TAKEOVER_STARTED, Role.LATEST, "The supervisor takes the call over."
    ),
    "transfer_initiated": VoiceHappening(
        _E.TRANSFER_INITIATED, Role.SECOND, "The agent offers the call to another one."
    ),
    "transfer_canceled": VoiceHappening(
        _E.TRANSFER_CANCELED, Role.SECOND, "The agent takes the offer back."
    ),
    "transfer_accepted": VoiceHappening(
        _E.TRANSFER_ACCEPTED, Role.LATEST, "The other agent takes the call."
    ),
    "transfer_completed": VoiceHappening(
        _E.TRANSFER_COMPLETED, Role.LATEST, "The call is the other agent's."
    ),
    "transfer_rejected": VoiceHappening(
        _E.TRANSFER_REJECTED, Role.SECOND, "The other agent does not want it."
    ),
    "transfer_timeout": VoiceHappening(
        _E.TRANSFER_TIMEOUT, Role.SECOND, "The other agent does not answer."
    ),
    "conference_canceled": VoiceHappening(
        _E.CONFERENCE_CANCELED, Role.SECOND, "The agent gives the conference up."
    ),
    "conference_participant_invited": VoiceHappening(
        _E.CONFERENCE_PARTICIPANT_INVITED, Role.LATEST, "Somebody is asked into the call."
    ),
    "conference_participant_canceled": VoiceHappening(
        _E.CONFERENCE_PARTICIPANT_CANCELED, Role.LATEST, "They are asked no longer."
    ),
    "conference_participant_rejected": VoiceHappening(
        _E.CONFERENCE_PARTICIPANT_REJECTED, Role.LATEST, "They do not want to come."
    ),
    "conference_participant_timeout": VoiceHappening(
        _E.CONFERENCE_PARTICIPANT_TIMEOUT, Role.LATEST, "They do not answer."
    ),
    "conference_participant_left": VoiceHappening(
        _E.CONFERENCE_PARTICIPANT_LEFT, Role.LATEST, "They leave the call."
    ),
}


def call_fields(account_id: str) -> dict[str, str]:
    """What is told of the call itself with each participant: the queue that it came through."""
    return {
        "queue_id": "mock-queue",
        "queue_name": "Support",
        "account_id": account_id,
        "division_id": "mock-division",
    }


def participant_info(
    user_id: int, display_name: str, call: Mapping[str, Any], *, consumer: bool
) -> dict[str, Any]:
    """`participant_info` of one person; `channel_id` is that of their audio (`Meeting.join`)."""
    return {
        "channel_id": str(user_id),
        "participant_mode": "caller" if consumer else "callee",
        **call,
        # Numbers that nobody has: 555-0100 to 555-0199 are kept for stories.
        "phone_number": f"+120255501{user_id // 1024 % 100:02d}",
        "user_id": str(user_id),
        "display_name": display_name,
    }
