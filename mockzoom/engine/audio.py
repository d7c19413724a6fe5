"""Sound as it goes over the wire: resampled, encoded, cut into frames of `send_rate` ms.

Each utterance is encoded by itself, from a fresh encoder, so that it can be kept and sent any
number of times; nobody sends anything between utterances.  A receiver that keeps one decoder for
all of them is back in step at once with Opus and within 0.2 s with G.722.  As in any live stream
the decoder lags behind, 6.5 ms with Opus (312 samples of look-ahead) and 1.4 ms with G.722; the
number of frames is exact all the same, and the last one is filled up with silence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal

import av
import numpy as np

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import AudioCodec
from mockzoom.engine.voice import RATE_HZ, Pcm

__all__ = ["encode", "mix"]

_TELEPHONE: Mapping[AudioCodec, Literal["pcm_alaw", "g722"]] = {
    AudioCodec.G711: "pcm_alaw",
    AudioCodec.G722: "g722",
}
_OPUS_BITS_PER_CHANNEL = 32_000  # full-band speech; RFC 7587 names 28 to 40 kbit/s for it


def encode(pcm: Pcm, format: AudioFormat) -> tuple[bytes, ...]:
    """The frames of `pcm` (48 kHz mono): ``ceil(length / send_rate_ms)``, the last one padded."""
    per_frame = format.send_rate_ms * RATE_HZ // 1000
    padded = np.pad(pcm, (0, -len(pcm) % per_frame))
    count = len(padded) // per_frame
    if not count:
        return ()
    if format.codec is AudioCodec.OPUS:
        return _opus(padded.reshape(count, per_frame), format)
    samples = _resampled(padded, format.sample_rate_hz)
    if format.codec is AudioCodec.L16:
        data = np.repeat(samples.astype("<i2"), format.channels).tobytes()
    else:
        data = _telephone(samples, format)
    size = len(data) // count
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def mix(parts: Sequence[tuple[int, Pcm]]) -> Pcm:
    """Everybody at once: the sum of the parts, each from its offset in ms (0 or more).

    As long as the part that ends last; too loud a sum is cut at full scale, as a mixer does.
    """
    placed = [(offset_ms * RATE_HZ // 1000, pcm) for offset_ms, pcm in parts]
    total = np.zeros(max((start + len(pcm) for start, pcm in placed), default=0), np.int32)
    for start, pcm in placed:
        total[start : start + len(pcm)] += pcm
    return np.clip(total, -32768, 32767).astype(np.int16)


def _resampled(pcm: Pcm, rate_hz: int) -> Pcm:
    """`pcm` at another rate, in step with it: exactly ``len(pcm) * rate_hz / 48000`` samples."""
    if rate_hz == RATE_HZ:
        return pcm
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    pieces = [*resampler.resample(_frame(pcm, RATE_HZ)), *resampler.resample(None)]
    samples = np.concatenate([piece.to_ndarray()[0] for piece in pieces])
    return samples[: len(pcm) * rate_hz // RATE_HZ]


def _telephone(samples: Pcm, format: AudioFormat) -> bytes:
    encoder = av.CodecContext.create(_TELEPHONE[format.codec], "w")
    encoder.sample_rate, encoder.layout, encoder.format = format.sample_rate_hz, "mono", "s16"
    packets = [*encoder.encode(_frame(samples, format.sample_rate_hz)), *encoder.encode(None)]
    return b"".join(map(bytes, packets))


def _opus(frames: Pcm, format: AudioFormat) -> tuple[bytes, ...]:
    """One packet for each row of `frames`.

    The encoder is not flushed: what it still holds is 6.5 ms of look-ahead, and the packet that
    would carry it would be one too many.
    """
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.format = format.sample_rate_hz, "s16"
    encoder.layout = "stereo" if format.channels == 2 else "mono"
    encoder.bit_rate = _OPUS_BITS_PER_CHANNEL * format.channels
    encoder.options = {"frame_duration": str(format.send_rate_ms), "vbr": "constrained"}
    packets = []
    for number, row in enumerate(frames):
        frame = _frame(np.repeat(row, format.channels), RATE_HZ, encoder.layout.name)
        frame.pts = number * len(row)
        packets += encoder.encode(frame)
    return tuple(map(bytes, packets))


def _frame(samples: Pcm, rate_hz: int, layout: str = "mono") -> av.AudioFrame:
    """Interleaved samples as PyAV takes them."""
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="s16", layout=layout)
    frame.sample_rate = rate_hz
    frame.time_base = Fraction(1, rate_hz)
    return frame
