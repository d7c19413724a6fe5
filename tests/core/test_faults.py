"""Faults of sockets as values: where they are, and what handshakes are granted."""

from __future__ import annotations

from typing import Any

import pytest

from mockzoom.core.faults import Grant, Offer, Reset, StopAnswering


@pytest.mark.parametrize(
    ("socket", "keys"),
    [
        ("any", ["signaling", "audio", "all"]),
        ("media", ["audio", "all"]),
        ("signaling", ["signaling"]),
        ("audio", ["audio"]),
    ],
)
def test_a_fault_is_on_some_sockets(socket: str, keys: list[str]) -> None:
    """On any, on media, or on one; of every stream or of one."""
    here, there = Reset(socket=socket), Reset(socket=socket, stream="other")
    assert [key for key in ("signaling", "audio", "all") if here.concerns("s", key)] == keys
    assert not any(there.concerns("s", key) for key in ("signaling", "audio", "all"))


def test_deafness_may_be_for_one_type_of_message() -> None:
    """Keep-alives alone are not heard; what is no message is only lost with everything."""
    assert StopAnswering(msg_type=13).fits(13)
    assert not StopAnswering(msg_type=13).fits(1)
    assert not StopAnswering(msg_type=13).fits(None)
    assert StopAnswering().fits(None)


@pytest.mark.parametrize(
    ("asked", "wanted", "granted"),
    [
        ({"data_opt": 2, "codec": 1}, {"data_opt": 1}, {"data_opt": 1, "codec": 1}),
        ({"codec": 1, "sample_rate": 1, "send_rate": 100}, {"codec": 4}, {"codec": 4}),
        ({"codec": 4, "channel": 2, "send_rate": 20}, {"codec": 1}, {"codec": 1, "channel": 1}),
        ({"codec": 4, "channel": 2}, {"send_rate": 40}, {"codec": 4, "channel": 2}),
    ],
)
def test_what_is_granted_exists(
    asked: dict[str, Any], wanted: dict[str, Any], granted: dict[str, Any]
) -> None:
    """The fault has its way; of the wish remains what goes together with it."""
    told = Grant(params={"audio": wanted}).instead({"audio": asked})
    assert told["audio"].items() >= granted.items()


def test_other_media_are_granted_as_asked() -> None:
    """A grant of audio leaves the transcript of the same socket alone."""
    transcript = {"content_type": 5, "src_language": 9, "enable_lid": True}
    told = Grant(params={"audio": {"data_opt": 1}}).instead({"transcript": transcript})
    assert told == {"transcript": transcript}


def test_only_some_urls_are_offered() -> None:
    """Of the URLs that there are those of the keys are told, and no others are made up."""
    urls = {"audio": "a", "transcript": "t", "all": "x"}
    assert Offer().of(urls) == {"all": "x"}
    assert Offer(keys="audio,video").of(urls) == {"audio": "a"}
