"""Which formats there are, and which one is granted in place of one that is not."""

from __future__ import annotations

from itertools import product

import pytest

from mockzoom.core.audio_format import MAX_SEND_RATE_MS, RATES_HZ, AudioFormat
from mockzoom.core.codes import AudioCodec
from mockzoom.errors import ConfigurationError

L16, G711, G722, OPUS = AudioCodec

ANY_RATE_HZ = RATES_HZ[L16]


@pytest.mark.parametrize(
    ("codec", "rate_hz", "channels", "send_rate_ms", "message"),
    [
        (G711, 16_000, 1, 20, "G711 has no 16000 Hz: use 8000"),
        (L16, 44_100, 1, 20, "L16 has no 44100 Hz: use 8000, 16000, 32000, 48000"),
        (G722, 16_000, 2, 20, "G722 has no 2 channels: use 1"),
        (OPUS, 48_000, 3, 20, "OPUS has no 3 channels: use 1 or 2"),
        (OPUS, 48_000, 2, 140, "OPUS cannot send every 140 ms: use a multiple of 20, at most 120"),
        (L16, 8_000, 1, 30, "L16 cannot send every 30 ms: use a multiple of 20, at most 1000"),
        (L16, 8_000, 1, 0, "L16 cannot send every 0 ms: use a multiple of 20, at most 1000"),
    ],
)
def test_a_format_that_a_codec_does_not_have_is_refused(
    codec: AudioCodec, rate_hz: int, channels: int, send_rate_ms: int, message: str
) -> None:
    """The message says what the codec has instead."""
    with pytest.raises(ConfigurationError, match=f"^{message}$"):
        AudioFormat(codec, rate_hz, channels, send_rate_ms)


@pytest.mark.parametrize("codec", AudioCodec)
def test_every_wish_is_granted_in_a_format_that_there_is(codec: AudioCodec) -> None:
    """For any rate, channel count and length a format comes out, the same where it was possible."""
    for rate_hz, channels, ms in product(ANY_RATE_HZ, (1, 2), (20, 60, 120, 140, 1000, 5000)):
        given = AudioFormat.granted(codec, rate_hz, channels, ms)
        assert given.codec is codec
        if rate_hz in RATES_HZ[codec]:
            assert given.sample_rate_hz == rate_hz
        if ms <= MAX_SEND_RATE_MS[codec]:
            assert given.send_rate_ms == ms


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ((OPUS, 16_000, 2, 20), (OPUS, 48_000, 2, 20)),
        ((OPUS, 48_000, 1, 1000), (OPUS, 48_000, 1, 120)),
        ((G711, 48_000, 2, 40), (G711, 8_000, 1, 40)),
        ((G722, 8_000, 1, 2000), (G722, 16_000, 1, 1000)),
        ((L16, 32_000, 2, 100), (L16, 32_000, 2, 100)),
    ],
)
def test_the_nearest_format_is_granted(
    asked: tuple[AudioCodec, int, int, int], given: tuple[AudioCodec, int, int, int]
) -> None:
    """A codec keeps to the one rate or channel that it has, and frames are cut to its longest."""
    assert AudioFormat.granted(*asked) == AudioFormat(*given)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "ms"), [(44_100, 1, 20), (8_000, 3, 20), (8_000, 1, 30)]
)
def test_what_no_codec_has_is_not_granted(rate_hz: int, channels: int, ms: int) -> None:
    """A wish that cannot be meant has no nearest format."""
    with pytest.raises(ConfigurationError):
        AudioFormat.granted(OPUS, rate_hz, channels, ms)
