"""What an app may ask of a media socket, and what it is granted.

Each media type has a row per parameter: the values that the protocol knows, the default, and the
status code that refuses anything else.  `grant` fills in the defaults and applies the rules that
cut a wish down instead of refusing it: a long `send_rate`, a sample rate that the codec does not
have, a high `fps` without a codec.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import (
    AudioChannel,
    AudioCodec,
    ContentType,
    DataOption,
    MediaType,
    Resolution,
    SampleRate,
    StatusCode,
    TranscriptLanguage,
    VideoCodec,
)
from mockzoom.core.messages import MEDIA_KEYS, Message

__all__ = ["Refused", "grant", "media_types"]

C = StatusCode

#: Audio frames are cut on a grid of 20 ms.
SEND_RATE_STEP_MS = 20


class Refused(Exception):  # a peer's mistake on its way to the wire, not one of ours
    """A handshake that is answered with `status` instead of a grant."""

    def __init__(self, status: StatusCode, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class _Param:
    name: str
    allowed: Container[int]
    default: int | bool | None
    status: StatusCode

    def check(self, asked: Mapping[str, Any]) -> int | bool | None:
        value = asked.get(self.name)
        if value is None:
            return self.default
        if not _same_kind(value, self.default) or value not in self.allowed:
            raise Refused(self.status, f"{self.name}: {value!r} is not a value of the protocol")
        return value  # type: ignore[no-any-return]


def _same_kind(value: object, default: object) -> bool:
    return isinstance(value, bool) == isinstance(default, bool) and isinstance(value, int)


@dataclass(frozen=True)
class _Kind:
    """The parameters of one media type; `status` refuses what is not an object."""

    status: StatusCode
    params: tuple[_Param, ...]


_SEND_RATES = range(SEND_RATE_STEP_MS, 2**31, SEND_RATE_STEP_MS)
_FPS = range(1, 31)
_TRUTH = (False, True)

_KINDS: Mapping[MediaType, _Kind] = {
    MediaType.AUDIO: _Kind(
        C.INVALID_MEDIA_AUDIO_PARAMS,
        (
            _Param(
                "content_type",
                (ContentType.RTP, ContentType.RAW_AUDIO),
                ContentType.RAW_AUDIO,
                C.INVALID_MEDIA_AUDIO_CONTENT_TYPE,
            ),
            _Param(
                "sample_rate",
                tuple(SampleRate),
                SampleRate.SR_16K,
                C.INVALID_MEDIA_AUDIO_SAMPLE_RATE,
            ),
            _Param(
                "channel", tuple(AudioChannel), AudioChannel.MONO, C.INVALID_MEDIA_AUDIO_CHANNEL
            ),
            _Param("codec", tuple(AudioCodec), AudioCodec.L16, C.INVALID_MEDIA_AUDIO_CODEC),
            _Param(
                "data_opt",
                (DataOption.AUDIO_MIXED_STREAM, DataOption.AUDIO_MULTI_STREAMS),
                DataOption.AUDIO_MIXED_STREAM,
                C.INVALID_MEDIA_AUDIO_DATA_OPT,
            ),
            _Param("send_rate", _SEND_RATES, SEND_RATE_STEP_MS, C.INVALID_MEDIA_AUDIO_SEND_RATE),
        ),
    ),
    MediaType.VIDEO: _Kind(
        C.INVALID_MEDIA_VIDEO_PARAMS,
        (
            _Param(
                "content_type",
                (ContentType.RTP, ContentType.RAW_VIDEO),
                ContentType.RAW_VIDEO,
                C.INVALID_MEDIA_VIDEO_CONTENT_TYPE,
            ),
            _Param("codec", tuple(VideoCodec), None, C.INVALID_MEDIA_VIDEO_CODEC),
            _Param(
                "resolution", tuple(Resolution), Resolution.HD, C.INVALID_MEDIA_VIDEO_RESOLUTION
            ),
            _Param(
                "data_opt",
                (
                    DataOption.VIDEO_SINGLE_ACTIVE_STREAM,
                    DataOption.VIDEO_SINGLE_INDIVIDUAL_STREAM,
                ),
                DataOption.VIDEO_SINGLE_ACTIVE_STREAM,
                C.INVALID_MEDIA_VIDEO_DATA_OPT,
            ),
            _Param("fps", _FPS, 5, C.INVALID_MEDIA_VIDEO_FPS),
        ),
    ),
    MediaType.DESKSHARE: _Kind(
        C.INVALID_MEDIA_DESKSHARE_PARAMS,
        (
            _Param(
                "content_type",
                (ContentType.RTP, ContentType.RAW_VIDEO),
                ContentType.RAW_VIDEO,
                C.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE,
            ),
            _Param("codec", tuple(VideoCodec), None, C.INVALID_MEDIA_DESKSHARE_CODEC),
            _Param(
                "resolution",
                tuple(Resolution),
                Resolution.FHD,
                C.INVALID_MEDIA_DESKSHARE_RESOLUTION,
            ),
            _Param("fps", _FPS, 1, C.INVALID_MEDIA_DESKSHARE_FPS),
        ),
    ),
    MediaType.TRANSCRIPT: _Kind(
        C.INVALID_MEDIA_TRANSCRIPT_PARAMS,
        (
            _Param(
                "content_type",
                (ContentType.TEXT,),
                ContentType.TEXT,
                C.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE,
            ),
            _Param(
                "src_language",
                tuple(TranscriptLanguage),
                TranscriptLanguage.ENGLISH,
                C.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE,
            ),
            _Param(
                "target_language",
                tuple(TranscriptLanguage),
                None,
                C.INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE,
            ),
            _Param("enable_lid", _TRUTH, True, C.INVALID_MEDIA_TRANSCRIPT_PARAMS),
        ),
    ),
    MediaType.CHAT: _Kind(
        C.INVALID_MEDIA_CHAT_PARAMS,
        (
            _Param(
                "content_type",
                (ContentType.TEXT,),
                ContentType.TEXT,
                C.INVALID_MEDIA_CHAT_CONTENT_TYPE,
            ),
        ),
    ),
}

#: Pictures one by one (JPG, PNG) go up to this many a second; H.264 starts above it.
_PICTURE_FPS = {MediaType.VIDEO: 5, MediaType.DESKSHARE: 1}


def media_types(asked: int) -> tuple[MediaType, ...]:
    """The single types in the bit mask `asked`; all of them for 32, none for what is no mask."""
    if asked == MediaType.ALL:
        return tuple(_KINDS)
    if not 0 < asked < MediaType.ALL:
        return ()
    return tuple(media for media in _KINDS if asked & media)


def grant(types: tuple[MediaType, ...], asked: object) -> Message:
    """`media_params` in force for a socket of `types`; raises `Refused`.

    `asked` is what the app sent: None, or an object with an object per media type.  Parameters
    of types that the socket does not carry are passed over.
    """
    if asked is None:
        asked = {}
    if not isinstance(asked, Mapping):
        raise Refused(C.INVALID_MEDIA_PARAMS, "media_params: expected an object")
    known = {key for media, key in MEDIA_KEYS.items() if media in _KINDS}
    unknown = sorted(set(asked) - known)
    if unknown:
        raise Refused(C.INVALID_MEDIA_PARAMS, f"media_params: {unknown[0]!r} is no media type")
    return {MEDIA_KEYS[media]: _grant_one(media, asked.get(MEDIA_KEYS[media])) for media in types}


def _grant_one(media: MediaType, asked: object) -> Message:
    kind = _KINDS[media]
    if asked is None:
        asked = {}
    if not isinstance(asked, Mapping):
        raise Refused(kind.status, f"{MEDIA_KEYS[media]}: expected an object")
    granted = {param.name: param.check(asked) for param in kind.params}
    if media is MediaType.AUDIO:
        _settle_audio(granted)
    elif media in _PICTURE_FPS:
        _settle_pictures(media, granted)
    return {name: value for name, value in granted.items() if value is not None}


def _settle_audio(granted: Message) -> None:
    if granted["channel"] == AudioChannel.STEREO and granted["codec"] != AudioCodec.OPUS:
        raise Refused(C.INVALID_MEDIA_AUDIO_CHANNEL, "channel: only Opus has stereo")
    format = AudioFormat.granted(
        AudioCodec(granted["codec"]),
        SampleRate(granted["sample_rate"]).hz,
        granted["channel"],
        granted["send_rate"],
    )
    granted["sample_rate"] = SampleRate.of(format.sample_rate_hz)
    granted["send_rate"] = format.send_rate_ms


def _settle_pictures(media: MediaType, granted: Message) -> None:
    limit = _PICTURE_FPS[media]
    if granted["codec"] is None:
        granted["codec"] = VideoCodec.JPG
        granted["fps"] = min(granted["fps"], limit)
        return
    moving = granted["codec"] == VideoCodec.H264
    if moving != (granted["fps"] > limit):
        status = next(p.status for p in _KINDS[media].params if p.name == "fps")
        bound = f"above {limit}" if moving else f"at most {limit}"
        raise Refused(status, f"fps: {granted['fps']} with this codec, expected {bound}")
