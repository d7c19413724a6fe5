"""Files to play: tones, and a test card as a film."""

from __future__ import annotations

import wave
from fractions import Fraction
from pathlib import Path

import av
from hearing import tone

from mockzoom.core.video_format import Card
from mockzoom.engine.card import Painter
from mockzoom.engine.voice import RATE_HZ


def tone_file(path: Path, frequency_hz: float, duration_ms: int = 1_000) -> Path:
    """A WAV of 48 kHz mono."""
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, RATE_HZ, 0, "NONE", "not compressed"))
        wav.writeframes(tone(frequency_hz, duration_ms).tobytes())
    return path


def film_file(
    path: Path, seconds: int, *, fps: int = 10, size: tuple[int, int] = (320, 180), hz: float = 0
) -> Path:
    """A numbered test card of so many seconds, with a tone if there is one."""
    painter = Painter(Card("Film", "file"), size, fps)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast"})
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("aac", rate=RATE_HZ, layout="mono") if hz else None
        for number in range(seconds * fps):
            frame = av.VideoFrame.from_ndarray(painter.picture(number), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio is not None:
            samples = tone(hz, seconds * 1000)[None]
            sound = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            sound.sample_rate = RATE_HZ
            resampler = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ)
            for piece in resampler.resample(sound):
                container.mux(audio.encode(piece))
            container.mux(audio.encode(None))
    return path
