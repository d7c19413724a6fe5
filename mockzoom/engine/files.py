"""Files of the user's own as sources: any sound and pictures that PyAV reads.

A file is opened when it is named, so that a mistake is told at once, and again for each piece of it
that is played.  Nothing of it stays in memory but what the caches of encoded frames keep.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
import numpy as np

from mockzoom.core.captions import CAPTIONS, captions
from mockzoom.core.clip import Clip, Film
from mockzoom.core.speech import Line
from mockzoom.engine.voice import RATE_HZ, Pcm
from mockzoom.errors import ConfigurationError

__all__ = ["Media", "clip_of", "clip_samples", "clips_of", "film_pictures"]

Media = Mapping[str, str | Path | Sequence[str | Path]]
"""Names of participants, and the file or the files of each."""

_MAX_CAPTIONS_BYTES = 16 * 2**20

#: Decoding begins a little early, for codecs that need what was before.
_RUN_UP_MS = 200


def clip_of(*paths: str | Path) -> Clip:
    """What is in a recording, in a transcript (.vtt, .srt or .jsonl), or in one of each.

    Raises `ConfigurationError` for a file that cannot be read, and for two of a kind.
    """
    files = [Path(path).absolute() for path in paths]
    transcripts = [path for path in files if path.suffix.lower() in CAPTIONS]
    recordings = [path for path in files if path not in transcripts]
    if not files or len(transcripts) > 1 or len(recordings) > 1:
        found = ", ".join(path.name for path in files) or "nothing"
        raise ConfigurationError(
            f"media: expected a recording, a transcript or both, found {found}"
        )
    lines = _lines(transcripts[0]) if transcripts else ()
    if not recordings:
        length_ms = max((line.end_ms for line in lines), default=0)
        return Clip(str(transcripts[0]), Clip.on_grid(length_ms), audible=False, lines=lines)
    return _recording(recordings[0], lines)


def clips_of(media: Media) -> dict[str, Clip]:
    """The clip of everybody in `media`, by the name in `casefold`; raises `ConfigurationError`."""
    return {
        name.casefold(): clip_of(*([files] if isinstance(files, str | Path) else files))
        for name, files in media.items()
    }


def clip_samples(clip: Clip) -> Pcm:
    """The sound of `clip`, 48 kHz mono, exactly as long as it is; silence where the file has none.

    Raises `ConfigurationError` when the file has become unreadable.
    """
    wanted = np.zeros(clip.duration_ms * RATE_HZ // 1000, np.int16)
    with _opened(Path(clip.path)) as container:
        stream = container.streams.audio[0]
        origin_s = _origin_s(stream)
        _seek(container, stream, origin_s + (clip.start_ms - _RUN_UP_MS) / 1000)
        start_s, end_s = clip.start_ms / 1000, (clip.start_ms + clip.duration_ms) / 1000
        pieces, first_s = [], None
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        for frame in container.decode(stream):
            at_s = (frame.time or origin_s) - origin_s
            if first_s is None:
                first_s = at_s
            if at_s > end_s + _RUN_UP_MS / 1000:
                break
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        pieces += [piece.to_ndarray()[0] for piece in resampler.resample(None)] if pieces else []
    if pieces and first_s is not None:
        _place(wanted, np.concatenate(pieces), round((first_s - start_s) * RATE_HZ))
    return wanted


def film_pictures(path: str, second: int, size: tuple[int, int], fps: int) -> list[av.VideoFrame]:
    """The pictures of one second of the file, scaled into `size`, in yuv420p.

    Each is the one that is to be seen at its time; the last one stays until the second ends.
    """
    with _opened(Path(path)) as container:
        stream = _film_streams(container)[0]
        origin_s = _origin_s(stream)
        _seek(container, stream, origin_s + second)
        times: list[float] = []
        pictures: list[av.VideoFrame] = []
        for frame in container.decode(stream):
            at_s = (frame.time or origin_s) - origin_s
            if at_s >= second + 1 and pictures:
                break
            if at_s <= second:  # only the last before the second begins is seen in it
                times.clear()
                pictures.clear()
            times.append(at_s)
            pictures.append(frame)
    if not pictures:
        raise ConfigurationError(f"media {path}: no picture at {second} s")
    scaled = [_fitted(picture, size) for picture in pictures]
    shown = [bisect_right(times, second + number / fps + 1e-6) - 1 for number in range(fps)]
    return [av.VideoFrame.from_ndarray(scaled[max(index, 0)], format="yuv420p") for index in shown]


# --- what there is ----------------------------------------------------------------------------


def _recording(path: Path, lines: tuple[Line, ...]) -> Clip:
    with _opened(path) as container:
        audible, film = bool(container.streams.audio), bool(_film_streams(container))
        if not audible and not film:
            raise ConfigurationError(f"media {path}: expected sound or pictures, found neither")
        length_ms = _length_ms(container)
        probe = container.streams.audio[0] if audible else _film_streams(container)[0]
        if next(container.decode(probe), None) is None:
            raise ConfigurationError(f"media {path}: it is empty")
    seconds = max(1, -(-length_ms // 1000))
    return Clip(
        str(path),
        Clip.on_grid(length_ms),
        audible=audible,
        film=Film(str(path), seconds) if film else None,
        lines=lines,
    )


def _lines(path: Path) -> tuple[Line, ...]:
    try:
        if path.stat().st_size > _MAX_CAPTIONS_BYTES:
            raise ConfigurationError(
                f"media {path}: expected at most {_MAX_CAPTIONS_BYTES >> 20} MB of transcript"
            )
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"media {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"media {path}: expected UTF-8: {error.reason}") from None
    return captions(text, path)


def _length_ms(container: av.container.InputContainer) -> int:
    if container.duration is not None:
        return round(container.duration / 1000)
    ends = [
        float((packet.pts + (packet.duration or 0)) * packet.time_base) - _origin_s(packet.stream)
        for packet in container.demux()
        if packet.pts is not None
    ]
    container.seek(0)
    return round(max(ends, default=0.0) * 1000)


def _film_streams(container: av.container.InputContainer) -> list[Any]:
    """Without the pictures on covers."""
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]


# --- reading ----------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[av.container.InputContainer]:
    """The file and nothing but a file: PyAV by itself would open URLs as well."""
    try:
        with path.open("rb") as file, av.open(file, "r") as container:
            yield container
    except ConfigurationError:
        raise
    except (OSError, EOFError, ValueError, av.FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"media {path}: {reason}") from None


def _origin_s(stream: Any) -> float:
    return float((stream.start_time or 0) * stream.time_base)


def _seek(container: av.container.InputContainer, stream: Any, at_s: float) -> None:
    if at_s > _origin_s(stream):
        container.seek(int(at_s / stream.time_base), stream=stream)


def _place(wanted: Pcm, found: Pcm, at: int) -> None:
    """Lay `found` over `wanted`, from index `at` on, which may be negative."""
    found = found[max(-at, 0) :]
    at = max(at, 0)
    length = max(0, min(len(wanted) - at, len(found)))
    wanted[at : at + length] = found[:length]


def _fitted(picture: av.VideoFrame, size: tuple[int, int]) -> Any:
    """`picture` as large as it fits into `size` in its own proportions, on black; yuv420p."""
    width, height = size
    scale = min(width / picture.width, height / picture.height)
    inner_width, inner_height = _even(picture.width * scale), _even(picture.height * scale)
    planes = picture.reformat(inner_width, inner_height, "yuv420p").to_ndarray()
    if (inner_width, inner_height) == size:
        return planes
    left, top = (width - inner_width) // 4 * 2, (height - inner_height) // 4 * 2
    canvas = _canvas(width, height)
    for whole, part, shrink in zip(
        _planes(canvas, width, height),
        _planes(planes, inner_width, inner_height),
        (1, 2, 2),
        strict=True,
    ):
        rows, columns = part.shape
        whole[top // shrink :, left // shrink :][:rows, :columns] = part
    return canvas


def _even(side: float) -> int:
    return max(2, round(side) // 2 * 2)


def _canvas(width: int, height: int) -> Any:
    canvas = np.full((height * 3 // 2, width), 128, np.uint8)
    canvas[:height] = 16
    return canvas


def _planes(picture: Any, width: int, height: int) -> Sequence[Any]:
    """Views of luma and both colours."""
    flat = picture.reshape(-1)
    luma, quarter = width * height, width * height // 4
    small = (height // 2, width // 2)
    return (
        flat[:luma].reshape(height, width),
        flat[luma : luma + quarter].reshape(small),
        flat[luma + quarter :].reshape(small),
    )
