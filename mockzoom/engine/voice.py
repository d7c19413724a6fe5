"""A voice: turns text into sound that behaves like speech, without being able to say a word.

Receivers feed what they get to voice activity detectors, level meters, transcribers and codecs
tuned for speech.  Silence or a plain tone tests none of them, so this is a small source-filter
synthesiser: a glottal source whose pitch moves over the sentence, vowels with the formants that
Peterson and Barney (1952) measured, noise for consonants, syllables and pauses where
`mockzoom.core.speech` puts them.

It is cheap because a vowel of one voice at its mean pitch is periodic: one period of each is
computed once (a wavetable), and speaking is looking the tables up at a moving phase.  What
moves slowly (pitch, loudness, which vowel) is worked out once a millisecond and stretched.

The same text and voice give the same samples, always.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mockzoom.core.speech import Onset, Syllable, Vowel, speaking_ms, syllables

__all__ = ["RATE_HZ", "Pcm", "Voice", "speak", "voice_of"]

Pcm: TypeAlias = npt.NDArray[np.int16]
_Floats: TypeAlias = npt.NDArray[np.floating[Any]]

RATE_HZ = 48_000
"""Sample rate of everything that is synthesised and mixed; encoders resample from it."""

_PER_MS = RATE_HZ // 1000
_TABLE = 2048
_BAND_HZ = 7_000.0
_LEVEL = 0.1 * 32768  # RMS while speaking: -20 dBFS, where telephony and speech corpora sit
_PEAK = 0.85 * 32768

# Centre frequencies of the first three formants in Hz, men's averages of Peterson and Barney.
_FORMANTS_HZ: dict[Vowel, tuple[int, int, int]] = {
    "a": (730, 1090, 2440),
    "e": (530, 1840, 2480),
    "i": (270, 2290, 3010),
    "o": (570, 840, 2410),
    "u": (300, 870, 2240),
}
_BANDWIDTHS_HZ = (80.0, 100.0, 160.0)
_FORMANT_GAINS = (1.0, 0.6, 0.35)
_ROW = {vowel: row for row, vowel in enumerate(_FORMANTS_HZ)}

# Loudness of voice and noise over the first milliseconds of a syllable, by its consonant.
_ONSET_MS = (0, 10, 30, 50, 60, 80)
_VOICE_GAIN: dict[Onset, tuple[float, ...]] = {
    "none": (0.0, 0.5, 1.0, 1.0, 1.0, 1.0),
    "hiss": (0.0, 0.0, 0.0, 0.1, 0.4, 1.0),
    "burst": (0.0, 0.0, 0.0, 0.3, 0.9, 1.0),
    "hum": (0.0, 0.2, 0.3, 0.3, 0.5, 1.0),
}
_NOISE_GAIN: dict[Onset, tuple[float, ...]] = {
    "none": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
    "hiss": (0.0, 0.3, 0.5, 0.5, 0.3, 0.0),
    "burst": (0.0, 0.0, 0.0, 0.6, 0.1, 0.0),
    "hum": (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
}
_RELEASE_MS = 45
_GLIDE_MS = 60


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks: mean pitch (90 to 230 Hz) and the size of the mouth as a factor on formants."""

    pitch_hz: float
    formant_scale: float


def voice_of(name: str | int) -> Voice:
    """The voice that belongs to a participant's name or number, the same on every machine."""
    digest = blake2b(str(name).encode("utf-8", "surrogatepass"), digest_size=4).digest()
    height = int.from_bytes(digest[:2], "big") / 0xFFFF
    size = int.from_bytes(digest[2:], "big") / 0xFFFF
    pitch_hz = 90.0 * (230.0 / 90.0) ** height
    return Voice(pitch_hz, 0.92 + 0.16 * height + 0.08 * size)


def speak(text: str, voice: str | int) -> Pcm:
    """`text` in the voice of this name: 48 kHz mono, exactly ``speaking_ms(text) * 48`` samples.

    About -20 dBFS while there is something to say, peaks under 0.9 of full scale; pauses, and a
    text without a sound in it, are digital silence.
    """
    duration_ms = speaking_ms(text)
    beats = syllables(text)
    if not beats:
        return np.zeros(duration_ms * _PER_MS, np.int16)
    rng = np.random.default_rng(_seed(text, voice))
    return _levelled(_sound(beats, duration_ms, voice_of(voice), rng))


def _seed(text: str, voice: str | int) -> int:
    key = f"{voice}\0{text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


def _sound(
    beats: tuple[Syllable, ...], duration_ms: int, voice: Voice, rng: np.random.Generator
) -> _Floats:
    """The sum of voice and noise, at no particular level."""
    at_ms = np.arange(duration_ms)
    starts_ms = np.array([beat.start_ms for beat in beats])
    beat_at = np.searchsorted(starts_ms, at_ms, "right") - 1
    voice_gain, noise_gain = _gains(beats, at_ms, beat_at)
    pitch_hz = voice.pitch_hz * _melody(beats, at_ms, rng)
    turns = np.cumsum(_stretched(pitch_hz), dtype=np.float64) / RATE_HZ
    tables, index = _wavetables(voice), (turns * _TABLE).astype(np.int64) % _TABLE

    rows = np.array([_ROW[beat.vowel] for beat in beats])
    glide = np.clip((at_ms - starts_ms[beat_at]) / _GLIDE_MS, 0.0, 1.0)
    before, now = rows[np.maximum(beat_at - 1, 0)], rows[beat_at]
    voiced: _Floats = tables[np.repeat(before, _PER_MS), index] * _stretched(
        voice_gain * (1.0 - glide)
    )
    voiced += tables[np.repeat(now, _PER_MS), index] * _stretched(voice_gain * glide)
    voiced += _hiss(len(index), rng) * _stretched(noise_gain)
    return voiced


def _gains(
    beats: tuple[Syllable, ...], at_ms: npt.NDArray[np.int64], beat_at: npt.NDArray[np.int64]
) -> tuple[_Floats, _Floats]:
    """Loudness of voice and of noise, a value each millisecond; both 0 in pauses."""
    since_ms = at_ms - np.array([beat.start_ms for beat in beats])[beat_at]
    left_ms = np.array([beat.end_ms for beat in beats])[beat_at] - at_ms
    onset_at = np.array([beat.onset for beat in beats])[beat_at]
    voice, noise = np.zeros(len(at_ms)), np.zeros(len(at_ms))
    for onset in _VOICE_GAIN:
        here = onset_at == onset
        voice[here] = np.interp(since_ms[here], _ONSET_MS, _VOICE_GAIN[onset])
        noise[here] = np.interp(since_ms[here], _ONSET_MS, _NOISE_GAIN[onset])
    release = np.clip(left_ms / _RELEASE_MS, 0.0, 1.0)
    return voice * release, noise * release


def _melody(
    beats: tuple[Syllable, ...], at_ms: npt.NDArray[np.int64], rng: np.random.Generator
) -> _Floats:
    """Pitch as a factor on the mean: each phrase falls by a third, syllables rise out of it."""
    middles_ms = np.array([beat.start_ms + beat.duration_ms / 2 for beat in beats])
    gaps_ms = [after.start_ms - before.end_ms for before, after in pairwise(beats)]
    opens = np.array([True, *(gap > 100 for gap in gaps_ms)])
    position = np.arange(len(beats))
    since_open = position - np.maximum.accumulate(np.where(opens, position, 0))
    accents = 0.86 + 0.3 / (1.0 + 0.25 * since_open) + rng.uniform(-0.06, 0.06, len(beats))
    return np.interp(at_ms, middles_ms, accents)


@lru_cache(maxsize=64)
def _wavetables(voice: Voice) -> _Floats:
    """One period of each vowel, RMS 1: harmonics of a falling source, shaped by the formants."""
    harmonics = np.arange(1, int(_BAND_HZ / voice.pitch_hz) + 1)
    frequency_hz = harmonics * voice.pitch_hz
    rows = [_spectrum(frequency_hz, vowel, voice.formant_scale) for vowel in _FORMANTS_HZ]
    turns = np.outer(harmonics, np.arange(_TABLE) / _TABLE)
    tables = np.array(rows) @ np.sin(2.0 * np.pi * turns)
    tables /= np.sqrt(np.mean(tables**2, axis=1, keepdims=True))
    return tables.astype(np.float32)


def _spectrum(frequency_hz: _Floats, vowel: Vowel, scale: float) -> _Floats:
    """Strength of each harmonic: source falling 6 dB an octave, times the sum of resonances."""
    resonance = np.full(len(frequency_hz), 0.02)
    for centre_hz, width_hz, gain in zip(
        _FORMANTS_HZ[vowel], _BANDWIDTHS_HZ, _FORMANT_GAINS, strict=True
    ):
        distance = (frequency_hz - centre_hz * scale) / width_hz
        resonance += gain / (1.0 + distance**2)
    strength: _Floats = resonance / frequency_hz
    return strength


def _hiss(samples: int, rng: np.random.Generator) -> _Floats:
    """White noise with its low half taken out, as between teeth."""
    white = rng.random(samples + 1, dtype=np.float32)
    return np.diff(white) * np.float32(2.0)


def _stretched(per_ms: _Floats) -> _Floats:
    """From a value a millisecond to a value a sample, in straight lines."""
    steps = np.append(per_ms, per_ms[-1]).astype(np.float32)
    rise = np.diff(steps)[:, None] * (np.arange(_PER_MS, dtype=np.float32) / _PER_MS)
    return (steps[:-1, None] + rise).ravel()


def _levelled(sound: _Floats) -> Pcm:
    """To -20 dBFS over what is not silence, less where peaks would come near full scale."""
    heard = sound[sound != 0.0]
    rms = float(np.sqrt(np.mean(heard**2)))
    gain = min(_LEVEL / rms, _PEAK / float(np.max(np.abs(heard))))
    return (sound * np.float32(gain)).astype(np.int16)
