"""Tones, and what a receiver hears of them once they are decoded."""

from __future__ import annotations

from collections.abc import Iterable

import av
import numpy as np
import numpy.typing as npt

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import AudioCodec
from mockzoom.engine.voice import RATE_HZ, Pcm

# A second and a bit: not a whole number of frames for any send rate over 20 ms.
TONE_MS = 1_220

L16, G711, G722, OPUS = AudioCodec


def tone(frequency_hz: float, duration_ms: int = TONE_MS) -> Pcm:
    at = np.arange(duration_ms * RATE_HZ // 1000) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * frequency_hz * at)).astype(np.int16)


def decode(frames: Iterable[bytes], format: AudioFormat) -> npt.NDArray[np.float64]:
    """What a receiver hears: one row a channel, samples in -1 to 1, one decoder for all."""
    if format.codec is L16:
        samples = np.frombuffer(b"".join(frames), "<i2")
        return samples.reshape(-1, format.channels).T / 32768
    name = {G711: "pcm_alaw", G722: "g722", OPUS: "libopus"}[format.codec]
    decoder = av.CodecContext.create(name, "r")
    decoder.sample_rate = format.sample_rate_hz
    decoder.layout = "stereo" if format.channels == 2 else "mono"
    pieces = [piece for frame in frames for piece in decoder.decode(av.Packet(frame))]
    planar = av.AudioResampler(format="fltp", layout=decoder.layout.name)
    rows = [flat.to_ndarray() for piece in pieces for flat in planar.resample(piece)]
    return np.concatenate(rows, axis=1).astype(np.float64)


def loudest_hz(samples: npt.NDArray[np.float64], rate_hz: int) -> float:
    window = samples * np.hanning(len(samples))
    return float(np.argmax(np.abs(np.fft.rfft(window))) * rate_hz / len(samples))
