"""Mutants that fall over what comes: other formats, unknown things, odd names, too much at once."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any

from mutant import Change, Mutant, around, before

from mockzoom.core import messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import ClientSocket, Link
from mockzoom.core.codes import EventType, MessageType
from mockzoom.core.messages import Message
from mockzoom.receiver import streams

__all__ = ["MEDIA"]

T = MessageType
On = Callable[[ClientMachine, ClientSocket, int | None, Message, int], None]

#: 20 ms of what is asked for: 16-bit samples at 16 kHz.
FRAME_BYTES = 640

#: What the slowest of recorders may leave waiting, and how long it takes for each frame.
WAITING_FRAMES = 256
FRAME_S = 0.002


def hearing(act: Callable[[Mapping[str, Any]], object]) -> Change:
    """`act` gets the content of each frame of audio first, and may raise."""

    def received(_: streams._Stream, message: Message) -> None:
        if message["msg_type"] == T.MEDIA_DATA_AUDIO:
            act(message.get("content", {}))

    return before(streams._Stream, "received", received)


def told(act: Callable[[ClientMachine, Mapping[str, Any]], object]) -> Change:
    """`act` gets each event first, and may raise."""
    return before(
        ClientMachine,
        "_on_event",
        lambda machine, message, now_ms: act(machine, message["event"]),
    )


def know_user(content: Mapping[str, Any]) -> None:
    if not content["user_id"]:
        raise KeyError("user_id")


def expect_frame(content: Mapping[str, Any]) -> None:
    assert len(base64.b64decode(content["data"])) == FRAME_BYTES


def expect_all(content: Mapping[str, Any]) -> None:
    base64.b64decode(content["data"], validate=True)
    range(content["user_id"], content["timestamp"])


def overflow() -> Callable[[Mapping[str, Any]], None]:
    done_s: deque[float] = deque()

    def enqueue(_: Mapping[str, Any]) -> None:
        now_s = time.monotonic()
        while done_s and done_s[0] <= now_s:
            done_s.popleft()
        if len(done_s) >= WAITING_FRAMES:
            raise asyncio.QueueFull
        done_s.append((done_s[-1] if done_s else now_s) + FRAME_S)

    return enqueue


def know_type(_: ClientMachine, conn: int, data: str | bytes, now_ms: int) -> None:
    MessageType((messages.decode(data) or {})["msg_type"])


def know_event(machine: ClientMachine, event: Mapping[str, Any]) -> None:
    machine.product.events(event["event_type"])


def name_who_leaves(_: ClientMachine, event: Mapping[str, Any]) -> None:
    if event["event_type"] == EventType.PARTICIPANT_LEAVE:
        event["participants"][0]["user_name"]


def name_who_films(_: ClientMachine, event: Mapping[str, Any]) -> None:
    if event["event_type"] in (EventType.PARTICIPANT_VIDEO_ON, EventType.PARTICIPANT_VIDEO_OFF):
        event["participants"]


def know_speaker() -> Callable[[ClientMachine, Mapping[str, Any]], None]:
    known: dict[int, str] = {}

    def look(_: ClientMachine, event: Mapping[str, Any]) -> None:
        if event["event_type"] == EventType.PARTICIPANT_JOIN:
            known.update({who["user_id"]: who["user_name"] for who in event["participants"]})
        elif event["event_type"] == EventType.ACTIVE_SPEAKER_CHANGE:
            known[event["user_id"]]

    return look


def ended_by(kind: MessageType, states: Collection[int]) -> Change:
    """A message of `kind` with one of `states` is taken for TERMINATED."""

    def made(original: On) -> On:
        def on_signaling(
            self: ClientMachine, socket: ClientSocket, got: int | None, message: Message, now: int
        ) -> None:
            if got == kind and message["state"] in states:
                self._terminated(socket, message)
            else:
                original(self, socket, got, message, now)

        return on_signaling

    return around(ClientMachine, "_on_signaling", made)


def heed_late_answers(
    machine: ClientMachine, socket: ClientSocket, kind: int | None, message: Message, now_ms: int
) -> None:
    if kind == T.SIGNALING_HAND_SHAKE_RESP and socket.state is not Link.SHAKING:
        machine._refused(socket, message["status_code"], "")


MEDIA = (
    Mutant(
        "mixes-nobody",
        "RT-501",
        "User 0, who is everybody, is nobody that it knows, and crashes.",
        gotchas=(23,),
        change=hearing(know_user),
    ),
    Mutant(
        "expects-what-it-asked-for",
        "RT-501",
        "A frame that is not as long as those it asked for crashes.",
        gotchas=(23,),
        change=hearing(expect_frame),
    ),
    Mutant(
        "knows-every-message",
        "RT-502",
        "A `msg_type` that is not in its list crashes.",
        gotchas=(27,),
        change=before(ClientMachine, "receive", know_type),
    ),
    Mutant(
        "knows-every-event",
        "RT-503",
        "An `event_type` that is not in its list crashes.",
        gotchas=(27,),
        change=told(know_event),
    ),
    Mutant(
        "wants-the-name-of-who-leaves",
        "RT-504",
        "Somebody who leaves, and is told by an id alone, crashes.",
        gotchas=(27,),
        change=told(name_who_leaves),
    ),
    Mutant(
        "crashes-on-damaged-media",
        "RT-505",
        "A frame with a field that is missing, or is of another type, crashes.",
        gotchas=(27,),
        change=hearing(expect_all),
    ),
    Mutant(
        "crashes-on-half-a-message",
        "RT-506",
        "What is no JSON crashes.",
        gotchas=(27,),
        change=before(ClientMachine, "receive", lambda _, conn, data, now_ms: json.loads(data)),
    ),
    Mutant(
        "overflows",
        "RT-507",
        "A queue of 256 frames is full after five seconds of audio that come at once.",
        gotchas=(29,),
        change=hearing(overflow()),
    ),
    Mutant(
        "ends-with-a-session",
        "RT-508",
        "State 4 of a session, which has stopped, is taken for that of a stream that is over.",
        gotchas=(24,),
        change=ended_by(T.SESSION_STATE_UPDATE, (4,)),
    ),
    Mutant(
        "ends-with-a-pause",
        "RT-508",
        "A stream that pauses is taken for one that is over.",
        gotchas=(24,),
        change=ended_by(T.STREAM_STATE_UPDATE, (4, 5, 6)),
    ),
    Mutant(
        "sees-cameras-in-calls",
        "RT-509",
        "Events 8 and 9 of a call are taken for cameras, and crash for want of participants.",
        gotchas=(24,),
        change=told(name_who_films),
    ),
    Mutant(
        "spells-in-ascii",
        "RT-510",
        "A name with a letter outside ASCII crashes.",
        gotchas=(5,),
        change=hearing(lambda content: content["user_name"].encode("ascii")),
    ),
    Mutant(
        "knows-every-speaker",
        "RT-511",
        "Somebody who speaks, and has never joined, crashes.",
        gotchas=(23, 27),
        change=told(know_speaker()),
    ),
    Mutant(
        "heeds-late-answers",
        "RT-512",
        "A second answer to the handshake, of a stream that runs, is taken for a refusal.",
        gotchas=(27,),
        change=before(ClientMachine, "_on_signaling", heed_late_answers),
    ),
)
