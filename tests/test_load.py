"""Loads are split and results are added, without a socket."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom import Credentials
from mockzoom.core.lateness import Lateness
from mockzoom.errors import UsageError
from mockzoom.load import Load, LoadResult

LOAD = Load("http://127.0.0.1:1/", Credentials("id", "client-secret", "token"), streams=10)


def result(streams: int, late_ms: int, sent: dict[str, int], found: dict[str, int]) -> LoadResult:
    late = Lateness()
    late.add(late_ms, sum(sent.values()))
    return LoadResult(streams, streams - 1, 1, Counter(sent), late, Counter(found))


def test_results_are_added() -> None:
    """Streams, messages and findings are summed by name, and lateness is that of all messages."""
    one = result(3, 0, {"audio": 197, "transcript": 1}, {"rtms.signature": 1})
    other = result(4, 9, {"audio": 1, "video": 1}, {"rtms.signature": 2, "webhook.status": 1})
    assert (one + other).as_dict() == {
        "streams": 7,
        "joined": 5,
        "failed": 2,
        "messages": 200,
        "sent": {"audio": 198, "transcript": 1, "video": 1},
        "late_ms": {"p50": 0, "p99": 0, "p100": 9},
        "findings": {"rtms.signature": 3, "webhook.status": 1},
    }


@given(streams=st.integers(1, 500), count=st.integers(1, 64), seed=st.integers(-5, 5))
def test_shares_come_to_the_whole(streams: int, count: int, seed: int) -> None:
    """No stream is lost, shares are equal but for one stream, and no two seeds are the same."""
    load = replace(LOAD, streams=streams, seed=seed)
    if count > streams:
        with pytest.raises(UsageError, match="give fewer --workers"):
            load.shares(count)
        return
    shares = load.shares(count)
    sizes = [share.streams for share in shares]
    assert (len(sizes), sum(sizes)) == (count, streams)
    assert max(sizes) - min(sizes) <= 1
    assert len({share.seed for share in shares}) == count
    assert shares == load.shares(count)


def test_shares_have_ports_in_a_row() -> None:
    """Beginning with the one that was given; any free port stays any, and no seed none."""
    assert [share.rtms_port for share in replace(LOAD, rtms_port=8721).shares(3)] == [
        *(8721, 8722, 8723)
    ]
    free = LOAD.shares(3)
    assert {(share.rtms_port, share.seed) for share in free} == {(0, None)}
