"""The tracks of a stream while it is recorded: the WAV of a participant, and pictures.

Frames may come late or twice, so each track keeps a few back and writes them in the order of their
timestamps.  Where they lie in time is kept beside the file, for the movie that is made at the end.
"""

from __future__ import annotations

import heapq
import re
import wave
from abc import ABC, abstractmethod
from collections import Counter
from pathlib import Path
from typing import Any

from mockzoom.core.codes import VideoCodec

__all__ = ["SAMPLE_BYTES", "PictureTrack", "SoundTrack", "Track"]

SAMPLE_BYTES = 2

#: Frames kept back a track, to sort out those that overtook each other: 160 ms at 20 ms each.
_REORDERED_FRAMES = 8

#: Sound that is so near to where it should be goes on without a gap.
_STEP_MS = 5

#: The start of an H.264 picture from which a decoder can begin.
_IDR = re.compile(rb"\x00\x00\x01[\x25\x45\x65]")


class Track(ABC):
    """One file of frames in order, each with its timestamp (Unix ms)."""

    def __init__(self, path: Path, name: str, counters: Counter[str], repeated: str) -> None:
        self.path = path
        self.name = name
        self._counters = counters
        self._repeated = repeated
        self._waiting: list[tuple[int, bytes]] = []
        self._last_timestamp: int | None = None

    def add(self, timestamp: int, data: bytes) -> None:
        heapq.heappush(self._waiting, (timestamp, data))
        if len(self._waiting) > _REORDERED_FRAMES:
            self._take(*heapq.heappop(self._waiting))

    def close(self) -> None:
        while self._waiting:
            self._take(*heapq.heappop(self._waiting))
        self._end()

    def _take(self, timestamp: int, data: bytes) -> None:
        if self._last_timestamp is not None and timestamp <= self._last_timestamp:
            self._counters[self._repeated] += 1
            return
        self._last_timestamp = timestamp
        self._write(timestamp, data)

    @abstractmethod
    def _write(self, timestamp: int, data: bytes) -> None:
        """Add one frame, the next in time."""

    @abstractmethod
    def _end(self) -> None:
        """Close the file."""


class SoundTrack(Track):
    """The WAV of one participant, without the pauses.

    `spans` say where they were: a timestamp, and how many samples are in the file before it.
    """

    def __init__(
        self,
        path: Path,
        user: object,
        name: str,
        rate_hz: int,
        channels: int,
        counters: Counter[str],
    ) -> None:
        super().__init__(path, name, counters, "audio_repeated_or_late")
        self.user = user
        self.rate_hz = rate_hz
        self.channels = channels
        self.spans: list[tuple[int, int]] = []
        self._frame_bytes = channels * SAMPLE_BYTES
        self._samples = self._unpatched = 0
        self._end_ms = 0.0
        self._wav = wave.open(str(path), "wb")  # noqa: SIM115 - closed by close()
        self._wav.setparams((channels, SAMPLE_BYTES, rate_hz, 0, "NONE", "not compressed"))

    @property
    def seconds(self) -> float:
        return self._samples / self.rate_hz

    @property
    def samples(self) -> int:
        return self._samples

    def describe(self) -> dict[str, Any]:
        return {
            "user_id": self.user,
            "user_name": self.name,
            "file": self.path.name,
            "seconds": round(self.seconds, 3),
        }

    def _write(self, timestamp: int, data: bytes) -> None:
        samples = len(data) // self._frame_bytes
        data = data[: samples * self._frame_bytes]
        if not self.spans or abs(timestamp - self._end_ms) > _STEP_MS:
            self.spans.append((timestamp, self._samples))
            self._end_ms = timestamp
        self._end_ms += samples * 1000 / self.rate_hz
        self._samples += samples
        self._unpatched += samples
        if self._unpatched < self.rate_hz:
            self._wav.writeframesraw(data)
        else:
            self._wav.writeframes(data)  # also corrects the lengths in the header
            self._unpatched = 0

    def _end(self) -> None:
        self._wav.close()


class PictureTrack(Track):
    """Encoded pictures one behind the other; `index` has the timestamp and the bytes of each.

    H.264 begins with a picture that needs none before it.
    """

    def __init__(self, path: Path, name: str, codec: VideoCodec, counters: Counter[str]) -> None:
        super().__init__(path, name, counters, "pictures_repeated_or_late")
        self.codec = codec
        self.index: list[tuple[int, int]] = []
        self._file = path.open("wb")

    def is_key(self, data: bytes) -> bool:
        return self.codec is not VideoCodec.H264 or _IDR.search(data) is not None

    def _write(self, timestamp: int, data: bytes) -> None:
        if not self.index and not self.is_key(data):
            self._counters["pictures_before_the_first_whole_one"] += 1
            return
        self.index.append((timestamp, len(data)))
        self._file.write(data)

    def _end(self) -> None:
        self._file.close()
