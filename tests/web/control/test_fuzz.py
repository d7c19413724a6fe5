"""schemathesis against the control API, from its own document: documented answers only.

Requests that keep the document and requests that break it go to a real server, for what is there
and for what is not.  Every run sends the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mockzoom import DeliveryTimings, MockZoom, World
from mockzoom.core.operations import read_api

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(dict(read_api("control-api.openapi.yaml").document))
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok() for found in SCHEMA.get_all_operations()
}
EXAMPLES = 12

deterministic = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server() -> Iterator[MockZoom]:
    with MockZoom(seed=1, delivery_timings=DeliveryTimings(timeout_ms=200)) as zoom:
        yield zoom


@pytest.fixture
def world(server: MockZoom) -> Iterator[World]:
    yield server.world("fuzzed")
    for name in server.worlds[1:]:
        server.remove_world(name)


def cases(name: str) -> st.SearchStrategy[Any]:
    """Requests that keep the document, and requests that do not."""
    operation = OPERATIONS[name]
    return st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)


def kept_short(operation: str, body: Any) -> None:
    """Nobody waits for what never comes, and nothing is posted to who might be there."""
    if not isinstance(body, dict):
        return
    if operation == "wait_for" and isinstance(body.setdefault("timeout_s", 0.01), float | int):
        body["timeout_s"] = min(body["timeout_s"], 0.01)
    if isinstance(body.get("url"), str):
        body["url"] = "http://127.0.0.1:1/"


def answers(world: World, operation: str, there: dict[str, str] | None = None) -> Counter[int]:
    """How often which status came, when every answer is one that the document has."""
    seen: Counter[int] = Counter()
    with requests.Session() as session:

        @deterministic
        @given(case=cases(operation))
        def send(case: Any) -> None:
            kept_short(operation, case.body)
            known = set(case.path_parameters or {})
            if there and known <= set(there):
                case.path_parameters = {key: there[key] for key in known}
            answer = case.call(base_url=world.url, session=session, timeout=30)
            case.validate_response(answer, checks=CHECKS)
            seen[answer.status_code] += 1

        send()
    return seen


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_is_there(world: World, name: str) -> None:
    """With a live stream, a fault and people about, what is asked is done or refused."""
    meeting = world.meeting(participants=["Alice", "Bob"])
    stream = meeting.start_rtms()
    fault = world.fault("delay", ms=1)
    there = {"key": meeting.key, "name": "Alice", "id": str(fault)}
    seen = answers(world, name, {**there, "rtms_stream_id": stream.rtms_stream_id})
    varied = "{" in OPERATIONS[name].path or OPERATIONS[name].body
    assert sum(seen.values()) >= (EXAMPLES // 2 if varied else 1)
    assert [entry for entry in world.journal() if entry["kind"] == "failure"] == []


@pytest.mark.parametrize("name", [name for name in OPERATIONS if "{" in OPERATIONS[name].path])
def test_what_is_not(world: World, name: str) -> None:
    """What was made up is not found, or is no request at all."""
    assert set(answers(world, name)) <= {400, 404, 405}
