"""What is heard in one run, from the samples of who speaks or plays to the frames of a format."""

from __future__ import annotations

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.clip import Clip
from mockzoom.core.meeting import Sound
from mockzoom.engine.audio import encode, mix
from mockzoom.engine.files import clip_samples
from mockzoom.engine.media import Part
from mockzoom.engine.voice import RATE_HZ, Pcm, speak

__all__ = ["heard", "samples"]


def heard(parts: tuple[Part, ...], format: AudioFormat) -> tuple[bytes, ...]:
    """All `parts` at once, as encoded frames; slow."""
    placed = [_placed(*part) for part in parts]
    pcm = placed[0][1] if len(placed) == 1 and placed[0][0] == 0 else mix(placed)
    return encode(pcm, format)


def samples(sound: Sound) -> Pcm:
    """48 kHz mono."""
    return clip_samples(sound) if isinstance(sound, Clip) else speak(*sound)


def _placed(begins_ms: int, sound: Sound, heard_ms: int) -> tuple[int, Pcm]:
    pcm = samples(sound)[: heard_ms * RATE_HZ // 1000]
    return max(begins_ms, 0), pcm[max(-begins_ms, 0) * RATE_HZ // 1000 :]
