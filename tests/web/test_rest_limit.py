"""The app's limit of streams, and meetings that are over, as the vendor's REST tells them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator

import pytest
from rest_client import ACCOUNT_ID, Answer, Api, serving
from rig import CREDENTIALS

from mockzoom.core.meeting import Meeting


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as served:
        yield served


def start(api: Api, meeting: Meeting) -> Answer:
    pair = f"{CREDENTIALS.client_id}:{CREDENTIALS.client_secret}"
    basic = "Basic " + base64.b64encode(pair.encode()).decode()
    grant = api.form(basic, grant_type="account_credentials", account_id=ACCOUNT_ID)
    path = f"/v2/live_meetings/{meeting.key}/rtms_app/status"
    bearer = f"Bearer {grant.json['access_token']}"
    return api.request("PATCH", path, b'{"action": "start"}', Authorization=bearer)


def test_at_the_limit_the_operation_fails(api: Api) -> None:
    """2310 with a status of 400, and the journal says why; the app hears of it by webhook too."""
    api.loop.call(lambda: api.rig.world.limit_streams(1))
    first, second = api.meeting(), api.meeting()
    assert start(api, first).status == 204
    assert start(api, second).told == (400, 2310)
    assert "the app has 1 streams, as many as it may have" in json.dumps(api.noted()[-1])


def test_a_meeting_that_is_over_is_not_live(api: Api) -> None:
    """3001 with a status of 404."""
    meeting = api.meeting()
    api.loop.call(lambda: api.rig.world.end_meeting(meeting))
    assert start(api, meeting).told == (404, 3001)
