"""What comes over the sockets: granted otherwise than asked for, unknown, broken, too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from mockzoom.core.codes import (
    AudioCodec,
    DataOption,
    EventType,
    MessageType,
    SampleRate,
    SessionState,
    VoiceEventType,
)
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, contract
from mockzoom.judge.stage import Stage

PROTOCOL = "spec/rtms-protocol.asyncapi.yaml"
ADDITIONS = "Zoom's changelog: types, events and fields are added without notice"
T = MessageType

ODD_GRANTS: Mapping[str, Mapping[str, Any]] = {
    "mixed audio": {"data_opt": DataOption.AUDIO_MIXED_STREAM.value},
    "8 kHz": {"sample_rate": SampleRate.SR_8K.value},
    "G.711": {"codec": AudioCodec.G711.value, "sample_rate": SampleRate.SR_8K.value},
    "100 ms": {"send_rate": 100},
}


@contract(
    "RT-501",
    MUST,
    source=f"{PROTOCOL}: DATA_HAND_SHAKE_RESP holds the parameters in force",
    loses="Audio is written in a format that it does not have, or the app falls over user 0.",
    needs=("rtms", "audio"),
    gotchas=(23, 24),
)
@pytest.mark.parametrize("params", ODD_GRANTS.values(), ids=ODD_GRANTS)
def test_it_lives_with_what_is_granted(stage: Stage, params: Mapping[str, Any]) -> None:
    """Granted another format than it asked for, mixed audio of user 0 say, it goes on."""
    stage.fault("grant", params={"audio": dict(params)})
    stream = stage.stream()
    stream.talk()
    stream.survives()


@contract(
    "RT-502",
    MUST,
    source=ADDITIONS,
    loses="It breaks on the day on which Zoom adds a message.",
    needs=("rtms",),
    gotchas=(27,),
)
def test_unknown_messages_are_tolerated(stage: Stage) -> None:
    """Messages of a type that nobody has told of are skipped, during the handshakes too."""
    stage.fault("unknown_type", number=77)
    stage.stream().survives()


@contract(
    "RT-503",
    MUST,
    source=ADDITIONS,
    loses="It breaks on the day on which Zoom adds an event.",
    needs=("rtms",),
    gotchas=(27,),
)
def test_unknown_events_are_tolerated(stage: Stage) -> None:
    """An event_type that nobody has told of is skipped, whatever its fields."""
    stream = stage.stream()
    for event in ({"event_type": 99, "timestamp": 1}, {"event_type": 98, "what": [{"x": None}]}):
        stream.send({"msg_type": T.EVENT_UPDATE, "event": event})
    stream.survives()


@contract(
    "RT-504",
    MUST,
    source=f"{PROTOCOL}: EVENT_UPDATE; a leave names the user_id alone",
    loses="The first participant who leaves takes the recording along.",
    needs=("rtms", "meeting"),
    gotchas=(27,),
)
def test_a_participant_leaves_without_a_name(stage: Stage) -> None:
    """Who leaves is told by user_id, with no name, and the app goes on."""
    stream = stage.stream("meeting")
    stream.meeting.leave("Bob")
    stream.survives()


BROKEN: Mapping[str, Mapping[str, Any]] = {
    "base64 cut short": {"kind": "wrong_base64"},
    "data missing": {"kind": "missing_field", "field": "data"},
    "user_id missing": {"kind": "missing_field", "field": "user_id"},
    "timestamp a string": {"kind": "wrong_type", "field": "timestamp"},
    "content missing": {"kind": "missing_field", "field": "content"},
}


@contract(
    "RT-505",
    SHOULD,
    source=f"{PROTOCOL}: MEDIA_DATA_AUDIO",
    loses="One damaged frame costs the rest of the meeting.",
    needs=("rtms", "audio"),
    gotchas=(27,),
)
@pytest.mark.parametrize("fault", BROKEN.values(), ids=BROKEN)
def test_damaged_media_is_skipped(stage: Stage, fault: Mapping[str, Any]) -> None:
    """A frame of audio that is not as it should be is skipped."""
    stream = stage.stream()
    stream.fault(**{**fault, "msg_type": T.MEDIA_DATA_AUDIO.value})
    stream.talk()
    stream.survives()


@contract(
    "RT-506",
    ADVICE,
    source="RFC 8259",
    loses="One message that breaks off costs the rest of the meeting.",
    needs=("rtms", "audio"),
    gotchas=(27,),
)
def test_what_is_no_json_is_skipped(stage: Stage) -> None:
    """A message that is cut off in the middle is skipped."""
    stream = stage.stream()
    stream.fault("malformed_json", msg_type=T.MEDIA_DATA_AUDIO.value)
    stream.talk()
    stream.survives()


@contract(
    "RT-507",
    MUST,
    source="Zoom's docs: up to 60 s of audio are buffered and come at once",
    loses="Whoever connects late overflows, and loses what the buffer was to save.",
    needs=("rtms", "audio"),
    gotchas=(29,),
)
def test_a_minute_of_audio_may_come_at_once(stage: Stage) -> None:
    """Three thousand frames in one burst are read, and keep-alives answered behind them."""
    stage.fault("backlog", ms=60_000)
    stream = stage.stream()
    stream.talk()
    stream.survives()


@contract(
    "RT-508",
    MUST,
    source=f"{PROTOCOL}: STREAM_STATE and SESSION_STATE are two lists; 4 ends only a stream",
    loses="A participant who resumes, or a host who pauses, is taken for the end of the stream.",
    needs=("rtms", "pause"),
    gotchas=(24,),
)
def test_states_of_sessions_and_streams_are_told_apart(stage: Stage) -> None:
    """A session that pauses and resumes, and a stream that does, end nothing."""
    stream = stage.stream()
    for state in (SessionState.PAUSED, SessionState.RESUMED, SessionState.STOPPED):
        stream.send(
            {
                "msg_type": T.SESSION_STATE_UPDATE,
                "state": state.value,
                "rtms_session_id": "another",
                "timestamp": 1_700_000_000_000,
            }
        )
    stream.stream.pause()
    stream.stream.resume()
    stream.survives()


@contract(
    "RT-509",
    MUST,
    source=f"{PROTOCOL}: RTMS_ZCC_VOICE_EVENT_TYPE",
    loses="A caller on hold is taken for a camera or a chat group, with fields that are not there.",
    needs=("rtms", "contact_center"),
    gotchas=(24,),
)
def test_voice_events_are_read_by_their_own_table(stage: Stage) -> None:
    """Events 8 to 29 of a contact-center call have a meaning and fields of their own."""
    stream = stage.stream("contact_center")
    info = {"channel_id": "16778240", "participant_mode": "caller", "display_name": "Alice"}
    for kind in VoiceEventType:
        stream.meeting.tell(kind.value, participant_info=info)
    stream.survives()


NAMES: Mapping[str, str] = {
    "emoji": "Zoë 🎧👩‍💻",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd\u202c",
    "a path": "../../etc/passwd",
    "control characters": "A\x00\x1b[31mB\n",
    "very long": "x" * 500,
}


@contract(
    "RT-510",
    SHOULD,
    source="names are chosen by strangers",
    loses="One guest with an odd name ends the recording, or decides where it is written.",
    needs=("rtms",),
    gotchas=(5,),
)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_may_be_anything(stage: Stage, name: str) -> None:
    """Whatever a participant is called, joining, speaking and leaving go on."""
    stream = stage.stream(participants=(name, "Bob"))
    stream.talk()
    stream.meeting.leave(name)
    stream.survives()


@contract(
    "RT-511",
    MUST,
    source=f"{PROTOCOL}: user_id 0 is everybody; EVENT_UPDATE may come before any media",
    loses="It falls over news about somebody whom it does not know.",
    needs=("rtms",),
    gotchas=(23, 27),
)
def test_news_of_strangers_are_tolerated(stage: Stage) -> None:
    """Events about a user who never joined, or about nobody, are no reason to stop."""
    stream = stage.stream()
    for event in (
        {"event_type": EventType.ACTIVE_SPEAKER_CHANGE, "timestamp": 1, "user_id": 424242},
        {"event_type": EventType.PARTICIPANT_LEAVE, "participants": [{"user_id": 424242}]},
        {"event_type": EventType.PARTICIPANT_JOIN, "participants": []},
    ):
        stream.send({"msg_type": T.EVENT_UPDATE, "event": event})
    stream.survives()


@contract(
    "RT-512",
    SHOULD,
    source=f"{PROTOCOL}: STREAM_STATE_RESP, STREAM_CLOSE_RESP, DATA_HAND_SHAKE_RESP",
    loses="A message that is late or on the wrong socket is acted upon.",
    needs=("rtms",),
    gotchas=(27,),
)
def test_answers_to_nothing_are_tolerated(stage: Stage) -> None:
    """Answers that nobody asked for, and second handshake responses, change nothing."""
    stream = stage.stream()
    refusal = {"status_code": 45, "reason": "late", "protocol_version": 1, "sequence": 1}
    stream.send({"msg_type": T.SIGNALING_HAND_SHAKE_RESP, **refusal})
    for socket in stream.evidence.media:
        stream.send({"msg_type": T.DATA_HAND_SHAKE_RESP, **refusal}, socket.key)
    stream.send({"msg_type": T.VIDEO_SUBSCRIPTION_RESP, "user_id": 1, **refusal})
    stream.survives()
