"""The synthesised voice: like speech, audible, exact in length, always the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockzoom.core.speech import speaking_ms, syllables
from mockzoom.engine.voice import RATE_HZ, Pcm, speak, voice_of

TEXT = "Hello everybody, this is a short sentence. And here comes one more, for good measure."
NAMES = ["Alice", "Bob", "Carol", "李雷", "", 16778240, 0]


def level_dbfs(pcm: Pcm) -> float:
    return float(20 * np.log10(np.sqrt(np.mean((pcm / 32768) ** 2))))


@pytest.mark.parametrize("name", NAMES)
def test_speech_is_audible_and_never_too_loud(name: str | int) -> None:
    """Everybody speaks at about -20 dBFS, pauses included, with peaks under 0.9."""
    pcm = speak(TEXT, name)
    assert pcm.dtype == np.int16
    assert -23 < level_dbfs(pcm) < -18
    assert np.max(np.abs(pcm.astype(int))) < 0.9 * 32768


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30), st.text(max_size=5) | st.integers())
def test_length_is_exact_for_any_text(text: str, name: str | int) -> None:
    """Any text in any voice lasts `speaking_ms`, and is heard if it has a syllable."""
    pcm = speak(text, name)
    assert len(pcm) == speaking_ms(text) * RATE_HZ // 1000
    assert bool(np.any(pcm)) == bool(syllables(text))


def test_same_text_and_voice_are_the_same_samples() -> None:
    """Speaking is repeatable; another text or voice sounds different."""
    assert np.array_equal(speak(TEXT, "Alice"), speak(TEXT, "Alice"))
    assert not np.array_equal(speak(TEXT, "Alice"), speak(TEXT, "Bob"))
    assert not np.array_equal(speak("one", "Alice"), speak("two", "Alice"))


def test_voices_of_many_names_spread_over_the_range() -> None:
    """Pitches lie between 90 and 230 Hz, and a meeting's voices are told apart by them."""
    pitches_hz = [voice_of(f"participant {number}").pitch_hz for number in range(200)]
    assert min(pitches_hz) >= 90
    assert max(pitches_hz) <= 230
    assert len({round(pitch_hz) for pitch_hz in pitches_hz}) > 80


@pytest.mark.parametrize("name", NAMES)
def test_pitch_heard_is_the_pitch_of_the_voice(name: str | int) -> None:
    """Autocorrelation of a long vowel finds the period that the voice's pitch gives."""
    pcm = speak("a", name).astype(float)[2000:-3000]
    spectrum = np.fft.rfft(pcm, 2 * len(pcm))
    echo = np.fft.irfft(np.abs(spectrum) ** 2)
    shortest, longest = RATE_HZ // 300, RATE_HZ // 70
    heard_hz = RATE_HZ / (shortest + int(np.argmax(echo[shortest:longest])))
    assert heard_hz == pytest.approx(voice_of(name).pitch_hz * 1.16, rel=0.08)


def test_sound_is_speech_and_no_tone() -> None:
    """Power spreads over the speech band, and loudness moves with the syllables."""
    pcm = speak(TEXT, "Alice").astype(float)
    power = np.abs(np.fft.rfft(pcm)) ** 2
    band = np.fft.rfftfreq(len(pcm), 1 / RATE_HZ)
    assert power.max() < 0.05 * power.sum()
    assert power[(band > 85) & (band < 8000)].sum() > 0.9 * power.sum()
    assert power[band > 1000].sum() > 0.05 * power.sum()
    loudness = np.sqrt(np.mean(pcm.reshape(-1, 960) ** 2, axis=1))
    assert loudness.std() > 0.3 * loudness.mean()


def test_vowels_differ_by_their_formants() -> None:
    """The same voice puts its power elsewhere for "a" than for "i"."""

    def share_above_600_hz(text: str) -> float:
        pcm = speak(text, "Alice").astype(float)
        power = np.abs(np.fft.rfft(pcm)) ** 2
        return float(power[np.fft.rfftfreq(len(pcm), 1 / RATE_HZ) > 600].sum() / power.sum())

    assert share_above_600_hz("a a a") > 5 * share_above_600_hz("i i i")


def test_consonants_are_noise() -> None:
    """A hissing syllable has power above the voice's band, which an open one has not."""

    def power_above_8_khz(text: str) -> float:
        pcm = speak(text, "Alice").astype(float)
        return float((np.abs(np.fft.rfft(pcm))[len(pcm) // 6 :] ** 2).sum())

    assert power_above_8_khz("sa") > 10 * power_above_8_khz("a")


def test_punctuation_is_silent() -> None:
    """Where `syllables` leaves a gap there is digital silence."""
    text = "Hello. World."
    pcm = speak(text, "Alice")
    beats = syllables(text)
    before, after = beats[1], beats[2]
    assert after.start_ms - before.end_ms >= 400
    assert not np.any(pcm[before.end_ms * 48 + 48 : after.start_ms * 48 - 48])
    assert np.any(pcm[after.start_ms * 48 : after.end_ms * 48])
