"""All that was recorded of a stream as one file that plays: ``recording.mkv``.

Everything lies on one time line, that of the timestamps.  Who is silent or muted sends nothing, so
gaps in sound are filled with silence, and a picture stays until the next one comes.  Sound is FLAC,
a track a participant, or one if it is mixed; pictures are what was received; what was said is a
track of subtitles.

Timestamps come from outside.  What lies further than a day from the first one is left out, so that
none of them can ask for a year of silence.
"""

from __future__ import annotations

import heapq
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockzoom.core.codes import VideoCodec
from mockzoom.receiver.tracks import PictureTrack, SoundTrack

if TYPE_CHECKING:
    import av

    _Packet = av.Packet[Any]

__all__ = ["Movie", "Words"]

_DAY_MS = 86_400_000
_FORMATS = {VideoCodec.H264: "h264", VideoCodec.JPG: "mjpeg"}
_SUBTITLE = b"1\n00:00:00,000 --> 00:00:00,001\n-\n\n"


@dataclass(frozen=True)
class Words:
    """A line of the transcript and when it was said (Unix ms)."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True)
class Movie:
    """What goes into one file; the tracks are closed."""

    sounds: Sequence[SoundTrack]
    pictures: Sequence[PictureTrack]
    words: Sequence[Words]

    def __bool__(self) -> bool:
        return any(track.spans for track in self.sounds) or any(t.index for t in self.pictures)

    def write(self, path: Path) -> None:
        """Make the file; slow.  Raises OSError and PyAV's errors for what does not fit together."""
        # Imported where it is needed: a receiver that records nothing loads no codec.
        import av

        start_ms = self._start_ms()
        with av.open(str(path), "w", format="matroska") as out:
            tracks = [
                *(_pictures(out, track, start_ms) for track in self.pictures if track.index),
                *(_sound(out, track, start_ms) for track in self.sounds if track.spans),
            ]
            if self.words:
                tracks.append(_subtitles(out, self.words, start_ms))
            for packet in heapq.merge(*tracks, key=_time):
                out.mux(packet)

    def _start_ms(self) -> int:
        """The first timestamp that has others near it."""
        times = sorted(
            [at_ms for track in self.sounds for at_ms, _ in track.spans]
            + [at_ms for track in self.pictures for at_ms, _ in track.index[:1]]
        )
        middle = times[len(times) // 2]
        return next(at_ms for at_ms in times if at_ms > middle - _DAY_MS)


def _time(packet: _Packet) -> Fraction:
    return Fraction(packet.pts or 0) * Fraction(packet.time_base)


def _inside(at_ms: int, start_ms: int) -> bool:
    return 0 <= at_ms - start_ms < _DAY_MS


# --- pictures ---------------------------------------------------------------------------------


def _pictures(out: Any, track: PictureTrack, start_ms: int) -> Iterator[_Packet]:
    """Packets as they were received, of a stream like the first of them says."""
    import av

    with track.path.open("rb") as file:
        first = BytesIO(file.read(track.index[0][1]))
    with av.open(first, "r", format=_FORMATS[track.codec]) as source:
        stream = out.add_stream_from_template(source.streams.video[0])
    stream.metadata["title"] = track.name

    def packets() -> Iterator[_Packet]:
        with track.path.open("rb") as file:
            for at_ms, size in track.index:
                data = file.read(size)
                if _inside(at_ms, start_ms):
                    packet = _packet(data, stream, at_ms - start_ms)
                    packet.is_keyframe = track.is_key(data)
                    yield packet

    return packets()


def _packet(data: bytes, stream: Any, at_ms: int) -> _Packet:
    import av

    packet = av.Packet(data)
    packet.stream, packet.time_base = stream, Fraction(1, 1000)
    packet.pts = packet.dts = at_ms
    return packet


# --- sound ------------------------------------------------------------------------------------


def _sound(out: Any, track: SoundTrack, start_ms: int) -> Iterator[_Packet]:
    layout = "stereo" if track.channels == 2 else "mono"
    stream = out.add_stream("flac", rate=track.rate_hz, layout=layout, format="s16")
    stream.metadata["title"] = track.name or "everybody"
    return _flac(stream, track, layout, start_ms)


def _flac(stream: Any, track: SoundTrack, layout: str, start_ms: int) -> Iterator[_Packet]:
    import av
    import numpy as np

    done = 0
    for data in _filled(track, start_ms):
        samples = np.frombuffer(data, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout=layout)
        frame.sample_rate, frame.time_base = track.rate_hz, Fraction(1, track.rate_hz)
        frame.pts = done
        done += samples.size // track.channels
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _filled(track: SoundTrack, start_ms: int) -> Iterator[bytes]:
    """The samples from `start_ms` on with silence where there was none, a second at a time."""
    rate, frame_bytes = track.rate_hz, track.channels * 2
    at = 0  # where the next sample lies on the time line
    ends = [before for _, before in track.spans[1:]] + [track.samples]
    with wave.open(str(track.path), "rb") as wav:
        for (timestamp, begin), end in zip(track.spans, ends, strict=True):
            if not _inside(timestamp, start_ms):
                wav.setpos(end)
                continue
            gap = max(0, (timestamp - start_ms) * rate // 1000 - at)
            at += gap + end - begin
            for length in _seconds(gap, rate):
                yield bytes(length * frame_bytes)
            for length in _seconds(end - begin, rate):
                yield wav.readframes(length)


def _seconds(samples: int, rate: int) -> Iterator[int]:
    while samples > 0:
        yield min(samples, rate)
        samples -= rate


# --- words ------------------------------------------------------------------------------------


def _subtitles(out: Any, words: Sequence[Words], start_ms: int) -> Iterator[_Packet]:
    import av

    with av.open(BytesIO(_SUBTITLE), "r", format="srt") as source:
        stream = out.add_stream_from_template(source.streams.subtitles[0])
    stream.metadata["title"] = "transcript"

    def packets() -> Iterator[_Packet]:
        for line in sorted(words, key=lambda line: line.start_ms):
            if _inside(line.start_ms, start_ms) and line.text:
                data = line.text.encode(errors="replace")
                packet = _packet(data, stream, line.start_ms - start_ms)
                packet.duration = max(1, min(line.end_ms - line.start_ms, _DAY_MS))
                yield packet

    return packets()
