"""Every interval of RTMS in one place, with the vendor's values and faster ones.

`Timings.named("zoom")` is what production does; `fast` is the same story about fifty times
faster, for tests that play an interruption over real sockets; `scaled` gives any factor.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from mockzoom.errors import ConfigurationError, nearest

__all__ = ["Timings"]

_PRESETS: Mapping[str, float] = {"zoom": 1.0, "fast": 0.02}


@dataclass(frozen=True)
class Timings:
    """Intervals in milliseconds; the defaults are the vendor's.

    `keep_alive_ms` between keep-alives on each socket; `keep_alives_missed` unanswered ones in a
    row interrupt it.  `signaling_window_ms` and `media_window_ms` are how long the server waits
    for a lost socket to come back (the media window is 30,000 for contact-center voice on one
    page).  `connect_window_ms` is how long a new stream waits for the app's first handshake: no
    page gives a number, so it is the signaling window.  `handshake_ms` is how long a socket may
    stay silent before its handshake.  `audio_buffer_ms` of audio are kept for an app that is
    still connecting.  `reconnect_too_fast_ms`: a reconnect sooner than this is found fault with.
    `close_grace_ms`: how long an app may keep its sockets after the stream has ended.

    The last three are the app's: `silence_ms` without a word on its signaling socket and it
    handshakes anew, and after a loss it waits `backoff_ms`, twice that, and so on up to
    `backoff_cap_ms` (the official SDK waits 1, 2, 4 … 32 s; its cap is not known).
    """

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

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"timings: {name}: expected 1 or more, found {value!r}")

    @classmethod
    def named(cls, name: str) -> Timings:
        """The preset `zoom` or `fast`, or a factor such as ``"0.1"``."""
        try:
            factor = _PRESETS.get(name) or float(name)
        except ValueError:
            known = " or ".join(map(repr, _PRESETS))
            raise ConfigurationError(
                f"timings: expected {known} or a factor, found {name!r}{nearest(name, _PRESETS)}"
            ) from None
        return cls().scaled(factor)

    def scaled(self, factor: float) -> Timings:
        """The same story with every interval multiplied by `factor` (counts stay)."""
        if not 0 < factor < float("inf"):
            raise ConfigurationError(f"timings: expected a factor above 0, found {factor}")
        return Timings(
            **{
                name: max(1, round(value * factor)) if name.endswith("_ms") else value
                for name, value in asdict(self).items()
            }
        )
