"""The formats that audio can be sent in.

What can be asked for follows the vendor's table of audio parameters (see `RATES_HZ` and
`MAX_SEND_RATE_MS`):

- L16 (little-endian) at 8, 16, 32 or 48 kHz, mono or stereo, 20 to 1000 ms a frame.
- G.711 A-law and G.722 are telephone codecs with one rate each, 8 and 16 kHz, and one channel,
  always 64 kbit/s.  Bytes of either can be cut and joined anywhere, so a frame may last up to
  1000 ms too.
- Opus at 48 kHz, mono or stereo.  A frame is one packet, because packets laid end to end can
  not be told apart.  RFC 6716 ends a packet at 120 ms, so that is the longest Opus frame.

`AudioFormat` is strict; `AudioFormat.granted` is what a server that wants to please makes of a
request, and what its handshake response must then state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mockzoom.core.codes import AudioCodec
from mockzoom.errors import ConfigurationError

__all__ = ["MAX_SEND_RATE_MS", "RATES_HZ", "AudioFormat"]

RATES_HZ: Mapping[AudioCodec, tuple[int, ...]] = {
    AudioCodec.L16: (8_000, 16_000, 32_000, 48_000),
    AudioCodec.G711: (8_000,),
    AudioCodec.G722: (16_000,),
    AudioCodec.OPUS: (48_000,),
}
MAX_SEND_RATE_MS: Mapping[AudioCodec, int] = {
    AudioCodec.L16: 1000,
    AudioCodec.G711: 1000,
    AudioCodec.G722: 1000,
    AudioCodec.OPUS: 120,
}
_MONO_ONLY = (AudioCodec.G711, AudioCodec.G722)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How audio is sent: `send_rate_ms` is the length of a frame.

    Raises `ConfigurationError` for a combination that the codec does not have.
    """

    codec: AudioCodec
    sample_rate_hz: int
    channels: int
    send_rate_ms: int

    def __post_init__(self) -> None:
        name, longest_ms = self.codec.name, MAX_SEND_RATE_MS[self.codec]
        layouts = (1,) if self.codec in _MONO_ONLY else (1, 2)
        if self.sample_rate_hz not in RATES_HZ[self.codec]:
            rates = ", ".join(map(str, RATES_HZ[self.codec]))
            raise ConfigurationError(f"{name} has no {self.sample_rate_hz} Hz: use {rates}")
        if self.channels not in layouts:
            known = " or ".join(map(str, layouts))
            raise ConfigurationError(f"{name} has no {self.channels} channels: use {known}")
        if self.send_rate_ms % 20 or not 20 <= self.send_rate_ms <= longest_ms:
            raise ConfigurationError(
                f"{name} cannot send every {self.send_rate_ms} ms: "
                f"use a multiple of 20, at most {longest_ms}"
            )

    @classmethod
    def granted(
        cls, codec: AudioCodec, sample_rate_hz: int, channels: int, send_rate_ms: int
    ) -> AudioFormat:
        """The format nearest to what is asked for.

        A codec with one rate or one channel keeps to it, and too long a frame is cut to the
        codec's longest.  Raises `ConfigurationError` for what is no rate, channel count or
        multiple of 20 ms in any codec.
        """
        asked = cls(AudioCodec.L16, sample_rate_hz, channels, min(send_rate_ms, 1000))
        rates = RATES_HZ[codec]
        return cls(
            codec,
            asked.sample_rate_hz if asked.sample_rate_hz in rates else rates[0],
            1 if codec in _MONO_ONLY else asked.channels,
            min(asked.send_rate_ms, MAX_SEND_RATE_MS[codec]),
        )
