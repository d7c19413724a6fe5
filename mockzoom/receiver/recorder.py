"""What one stream leaves on disk: a WAV a participant, the transcript, a summary, and a movie.

    recordings/<stream>/<user id>-<name>.wav   16-bit PCM, mono or stereo as granted
    recordings/<stream>/transcript.jsonl       a JSON object a line
    recordings/<stream>/stream.json            written at the end
    recordings/<stream>/recording.mkv          all of it and the pictures, made after the end

A WAV holds what was said, one frame after the other: a muted participant sends nothing, and the
pauses are not filled in.  The header is brought up to date every second of audio, so that a file is
playable even if the process dies.  Pictures are in a file of their own until the movie is made.

Names come from meetings, which strangers name.  They go into file names only as letters, digits
and symbols, whatever the script; everything else, and above all `/` and control characters that
turn text around, becomes a dash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import shutil
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TextIO

from mockzoom.core.codes import (
    AudioChannel,
    AudioCodec,
    DataOption,
    MediaType,
    MessageType,
    Resolution,
    SampleRate,
    VideoCodec,
)
from mockzoom.core.messages import MEDIA_KEYS, Message, message_type
from mockzoom.receiver.movie import Movie, Words
from mockzoom.receiver.tracks import SAMPLE_BYTES, PictureTrack, SoundTrack

__all__ = ["PICTURES", "WANTED", "Recorder", "discard", "safe_name", "stream_folder"]

#: What is asked for: 16-bit samples as they are, 16 kHz, each participant apart, in 20 ms frames.
WANTED: Mapping[MediaType, Mapping[str, Any]] = {
    MediaType.AUDIO: {
        "content_type": 2,
        "sample_rate": SampleRate.SR_16K,
        "channel": AudioChannel.MONO,
        "codec": AudioCodec.L16,
        "data_opt": DataOption.AUDIO_MULTI_STREAMS,
        "send_rate": 20,
    },
    MediaType.TRANSCRIPT: {},
}

#: And of pictures, if they are wanted too.
PICTURES: Mapping[MediaType, Mapping[str, Any]] = {
    MediaType.VIDEO: {
        "content_type": 3,
        "codec": VideoCodec.H264,
        "resolution": Resolution.HD,
        "data_opt": DataOption.VIDEO_SINGLE_ACTIVE_STREAM,
        "fps": 25,
    },
    MediaType.DESKSHARE: {
        "content_type": 3,
        "codec": VideoCodec.H264,
        "resolution": Resolution.HD,
        "fps": 5,
    },
}

_NAMES: Mapping[int | None, str] = {kind: kind.name.lower() for kind in MessageType}
_AUDIO = MEDIA_KEYS[MediaType.AUDIO]
_PICTURE_KEYS: Mapping[int | None, str] = {
    MessageType.MEDIA_DATA_VIDEO: MEDIA_KEYS[MediaType.VIDEO],
    MessageType.MEDIA_DATA_SHARE: MEDIA_KEYS[MediaType.DESKSHARE],
}
_SUFFIXES = {VideoCodec.H264: "h264", VideoCodec.JPG: "mjpeg"}

#: The longest frame that can be granted: a second of 48 kHz stereo.
_MAX_FRAME_BYTES = 48_000 * 2 * SAMPLE_BYTES
_MAX_PICTURE_BYTES = 16 * 2**20

#: So many lines become subtitles; an hour has about a thousand.
_MAX_SUBTITLES = 100_000

_MAX_ID = 64

#: Files open at once a stream; who speaks after that many others is counted, not recorded.
_MAX_TRACKS = 256

_REMEMBERED_LINES = 256


def safe_name(text: str, limit_bytes: int = 60) -> str:
    """`text` as a piece of a file name, at most `limit_bytes` of UTF-8; may be empty.

    Letters, marks, digits and symbols of every script stay, so emoji and right-to-left names are
    readable.  Equal names stay equal; different ones may become equal.
    """
    kept = "".join(
        char
        if unicodedata.category(char)[0] in "LMN" or unicodedata.category(char) == "So"
        else "-"
        for char in unicodedata.normalize("NFC", text)
    )
    words = "-".join(word for word in kept.split("-") if word)
    return words.encode()[:limit_bytes].decode(errors="ignore").strip("-")


def stream_folder(recordings: Path, rtms_stream_id: str) -> Path:
    """Where a stream is recorded: its id, with a hash where the id is no plain file name."""
    name = safe_name(rtms_stream_id)
    if not name or name != rtms_stream_id:
        digest = hashlib.sha256(rtms_stream_id.encode(errors="surrogatepass")).hexdigest()
        name = f"{name[:40]}-{digest[:12]}".lstrip("-")
    return recordings / name


def discard(recordings: Path, rtms_stream_id: str) -> None:
    """Delete whatever was recorded of a stream: what a revoked stream demands."""
    shutil.rmtree(stream_folder(recordings, rtms_stream_id), ignore_errors=True)


class Recorder:
    """Records one stream into `folder`, which is made when there is something to put there.

    `counters` count what came, by kind; `tracks` maps a participant to the file that is written.
    Raises OSError when the disk does not take it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counters: Counter[str] = Counter()
        self.tracks: dict[Hashable, SoundTrack] = {}
        self._closed: list[SoundTrack] = []
        self._pictures: dict[str, PictureTrack] = {}
        self._shown: list[PictureTrack] = []
        self._words: list[Words] = []
        self._granted: Mapping[str, Any] = {}
        self._codecs: dict[str, object] = {}
        self._transcript: TextIO | None = None
        self._lines: OrderedDict[str, None] = OrderedDict()

    def granted(self, params: Mapping[str, Mapping[str, Any]]) -> None:
        """The media parameters in force from now on; another audio format means other files."""
        audio = params.get(_AUDIO, {})
        if _format(audio) != _format(self._granted):
            self._close_tracks()
        self._granted = audio
        for key in _PICTURE_KEYS.values():
            self._codecs[key] = params.get(key, {}).get("codec")

    def receive(self, message: Message) -> None:
        """One message of the stream; what is not to be recorded is counted."""
        kind = message_type(message)
        content = message.get("content")
        content = content if isinstance(content, dict) else {}
        if kind == MessageType.MEDIA_DATA_AUDIO:
            self.counters["audio_frames"] += 1
            self._audio(content)
        elif kind in _PICTURE_KEYS:
            self.counters[_NAMES[kind]] += 1
            self._picture(_PICTURE_KEYS[kind], content)
        elif kind == MessageType.MEDIA_DATA_TRANSCRIPT:
            self._line(content)
        elif kind == MessageType.EVENT_UPDATE:
            self.counters["events"] += 1
        elif kind in _NAMES:
            self.counters[_NAMES[kind]] += 1

    def close(self, summary: Mapping[str, Any]) -> None:
        """Finish all files and write `summary`, with what was recorded, as stream.json."""
        self._close_tracks()
        for track in self._pictures.values():
            track.close()
        self._shown += self._pictures.values()
        self._pictures.clear()
        if self._transcript is not None:
            self._transcript.close()
            self._transcript = None
        if self.folder.is_dir():
            recorded = {
                "tracks": [track.describe() for track in self._closed],
                "counters": dict(self.counters),
            }
            text = json.dumps({**summary, **recorded}, indent=2)
            (self.folder / "stream.json").write_text(text + "\n", encoding="utf-8")

    @property
    def movie(self) -> Movie:
        """What was recorded, once all is closed; false if that is nothing."""
        return Movie(self._closed, self._shown, self._words)

    def make_movie(self) -> None:
        """Put everything into one file; slow, and may run in any thread.

        What cannot be put together is raised, and leaves what it was to be made of.
        """
        path = self._fresh("recording", "mkv")
        try:
            self.movie.write(path)
        except Exception:
            path.unlink(missing_ok=True)
            raise
        for track in self._shown:
            track.path.unlink(missing_ok=True)

    # --- audio --------------------------------------------------------------------------------

    def _audio(self, content: Mapping[str, Any]) -> None:
        wav = _format(self._granted)
        if wav is None:
            self.counters["audio_not_decoded"] += 1
            return
        data, timestamp = _decoded(content.get("data")), content.get("timestamp")
        if data is None or len(data) > _MAX_FRAME_BYTES or not isinstance(timestamp, int):
            self.counters["audio_broken"] += 1
            return
        track = self._track(content, wav)
        if track is not None:
            track.add(timestamp, data)

    def _track(self, content: Mapping[str, Any], wav: tuple[int, int]) -> SoundTrack | None:
        """The participant's file; mixed audio, which says user 0, is one participant."""
        mixed = self._granted.get("data_opt") == DataOption.AUDIO_MIXED_STREAM
        user = 0 if mixed else content.get("user_id", content.get("channel_id", 0))
        key = str(user)[:_MAX_ID]
        if key not in self.tracks:
            if len(self.tracks) >= _MAX_TRACKS:
                self.counters["audio_of_too_many"] += 1
                return None
            name = "" if key == "0" else str(content.get("user_name") or "")
            parts = ["mixed"] if key == "0" else [safe_name(key), safe_name(name)]
            path = self._fresh("-".join(part for part in parts if part) or "unnamed", "wav")
            self.tracks[key] = SoundTrack(path, user, name, *wav, self.counters)
        return self.tracks[key]

    def _fresh(self, stem: str, suffix: str) -> Path:
        """A path that nobody has recorded to: a stream that came back must not erase its past."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path, number = self.folder / f"{stem}.{suffix}", 1
        while path.exists():
            number += 1
            path = self.folder / f"{stem}.{number}.{suffix}"
        return path

    def _close_tracks(self) -> None:
        for track in self.tracks.values():
            track.close()
        self._closed += self.tracks.values()
        self.tracks.clear()

    # --- pictures -----------------------------------------------------------------------------

    def _picture(self, key: str, content: Mapping[str, Any]) -> None:
        codec = _codec(self._codecs.get(key))
        if codec is None:
            self.counters["pictures_not_recorded"] += 1
            return
        data, timestamp = _decoded(content.get("data")), content.get("timestamp")
        if data is None or len(data) > _MAX_PICTURE_BYTES or type(timestamp) is not int:
            self.counters["pictures_broken"] += 1
            return
        self._picture_track(key, codec).add(timestamp, data)

    def _picture_track(self, key: str, codec: VideoCodec) -> PictureTrack:
        """One for the cameras and one for the screen; another codec goes to another file."""
        track = self._pictures.get(key)
        if track is not None and track.codec is not codec:
            track.close()
            self._shown.append(track)
            track = None
        if track is None:
            path = self._fresh(key, _SUFFIXES[codec])
            self._pictures[key] = track = PictureTrack(path, key, codec, self.counters)
        return track

    # --- transcript ---------------------------------------------------------------------------

    def _line(self, content: Mapping[str, Any]) -> None:
        names = ("user_id", "user_name", "start_time", "end_time", "timestamp", "language")
        line = {name: content.get(name) for name in names} | {"text": content.get("data")}
        if not isinstance(line["text"], str):
            self.counters["transcript_broken"] += 1
            return
        text = json.dumps(line, ensure_ascii=False)
        if text in self._lines:
            self.counters["transcript_repeated"] += 1
            return
        self._remember(text)
        if self._transcript is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            # Half a surrogate pair, which JSON can hold and UTF-8 cannot, stays escaped.
            self._transcript = (self.folder / "transcript.jsonl").open(
                "a", encoding="utf-8", errors="backslashreplace", buffering=1
            )
        self._transcript.write(text + "\n")
        self.counters["transcript_lines"] += 1
        start_ms, end_ms = line["start_time"], line["end_time"]
        if type(start_ms) is type(end_ms) is int and len(self._words) < _MAX_SUBTITLES:
            who = f"{line['user_name']}: " if line["user_name"] else ""
            self._words.append(Words(start_ms, end_ms, f"{who}{line['text']}"))

    def _remember(self, text: str) -> None:
        self._lines[text] = None
        if len(self._lines) > _REMEMBERED_LINES:
            self._lines.popitem(last=False)


def _format(audio: Mapping[str, Any]) -> tuple[int, int] | None:
    """Sample rate in Hz and channels of granted audio that goes into a WAV as it is, else None."""
    try:
        if AudioCodec(audio["codec"]) is not AudioCodec.L16:
            return None
        return SampleRate(audio["sample_rate"]).hz, AudioChannel(audio["channel"]).value
    except (KeyError, ValueError):
        return None


def _codec(granted: object) -> VideoCodec | None:
    """The codec of granted pictures that go into a movie as they are, else None."""
    return next((codec for codec in _SUFFIXES if codec == granted), None)


def _decoded(data: object) -> bytes | None:
    """The bytes behind base64, None when it is not that or nothing."""
    try:
        return base64.b64decode(data, validate=True) or None if isinstance(data, str) else None
    except (binascii.Error, ValueError):
        return None
