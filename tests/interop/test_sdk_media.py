"""Whatever media the official SDK can ask for arrives in it, and decodes to what went in.

All streams run at once, in one process of the SDK, and each has asked for something else.
"""

from __future__ import annotations

import wave
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sdk_process import SdkApp, Told

from mockzoom import MockZoom
from mockzoom.core.audio_format import RATES_HZ
from mockzoom.core.codes import AudioCodec, Resolution, SampleRate, VideoCodec
from mockzoom.core.video_format import SIZES
from mockzoom.engine.card import frame_number

pytestmark = pytest.mark.usefixtures("official_sdk")

TONE_HZ, TONE_MS = 1000, 1_000
JPG, PNG, H264 = VideoCodec

AUDIO = [
    (codec, rate_hz, channel, data_opt, duration)
    for codec in AudioCodec
    for rate_hz in RATES_HZ[codec]
    for channel in (1, 2)
    for data_opt in (1, 2)
    for duration in (20, 100)
    if channel == 1 or codec is AudioCodec.OPUS
]
PICTURES = [
    (kind, codec, resolution, fps)
    for kind, codec, fps in (
        ("video", JPG, 5),
        ("video", PNG, 2),
        ("video", H264, 10),
        ("deskshare", JPG, 1),
        ("deskshare", PNG, 1),
        ("deskshare", H264, 5),
    )
    for resolution in (Resolution.SD, Resolution.HD)
]


def audio_params(
    codec: AudioCodec, rate_hz: int, channel: int, data_opt: int, duration: int
) -> dict[str, Any]:
    wanted = {"codec": codec, "sample_rate": SampleRate.of(rate_hz), "channel": channel}
    # In samples; the SDK never joins with that of both sides of stereo together.
    frame_size = rate_hz * duration // 1000
    rest = {"data_opt": data_opt, "duration": duration, "frame_size": frame_size}
    return {"audio": {"content_type": 2, **wanted, **rest}}


def picture_params(kind: str, codec: VideoCodec, resolution: Resolution, fps: int) -> Any:
    wanted = {"content_type": 3, "codec": codec, "resolution": resolution, "fps": fps}
    return {kind: {**wanted, "data_opt": 3} if kind == "video" else wanted}


@dataclass(frozen=True)
class Received:
    """What each stream got, in the order of `AUDIO` and `PICTURES`, and when it was spoken."""

    frames: list[list[Told]]
    spoken_ms: list[int]


@pytest.fixture(scope="module")
def received(official_sdk: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Received]:
    tone = tone_file(tmp_path_factory.mktemp("media") / "tone.wav")
    wanted = [audio_params(*a) for a in AUDIO] + [picture_params(*p) for p in PICTURES]
    with MockZoom(seed=5, media={"alice": tone}) as zoom, SdkApp(zoom, params=wanted) as app:
        zoom.subscribe(app.url)
        meetings, streams = [], []
        for params in wanted:
            meeting = zoom.meeting(participants=["Alice"])
            meeting.camera("Alice", on=True)
            meeting.share("Alice", on=True)
            meetings.append(meeting)
            streams.append(meeting.start_rtms())
            number = len(streams) - 1
            told = app.wait("join", stream=streams[-1].rtms_stream_id)
            assert (told["code"], told["number"]) == (0, number), params
        for stream in streams:
            stream.wait_spoken(30)
        for stream, (*_, duration) in zip(streams, AUDIO, strict=False):
            enough(app, "audio", stream.rtms_stream_id, TONE_MS // duration)
        for stream, (kind, *_, fps) in zip(streams[len(AUDIO) :], PICTURES, strict=True):
            enough(app, kind, stream.rtms_stream_id, 1 + max(fps, 2))
        # They are not stopped: the SDK may lock itself up when one leaves while others receive.
        for meeting, stream in zip(meetings, streams, strict=True):
            meeting.share("Alice", on=False)
            meeting.camera("Alice", on=False)
            app.wait("camera", stream=stream.rtms_stream_id, on=False)
        kinds = [next(iter(params)) for params in wanted]
        yield Received(
            [
                app.all(kind, stream=stream.rtms_stream_id)
                for kind, stream in zip(kinds, streams, strict=True)
            ],
            [e["start_ms"] for e in zoom.journal() if e["kind"] == "speech"],
        )
        zoom.check()


def tone_file(path: Path) -> Path:
    at = np.arange(TONE_MS * 48) / 48_000
    with wave.open(str(path), "wb") as wav:
        wav.setparams((1, 2, 48_000, 0, "NONE", "not compressed"))
        wav.writeframes((8000 * np.sin(2 * np.pi * TONE_HZ * at)).astype("<i2").tobytes())
    return path


def enough(app: SdkApp, kind: str, stream: str, count: int) -> None:
    """Wait until the stream has got so many frames."""
    app.wait(
        kind,
        timeout_s=30,
        matching=lambda _: len(app.all(kind, stream=stream)) >= count,
    )


@pytest.mark.parametrize(
    "number", range(len(AUDIO)), ids=["-".join(map(str, (a[0].name, *a[1:]))) for a in AUDIO]
)
def test_sound_arrives_as_it_was_asked_for(received: Received, number: int) -> None:
    """Every frame of a second, in step with time, and a tone of the right pitch."""
    codec, rate_hz, channel, data_opt, duration = AUDIO[number]
    frames = received.frames[number]
    start_ms = received.spoken_ms[number]
    assert [f["timestamp"] for f in frames] == list(range(start_ms, start_ms + TONE_MS, duration))
    if data_opt == 2:  # with many clients the SDK now and then has a name for mixed sound, too
        assert {f["user_name"] for f in frames} == {"Alice"}
    sound = decode([b64decode(f["data"]) for f in frames], codec, rate_hz, channel)
    assert sound.shape == (channel, TONE_MS * rate_hz // 1000)
    for side in sound:
        middle = side[len(side) // 8 : len(side) // 2]
        power = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
        assert np.argmax(power) * rate_hz / len(middle) == pytest.approx(TONE_HZ, abs=4)


def decode(frames: list[bytes], codec: AudioCodec, rate_hz: int, channel: int) -> Any:
    if codec is AudioCodec.L16:
        return np.frombuffer(b"".join(frames), "<i2").reshape(-1, channel).T
    names = {AudioCodec.G711: "pcm_alaw", AudioCodec.G722: "g722", AudioCodec.OPUS: "libopus"}
    decoder = av.CodecContext.create(names[codec], "r")
    decoder.sample_rate = rate_hz
    decoder.layout = "stereo" if channel == 2 else "mono"
    planar = av.AudioResampler(format="fltp", layout=decoder.layout.name)
    pieces = [piece for frame in frames for piece in decoder.decode(av.Packet(frame))]
    return np.concatenate([p.to_ndarray() for x in pieces for p in planar.resample(x)], axis=1)


@pytest.mark.parametrize(
    "number",
    range(len(PICTURES)),
    ids=["-".join((k, c.name, r.name, str(f))) for k, c, r, f in PICTURES],
)
def test_pictures_arrive_as_they_were_asked_for(received: Received, number: int) -> None:
    """Frame after frame of a test card, of the size and at the rate that was asked for."""
    _, codec, resolution, fps = PICTURES[number]
    frames = received.frames[len(AUDIO) + number]
    times = [frame["timestamp"] - frames[0]["timestamp"] for frame in frames]
    assert times == [round(k * 1000 / fps) for k in range(len(frames))]
    data = [b64decode(frame["data"]) for frame in frames]
    pictures = shown(data) if codec is H264 else [p for one in data for p in shown([one], codec)]
    assert {(picture.width, picture.height) for picture in pictures} == {SIZES[resolution]}
    numbers = [frame_number(p.reformat(format="gray").to_ndarray()) for p in pictures]
    assert None not in numbers
    assert numbers == [(numbers[0] + k) % (60 * fps) for k in range(len(frames))]


def shown(data: list[bytes], codec: VideoCodec = H264) -> list[av.VideoFrame]:
    """The pictures that one decoder makes of this."""
    decoder = av.CodecContext.create({JPG: "mjpeg", PNG: "png", H264: "h264"}[codec], "r")
    decoder.thread_type = "NONE"
    packets = [*map(av.Packet, data), None]
    return [picture for packet in packets for picture in decoder.decode(packet)]
