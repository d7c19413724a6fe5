"""Every interval, and the ways to make all of them faster."""

from __future__ import annotations

from dataclasses import asdict
from math import ceil
from typing import Any

import pytest

from mockzoom.core.timings import DeliveryTimings, Timings
from mockzoom.errors import ConfigurationError


def test_the_defaults_are_the_vendors() -> None:
    """Keep-alives every 10 s, three missed, windows of 60 and 65 s, a minute of audio."""
    zoom = Timings.named("zoom")
    assert zoom == Timings()
    assert (zoom.keep_alive_ms, zoom.keep_alives_missed) == (10_000, 3)
    assert (zoom.signaling_window_ms, zoom.media_window_ms) == (60_000, 65_000)
    assert (zoom.audio_buffer_ms, zoom.silence_ms) == (60_000, 65_000)


def test_fast_tells_an_interruption_in_three_seconds() -> None:
    """Three missed keep-alives and the window after them take less than 3 s."""
    fast = Timings.named("fast")
    four_rounds_ms = (fast.keep_alives_missed + 1) * fast.keep_alive_ms
    assert four_rounds_ms + fast.signaling_window_ms < 3_000


@pytest.mark.parametrize("factor", [0.00001, 0.02, 0.5, 1, 3])
def test_a_factor_scales_every_interval_and_no_count(factor: float) -> None:
    """Intervals keep their proportions, down to 1 ms, but for what an app must have done."""
    scaled, zoom = asdict(Timings.named(str(factor))), asdict(Timings())
    assert scaled.pop("keep_alives_missed") == zoom.pop("keep_alives_missed")
    assert scaled.pop("close_grace_ms") == max(500, zoom.pop("close_grace_ms") * factor)
    assert scaled == {name: max(1, round(value * factor)) for name, value in zoom.items()}


@pytest.mark.parametrize("given_ms", [5_000, 200])
@pytest.mark.parametrize("factor", [0.00001, 0.02, 1])
def test_an_app_has_time_to_close_its_sockets(given_ms: int, factor: float) -> None:
    """However fast the story is, a busy machine needs its time; less is for who asks for it."""
    scaled = Timings(close_grace_ms=given_ms).scaled(factor)
    assert scaled.close_grace_ms >= min(given_ms, 500)


@pytest.mark.parametrize("name", ["0", "-1", "inf", "nan", "0.0"])
def test_a_factor_is_above_zero(name: str) -> None:
    """Time neither stands still nor runs backwards."""
    with pytest.raises(ConfigurationError, match="expected a factor above 0, found"):
        Timings.named(name)


def test_an_unknown_preset_is_named_with_its_neighbour() -> None:
    """A mistyped preset gets the list and the nearest name."""
    with pytest.raises(ConfigurationError, match=r"'zoom' or 'fast'.*found 'fats'; did you mean"):
        Timings.named("fats")


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_an_interval_is_a_positive_integer(value: int) -> None:
    """A setting that cannot be is refused by name."""
    with pytest.raises(ConfigurationError, match="keep_alive_ms: expected 1 or more, found"):
        Timings(keep_alive_ms=value)


# --- webhooks ---------------------------------------------------------------------------------


def test_deliveries_have_the_vendors_intervals() -> None:
    """Retries after 5, 20 and 60 minutes, validation every 72 hours, 3 seconds for an answer."""
    zoom = DeliveryTimings.named("zoom")
    assert zoom == DeliveryTimings()
    assert [ms / 60_000 for ms in zoom.retries_ms] == [5, 20, 60]
    assert (zoom.timeout_ms, zoom.validation_ms / 3_600_000) == (3000, 72)


def test_fast_tells_all_attempts_in_half_a_second() -> None:
    """A receiver has as long as ever for its answer."""
    fast = DeliveryTimings.named("fast")
    assert sum(fast.retries_ms) < 600
    assert fast.timeout_ms == DeliveryTimings().timeout_ms


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"retries_ms": (5, 0)}, "delivery timings: retries_ms: expected 1 or more, found 0"),
        ({"retries_ms": (1.5,)}, "delivery timings: retries_ms: expected 1 or more, found 1.5"),
        ({"timeout_ms": 0}, "delivery timings: timeout_ms: expected 1 or more, found 0"),
    ],
)
def test_a_schedule_has_positive_integers(fields: dict[str, Any], told: str) -> None:
    """Each number of it."""
    with pytest.raises(ConfigurationError, match=told):
        DeliveryTimings(**fields)


@pytest.mark.parametrize("preset", ["zoom", "fast", "0.001"])
@pytest.mark.parametrize("speed", [0.5, 1, 7.5, 50, 1000])
def test_apps_keep_their_time_at_any_speed(preset: str, speed: float) -> None:
    """However fast a world runs, in real time every interval is as long as it was, or as in fast.

    Only what concerns no app gets faster with the world.
    """
    own, fast = asdict(Timings.named(preset)), asdict(Timings.named("fast"))
    timings = asdict(Timings.named(preset).at_speed(speed))
    for name in ("keep_alives_missed", "near_limit_ms"):
        assert timings.pop(name) == own[name]
    for name, value in timings.items():
        assert value >= own[name]
        assert value / speed >= min(own[name], fast[name])
        assert value in (own[name], ceil(min(own[name], fast[name]) * speed))


def test_in_real_time_they_stay_as_they_are() -> None:
    """At speed 1 nothing changes."""
    assert Timings().at_speed(1) == Timings()
