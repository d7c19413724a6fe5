"""The kinds of fault by name: as JSON, and what a wrong one is answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockzoom.core.fault_kinds import FAULTS, effect, parse_fault, settings
from mockzoom.errors import ConfigurationError


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
        ({"kind": "delay", "ms": -1}, "ms: expected 0 to 3600000, found -1"),
        ({"kind": "delay", "socket": "vidio"}, "did you mean 'video'?"),
        ({"kind": "delay", "probability": 0}, "expected above 0, at most 1"),
        ({"kind": "delay", "times": 0}, "times: expected 1 to 1000000000, found 0"),
        ({"kind": "delay", "ms": 10**30}, "ms: expected 0 to 3600000, found 1000"),
        ({"kind": "delay", "probability": float("nan")}, "expected above 0, at most 1"),
        ({"kind": ["delay"]}, "fault kind ['delay']: expected one of"),
        ({"kind": "huge", "bytes": 10**9}, "bytes: expected 1 to 16000000"),
        ({"kind": "close", "times": 2}, "unknown field 'times'"),
        ({"kind": "grant"}, "params is missing"),
        ({"kind": "grant", "params": {"audio": 1}}, "params: expected dict"),
        ({"kind": "grant", "params": {"adio": {}}}, "expected parameters of audio, video, "),
        ({"kind": "grant", "params": {"all": {}}}, "expected parameters of audio, video, "),
        ({"kind": "grant", "params": {"audio": {"codec": 9}}}, "codec: 9 is not a value of"),
        ({"kind": "grant", "params": {"audio": {"code": 1}}}, "unknown 'code'; did you mean"),
        ({"kind": "close", "code": 999}, "expected 1000 to 4999"),
        ({"kind": "refuse", "code": 0}, "expected 1 to 47"),
        ({"kind": "refuse", "code": 48}, "expected 1 to 47"),
        ({"kind": "bandwidth", "bytes_per_s": 0}, "expected 1 to 1000000000, found 0"),
        ({"kind": "offer", "keys": "audio, all"}, "keys: expected some of audio,video,"),
    ],
)
def test_a_wrong_fault_is_told_in_one_line(value: dict[str, Any], told: str) -> None:
    """The line names the fault, the field, what was expected and what was found."""
    with pytest.raises(ConfigurationError) as caught:
        parse_fault(value)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_kind_explains_itself(kind: str) -> None:
    """It has a sentence, and its fields have defaults that it takes or must be given."""
    assert effect(kind).endswith(".")
    assert settings(kind)
    given = {name: value for name, value in settings(kind).items() if value is not ...}
    assert ("params" in settings(kind)) is (kind == "grant")
    if kind != "grant":
        assert parse_fault({"kind": kind, **given}) == FAULTS[kind]()
