"""A recording is looked through before it is played."""

from __future__ import annotations

import pytest

from mockzoom.core.outline import Outline
from mockzoom.core.recording import Entry
from mockzoom.errors import BadRecording

URL = "wss://rtms-1.example.com/signaling"
MEDIA = "wss://rtms-2.example.com/audio"


def started(**changed: object) -> Entry:
    payload = {"meeting_uuid": "u", "rtms_stream_id": "s", "server_urls": URL} | changed
    message = {"event": changed.pop("event", "meeting.rtms_started"), "payload": payload}
    return Entry(0, "webhook", "zoom", message=message)


OPENED = Entry(1, "signaling", "app", 1, opened=URL)
ANSWER = {"msg_type": 2, "media_server": {"server_urls": {"audio": MEDIA, "video": "wss://v"}}}
ANSWERED = Entry(2, "signaling", "zoom", 1, message=ANSWER)
MEDIA_OPENED = Entry(3, "audio", "app", 2, opened=MEDIA)


NO_PAYLOAD = Entry(
    0, "webhook", "zoom", message={"event": "contact_center.voice_rtms_started", "payload": []}
)


def outline(*entries: Entry) -> Outline:
    return Outline.of(enumerate(entries, 2), "a.jsonl")


def test_what_is_found():
    """The URLs that were used, and how often each type was sent on them."""
    found = outline(
        started(), OPENED, ANSWERED, MEDIA_OPENED, Entry(9, "audio", "app", 2, status=0)
    )
    assert (found.webhooks, found.used) == (1, {URL, MEDIA})
    assert found.told == {(URL, 2): 1}


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([OPENED], "2: opened: expected a URL that was named before, found 'wss://rtms-1"),
        ([started(), MEDIA_OPENED], "3: opened: expected a URL"),
        ([started(), ANSWERED], "3: conn: expected one that was opened before, found 1"),
        ([started(event="phone.rtms_started")], "2: event: expected one of meeting.rtms_started"),
        ([started(meeting_uuid=None)], "2: payload.meeting_uuid: is required"),
        ([started(rtms_stream_id=7)], "2: payload.rtms_stream_id: is required"),
        ([NO_PAYLOAD], "2: payload.engagement_id: is required"),
    ],
)
def test_what_does_not_follow_is_named(entries, reason):
    """Every entry has to follow from those before it; the line says which does not."""
    with pytest.raises(BadRecording) as bad:
        outline(*entries)
    assert str(bad.value).startswith(f"a.jsonl:{reason}")
