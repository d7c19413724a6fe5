"""Files as sources: what is in them, and pieces of it."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from filmed import film_file, tone_file
from hearing import loudest_hz, tone

from mockzoom.core.clip import Film
from mockzoom.core.speech import Line
from mockzoom.engine.card import frame_number
from mockzoom.engine.files import clip_of, clip_samples, film_pictures
from mockzoom.errors import ConfigurationError


def test_a_sound_is_known_by_its_length(tmp_path: Path) -> None:
    """As whole frames of 20 ms; there are no pictures and no words in it."""
    clip = clip_of(tone_file(tmp_path / "a.wav", 440, 1_234))
    assert (clip.duration_ms, clip.audible, clip.film, clip.lines) == (1_240, True, None, ())


def test_a_film_has_pictures_and_sound(tmp_path: Path) -> None:
    """Its pictures last for whole seconds."""
    path = film_file(tmp_path / "a.mp4", 2, hz=440)
    clip = clip_of(path)
    assert clip.film == Film(str(path), -(-clip.duration_ms // 1000))
    assert clip.audible
    assert clip.duration_ms == pytest.approx(2_000, abs=60)
    assert not clip_of(film_file(tmp_path / "b.mkv", 1)).audible


def test_a_sound_goes_in_as_it_is(tmp_path: Path) -> None:
    """Sample by sample where nothing is to be converted, and silent behind its end."""
    samples = clip_samples(clip_of(tone_file(tmp_path / "a.wav", 440, 110)))
    assert len(samples) == 120 * 48
    assert np.array_equal(samples[: 110 * 48], tone(440, 110))
    assert not samples[110 * 48 :].any()


def test_pieces_are_the_whole(tmp_path: Path) -> None:
    """An hour is read ten seconds at a time, and no sample is lost or doubled between them."""
    clip = clip_of(tone_file(tmp_path / "a.wav", 441, 21_000))
    pieces = list(clip.pieces())
    assert [piece.duration_ms for piece in pieces] == [10_000, 10_000, 1_000]
    whole = np.concatenate([clip_samples(piece) for piece in pieces])
    assert np.array_equal(whole, tone(441, 21_000))


@pytest.mark.parametrize("suffix", ["mp3", "flac", "ogg", "webm", "mp4"])
def test_any_sound_that_can_be_read_is_a_source(tmp_path: Path, suffix: str) -> None:
    """Codec, rate and layout do not matter: a tone comes out as it went in."""
    path = tmp_path / f"a.{suffix}"
    codec, rate = {
        "mp3": ("libmp3lame", 44_100),
        "flac": ("flac", 22_050),
        "ogg": ("libopus", 48_000),
        "webm": ("libopus", 48_000),
        "mp4": ("aac", 32_000),
    }[suffix]
    convert(tone_file(tmp_path / "tone.wav", 1000, 1_500), path, codec, rate)
    clip = clip_of(path)
    assert clip.duration_ms == pytest.approx(1_500, abs=100)
    samples = clip_samples(clip) / 32768
    assert loudest_hz(samples[4_800:48_000], 48_000) == pytest.approx(1000, abs=3)
    spread = 8000 / 32768 / np.sqrt(2)  # a mono source is 3 dB lower on each side of stereo
    assert np.abs(samples[4_800:48_000]).max() == pytest.approx(spread, rel=0.1)


def convert(source: Path, target: Path, codec: str, rate: int) -> None:
    """As stereo, with left and right alike."""
    import av

    with av.open(str(source)) as had, av.open(str(target), "w") as made:
        stream = made.add_stream(codec, rate=rate, layout="stereo")
        resampler = av.AudioResampler(
            format=stream.codec_context.codec.audio_formats[0].name,
            layout="stereo",
            rate=rate,
            frame_size=stream.codec_context.frame_size or 1024,
        )
        for frame in [*had.decode(audio=0), None]:
            for piece in resampler.resample(frame):
                made.mux(stream.encode(piece))
        made.mux(stream.encode(None))


@pytest.mark.parametrize(("fps", "step"), [(1, 10), (5, 2), (10, 1), (30, 1 / 3)])
def test_pictures_are_those_of_their_time(tmp_path: Path, fps: int, step: float) -> None:
    """A film of 10 pictures a second, at other rates: each is the last one that has begun."""
    path = film_file(tmp_path / "a.mp4", 3)
    pictures = film_pictures(str(path), 1, (640, 360), fps)
    assert {(picture.width, picture.height) for picture in pictures} == {(640, 360)}
    numbers = [frame_number(picture.to_ndarray()[:360]) for picture in pictures]
    assert numbers == [10 + int(number * step + 1e-6) for number in range(fps)]


def test_the_last_picture_stays_to_the_end_of_its_second(tmp_path: Path) -> None:
    """A film does not end with whole seconds."""
    path = film_file(tmp_path / "a.mkv", 1, fps=4)
    clip = clip_of(path)
    assert clip.film is not None
    numbers = [
        frame_number(picture.to_ndarray()[:180])
        for picture in film_pictures(str(path), clip.film.seconds - 1, (320, 180), 8)
    ]
    assert numbers[-1] == 3
    assert all(after - before in (0, 1) for before, after in pairwise(numbers))


def test_pictures_keep_their_proportions(tmp_path: Path) -> None:
    """A square film stands between black bars."""
    path = film_file(tmp_path / "a.mp4", 1, size=(180, 180))
    [picture] = film_pictures(str(path), 0, (640, 360), 1)
    luma = picture.to_ndarray()[:360]
    assert luma.shape == (360, 640)
    assert luma[100, :140].max() == luma[100, -140:].max() == 16
    assert frame_number(luma[:, 140:500]) == 0


def test_a_still_picture_is_a_film_of_a_second(tmp_path: Path) -> None:
    """As who has no camera but a portrait."""
    from PIL import Image

    Image.new("RGB", (64, 36), (255, 255, 255)).save(tmp_path / "a.png")
    clip = clip_of(tmp_path / "a.png")
    assert clip.film == Film(str(tmp_path / "a.png"), 1)
    assert not clip.audible
    assert len(film_pictures(clip.film.path, 0, (640, 360), 5)) == 5


def test_a_recording_may_have_a_transcript(tmp_path: Path) -> None:
    """Two files for one participant, in any order; a transcript alone is one without sound."""
    sound = tone_file(tmp_path / "a.wav", 440)
    words = tmp_path / "a.jsonl"
    words.write_text(json.dumps({"start_ms": 100, "end_ms": 900, "text": "Hello."}))
    for paths in ((sound, words), (words, sound)):
        clip = clip_of(*paths)
        assert clip.path == str(sound)
        assert clip.lines == (Line("Hello.", 100, 900),)
    silent = clip_of(words)
    assert (silent.duration_ms, silent.audible, silent.text) == (900, False, "Hello.")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone.wav", None, "No such file or directory"),
        ("a.wav", b"", "Invalid data found when processing input"),
        ("a.mp4", b"no film at all", "Invalid data found when processing input"),
        ("a.vtt", b"\xff\xfe\xfa", "expected UTF-8: invalid start byte"),
        ("gone.srt", None, "No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes | None, reason: str
) -> None:
    """One line with the file and the reason."""
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError) as refusal:
        clip_of(path)
    assert str(refusal.value) == f"media {path}: {reason}"


def test_a_folder_and_an_address_are_no_files(tmp_path: Path) -> None:
    """PyAV would open more than files; here it is given no name to open."""
    for path in (tmp_path, "http://127.0.0.1:9/a.wav", "concat:a.wav"):
        with pytest.raises(ConfigurationError, match=r"^media .*(directory)$"):
            clip_of(path)


def test_two_of_a_kind_are_too_many(tmp_path: Path) -> None:
    """Nobody plays two recordings at once."""
    with pytest.raises(ConfigurationError, match=r"a recording, a transcript or both, found a.wav"):
        clip_of(tmp_path / "a.wav", tmp_path / "b.wav")
