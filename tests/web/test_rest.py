"""The vendor's REST over the network: every answer, and what it does to the world."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from rest_client import ACCOUNT_ID, Answer, Api, serving
from rig import CREDENTIALS

from mockzoom.core.codes import StopReason
from mockzoom.core.meeting import Meeting
from mockzoom.core.oauth import LIFETIME_S
from mockzoom.core.rest import RestPolicy, load_rest

GRANT = {"grant_type": "account_credentials", "account_id": ACCOUNT_ID}
CLIENT = {"grant_type": "client_credentials"}


def basic(client_id: str = CREDENTIALS.client_id, secret: str = CREDENTIALS.client_secret) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def bearer(api: Api) -> str:
    return "Bearer " + api.form(basic(), **GRANT).json["access_token"]


def twice(id_: Any) -> str:
    """An id as the vendor wants it in a path."""
    return quote(quote(str(id_), safe=""), safe="")


def path_of(meeting: Meeting, id_: Any = None) -> str:
    """Where the state of its stream is, by the id that handshakes sign or another one."""
    template = {
        "meeting": "/v2/live_meetings/{}/rtms_app/status",
        "webinar": "/v2/live_meetings/{}/rtms_app/status",
        "session": "/v2/videosdk/sessions/{}/rtms_app/status",
        "contact_center": "/v2/contact_center/{}/rtms_app/status",
    }[meeting.product.name]
    return template.format(twice(meeting.id if id_ is None else id_))


def act(api: Api, meeting: Meeting, action: str, id_: Any = None, settings: Any = None) -> Answer:
    body = {"action": action} | ({} if settings is None else {"settings": settings})
    method = "PUT" if meeting.product.name == "contact_center" else "PATCH"
    sent = json.dumps(body).encode()
    return api.request(method, path_of(meeting, id_), sent, Authorization=bearer(api))


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """Shared by the tests here: each has meetings of its own."""
    with serving() as served:
        yield served


# --- tokens ---


@pytest.mark.parametrize("asked", [GRANT, CLIENT], ids=["account", "client"])
def test_a_token_by_form(api, asked):
    """Either grant, in a form, gets an hour for all scopes, and the base of further URLs."""
    answer = api.form(basic(), **asked)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json
    assert len(told.pop("access_token")) >= 32
    assert told == {
        "token_type": "bearer",
        "expires_in": LIFETIME_S,
        "scope": " ".join(load_rest().scopes),
        "api_url": api.url,
    }


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", ""),
        (b"", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"\xff\x00", "multipart/form-data"),
    ],
)
def test_a_token_by_query(api, body, content_type):
    """Parameters in the query do as well, whatever else comes along."""
    path = f"/oauth/token?grant_type=account_credentials&account_id={ACCOUNT_ID}"
    assert api.request("POST", path, body, content_type, Authorization=basic()).status == 200


def test_a_client_in_the_form(api):
    """An app may send its id and secret beside the other parameters."""
    client = {"client_id": CREDENTIALS.client_id, "client_secret": CREDENTIALS.client_secret}
    assert api.form(**CLIENT, **client).status == 200
    assert api.form(**CLIENT, **client | {"client_secret": "x"}).status == 400


@pytest.mark.parametrize(
    ("authorization", "fields", "error", "reason"),
    [
        (basic(), {}, "invalid_request", "Missing grant type"),
        (basic(), {"grant_type": "password"}, "unsupported_grant_type", "unsupported grant type"),
        (basic(), {"grant_type": ""}, "unsupported_grant_type", "unsupported grant type"),
        (basic(secret="x"), CLIENT, "invalid_client", "Invalid client_id or client_secret"),
        (basic(client_id="x"), CLIENT, "invalid_client", "Invalid client_id or client_secret"),
        ("", CLIENT, "invalid_client", "Invalid client_id or client_secret"),
        ("Basic !", CLIENT, "invalid_client", "Invalid client_id or client_secret"),
        ("Bearer x", CLIENT, "invalid_client", "Invalid client_id or client_secret"),
        (basic(), GRANT | {"account_id": "x"}, "invalid_request", "Bad Request"),
        (basic(), {"grant_type": "account_credentials"}, "invalid_request", "Bad Request"),
    ],
)
def test_no_token(api, authorization, fields, error, reason):
    """Who is not the app, or does not ask as it should, is told so in the vendor's words."""
    answer = api.form(authorization, **fields)
    assert (answer.status, answer.json) == (400, {"reason": reason, "error": error})


def test_a_form_beyond_all_measure(api):
    """What is too large is not read, and so asks for nothing."""
    assert api.form(basic(), **CLIENT, filler="x" * 2_000_000).status == 400


# --- starting and what follows ---

PRODUCTS = ["meeting", "webinar", "session", "contact_center"]


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_whole_life(api, product):
    """Start, pause, resume and stop are accepted, and happen."""
    meeting = api.meeting(product)
    for action in ("start", "pause", "resume", "stop"):
        answer = act(api, meeting, action)
        assert (answer.status, answer.body) == (204, b"")
        assert "Content-Type" not in answer.headers
    assert api.states(meeting) == ["TERMINATED"]
    [stream] = [s for s in api.rig.world.streams.values() if s.meeting is meeting]
    assert stream.machine.stop_reason is StopReason.API_TRIGGERED


@pytest.mark.parametrize("product", ["meeting", "webinar"])
def test_numbers_and_uuids(api, product):
    """A meeting and a webinar are known by number and by UUID."""
    meeting = api.meeting(product)
    assert act(api, meeting, "start", meeting.key).status == 204
    assert act(api, meeting, "stop", meeting.id).status == 204


@pytest.mark.parametrize("product", ["meeting", "webinar", "session"])
def test_ids_with_slashes(api, product):
    """An id with slashes is known when it is encoded twice, and not when it is once."""
    meetings = iter(partial(api.meeting, product), None)
    meeting = next(meeting for meeting in meetings if "/" in meeting.id and "+" in meeting.id)
    once = path_of(meeting).replace(twice(meeting.id), quote(meeting.id, safe=""))
    assert api.request("PATCH", once, Authorization=bearer(api)).told == (404, 2300)
    assert act(api, meeting, "start").status == 204


def test_a_session_is_not_known_by_its_key(api):
    """The name that an app chose for a session is not its id."""
    session = api.meeting("session")
    assert act(api, session, "start", session.key).told == (404, 3001)


def test_it_can_be_started_again(api):
    """After a stop comes a new stream of the same meeting."""
    meeting = api.meeting()
    for action in ("start", "stop", "start"):
        assert act(api, meeting, action).status == 204
    assert api.states(meeting) == ["TERMINATED", "INACTIVE"]


def test_what_was_forgotten_is_not_live(monkeypatch):
    """A meeting that had to make room, or went with a reset, is known by no id any more."""
    with serving() as api:
        monkeypatch.setattr("mockzoom.engine.world.KEPT_MEETINGS", 1)
        old, new = api.meeting(), api.meeting()
        for id_ in (old.key, old.id):
            assert act(api, old, "start", id_).told == (404, 3001)
        assert act(api, new, "start").status == 204
        api.loop.call(api.rig.world.reset)
        for id_ in (new.key, new.id):
            assert act(api, new, "start", id_).told == (404, 3001)


def test_settings_name_the_app(api):
    """One's own client id, and a user, may be told."""
    settings = {"client_id": CREDENTIALS.client_id, "participant_user_id": "30R7kT7bTIKSNUFEuH_Qlg"}
    assert act(api, api.meeting(), "start", settings=settings).status == 204


# --- refusals ---


@pytest.mark.parametrize(
    ("before", "action", "why"),
    [
        ([], "stop", "expected one live stream, found 0"),
        ([], "pause", "expected one live stream, found 0"),
        ([], "resume", "expected one live stream, found 0"),
        (["start"], "start", "a stream is live already"),
        (["start"], "resume", "it is so already"),
        (["start", "pause"], "pause", "it is so already"),
        (["start", "stop"], "stop", "expected one live stream, found 0"),
    ],
)
def test_what_cannot_be_done_now(api, before, action, why):
    """The operation fails with 2310, and the journal says why."""
    meeting = api.meeting()
    for step in before:
        assert act(api, meeting, step).status == 204
    answer = act(api, meeting, action)
    assert answer.status == 400
    assert answer.json == {"code": 2310, "message": "Failed to perform RTMS app operation."}
    assert why in api.noted()[-1]["why"]
    assert api.noted()[-1]["status"] == 400


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("id_", ["1", "x", "..", "%", "😀", "a/b"])
def test_what_is_not_live(api, product, id_):
    """An id that nothing has is 3001, for every product."""
    assert act(api, api.meeting(product), "start", id_).told == (404, 3001)


def test_an_id_of_another_product(api):
    """A session is no meeting, and the other way round."""
    meeting, session = api.meeting(), api.meeting("session")
    assert act(api, meeting, "start", session.id).told == (404, 3001)
    assert act(api, session, "start", meeting.id).told == (404, 3001)


@pytest.mark.parametrize("product", ["meeting", "webinar", "contact_center"])
def test_the_stream_of_another_app(api, product):
    """Somebody else's client id is refused, and nothing starts."""
    meeting = api.meeting(product)
    assert act(api, meeting, "start", settings={"client_id": "another"}).told == (403, 2308)
    assert api.states(meeting) == []


@pytest.mark.parametrize(
    ("body", "content_type", "errors"),
    [
        (b"", "application/json", [("body", "is missing")]),
        (b"{", "application/json", [("body", "is not application/json")]),
        (b"[" * 50_000, "application/json", [("body", "is nested too deeply")]),
        (b" " * 2_000_000, "application/json", [("body", "is too large")]),
        (b"null", "application/json", [("body", "expected object, found null")]),
        (b"{}", "application/json", [("action", "is required, but is not there")]),
        (
            b'{"action": 1, "settings": []}',
            "application/json",
            [
                ("action", "expected string, found 1"),
                ("action", 'expected one of "start", "stop", "pause", "resume", found 1'),
                ("settings", "expected object, found []"),
            ],
        ),
        (
            b'{"action": "start"}',
            "text/plain",
            [("body", "expected application/json, found text/plain")],
        ),
        (
            b'{"action": "start"}',
            "",
            [("body", "expected application/json, found no content type")],
        ),
    ],
)
def test_what_is_malformed(api, body, content_type, errors):
    """Validation fails with 300 and one entry for each thing that is wrong."""
    meeting = api.meeting()
    answer = api.request("PATCH", path_of(meeting), body, content_type, Authorization=bearer(api))
    assert answer.told == (400, 300)
    found = [(error["field"], error["message"]) for error in answer.json["errors"]]
    assert sorted(found) == sorted(errors)
    assert api.states(meeting) == []


def test_parameters_of_the_content_type(api):
    """A charset beside the type is all right."""
    body, kind = b'{"action": "start"}', "Application/JSON; charset=utf-8"
    path = path_of(api.meeting())
    assert api.request("PATCH", path, body, kind, Authorization=bearer(api)).status == 204


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", 4700),
        ("Bearer", 4700),
        ("Bearer ", 4700),
        (basic(), 4700),
        ("Bearer a-wrong-one", 124),
        ("Bearer a.b.c", 124),
        ("Bearer a-token", 124),
    ],
)
def test_tokens_that_are_none(api, product, authorization, code):
    """Without a token, or with a wrong one, nothing else is looked at."""
    method = "PUT" if product == "contact_center" else "PATCH"
    path = path_of(api.meeting(product))
    answer = api.request(method, path, b"{", Authorization=authorization)
    assert answer.told == (401, code)


def test_a_token_expires():
    """For an hour it is good, then it is not, and a new one is."""
    with serving() as api:
        meeting, old = api.meeting(), bearer(api)

        def start(token: str) -> Answer:
            body = b'{"action": "start"}'
            return api.request("PATCH", path_of(meeting), body, Authorization=token)

        api.loop.call(api.rig.clock.advance, LIFETIME_S * 1_000 - 1)
        newer = bearer(api)
        assert start(old).status == 204
        api.loop.call(api.rig.clock.advance, 1)
        assert start(old).told == (401, 124)
        assert start(old).json["message"] == "Access token is expired."
        assert start(newer).status == 400  # it is live already
        assert start(newer).told == (400, 2310)


def test_a_scope_that_is_missing():
    """A token has the scopes of the app, and each operation its own."""
    scope = "contact_center:update:engagement_rtms_app_status"
    with serving(RestPolicy(scopes=(scope,))) as api:
        assert api.form(basic(), **GRANT).json["scope"] == scope
        refused = act(api, api.meeting(), "start")
        assert refused.told == (401, 4711)
        assert "meeting:update:participant_rtms_app_status" in refused.json["message"]
        assert act(api, api.meeting("contact_center"), "start").status == 204
        assert act(api, api.meeting("session"), "start").status == 204  # asks for none


def test_too_many_requests():
    """Past its limit an app is told to wait for the next second."""
    with serving(RestPolicy(requests_per_s=2)) as api:
        meeting = api.meeting()
        assert [act(api, meeting, action).status for action in ("start", "stop")] == [204, 204]
        refused = act(api, meeting, "start")
        assert refused.told == (429, 429)
        assert refused.headers["Retry-After"] == "1"
        api.loop.call(api.rig.clock.advance, 1_000)
        assert act(api, meeting, "start").status == 204


# --- the Video SDK's own tokens ---


def jwt(expires_ms: int, key: str = CREDENTIALS.client_secret) -> str:
    def part(value: Any) -> str:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    payload = {"iss": CREDENTIALS.client_id, "exp": expires_ms // 1_000}
    signed = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(payload)}"
    digest = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"Bearer {signed}.{part(digest)}"


def test_a_session_is_started_with_a_signed_token(api):
    """Video SDK apps sign a token themselves; for a meeting that is no token."""
    soon_ms = api.rig.clock.now_ms() + 60_000
    body = b'{"action": "start"}'

    def start(product: str, token: str) -> Answer:
        path = path_of(api.meeting(product))
        return api.request("PATCH", path, body, Authorization=token)

    assert start("session", jwt(soon_ms)).status == 204
    assert start("session", jwt(soon_ms - 60_000)).told == (401, 124)
    assert start("session", jwt(soon_ms, key="x")).told == (401, 124)
    assert start("meeting", jwt(soon_ms)).told == (401, 124)


# --- what is no operation ---


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/users/me", 404, 2300),
        ("PATCH", "/v2/live_meetings//rtms_app/status", 404, 2300),
        ("PATCH", "/v2/live_meetings/1/rtms_app/status/", 404, 2300),
        ("GET", "/v2/live_meetings/1/rtms_app/status", 405, 405),
        ("OPTIONS", "/v2/live_meetings/1/rtms_app/status", 405, 405),
        ("GET", "/oauth/token", 405, 405),
        ("POST", "/oauth/authorize", 404, 2300),
    ],
)
def test_no_such_operation(api, method, path, status, code):
    """What the mock does not answer, it refuses in the vendor's shape."""
    answer = api.request(method, path)
    assert answer.told == (status, code)
    assert ("Allow" in answer.headers) == (status == 405)


def test_the_journal_tells_of_requests(api):
    """Each request is an entry: which operation, on what, with which answer, and no secret."""
    meeting = api.meeting()
    act(api, meeting, "start", settings={"client_id": "another"})
    token, status = api.noted()[-2:]
    assert (token["operation"], token["status"]) == ("createToken", 200)
    assert (status["operation"], status["status"]) == ("updateMeetingRtmsStatus", 403)
    assert status["asked_id"] == meeting.id
    assert "expected the-client-id, found 'another'" in status["why"]
    assert CREDENTIALS.client_secret not in json.dumps(api.noted())


def test_the_control_api_is_not_opened_by_it(api):
    """An access token is no API token, and the other way round."""
    answer = api.request("GET", "/_mockzoom/journal", Authorization=bearer(api))
    assert answer.status == 401


def test_every_code_is_documented():
    """The document's list of codes is the list of what is answered here."""
    from mockzoom.web import rest

    refusals = [value for value in vars(rest).values() if isinstance(value, rest.Refusal)]
    listed = load_rest().document["components"]["schemas"]["Error"]["properties"]["code"]["enum"]
    assert sorted({refusal.code for refusal in refusals}) == listed


def test_every_action_is_documented():
    """The document's list of actions is the list of steps."""
    from mockzoom.web import rest

    listed = load_rest().document["components"]["schemas"]["Action"]["enum"]
    assert list(rest._STEPS) == listed
