"""schemathesis against the vendor's REST, from its own document: documented answers only.

Requests that keep the document and requests that break it go to a real server, with a token and
for things that are live, or not.  Every run sends the same.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rest_client import Api, serving
from rig import CREDENTIALS
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from mockzoom.core.rest import load_rest

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(dict(load_rest().document))
OPERATIONS = {
    found.ok().definition.raw["operationId"]: found.ok() for found in SCHEMA.get_all_operations()
}
BASIC = base64.b64encode(f"{CREDENTIALS.client_id}:{CREDENTIALS.client_secret}".encode()).decode()
EXAMPLES = 60

deterministic = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with serving() as served:
        yield served


def cases(name: str) -> st.SearchStrategy[Any]:
    """Requests that keep the document, and requests that do not."""
    operation = OPERATIONS[name]
    return st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)


def answers(
    api: Api, name: str, authorization: str, ids: dict[str, str] | None = None
) -> Counter[int]:
    """How often which status came, when every answer is one that the document has."""
    seen: Counter[int] = Counter()
    with requests.Session() as session:

        @deterministic
        @given(case=cases(name))
        def send(case: Any) -> None:
            case.path_parameters = ids or case.path_parameters
            headers = {"Authorization": authorization}
            answer = case.call(base_url=api.url, session=session, headers=headers)
            case.validate_response(answer, checks=CHECKS)
            seen[answer.status_code] += 1

        send()
    return seen


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("updateMeetingRtmsStatus", "meeting"),
        ("updateMeetingRtmsStatus", "webinar"),
        ("updateSessionRtmsStatus", "session"),
        ("updateEngagementRtmsStatus", "contact_center"),
    ],
)
def test_what_is_live(api, name, product):
    """For something live, what keeps the document is done or fails, the rest is malformed."""
    token = api.form(f"Basic {BASIC}", grant_type="client_credentials").json["access_token"]
    operation = load_rest().operations[name]
    meetings = iter(partial(api.meeting, product), None)
    meeting = next(meeting for meeting in meetings if "/" not in meeting.id)
    seen = answers(
        api, name, f"Bearer {token}", {operation.parameters_in("path")[0]["name"]: meeting.id}
    )
    assert {204, 400} <= set(seen) <= {204, 400, 403}  # 403 for a client id that was made up
    assert sum(seen.values()) >= EXAMPLES // 2


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "createToken"])
def test_what_is_not(api, name):
    """An id that was made up is not found, and without a token nothing is done at all."""
    token = api.form(f"Basic {BASIC}", grant_type="client_credentials").json["access_token"]
    assert {400, 404} <= set(answers(api, name, f"Bearer {token}")) <= {400, 403, 404}
    # A path that leads nowhere is not found before anybody asks who wants to know.
    assert set(answers(api, name, "Bearer made-up")) <= {401, 404}


def test_tokens(api):
    """Whatever is asked for one, the answer is a token or the vendor's reason why not."""
    seen = answers(api, "createToken", f"Basic {BASIC}")
    assert set(seen) == {200, 400}
    assert set(answers(api, "createToken", "Basic bm9ib2R5Og==")) == {400}
