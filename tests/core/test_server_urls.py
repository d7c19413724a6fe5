"""URLs in messages are changed, and nothing else is."""

from __future__ import annotations

import pytest

from mockzoom.core.server_urls import with_urls


def upper(key: str, url: str) -> str:
    return f"{key}:{url.upper()}"


@pytest.mark.parametrize(
    ("message", "changed"),
    [
        (
            {"event": "e", "payload": {"server_urls": "wss://a", "id": 1}},
            {"event": "e", "payload": {"server_urls": "signaling:WSS://A", "id": 1}},
        ),
        (
            {"payload": {"server_urls": "wss://a, wss://b,"}},
            {"payload": {"server_urls": "signaling:WSS://A,signaling:WSS://B"}},
        ),
        (
            {"msg_type": 2, "media_server": {"server_urls": {"audio": "ws://a", "odd": 7}}},
            {"msg_type": 2, "media_server": {"server_urls": {"audio": "audio:WS://A", "odd": 7}}},
        ),
        ({"payload": {"server_urls": None}}, {"payload": {"server_urls": None}}),
        ({"payload": "text"}, {"payload": "text"}),
        ({"msg_type": 2, "status_code": 8}, {"msg_type": 2, "status_code": 8}),
    ],
    ids=["webhook", "several", "answer", "null", "no object", "refusal"],
)
def test_urls_are_changed(message, changed):
    """In a webhook and in the answer to a handshake, also in a list; odd shapes are let be."""
    assert with_urls(message, upper) == changed


def test_a_url_can_be_taken_away():
    """The key of a medium without any URL goes; the message that was given is not touched."""
    message = {"media_server": {"server_urls": {"audio": "ws://a,ws://b", "video": "ws://c"}}}
    kept = with_urls(message, lambda key, url: url if url == "ws://b" else None)
    assert kept == {"media_server": {"server_urls": {"audio": "ws://b"}}}
    assert len(message["media_server"]["server_urls"]) == 2
