"""Operations of a document, and requests that are held against them."""

from __future__ import annotations

from typing import Any

import pytest

from mockzoom.core.operations import read_api
from mockzoom.core.rest import load_rest

API = read_api("control-api.openapi.yaml")


def test_a_document_is_read_once() -> None:
    """Who asks again gets the same."""
    assert read_api("control-api.openapi.yaml") is API
    assert load_rest() is not API


def test_parameters_are_those_of_path_and_operation() -> None:
    """References are resolved, and the places told apart."""
    say = API.operations["say"]
    assert (say.method, say.path) == (
        "post",
        "/_mockzoom/meetings/{key}/participants/{name}/say",
    )
    assert [one["name"] for one in say.parameters_in("path")] == ["key", "name"]
    assert say.parameters_in("query") == []
    journal = API.operations["get_journal"]
    assert [one["name"] for one in journal.parameters_in("query")][:2] == ["kind", "stream"]
    assert (say.success, journal.success) == (202, 200)


@pytest.mark.parametrize(
    ("name", "request_", "problems"),
    [
        ("get_journal", {"query": [("kind", "state"), ("other", "x")]}, []),
        ("get_journal", {"query": [("limit", "x")]}, ["limit: expected integer, found 'x'"]),
        ("get_journal", {"query": [("limit", "0")]}, ["limit: expected at least 1, found 0"]),
        ("lift_fault", {"path": {"id": 1}}, []),
        ("lift_fault", {"path": {"id": -1}}, ["id: expected at least 0, found -1"]),
        ("say", {"body": b'{"text": "Hi"}', "path": {"key": "1", "name": "a/b"}}, []),
        ("set_clock", {"body": b'{"speed": NaN}'}, ["the whole: is not application/json"]),
        ("set_clock", {"body": b'{"speed": -Infinity}'}, ["the whole: is not application/json"]),
        ("set_clock", {"body": b'{"speed": 1e400}'}, ["speed: expected at most 1000, found"]),
        ("set_clock", {"body": b'{"speed": ' + b"9" * 5000 + b"}"}, ["the whole: is not app"]),
        ("say", {"body": b"{}"}, ["text: is required, but is not there"]),
        ("say", {"body": b'{"text": "Hi", "to": "x"}'}, ["the whole: Additional properties"]),
        ("tell_event", {"body": b'{"event_type": 1, "x": ' + b"[" * 90 + b"]" * 90 + b"}"}, []),
        (
            "tell_event",
            {"body": b'{"event_type": 1, "x": ' + b"[" * 200 + b"]" * 200 + b"}"},
            ["the whole: is nested too deeply"],
        ),
        ("tell_event", {"body": b'{"event_type": 1, "x": [' + b"[]," * 200 + b"1]}"}, []),
        ("reset", {"body": b"{" * 1000}, []),
        ("reset", {"body": b"what is not asked for is not read"}, []),
    ],
)
def test_requests_are_judged(name: str, request_: dict[str, Any], problems: list[str]) -> None:
    """Path, query and body, each told by the name of what is wrong."""
    body = request_.pop("body", b"{}")
    told = [str(problem) for problem in API.problems(API.operations[name], body, **request_)]
    assert [line[: len(start)] for line, start in zip(told, problems, strict=True)] == problems
