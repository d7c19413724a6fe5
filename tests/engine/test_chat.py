"""Chat over a real socket, to those who asked for it."""

from __future__ import annotations

import pytest
from rig import in_loop, rig

from mockzoom.core.codes import ChatOperation, MediaType, MessageType
from mockzoom.errors import UnknownObject, UsageError


@in_loop
async def test_who_asked_for_chat_reads_what_is_written() -> None:
    """A message and its correction arrive, with the same id; an audio socket hears neither."""
    async with rig() as r:
        meeting = r.meeting("Alice", "Bob")
        _, app = r.start(meeting)
        await app.join_signaling()
        chat = await app.join_media(MediaType.CHAT)
        audio = await app.join_media(MediaType.AUDIO)
        await app.acknowledge()
        id_ = r.world.chat(meeting, "Alice", "Helo", to="Bob")
        edit = ChatOperation.UPDATE
        r.world.chat(meeting, "Alice", "Hello", to="Bob", operation=edit, message_id=id_)
        first = await chat.next(MessageType.MEDIA_DATA_CHAT)
        second = await chat.next(MessageType.MEDIA_DATA_CHAT, 2)
        assert [m["content"]["data"] for m in (first, second)] == ["Helo", "Hello"]
        assert {m["content"]["message_id"] for m in (first, second)} == {id_}
        assert second["content"]["operation_type"] == edit
        assert first["content"]["receiver"]["user_name"] == "Bob"
        assert not audio.of(MessageType.MEDIA_DATA_CHAT)


@in_loop
async def test_what_cannot_be_written_is_told() -> None:
    """An unknown operation, an operation about nothing, and somebody who is not there."""
    async with rig() as r:
        meeting = r.meeting("Alice")
        with pytest.raises(UsageError, match="operation_type 9: expected 1 to 5"):
            r.world.chat(meeting, "Alice", "Hello", operation=9)
        with pytest.raises(UsageError, match="message_id: say which"):
            r.world.chat(meeting, "Alice", "Hello", operation=ChatOperation.DELETE)
        with pytest.raises(UnknownObject, match="no participant 'Bob'"):
            r.world.chat(meeting, "Alice", "Hello", to="Bob")
