"""The webhook endpoint alone: Flask's test client, a clock that stands still."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.signing import encrypted_token, webhook_signature
from mockzoom.core.spec import load_spec
from mockzoom.receiver import webhook
from mockzoom.receiver.webhook import MAX_BODY_BYTES, create_app

NOW_S = 1_700_000_000
SPEC = load_spec()


class Endpoint:
    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        app = create_app("token", self.events.append, now_s=lambda: NOW_S)
        self.client = app.test_client()

    def post(self, body: bytes, stamp: str = str(NOW_S), signature: str | None = None) -> Any:
        signed = webhook_signature("token", stamp, body) if signature is None else signature
        headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": signed}
        return self.client.post("/webhook", data=body, headers=headers)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


def example(name: str) -> Any:
    return next(iter(SPEC.event(name).examples.values()))


@pytest.mark.parametrize("name", SPEC.events)
def test_each_event_is_answered_as_the_document_says(endpoint: Endpoint, name: str) -> None:
    """The 200 answer is declared with the schema of the event; the event itself keeps it."""
    answer = endpoint.post(json.dumps(example(name)).encode())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert SPEC.event(name).problems(answer.json) == []
    assert [event["event"] for event in endpoint.events] == [name]


@pytest.mark.parametrize(
    ("offset_s", "status"), [(-301, 401), (-300, 200), (0, 200), (300, 200), (301, 401)]
)
def test_the_window_has_two_ends(endpoint: Endpoint, offset_s: int, status: int) -> None:
    """Five minutes into the past and five into the future, and no second more."""
    assert endpoint.post(b'{"event":"x"}', str(NOW_S + offset_s)).status_code == status


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "\u0661\u0667", "9" * 13, "0x10"])
def test_a_stamp_is_decimal_seconds(endpoint: Endpoint, stamp: str) -> None:
    """Anything else is 401, even if it is signed."""
    body = b'{"event":"x"}'
    headers = [
        (b"x-zm-request-timestamp", stamp.encode()),
        (b"x-zm-signature", webhook_signature("token", stamp, body).encode()),
    ]
    decoded = {name.decode(): value.decode("latin-1") for name, value in headers}
    assert endpoint.client.post("/webhook", data=body, headers=decoded).status_code == 401


def test_a_stranger_learns_nothing(endpoint: Endpoint) -> None:
    """The same answer for an event and for nonsense, and no event gets through."""
    answers = [
        endpoint.post(body, signature="v0=0") for body in (b'{"event":"x"}', b"{", b'{"event":1}')
    ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(401, answers[0].data)}
    assert endpoint.events == []


@given(st.binary(max_size=60), st.text(st.characters(codec="latin-1", categories=["L", "N", "P"])))
def test_only_the_right_signature_passes(body: bytes, signature: str) -> None:
    """No bytes and no other signature get past 401, and none is a server error."""
    assert Endpoint().post(body, signature=signature).status_code == 401


@given(st.binary(max_size=60))
def test_signed_nonsense_is_400(body: bytes) -> None:
    """Any signed bytes are an event that is not known, or 400."""
    assert Endpoint().post(body).status_code in (200, 400)


@pytest.mark.parametrize(
    "token", ["v0:1700000000:{}", "", 1, None, "a\nb", "\\ud800"], ids=lambda token: repr(token)
)
def test_what_is_no_token_is_not_encrypted(endpoint: Endpoint, token: Any) -> None:
    """Text under a webhook's signature, most of all: that would be a forged signature."""
    text = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": token}})
    assert endpoint.post(text.replace("\\\\", "\\").encode()).status_code == 400


def test_url_validation_is_answered_every_time(endpoint: Endpoint) -> None:
    """It comes every 72 hours and is no event for the app."""
    body = b'{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}'
    for _ in range(2):
        assert endpoint.post(body).json == {
            "plainToken": "abc",
            "encryptedToken": encrypted_token("token", "abc"),
        }
    assert endpoint.events == []


def test_a_repeat_is_told_by_its_body(endpoint: Endpoint) -> None:
    """The same body under another stamp is taken but not passed on; another body is."""
    body = json.dumps(example("meeting.rtms_started")).encode()
    for stamp in (NOW_S, NOW_S + 1, NOW_S + 2):
        assert endpoint.post(body, str(stamp)).status_code == 200
    assert len(endpoint.events) == 1
    endpoint.post(body + b" ")
    assert len(endpoint.events) == 2


def test_the_memory_for_repeats_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest body is forgotten first."""
    monkeypatch.setattr(webhook, "REMEMBERED_BODIES", 2)
    endpoint = Endpoint()
    for number in (1, 2, 3, 3, 2, 1):
        endpoint.post(b'{"event":"%d"}' % number)
    assert [event["event"] for event in endpoint.events] == ["1", "2", "3", "1"]


def test_an_invalid_event_is_refused_with_its_reason(endpoint: Endpoint) -> None:
    """Refused events are not remembered and not passed on."""
    event = {**example("meeting.rtms_stopped"), "payload": {}}
    for _ in range(2):
        answer = endpoint.post(json.dumps(event).encode())
        assert answer.status_code == 400
        assert "payload" in answer.json["error"]
    assert endpoint.events == []


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)], ids=["fits", "over"]
)
def test_a_body_has_a_limit(endpoint: Endpoint, size: int, status: int) -> None:
    """One byte more than 1 MiB is 413."""
    head, tail = b'{"event":"x","pad":"', b'"}'
    body = head + b"x" * (size - len(head) - len(tail)) + tail
    assert endpoint.post(body).status_code == status


@pytest.mark.parametrize(("method", "path"), [("GET", "/webhook"), ("POST", "/"), ("PUT", "/x")])
def test_other_requests(endpoint: Endpoint, method: str, path: str) -> None:
    """One path, one method; the rest is 4xx."""
    assert endpoint.client.open(path, method=method).status_code in (404, 405)
