"""Every format that can be asked for decodes to what went in."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt
import pytest
from hearing import TONE_MS, decode, loudest_hz, tone

from mockzoom.core.audio_format import MAX_SEND_RATE_MS, RATES_HZ, AudioFormat
from mockzoom.core.codes import AudioCodec
from mockzoom.engine.audio import encode, mix
from mockzoom.engine.voice import RATE_HZ, Pcm, speak
from mockzoom.errors import ConfigurationError

L16, G711, G722, OPUS = AudioCodec

SEND_RATES_MS = (20, 40, 60, 80, 100, 120, 500, 980, 1000)
FORMATS = [
    AudioFormat(codec, rate_hz, channels, send_rate_ms)
    for codec in AudioCodec
    for rate_hz in RATES_HZ[codec]
    for channels in (1, 2)
    for send_rate_ms in SEND_RATES_MS
    if channels == 1 or codec in (L16, OPUS)
    if send_rate_ms <= MAX_SEND_RATE_MS[codec]
]
# Codecs look ahead: what comes out of the decoder lags by so many milliseconds.
LAG_MS = {L16: 0.0, G711: 0.0, G722: 1.4, OPUS: 6.5}


def similarity(heard: npt.NDArray[np.float64], said: Pcm, format: AudioFormat) -> float:
    """Correlation of the first channel, moved by the codec's lag, with what was said; at 8 kHz."""
    lag = round(LAG_MS[format.codec] * format.sample_rate_hz / 1000)
    step = format.sample_rate_hz // 8000
    low_heard = heard[0][lag : lag + (heard.shape[1] - lag) // step * step]
    low_heard = low_heard.reshape(-1, step).mean(axis=1)
    low_said = said.astype(float).reshape(-1, 6).mean(axis=1)
    length = min(len(low_heard), len(low_said))
    return float(np.corrcoef(low_heard[:length], low_said[:length])[0, 1])


@pytest.mark.parametrize("format", FORMATS, ids=str)
def test_every_format_decodes_to_what_went_in(format: AudioFormat) -> None:
    """Count, length, loudness and pitch of a tone survive each codec, rate, layout and frame."""
    frames = encode(tone(1000), format)
    assert len(frames) == ceil(TONE_MS / format.send_rate_ms)
    heard = decode(frames, format)
    assert heard.shape[0] == format.channels
    assert heard.shape[1] == len(frames) * format.send_rate_ms * format.sample_rate_hz // 1000
    middle = heard[:, heard.shape[1] // 8 : heard.shape[1] // 2]
    for channel in middle:
        assert loudest_hz(channel, format.sample_rate_hz) == pytest.approx(1000, abs=3)
        assert np.sqrt(np.mean(channel**2)) == pytest.approx(8000 / 32768 / np.sqrt(2), rel=0.1)


@pytest.mark.parametrize("format", [f for f in FORMATS if f.send_rate_ms in (20, 120)], ids=str)
def test_speech_survives_in_step(format: AudioFormat) -> None:
    """A spoken sentence comes out where it went in, but for the codec's own look-ahead."""
    said = speak("Hello Bob, how are you today?", "Alice")
    assert similarity(decode(encode(said, format), format), said, format) > 0.97


@pytest.mark.parametrize("codec", [G722, OPUS])
def test_one_decoder_hears_one_utterance_after_another(codec: AudioCodec) -> None:
    """Utterances are encoded apart; a receiver's only decoder is in step within 200 ms."""
    format = AudioFormat(codec, RATES_HZ[codec][0], 1, 20)
    first, second = speak("Hello Bob.", "Alice"), speak("And now something else.", "Alice")
    heard = decode([*encode(first, format), *encode(second, format)], format)
    settled = len(first) + 200 * RATE_HZ // 1000
    rest = heard[:, settled * format.sample_rate_hz // RATE_HZ :]
    assert similarity(rest, second[200 * RATE_HZ // 1000 :], format) > 0.97


@pytest.mark.parametrize(
    ("format", "size"),
    [
        (AudioFormat(L16, 16_000, 1, 20), 640),
        (AudioFormat(L16, 8_000, 1, 1000), 16_000),
        (AudioFormat(L16, 48_000, 2, 40), 7_680),
        (AudioFormat(G711, 8_000, 1, 20), 160),
        (AudioFormat(G722, 16_000, 1, 20), 160),
        (AudioFormat(G722, 16_000, 1, 100), 800),
    ],
    ids=str,
)
def test_frames_of_constant_rate_have_the_documented_size(format: AudioFormat, size: int) -> None:
    """L16 is rate x channels x 2 bytes a second, the telephone codecs 8000 bytes; padding too."""
    assert {len(frame) for frame in encode(tone(300), format)} == {size}


@pytest.mark.parametrize("send_rate_ms", [20, 40, 60, 80, 100, 120])
def test_opus_packets_say_how_long_they_are(send_rate_ms: int) -> None:
    """The packet's own header (RFC 6716, 3.1 and 3.2) gives exactly the length of the frame."""
    for packet in encode(tone(300), AudioFormat(OPUS, 48_000, 2, send_rate_ms)):
        config, code = packet[0] >> 3, packet[0] & 3
        celt_ms, silk_ms, hybrid_ms = (2.5, 5, 10, 20), (10, 20, 40, 60), (10, 20)
        part_ms = (
            silk_ms[config % 4]
            if config < 12
            else hybrid_ms[config % 2]
            if config < 16
            else celt_ms[config % 4]
        )
        count = {0: 1, 1: 2, 2: 2}.get(code) or packet[1] & 0x3F
        assert count * part_ms == send_rate_ms


def test_stereo_is_the_same_on_both_sides() -> None:
    """Participants speak from the middle: left and right are equal, as loud as in mono."""
    format = AudioFormat(L16, 48_000, 2, 20)
    left, right = decode(encode(tone(440), format), format)
    assert np.array_equal(left, right)
    assert np.array_equal(left[: TONE_MS * 48], tone(440) / 32768)


def test_last_frame_is_filled_with_silence() -> None:
    """What does not fill a frame is sent in a whole one."""
    (frame,) = encode(tone(440, 20), AudioFormat(L16, 48_000, 1, 60))
    samples = np.frombuffer(frame, "<i2")
    assert len(samples) == 60 * 48
    assert np.array_equal(samples[:960], tone(440, 20))
    assert not np.any(samples[960:])


@pytest.mark.parametrize("codec", AudioCodec)
def test_nothing_gives_no_frames(codec: AudioCodec) -> None:
    """No samples, no frames, in any codec."""
    assert encode(np.zeros(0, np.int16), AudioFormat(codec, RATES_HZ[codec][0], 1, 20)) == ()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((L16, 44_100, 1, 20), "L16 has no 44100 Hz: use 8000, 16000, 32000, 48000"),
        ((G711, 16_000, 1, 20), "G711 has no 16000 Hz: use 8000"),
        ((G722, 8_000, 1, 20), "G722 has no 8000 Hz: use 16000"),
        ((OPUS, 16_000, 1, 20), "OPUS has no 16000 Hz: use 48000"),
        ((G711, 8_000, 2, 20), "G711 has no 2 channels: use 1"),
        ((L16, 8_000, 3, 20), "L16 has no 3 channels: use 1 or 2"),
        ((L16, 8_000, 1, 30), "L16 cannot send every 30 ms: use a multiple of 20, at most 1000"),
        ((L16, 8_000, 1, 0), "L16 cannot send every 0 ms: use a multiple of 20, at most 1000"),
        (
            (OPUS, 48_000, 1, 140),
            "OPUS cannot send every 140 ms: use a multiple of 20, at most 120",
        ),
    ],
)
def test_impossible_formats_are_refused(
    arguments: tuple[AudioCodec, int, int, int], reason: str
) -> None:
    """A combination that a codec does not have is named, with what would do."""
    with pytest.raises(ConfigurationError) as refusal:
        AudioFormat(*arguments)
    assert str(refusal.value) == reason


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ((L16, 32_000, 2, 400), (L16, 32_000, 2, 400)),
        ((L16, 16_000, 1, 5000), (L16, 16_000, 1, 1000)),
        ((G711, 16_000, 2, 40), (G711, 8_000, 1, 40)),
        ((G722, 48_000, 1, 20), (G722, 16_000, 1, 20)),
        ((OPUS, 16_000, 2, 20), (OPUS, 48_000, 2, 20)),
        ((OPUS, 48_000, 1, 1000), (OPUS, 48_000, 1, 120)),
    ],
)
def test_granted_is_the_nearest_that_the_codec_has(
    asked: tuple[AudioCodec, int, int, int], granted: tuple[AudioCodec, int, int, int]
) -> None:
    """A request beyond a codec is brought back into it; one within it is granted as it is."""
    assert AudioFormat.granted(*asked) == AudioFormat(*granted)


@pytest.mark.parametrize("asked", [(OPUS, 44_100, 1, 20), (G711, 8_000, 3, 20), (L16, 8_000, 1, 7)])
def test_granted_refuses_nonsense(asked: tuple[AudioCodec, int, int, int]) -> None:
    """What is a value in no codec is not guessed at."""
    with pytest.raises(ConfigurationError):
        AudioFormat.granted(*asked)


def test_mix_adds_in_place_and_saturates() -> None:
    """Each part is heard from its offset on, and too loud a sum is cut at full scale."""
    loud = np.full(960, 30_000, np.int16)
    mixed = mix([(0, loud), (10, loud), (40, -loud)])
    assert mixed.dtype == np.int16
    assert len(mixed) == 60 * 48
    assert mixed[0] == 30_000
    assert mixed[10 * 48] == 32_767
    assert mixed[35 * 48] == 0
    assert mixed[-1] == -30_000
    assert len(mix([])) == 0


def test_two_who_speak_at_once_are_both_heard() -> None:
    """The mixed stream holds either tone, after encoding too."""
    format = AudioFormat(OPUS, 48_000, 2, 20)
    heard = decode(encode(mix([(0, tone(700)), (200, tone(1900))]), format), format)[0]
    power = np.abs(np.fft.rfft(heard))
    band = np.fft.rfftfreq(len(heard), 1 / RATE_HZ)
    quiet = power[(band > 1000) & (band < 1500)].max()
    for frequency_hz in (700, 1900):
        assert power[np.abs(band - frequency_hz) < 5].max() > 20 * quiet
