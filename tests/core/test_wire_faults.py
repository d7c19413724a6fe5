"""Faults of the wire as values: what each makes of a packet, alone and after others."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from mockzoom.core.wire_faults import (
    Backlog,
    Bandwidth,
    Binary,
    Delay,
    Duplicate,
    ExtraField,
    Fragments,
    Huge,
    Jitter,
    Late,
    Malformed,
    MissingField,
    Packet,
    Reorder,
    Silence,
    UnknownType,
    WireFault,
    WrongBase64,
    WrongType,
)

AUDIO = {"msg_type": 14, "content": {"user_id": 7, "user_name": "Alice", "data": "AAAA"}}
STATE = {"msg_type": 8, "state": 1, "reason": 0, "timestamp": 5}


def applied(fault: WireFault, message: dict[str, Any]) -> list[Packet]:
    return fault.apply(Packet(message), Random(1))


def test_time_faults_hold_messages_back_and_add_up() -> None:
    """Delay, jitter and lateness compose by adding their times."""
    first = applied(Delay(ms=200), AUDIO)[0]
    second = Late(ms=1000).apply(first, Random(1))[0]
    third = Jitter(ms=50).apply(second, Random(1))[0]
    assert 1200 <= third.delay_ms <= 1250
    assert third.text == Packet(AUDIO).text


def test_silence_swallows_and_duplicate_doubles() -> None:
    """A fault may make none or two of one message."""
    assert applied(Silence(), AUDIO) == []
    assert applied(Duplicate(), AUDIO) == [Packet(AUDIO)] * 2


def test_a_backlog_goes_ahead_of_the_first_frame() -> None:
    """A minute is three thousand frames of 20 ms, each with its own time, before the one of now."""
    now = {**AUDIO, "content": {**AUDIO["content"], "timestamp": 100_000}}
    *earlier, last = applied(Backlog(), now)
    assert [packet.message["content"]["timestamp"] for packet in earlier] == list(
        range(40_000, 100_000, 20)
    )
    assert last == Packet(now)
    assert Backlog().times == 1
    assert not Backlog().fits(STATE)


@pytest.mark.parametrize("content", [None, {}, {"timestamp": "5"}])
def test_a_backlog_needs_a_time(content: object) -> None:
    """What another fault has taken the time from stays as it is."""
    message = {**AUDIO, "content": content}
    assert applied(Backlog(), message) == [Packet(message)]


def test_frames_are_another_matter_than_messages() -> None:
    """Binary and fragmented messages say the same."""
    binary = applied(Binary(), AUDIO)[0]
    (both,) = Fragments(bytes=10).apply(binary, Random(1))
    assert (both.binary, both.frame_bytes, both.text) == (True, 10, Packet(AUDIO).text)


def test_reorder_lets_media_be_overtaken() -> None:
    """Some packets are held back, and none keeps its place in the order."""
    chance = Random(3)
    packets = [Reorder(ms=50).apply(Packet(AUDIO), chance)[0] for _ in range(40)]
    assert {packet.delay_ms for packet in packets} == {0, 50}
    assert not any(packet.in_order for packet in packets)


def test_malformed_json_cannot_be_read() -> None:
    """What is left of the message is no JSON."""
    for _ in range(20):
        with pytest.raises(json.JSONDecodeError):
            json.loads(applied(Malformed(), AUDIO)[0].text)


def test_an_unknown_type_goes_ahead_of_the_message() -> None:
    """The message itself still comes."""
    odd, real = applied(UnknownType(number=99), AUDIO)
    assert json.loads(odd.text)["msg_type"] == 99
    assert real == Packet(AUDIO)


@pytest.mark.parametrize("field", ["", "user_name", "reason"])
def test_a_field_is_taken_away(field: str) -> None:
    """The named field goes, wherever it is; without a name any but msg_type."""
    message = STATE if field == "reason" else AUDIO
    told = applied(MissingField(field=field), message)[0].text
    assert json.loads(told) != message
    assert json.loads(told)["msg_type"] == message["msg_type"]
    assert not field or f'"{field}"' not in told


def test_a_field_changes_its_type() -> None:
    """Numbers become texts, and texts become objects."""
    told = json.loads(applied(WrongType(field="user_id"), AUDIO)[0].text)
    assert told["content"]["user_id"] == "7"
    told = json.loads(applied(WrongType(field="user_name"), AUDIO)[0].text)
    assert isinstance(told["content"]["user_name"], dict)


def test_extra_fields_leave_the_others_alone() -> None:
    """Everything that was in the message still is."""
    told = json.loads(applied(ExtraField(), AUDIO)[0].text)
    assert told["x_undocumented"]
    assert told["content"].items() >= AUDIO["content"].items()  # type: ignore[attr-defined]


def test_wrong_base64_and_huge_messages() -> None:
    """Data loses its padding; a message grows by what was asked for."""
    told = json.loads(applied(WrongBase64(), AUDIO)[0].text)
    assert told["content"]["data"] == "AAA"
    assert len(applied(Huge(bytes=1000), STATE)[0].text) > 1000


def test_media_faults_leave_signaling_messages_alone() -> None:
    """A duplicate of a state update would be another fault."""
    assert not Duplicate().fits(STATE)
    assert Duplicate().fits(AUDIO)
    assert not Duplicate(msg_type=17).fits(AUDIO)


def test_the_narrowest_line_counts() -> None:
    """Two limits on one packet are the smaller one, in either order."""
    narrow, wide = Bandwidth(bytes_per_s=4_000), Bandwidth(bytes_per_s=9_000)
    for first, second in ((narrow, wide), (wide, narrow)):
        [packet] = applied(first, AUDIO)
        [packet] = second.apply(packet, Random(1))
        assert packet.bytes_per_s == 4_000


def test_what_breaks_off_stays_broken() -> None:
    """A fault after a cut does not mend the message, and two cuts leave something."""
    chance = Random(1)
    packet = Packet(AUDIO)
    for fault in (Malformed(), ExtraField(), WrongType(), Malformed(), Malformed()):
        [packet] = fault.apply(packet, chance)
    assert packet.text
    with pytest.raises(json.JSONDecodeError):
        json.loads(packet.text)


def test_data_that_is_gone_cannot_be_cut() -> None:
    """Base64 that another fault took away is passed over."""
    packet = Packet({"msg_type": 14, "content": {}})
    assert WrongBase64().apply(packet, Random(1)) == [packet]
