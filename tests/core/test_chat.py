"""Chat messages as the protocol describes them."""

from __future__ import annotations

from mockzoom.core.chat import chat_content
from mockzoom.core.codes import ChatOperation, ChatSessionType, MediaType
from mockzoom.core.meeting import Participant
from mockzoom.core.messages import media_data
from mockzoom.core.protocol import load_protocol

ALICE = Participant(1, "Alice", "a")
BOB = Participant(2, "Bob", "b")


def test_a_message_to_everyone_has_no_receiver() -> None:
    """The session says that everyone reads it."""
    content = chat_content(ALICE, "Hello", message_id="m", timestamp_ms=7)
    assert content["receiver"] is None
    assert content["chat_session"] == {"type": ChatSessionType.EVERYONE}
    assert content["sender"] == {"user_id": 1, "user_name": "Alice"}
    assert (content["data"], content["timestamp"]) == ("Hello", 7)


def test_a_private_answer_names_its_receiver_and_what_it_answers() -> None:
    """Every field keeps the protocol's document."""
    content = chat_content(
        ALICE,
        "Yes",
        message_id="m2",
        timestamp_ms=7,
        operation=ChatOperation.UPDATE,
        receiver=BOB,
        parent_message_id="m1",
    )
    assert content["receiver"] == {"user_id": 2, "user_name": "Bob"}
    assert content["chat_session"] == {"type": ChatSessionType.INDIVIDUAL}
    assert content["parent_message_id"] == "m1"
    assert load_protocol().problems(media_data(MediaType.CHAT, content)) == []
