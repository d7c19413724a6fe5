"""What peers may cost, and which numbers cannot be meant."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from mockzoom.core.limits import Limits
from mockzoom.errors import ConfigurationError


def test_the_defaults_leave_room_for_every_app() -> None:
    """Thousands of streams, any handshake, and a minute of buffered 48 kHz audio unread."""
    limits = Limits()
    assert limits.max_connections >= 2 * 2_000
    assert limits.max_message_bytes > 2_000
    base64_minute = 60 * 48_000 * 2 * 4 // 3
    assert limits.max_unread_bytes > 2 * base64_minute
    assert limits.upgrade_timeout_ms >= 1_000


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9", None])
def test_a_limit_is_a_positive_integer(name: str, value: Any) -> None:
    """A number that cannot be is refused by the name of its limit."""
    with pytest.raises(ConfigurationError, match=f"limits: {name}: expected 1 or more, found"):
        Limits(**{name: value})
