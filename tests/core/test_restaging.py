"""Recorded messages come into the present, with other ids."""

from __future__ import annotations

import pytest

from mockzoom.core.restaging import Restaging
from mockzoom.core.zoom_ids import ZoomIds

BEGAN_MS, NOW_MS = 1763814001000, 1795392000000


def restaging(seed: int = 1) -> Restaging:
    return Restaging(ZoomIds(seed), BEGAN_MS, NOW_MS)


def test_distances_stay():
    """Timestamps move, all by the same; what is no Unix time stays."""
    message = {"event_ts": BEGAN_MS + 5, "sequence": 3, "event": {"timestamp": BEGAN_MS + 25}}
    message |= {"content": {"start_time": BEGAN_MS, "end_time": BEGAN_MS + 9, "timestamp": 12345}}
    staged = restaging().staged(message)
    assert staged["event_ts"] == NOW_MS + 5
    assert staged["event"] == {"timestamp": NOW_MS + 25}
    assert staged["content"] == {"start_time": NOW_MS, "end_time": NOW_MS + 9, "timestamp": 12345}
    assert staged["sequence"] == 3


def test_ids_are_fresh_and_names_stay():
    """The seed repeats them; names are pseudonyms already."""
    message = {"rtms_stream_id": "0" * 32, "user_id": 16778240, "user_name": "Participant 1"}
    one, same, other = (restaging(seed).staged(message) for seed in (1, 1, 2))
    assert one == same != other
    assert not {one["rtms_stream_id"], one["user_id"]} & set(message.values())
    assert one["user_name"] == "Participant 1"


@pytest.mark.parametrize(
    ("length", "data"), [(3, "AAAA"), (0, ""), (-5, ""), (None, ""), (1 << 40, "A" * 1398100)]
)
def test_media_that_were_left_out_are_zeros(length, data):
    """As many as there were, but never more than a frame can hold."""
    staged = restaging().staged({"msg_type": 14, "content": {"data": None, "length": length}})
    assert staged["content"]["data"][:1398100] == data
