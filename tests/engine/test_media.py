"""Runs and tracks: which frames there are, from when to when."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rig import START_MS

from mockzoom.core.audio_format import AudioFormat
from mockzoom.core.codes import AudioCodec, MediaType
from mockzoom.core.frame_text import frame_body
from mockzoom.core.media_params import grant
from mockzoom.core.meeting import Meeting, Participant, Utterance
from mockzoom.core.messages import Message
from mockzoom.core.products import MEETING
from mockzoom.engine.media import AudioRun, AudioTrack, TranscriptRun, audio_format, is_mixed

ALICE = Participant(1, "Alice", "a")


def utterance(start_ms: int, duration_ms: int, who: Participant = ALICE) -> Utterance:
    return Utterance(who, f"{start_ms} {duration_ms}", START_MS + start_ms, duration_ms)


class Sent(list[tuple[MediaType, Message, int]]):
    def __call__(self, media: MediaType, message: Message, at_ms: int) -> None:
        self.append((media, message, at_ms))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, AudioFormat(AudioCodec.L16, 16_000, 1, 20)),
        (
            {"codec": 4, "sample_rate": 3, "channel": 2, "data_opt": 2},
            AudioFormat(AudioCodec.OPUS, 48_000, 2, 20),
        ),
        ({"send_rate": 5000}, AudioFormat(AudioCodec.L16, 16_000, 1, 1000)),
        ({"codec": 2}, AudioFormat(AudioCodec.G711, 8_000, 1, 20)),
    ],
)
def test_granted_parameters_name_a_format(asked: Message, expected: AudioFormat) -> None:
    """What a handshake grants is what is sent."""
    params = grant((MediaType.AUDIO,), {"audio": asked})["audio"]
    assert audio_format(params) == expected
    assert is_mixed(params) == ("data_opt" not in asked)


def test_a_run_plays_frame_after_frame() -> None:
    """Each frame is due at the end of what it covers and carries the time of its start."""
    sent = Sent()
    run = AudioRun(sent, {"user_id": 1}, [utterance(0, 50)], START_MS, 20, START_MS)
    assert run.next_due_ms is None
    run.begin([frame_body(data) for data in (b"abc", b"ab", b"a")])
    dues = []
    while (due := run.next_due_ms) is not None:
        dues.append(due - START_MS)
        run.play()
    assert dues == [20, 40, 60]
    assert [at_ms - START_MS for _, _, at_ms in sent] == [0, 20, 40]
    assert [json.loads(m)["content"]["length"] for _, m, _ in sent] == [3, 2, 1]
    assert run.finished.is_set()
    run.play()
    assert len(sent) == 3


def test_what_was_captured_too_early_is_passed_over() -> None:
    """A flow that begins within a frame begins with the next one."""
    run = AudioRun(Sent(), {}, [utterance(0, 100)], START_MS, 20, START_MS + 41)
    run.begin([frame_body(b"abc")] * 5)
    assert run.next_due_ms == START_MS + 80
    over = AudioRun(Sent(), {}, [utterance(0, 100)], START_MS, 20, START_MS + 81)
    assert over.finished.is_set()


def test_a_stopped_run_is_over() -> None:
    """Nothing is due any more, whatever was left."""
    run = AudioRun(Sent(), {}, [utterance(0, 100)], START_MS, 20, 0)
    run.begin([frame_body(b"abc")] * 5)
    run.stop()
    assert run.next_due_ms is None


def test_a_transcript_that_is_over_is_not_played() -> None:
    """A line that ended before the flow began belongs to nobody."""
    said = Utterance(ALICE, "Hello.", START_MS, 500)
    end_ms = START_MS + said.lines()[-1].end_ms
    assert (
        TranscriptRun(
            Sent(), said, grant((MediaType.TRANSCRIPT,), None)["transcript"], end_ms
        ).next_due_ms
        is None
    )
    assert (
        TranscriptRun(
            Sent(), said, grant((MediaType.TRANSCRIPT,), None)["transcript"], end_ms - 1
        ).next_due_ms
        == end_ms
    )


#: Of each run the frames that were played: when each begins, and who is in it.
Played = dict[AudioRun, list[tuple[int, tuple[Utterance, ...]]]]

speeches = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 60)), min_size=1, max_size=8
)


@given(speeches, st.sampled_from([20, 100, 1000]))
def test_a_track_covers_all_speech_once(said: list[tuple[int, int, int]], frame_ms: int) -> None:
    """Whoever says what when: every moment of speech is in one frame, and no two frames overlap."""
    people = [Participant(n, str(n), str(n)) for n in range(3)]
    meeting = Meeting(MEETING, {}, {}, "")
    track = AudioTrack(Sent(), {}, frame_ms, 0)
    runs: list[AudioRun] = []
    played: Played = {}
    now_ms = START_MS
    for speaker, pause, length in said:
        now_ms += pause * 20
        for run in runs:
            advance(run, now_ms, played)
        own = (u.end_ms for u in meeting.utterances if u.participant is people[speaker])
        u = Utterance(people[speaker], "x", max(now_ms, *own, 0), length * 20)
        meeting.utterances.append(u)
        run = track.add(u)
        run.begin([frame_body(b"abc")] * 10_000)
        runs.append(run)
    frames = sorted(frame for run in runs for frame in advance(run, now_ms + 10**9, played))
    times = [start for start, _ in frames]
    assert all(b - a >= frame_ms for a, b in pairwise(times))
    heard: Counter[tuple[Any, int]] = Counter()
    for start, members in frames:
        for u in members:
            heard.update((u, at) for at in range(start, start + frame_ms, 20))
    for u in meeting.utterances:
        for at in range(u.start_ms, u.end_ms, 20):
            assert heard[u, at] == 1


def advance(run: AudioRun, now_ms: int, played: Played) -> list[tuple[int, tuple[Utterance, ...]]]:
    """Play what is due; all frames that the run has played, and who was in them."""
    frames = played.setdefault(run, [])
    while (due := run.next_due_ms) is not None and due <= now_ms:
        frames.append((run.next_ms, tuple(run.utterances)))
        run.play()
    return frames
