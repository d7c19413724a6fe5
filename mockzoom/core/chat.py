"""A chat message as its media message tells it, with the fields of July 2026."""

from __future__ import annotations

from mockzoom.core.codes import ChatOperation, ChatSessionType
from mockzoom.core.meeting import Participant
from mockzoom.core.messages import Message

__all__ = ["chat_content"]


def chat_content(
    sender: Participant,
    text: str,
    *,
    message_id: str,
    timestamp_ms: int,
    operation: ChatOperation = ChatOperation.NEW,
    receiver: Participant | None = None,
    parent_message_id: str = "",
) -> Message:
    """The `content` of message 18: from `sender` to `receiver`, or to everyone.

    `message_id` is the message that `operation` is about, `parent_message_id` the one that it
    answers.
    """
    private = receiver is not None
    kind = ChatSessionType.INDIVIDUAL if private else ChatSessionType.EVERYONE
    return {
        "message_id": message_id,
        "parent_message_id": parent_message_id,
        "operation_type": operation,
        "chat_session": {"type": kind},
        "sender": sender.as_person(),
        "receiver": None if receiver is None else receiver.as_person(),
        "files": [],
        "delete_file_id_list": [],
        "timestamp": timestamp_ms,
        "data": text,
    }
