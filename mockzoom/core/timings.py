"""Every interval in one place, with the vendor's values and faster ones.

`Timings` are those of RTMS: ``named("zoom")`` is what production does, and ``fast`` is the same
story about fifty times faster, for tests that play an interruption over real sockets.
`DeliveryTimings` are those of webhooks, where ``fast`` tells in half a second what production tells
in an hour and a half.  Both take any factor (`scaled`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from math import ceil
from typing import Any, ClassVar, Self

from mockzoom.errors import ConfigurationError, nearest

__all__ = ["DeliveryTimings", "Timings"]

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS

#: Our choice: five times what was seen to be too little on a machine with too much to do.
_REACTION_MS = 500


@dataclass(frozen=True)
class _Intervals:
    """What both have in common: every number is positive, and all intervals scale together."""

    what: ClassVar[str]
    presets: ClassVar[Mapping[str, float]]

    def __post_init__(self) -> None:
        for name, value in self._numbers():
            if type(value) is not int or value < 1:
                raise ConfigurationError(
                    f"{self.what}: {name}: expected 1 or more, found {value!r}"
                )

    def _numbers(self) -> Iterator[tuple[str, Any]]:
        for name, value in asdict(self).items():
            many = value if isinstance(value, tuple) else (value,)
            yield from ((name, number) for number in many)

    @classmethod
    def named(cls, name: str) -> Self:
        """The preset `zoom` or `fast`, or a factor such as ``"0.1"``."""
        try:
            factor = cls.presets.get(name) or float(name)
        except ValueError:
            known = " or ".join(map(repr, cls.presets))
            raise ConfigurationError(
                f"{cls.what}: expected {known} or a factor, found {name!r}"
                f"{nearest(name, cls.presets)}"
            ) from None
        return cls().scaled(factor)

    def scaled(self, factor: float) -> Self:
        """The same story with every interval multiplied by `factor` (all else stays)."""
        if not 0 < factor < float("inf"):
            raise ConfigurationError(f"{self.what}: expected a factor above 0, found {factor}")
        intervals = {name: v for name, v in asdict(self).items() if name.endswith("_ms")}
        return replace(self, **{name: _scaled(v, factor) for name, v in intervals.items()})


def _scaled(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(_scaled(one, factor) for one in value)
    return max(1, round(value * factor))


@dataclass(frozen=True)
class Timings(_Intervals):
    """Intervals in milliseconds; the defaults are the vendor's.

    `keep_alive_ms` between keep-alives on each socket; `keep_alives_missed` unanswered ones in a
    row interrupt it.  `signaling_window_ms` and `media_window_ms` are how long the server waits
    for a lost socket to come back (the media window is 30,000 for contact-center voice on one
    page).  `connect_window_ms` is how long a new stream waits for the app's first handshake: no
    page gives a number, so it is the signaling window.  `handshake_ms` is how long a socket may
    stay silent before its handshake.  `audio_buffer_ms` of audio are kept for an app that is
    still connecting.  `reconnect_too_fast_ms`: a reconnect sooner than this is found fault with.
    `close_grace_ms`: how long an app may keep its sockets after the stream has ended.

    `near_limit_ms` between two webhooks that tell of an app close to its limit of streams: the
    vendor says periodically and no number, five minutes are our choice.

    Three are the app's: `silence_ms` without a word on its signaling socket and it handshakes anew,
    and after a loss it waits `backoff_ms`, twice that, and so on up to `backoff_cap_ms` (the
    official SDK waits 1, 2, 4 … 32 s; its cap is not known).

    However fast the story, an app has `_REACTION_MS` to hear of the end and close its sockets: in
    that interval it must have acted, or is found fault with, and a busy machine takes its time.
    """

    what: ClassVar[str] = "timings"
    presets: ClassVar[Mapping[str, float]] = {"zoom": 1.0, "fast": 0.02}

    keep_alive_ms: int = 10_000
    keep_alives_missed: int = 3
    signaling_window_ms: int = 60_000
    media_window_ms: int = 65_000
    connect_window_ms: int = 60_000
    handshake_ms: int = 10_000
    audio_buffer_ms: int = 60_000
    reconnect_too_fast_ms: int = 500
    close_grace_ms: int = 5_000
    silence_ms: int = 65_000
    backoff_ms: int = 1_000
    backoff_cap_ms: int = 16_000
    near_limit_ms: int = 5 * _MINUTE_MS

    def scaled(self, factor: float) -> Self:
        reaction_ms = min(self.close_grace_ms, _REACTION_MS)
        faster = super().scaled(factor)
        return replace(faster, close_grace_ms=max(faster.close_grace_ms, reaction_ms))

    def at_speed(self, factor: float) -> Self:
        """For a world that runs `factor` times faster than real time, in that world's milliseconds.

        Apps live in real time, so whatever one has to keep lasts at least as long in real time as
        in ``fast``, or as it does here where that is shorter.  Only the world's own interval,
        `near_limit_ms`, gets faster with the world.  (`DeliveryTimings` need no such thing: the one
        interval in them that a receiver keeps, `timeout_ms`, is measured in real time.)
        """
        fast = asdict(type(self).named("fast"))
        slowest = {
            name: max(value, ceil(min(value, fast[name]) * factor))
            for name, value in asdict(self).items()
            if name.endswith("_ms") and name != "near_limit_ms"
        }
        return replace(self, **slowest)


@dataclass(frozen=True)
class DeliveryTimings(_Intervals):
    """When webhooks are tried again; the defaults are the vendor's.

    `retries_ms`: how long after an attempt that failed, counted from its beginning, the next one
    is due: 5, 20 and 60 minutes.  There are as many retries as numbers.  `validation_ms`: how long
    after a URL validation the next one is due, 72 hours.  `timeout_ms`: how long a receiver may
    take to answer; `scaled` leaves it, because no receiver gets faster with the clock.
    """

    what: ClassVar[str] = "delivery timings"
    presets: ClassVar[Mapping[str, float]] = {"zoom": 1.0, "fast": 0.0001}

    retries_ms: tuple[int, ...] = (5 * _MINUTE_MS, 20 * _MINUTE_MS, 60 * _MINUTE_MS)
    validation_ms: int = 72 * _HOUR_MS
    timeout_ms: int = 3_000

    def scaled(self, factor: float) -> Self:
        return replace(super().scaled(factor), timeout_ms=self.timeout_ms)
