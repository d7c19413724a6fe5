"""Which message answers which, and what of a request comes back in its answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core import messages
from mockzoom.core.answers import ANSWERS, HANDSHAKES, echoing, refusal
from mockzoom.core.codes import MessageType, SessionState, StatusCode
from mockzoom.core.protocol import load_protocol

T = MessageType

NOW_MS = 1_760_000_000_000
ECHOED = ("sequence", "protocol_version", "rtms_session_id", "rtms_stream_id", "user_id")
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())
REQUESTS = st.fixed_dictionaries({}, optional=dict.fromkeys(ECHOED, ANYTHING))


@given(st.sampled_from([*HANDSHAKES, *ANSWERS]), REQUESTS)
def test_a_refusal_keeps_the_protocol(asked: T, request: dict[str, Any]) -> None:
    """Whatever was in a request, its refusal has the shape that the protocol gives it."""
    answer = refusal(request, asked, StatusCode.INVALID_PAYLOAD, "why", NOW_MS)
    assert load_protocol().problems(answer) == []


def test_what_has_no_answer_is_refused_under_its_own_number() -> None:
    """5 and 7 are not answered when all is well."""
    for asked in (T.EVENT_SUBSCRIPTION, T.CLIENT_READY_ACK, 77):
        refused = refusal({}, asked, StatusCode.INVALID_MESSAGE_TYPE, "why", NOW_MS)
        assert refused == messages.refusal(asked, StatusCode.INVALID_MESSAGE_TYPE, "why")


def test_an_answer_tells_back_what_it_has_in_common_with_its_request() -> None:
    """As it is in the request, if that is sound; nothing is added to the answer."""
    answer = messages.session_state_resp("one", SessionState.STARTED, NOW_MS)
    assert echoing(answer, {"rtms_session_id": "two", "user_id": 5})["rtms_session_id"] == "two"
    assert echoing(answer, {"rtms_session_id": 2, "user_id": 5}) == answer
