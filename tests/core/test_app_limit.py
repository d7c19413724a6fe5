"""The limit of concurrent streams, in numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.app_limit import AppLimit
from mockzoom.errors import ConfigurationError


@pytest.mark.parametrize(
    ("limit", "running", "admits", "near", "percentage"),
    [
        (2000, 0, True, False, 0),
        (2000, 1600, True, False, 80),
        (2000, 1601, True, True, 80),
        (2000, 1999, True, True, 99),
        (2000, 2000, False, True, 100),
        (5, 4, True, False, 80),
        (5, 5, False, True, 100),
        (1, 1, False, True, 100),
    ],
)
def test_close_and_at_it(
    limit: int, running: int, admits: bool, near: bool, percentage: int
) -> None:
    """Above four fifths it is close, and at the limit nothing more starts."""
    app = AppLimit(limit)
    assert (app.admits(running), app.is_near(running)) == (admits, near)
    assert app.as_payload(running) == {
        "concurrency_limit": limit,
        "concurrency_number": running,
        "percentage": percentage,
    }


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_who_is_refused_was_warned(limit: int, running: int) -> None:
    """No number of streams is at the limit without being close to it, and more is never less."""
    app = AppLimit(limit)
    assert app.admits(running) or app.is_near(running)
    assert app.is_near(running) <= app.is_near(running + 1)
    assert app.admits(running) >= app.admits(running + 1)


@pytest.mark.parametrize("limit", [0, -1, 1.5, True])
def test_a_limit_is_a_number_of_streams(limit: int) -> None:
    """At least one stream may run."""
    with pytest.raises(ConfigurationError, match="max_streams: expected 1 or more, found"):
        AppLimit(limit)


def test_the_vendors_limit_is_the_default() -> None:
    """2,000 streams an app."""
    assert AppLimit().max_streams == 2_000
