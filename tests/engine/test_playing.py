"""Who has files of their own plays them."""

from __future__ import annotations

from pathlib import Path

import pytest
from filmed import film_file, tone_file
from rig import Rig, in_loop, rig

from mockzoom.core.meeting import Meeting
from mockzoom.engine.files import clips_of
from mockzoom.errors import UsageError


def given(r: Rig, **media: Path) -> None:
    r.world._clips = clips_of(media)


def played(r: Rig, meeting: Meeting) -> list[str]:
    """Whose files are played, in order."""
    return [e["user_name"] for e in r.entries("speech") if e["meeting"] == meeting.key]


@in_loop
async def test_files_are_played_when_the_first_stream_starts(tmp_path: Path) -> None:
    """Once each, whatever the case of the name; who comes in later plays when they come."""
    path = tone_file(tmp_path / "a.wav", 440)
    async with rig() as r:
        given(r, alice=path, BOB=path)
        meeting = r.meeting("Alice", "Carol")
        assert played(r, meeting) == []
        r.start(meeting)
        assert played(r, meeting) == ["Alice"]
        r.world.join(meeting, "Bob")
        r.world.join(meeting, "Dave")
        assert played(r, meeting) == ["Alice", "Bob"]
        assert r.entries("speech")[0]["media"] == "a.wav"
        assert meeting.cameras == set()


@in_loop
async def test_a_film_turns_the_camera_on(tmp_path: Path) -> None:
    """Its pictures are in front of it from the moment at which it begins."""
    async with rig() as r:
        given(r, alice=film_file(tmp_path / "a.mp4", 1))
        meeting = r.meeting("Alice")
        r.start(meeting)
        user_id = meeting.participant("Alice").user_id
        assert meeting.cameras == {user_id}
        r.clock.advance(20)
        film, since_ms = meeting.films[user_id]
        assert (film.path, since_ms) == (
            str(tmp_path / "a.mp4"),
            r.entries("speech")[0]["start_ms"],
        )


@in_loop
async def test_own_files_are_played_again_when_asked_for(tmp_path: Path) -> None:
    """Behind what is played already; who has none is told so."""
    async with rig() as r:
        given(r, alice=tone_file(tmp_path / "a.wav", 440, 12_000))
        meeting = r.meeting("Alice", "Bob")
        first = r.world.play(meeting, "Alice")
        again = r.world.play(meeting, "Alice")
        assert (first.duration_ms, again.start_ms) == (12_000, first.end_ms)
        assert [u.duration_ms for u in meeting.utterances] == [10_000, 2_000] * 2
        with pytest.raises(UsageError, match="'Bob' has no media of their own; say a text, or"):
            r.world.play(meeting, "Bob")


@in_loop
async def test_who_is_muted_plays_to_nobody(tmp_path: Path) -> None:
    """Neither sound nor pictures."""
    async with rig() as r:
        given(r, alice=film_file(tmp_path / "a.mp4", 1))
        meeting = r.meeting("Alice")
        r.world.mute(meeting, "Alice")
        r.world.play(meeting, "Alice")
        r.clock.advance(100)
        assert meeting.utterances == []
        assert meeting.films == {}
        assert r.entries("speech")[0]["muted"]
