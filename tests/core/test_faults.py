"""Faults as values: what each makes of a message, and what a wrong one is answered."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest

from mockzoom.core.faults import (
    FAULTS,
    Delay,
    Duplicate,
    ExtraField,
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
    parse_fault,
)
from mockzoom.errors import ConfigurationError

AUDIO = {"msg_type": 14, "content": {"user_id": 7, "user_name": "Alice", "data": "AAAA"}}
STATE = {"msg_type": 8, "state": 1, "reason": 0, "timestamp": 5}


def applied(fault: WireFault, message: dict[str, Any]) -> list[Packet]:
    return fault.apply(Packet.of(message), Random(1))


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_every_fault_can_be_written_as_json_and_read_back(kind: str) -> None:
    """A fault that the API shows is one that the API takes."""
    needed = {"grant": {"params": {"audio": {"data_opt": 1}}}}.get(kind, {})
    fault = parse_fault({"kind": kind, **needed})
    again = parse_fault(json.loads(json.dumps(fault.as_dict())))
    assert again == fault
    assert fault.__doc__


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({}, "kind None: expected one of"),
        ({"kind": "dely"}, "did you mean 'delay'?"),
        ({"kind": "delay", "msec": 1}, "unknown field 'msec'; did you mean 'ms'?"),
        ({"kind": "delay", "ms": "1"}, "ms: expected int, found '1'"),
        ({"kind": "delay", "ms": True}, "ms: expected int, found True"),
        ({"kind": "delay", "ms": -1}, "ms -1: expected 0 or more"),
        ({"kind": "delay", "socket": "vidio"}, "did you mean 'video'?"),
        ({"kind": "delay", "probability": 0}, "expected above 0, at most 1"),
        ({"kind": "grant"}, "params is missing"),
        ({"kind": "close", "code": 999}, "expected 1000 to 4999"),
        ({"kind": "refuse", "code": 0}, "expected 1 to 47"),
        ({"kind": "refuse", "code": 48}, "expected 1 to 47"),
        ({"kind": "bandwidth", "bytes_per_s": 0}, "expected 1 or more"),
    ],
)
def test_a_wrong_fault_is_told_in_one_line(value: dict[str, Any], told: str) -> None:
    """The line names the fault, the field, what was expected and what was found."""
    with pytest.raises(ConfigurationError) as caught:
        parse_fault(value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_time_faults_hold_messages_back_and_add_up() -> None:
    """Delay, jitter and lateness compose by adding their times."""
    first = applied(Delay(ms=200), AUDIO)[0]
    second = Late(ms=1000).apply(first, Random(1))[0]
    third = Jitter(ms=50).apply(second, Random(1))[0]
    assert 1200 <= third.delay_ms <= 1250
    assert third.text == Packet.of(AUDIO).text


def test_silence_swallows_and_duplicate_doubles() -> None:
    """A fault may make none or two of one message."""
    assert applied(Silence(), AUDIO) == []
    assert applied(Duplicate(), AUDIO) == [Packet.of(AUDIO)] * 2


def test_reorder_lets_media_be_overtaken() -> None:
    """Some packets are held back, and none keeps its place in the order."""
    chance = Random(3)
    packets = [Reorder(ms=50).apply(Packet.of(AUDIO), chance)[0] for _ in range(40)]
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
    assert real == Packet.of(AUDIO)


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
