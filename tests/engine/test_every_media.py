"""Over real sockets: whatever an app may ask for decodes to what went in, in step with time."""

from __future__ import annotations

from base64 import b64decode
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from filmed import film_file, tone_file
from hearing import decode
from rig import Rig, in_loop, rig
from rtms_app import Conn
from test_video import decoded

from mockzoom.core.audio_format import RATES_HZ
from mockzoom.core.codes import (
    AudioChannel,
    AudioCodec,
    DataOption,
    MediaType,
    MessageType,
    Resolution,
    SampleRate,
    TranscriptLanguage,
    VideoCodec,
)
from mockzoom.core.meeting import Meeting
from mockzoom.core.messages import Message
from mockzoom.engine.card import frame_number
from mockzoom.engine.files import clip_of
from mockzoom.engine.flow import sound_frames
from mockzoom.engine.media import audio_format

MIXED, EACH = DataOption.AUDIO_MIXED_STREAM, DataOption.AUDIO_MULTI_STREAMS
TONES_HZ = {"Alice": 700, "Bob": 1900}
LASTS_MS = 1_000

LAYOUTS = [
    (codec, SampleRate.of(rate_hz), channel)
    for codec in AudioCodec
    for rate_hz in RATES_HZ[codec]
    for channel in AudioChannel
    if channel is AudioChannel.MONO or codec is AudioCodec.OPUS
]


@pytest.mark.parametrize("send_rate", [20, 60, 100, 500, 1000])
@pytest.mark.parametrize("data_opt", [MIXED, EACH], ids=["mixed", "each"])
@pytest.mark.parametrize(
    ("codec", "rate", "channel"),
    LAYOUTS,
    ids=[f"{c.name}-{r.name}-{n.name}" for c, r, n in LAYOUTS],
)
@in_loop
async def test_audio_is_heard_as_it_was_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
    codec: AudioCodec,
    rate: SampleRate,
    channel: AudioChannel,
    data_opt: DataOption,
    send_rate: int,
) -> None:
    """Two people play a tone each: together or apart, at their pitch, frame after frame."""
    folder = tmp_path_factory.getbasetemp()
    asked = {
        "codec": codec,
        "sample_rate": rate,
        "channel": channel,
        "data_opt": data_opt,
        "send_rate": send_rate,
    }
    async with rig() as r:
        meeting = r.meeting(*TONES_HZ)
        stream, app = r.start(meeting)
        conn = await app.join(asked)
        granted = next(iter(stream.machine.media_sockets)).params["audio"]
        longest = 120 if codec is AudioCodec.OPUS else 1000
        assert granted == {**asked, "content_type": 2, "send_rate": min(send_rate, longest)}
        for name, frequency_hz in TONES_HZ.items():
            r.world.play(meeting, name, clip_of(tone(folder, frequency_hz)))
        start_ms = meeting.utterances[0].start_ms
        heard = await all_of(r, conn, granted["send_rate"], 1 if data_opt == MIXED else 2)
    for user, tones in (
        {0: TONES_HZ.values()} if data_opt == MIXED else own_tones(meeting)
    ).items():
        frames = [frame for frame in heard if frame["user_id"] == user]
        times = [frame["timestamp"] for frame in frames]
        step = granted["send_rate"]
        assert times == list(range(start_ms, start_ms + LASTS_MS, step))
        format = audio_format(granted)
        sound = decode([b64decode(frame["data"]) for frame in frames], format)
        assert sound.shape == (channel, len(frames) * step * format.sample_rate_hz // 1000)
        for side in sound:
            assert pitches(side, format.sample_rate_hz, len(tones)) == pytest.approx(
                sorted(tones), abs=6
            )


def tone(folder: Path, frequency_hz: int) -> Path:
    path = folder / f"{frequency_hz}.wav"
    return path if path.exists() else tone_file(path, frequency_hz, LASTS_MS)


def own_tones(meeting: Meeting) -> dict[int, tuple[int, ...]]:
    return {meeting.participant(name).user_id: (hz,) for name, hz in TONES_HZ.items()}


async def all_of(r: Rig, conn: Conn, send_rate: int, series: int) -> list[Message]:
    """Every frame of what was played, once it was encoded."""
    for _ in range(-(-LASTS_MS // send_rate) + 1):
        r.clock.advance(send_rate)
        await r.settle()
    return await conn.heard(series * -(-LASTS_MS // send_rate))


def pitches(samples: np.ndarray, rate_hz: int, count: int) -> list[float]:
    """The frequencies of the `count` loudest tones, lowest first."""
    found: list[float] = []
    rest = samples[len(samples) // 8 : len(samples) * 3 // 4]
    power = np.abs(np.fft.rfft(rest * np.hanning(len(rest))))
    bands_hz = np.fft.rfftfreq(len(rest), 1 / rate_hz)
    for _ in range(count):
        found.append(float(bands_hz[np.argmax(power)]))
        power[np.abs(bands_hz - found[-1]) < 100] = 0
    return sorted(found)


@pytest.mark.parametrize(
    ("media", "codec", "fps"),
    [
        (MediaType.VIDEO, VideoCodec.JPG, 3),
        (MediaType.VIDEO, VideoCodec.PNG, 5),
        (MediaType.VIDEO, VideoCodec.H264, 7),
        (MediaType.VIDEO, VideoCodec.H264, 30),
        (MediaType.DESKSHARE, VideoCodec.JPG, 1),
        (MediaType.DESKSHARE, VideoCodec.PNG, 1),
        (MediaType.DESKSHARE, VideoCodec.H264, 2),
        (MediaType.DESKSHARE, VideoCodec.H264, 25),
    ],
)
@in_loop
async def test_pictures_are_in_step_with_their_numbers(
    media: MediaType, codec: VideoCodec, fps: int
) -> None:
    """Times advance by 1000 / fps, numbers by one, also over the end of a second."""
    params = {"codec": codec, "resolution": Resolution.SD, "fps": fps}
    key = "video" if media is MediaType.VIDEO else "deskshare"
    async with rig() as r:
        meeting = r.meeting("Alice")
        _, app = r.start(meeting)
        await app.join_signaling()
        conn = await app.join_media(media, params={key: params})
        await app.acknowledge()
        turn_on = r.world.camera if media is MediaType.VIDEO else r.world.share
        turn_on(meeting, "Alice", True)
        start_ms = r.clock.now_ms()
        frames = await frames_of(r, conn, media, 2 * fps + 1)
    assert [frame["timestamp"] for frame in frames] == [
        start_ms + round(number * 1000 / fps) for number in range(len(frames))
    ]
    pictures = decoded([b64decode(frame["data"]) for frame in frames], codec)
    numbers = [frame_number(picture) for picture in pictures]
    first = start_ms // 1000 % 60 * fps
    assert numbers == [(first + number) % (60 * fps) for number in range(len(frames))]


async def frames_of(r: Rig, conn: Conn, media: MediaType, count: int) -> list[Message]:
    """So many frames, while time passes and pictures are encoded."""
    kind = MessageType.MEDIA_DATA_VIDEO
    if media is MediaType.DESKSHARE:
        kind = MessageType.MEDIA_DATA_SHARE
    while len(conn.of(kind)) < count:
        r.clock.advance(10)
        await r.settle()
    return [message["content"] for message in conn.of(kind)][:count]


@in_loop
async def test_sound_is_encoded_once_for_all_who_hear_it(tmp_path: Path) -> None:
    """Fifty apps of fifty meetings ask for the same within the same second."""
    clip = clip_of(tone_file(tmp_path / "a.wav", 500, LASTS_MS))
    async with rig() as r:
        before, conns = sound_frames.count, []
        meetings = [r.meeting("Alice") for _ in range(50)]
        for meeting in meetings:
            _, app = r.start(meeting)
            conns.append(await app.join({"data_opt": EACH}))
        for meeting in meetings:
            r.world.play(meeting, "Alice", clip)
        for conn in conns:
            await all_of(r, conn, 20, 1)
        assert sound_frames.count == before + 1


@in_loop
async def test_a_film_is_seen_while_it_is_heard(tmp_path: Path) -> None:
    """Pictures and sound of a file have the times at which they are in it, and it starts again."""
    clip = clip_of(film_file(tmp_path / "a.mp4", 2, fps=10, hz=700))
    assert clip.film is not None
    async with rig() as r:
        meeting = r.meeting("Alice")
        _, app = r.start(meeting)
        await app.join_signaling()
        asked = {"codec": VideoCodec.H264, "resolution": Resolution.SD, "fps": 10}
        seen = await app.join_media(MediaType.VIDEO, params={"video": asked})
        heard = await app.join_media(MediaType.AUDIO)
        await app.acknowledge()
        r.world.camera(meeting, "Alice", True)
        played = r.world.play(meeting, "Alice", clip)
        frames = await frames_of(r, seen, MediaType.VIDEO, 45)
        await heard.heard(played.duration_ms // 20)
    assert heard.audio[0]["timestamp"] == played.start_ms
    numbers = [
        (frame["timestamp"] - played.start_ms, frame_number(picture))
        for frame, picture in zip(
            frames, decoded([b64decode(f["data"]) for f in frames], VideoCodec.H264), strict=True
        )
    ]
    film = [(at_ms, number) for at_ms, number in numbers if at_ms >= 0 and number is not None]
    own = [(at_ms, number) for at_ms, number in film if at_ms < 2_000]
    assert own[-20:] == [(at_ms, at_ms // 100) for at_ms in range(0, 2_000, 100)]


@in_loop
async def test_a_transcript_is_told_with_its_times_and_languages(tmp_path: Path) -> None:
    """Each line when it ends, in the language that it is in; also of what was said."""
    words = tmp_path / "a.jsonl"
    words.write_text(
        '{"start_ms": 200, "end_ms": 9000, "text": "Good morning."}\n'
        '{"start_ms": 9000, "end_ms": 12000, "text": "Guten Morgen.", "language": "german"}\n'
    )
    async with rig() as r:
        meeting = r.meeting("Alice")
        _, app = r.start(meeting)
        await app.join_signaling()
        asked = {"src_language": TranscriptLanguage.SWEDISH}
        conn = await app.join_media(MediaType.TRANSCRIPT, params={"transcript": asked})
        await app.acknowledge()
        start_ms = r.world.play(meeting, "Alice", clip_of(words)).start_ms
        said = r.world.say(meeting, "Alice", "Bonjour.", "french_france")
        assert said.start_ms == start_ms + 12_000
        r.clock.advance(20_000)
        await conn.until(lambda: len(conn.transcript) == 3, "three lines")
    assert [
        (line["start_time"] - start_ms, line["end_time"] - start_ms, line["language"])
        for line in conn.transcript
    ] == [
        (200, 9_000, TranscriptLanguage.SWEDISH),
        (9_000, 12_000, TranscriptLanguage.GERMAN),
        (12_000, said.end_ms - start_ms, TranscriptLanguage.FRENCH_FRANCE),
    ]


@in_loop
async def test_who_leaves_plays_no_further(tmp_path: Path) -> None:
    """Neither the rest of the piece nor those that follow."""
    clip = clip_of(tone_file(tmp_path / "a.wav", 500, 25_000))
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        _, app = r.start(meeting)
        conn = await app.join({"data_opt": EACH, "send_rate": 1000})
        start_ms = r.world.play(meeting, "Alice", clip).start_ms
        for _ in range(12):
            r.clock.advance(1_000)
            await r.settle()
        await conn.heard(11)
        r.world.leave(meeting, "Alice")
        r.clock.advance(20_000)
        await r.settle()
        assert {
            after["timestamp"] - before["timestamp"] for before, after in pairwise(conn.audio)
        } == {1000}
        assert conn.audio[-1]["timestamp"] <= start_ms + 12_000
        assert meeting.films == {}
