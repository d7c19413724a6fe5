"""The limit of requests a second."""

from __future__ import annotations

from mockzoom.core.rate_limit import RateLimit


def test_so_many_pass_in_each_second():
    """The limit counts within a second of the clock, and begins anew in the next."""
    limit = RateLimit(2)
    assert [limit.admits(at_ms) for at_ms in (1_000, 1_500, 1_999)] == [True, True, False]
    assert [limit.admits(at_ms) for at_ms in (2_000, 2_001, 2_002)] == [True, True, False]


def test_without_a_limit_everything_passes():
    """No number, no limit."""
    limit = RateLimit(None)
    assert all(limit.admits(1_000) for _ in range(1_000))


def test_a_limit_of_none_a_second_refuses_all():
    """0 is a number."""
    assert not RateLimit(0).admits(1_000)
