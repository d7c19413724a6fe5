"""An app that is pointed at the mock in place of Zoom's hosts, and knows of no other difference."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from queue import Queue
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import pytest

from mockzoom import Credentials, MockZoom, Receiver, RestPolicy, Timings
from mockzoom.core.products import PRODUCTS

TIMEOUT_S = 10

PATHS = {
    "meeting": ("PATCH", "/v2/live_meetings/{}/rtms_app/status"),
    "webinar": ("PATCH", "/v2/live_meetings/{}/rtms_app/status"),
    "session": ("PATCH", "/v2/videosdk/sessions/{}/rtms_app/status"),
    "contact_center": ("PUT", "/v2/contact_center/{}/rtms_app/status"),
}


@dataclass
class App:
    """The REST side of an app: all that it knows is what it is configured with."""

    zoom_host: str
    client_id: str
    client_secret: str
    account_id: str

    def token(self) -> dict[str, Any]:
        form = {"grant_type": "account_credentials", "account_id": self.account_id}
        client = b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        headers = {"Authorization": f"Basic {client}"}
        return self._send("POST", self.zoom_host + "/oauth/token", urlencode(form), headers)

    def rtms(self, action: str, product: str, id_: Any) -> None:
        token = self.token()
        method, path = PATHS[product]
        url = token["api_url"] + path.format(quote(quote(str(id_), safe=""), safe=""))
        body = {"action": action, "settings": {"client_id": self.client_id}}
        headers = {
            "Authorization": f"Bearer {token['access_token']}",
            "Content-Type": "application/json",
        }
        self._send(method, url, json.dumps(body), headers)

    def _send(self, method: str, url: str, body: str, headers: dict[str, str]) -> Any:
        with urlopen(Request(url, body.encode(), headers, method=method), timeout=TIMEOUT_S) as it:
            return json.loads(it.read() or b"{}")


@pytest.mark.parametrize(
    ("product", "id_field"),
    [
        ("meeting", "meeting_id"),
        ("meeting", "meeting_uuid"),
        ("webinar", "webinar_id"),
        ("session", "session_id"),
        ("contact_center", "engagement_id"),
    ],
)
def test_an_app_starts_its_stream_and_hears_it(mockzoom, tmp_path, product, id_field):
    """It starts RTMS, its receiver hears who speaks, and the stream ends when it says so."""
    happened: Queue[tuple[str, Any]] = Queue()

    def until(kind: str) -> Any:
        while True:
            found, fields = happened.get(timeout=TIMEOUT_S)
            if found == kind:
                return fields

    credentials = mockzoom.credentials
    app = App(mockzoom.url, credentials.client_id, credentials.client_secret, mockzoom.account_id)
    listener = {"on_event": lambda kind, fields: happened.put((kind, dict(fields)))}
    with Receiver(credentials, recordings=tmp_path, **listener) as receiver:
        mockzoom.subscribe(receiver.url)
        meeting = mockzoom.meeting("Weekly", ["Alice"], product)
        app.rtms("start", product, meeting.ids[id_field])
        until("joined")
        meeting.say("Alice", "Good morning.")
        until("transcript")
        app.rtms("stop", product, meeting.ids[id_field])
        [stream_id] = receiver.streams
        ended = receiver.wait_ended(stream_id)
        mockzoom.wait_for("webhook", event=PRODUCTS[product].event("stopped"))
    assert ended.joined
    [transcript] = tmp_path.glob("*/transcript.jsonl")
    assert transcript.read_text().count("Good morning.") == 1
    assert len(list(tmp_path.glob("*/*-Alice.wav"))) == 1
    mockzoom.check()


def test_the_account_is_that_of_the_webhooks(mockzoom, tmp_path):
    """An app may take the account from an event, ask a token for it, and start the next stream."""
    credentials = mockzoom.credentials
    first, second = mockzoom.meeting("One"), mockzoom.meeting("Two")
    with Receiver(credentials, recordings=tmp_path) as receiver:
        mockzoom.subscribe(receiver.url)
        first.start_rtms()
        event = mockzoom.wait_for("webhook", event="meeting.rtms_started")["body"]
        account_id = event["payload"]["account_id"]
        app = App(mockzoom.url, credentials.client_id, credentials.client_secret, account_id)
        app.rtms("start", "meeting", second.key)
        mockzoom.wait_for("rest", operation="updateMeetingRtmsStatus", status=204)


def test_what_the_app_is_configured_with():
    """Account, scopes and limits can be given; a seed repeats an account that was not."""
    credentials = Credentials("the-id", "the-secret", "the-token")
    policy = RestPolicy(scopes=("a:scope",))
    with MockZoom(credentials=credentials, account_id="mine", rest_policy=policy) as zoom:
        assert zoom.account_id == "mine"
        token = App(zoom.url, "the-id", "the-secret", "mine").token()
        assert token["scope"] == "a:scope"
        assert token["api_url"] == zoom.url
    with MockZoom(seed=3, timings=Timings.named("fast")) as one, MockZoom(seed=3) as other:
        assert one.account_id == other.account_id
