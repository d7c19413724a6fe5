"""How late media was, as counts."""

from __future__ import annotations

from mockzoom.core.lateness import Lateness


def test_shares_of_what_was_counted() -> None:
    """A share of all messages was late by so much at most."""
    late = Lateness()
    late.add(0, 90)
    late.add(3, 9)
    late.add(40, 1)
    assert late.messages == 100
    told = [late.quantile_ms(share) for share in (0.5, 0.9, 0.91, 0.99, 1.0)]
    assert told == [0, 0, 3, 3, 40]


def test_nothing_was_late_where_nothing_was_sent() -> None:
    """No division by zero, and no lateness."""
    assert Lateness().quantile_ms(0.99) == 0


def test_what_came_after_an_earlier_copy() -> None:
    """A copy stands still, and what was counted since is told apart."""
    late = Lateness()
    late.add(5, 10)
    before = late.copy()
    late.add(5, 1)
    late.add(7, 2)
    since = late.since(before)
    assert before.messages == 10
    assert since.messages == 3
    assert since.quantile_ms(1.0) == 7


def test_a_sum_counts_the_messages_of_both() -> None:
    """Its quantiles are those of all messages, and no mean of two quantiles."""
    one, other = Lateness(), Lateness()
    one.add(0, 98)
    one.add(50, 2)
    other.add(0, 900)
    both = one + other
    assert both.messages == 1_000
    assert one.quantile_ms(0.99) == 50
    assert [both.quantile_ms(share) for share in (0.99, 0.998, 1.0)] == [0, 0, 50]
    assert (one.messages, other.messages) == (100, 900)
