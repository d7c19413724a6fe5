"""Mutants that are taken for dead, and those that ask for what they may not have."""

from __future__ import annotations

import time
from collections.abc import Callable

from handshakes import says
from mutant import Change, Mutant, after, around, put, skipped, spoilt

from mockzoom.core import client, messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import ClientSocket
from mockzoom.core.codes import EventType, MessageType, VoiceEventType
from mockzoom.core.messages import Message

__all__ = ["KEEP_ALIVE"]

Answer = Callable[[ClientMachine, ClientSocket, Message], None]


def answering(change: Callable[[Message], Message]) -> Change:
    """Keep-alives are answered by what `change` makes of the answer."""
    return spoilt(messages, "keep_alive_resp", lambda answer, asked: change(answer))


def without(name: str) -> Change:
    return answering(lambda answer: {key: value for key, value in answer.items() if key != name})


def once(original: Answer) -> Answer:
    alive: set[ClientSocket] = set()

    def keep_alive(machine: ClientMachine, socket: ClientSocket, asked: Message) -> None:
        if socket not in alive:
            alive.add(socket)
            original(machine, socket, asked)

    return keep_alive


def subscribing(events: type, to: tuple[int, ...]) -> Change:
    """Streams whose events are of this list are asked for those of `to`."""
    return put(client, "_SUBSCRIPTIONS", {**client._SUBSCRIPTIONS, events: to})


def ask_for_video(machine: ClientMachine) -> None:
    says(machine, messages.video_subscription_req(1, True, 1))


def ask_for_session(machine: ClientMachine) -> None:
    says(machine, messages.session_state_req("a session"))


KEEP_ALIVE = (
    Mutant(
        "is-dead-on-signaling",
        "RT-201",
        "Keep-alives on the signaling socket are skipped.",
        gotchas=(15,),
        change=skipped(ClientMachine, "_keep_alive", lambda _, socket, asked: not socket.media),
    ),
    Mutant(
        "is-dead-on-media",
        "RT-202",
        "Keep-alives on media sockets are skipped.",
        gotchas=(15,),
        change=skipped(ClientMachine, "_keep_alive", lambda _, socket, asked: socket.media),
    ),
    Mutant(
        "answers-with-its-own-time",
        "RT-203",
        "Keep-alives are answered with the time of the app.",
        gotchas=(15,),
        change=answering(lambda answer: {**answer, "timestamp": time.time_ns() // 1_000_000 + 7}),
    ),
    Mutant(
        "answers-without-time",
        "RT-203",
        "Keep-alives are answered without a timestamp.",
        gotchas=(15,),
        change=without("timestamp"),
    ),
    Mutant(
        "answers-without-sequence",
        "RT-204",
        "Keep-alives are answered without their sequence.",
        gotchas=(15,),
        change=without("sequence"),
    ),
    Mutant(
        "lives-once",
        "RT-207",
        "The first keep-alive of each socket is answered, and no other.",
        change=around(ClientMachine, "_keep_alive", once),
    ),
    Mutant(
        "subscribes-to-all",
        "RT-205",
        "Every event in the list is subscribed, 1 and 7 too, which come unasked.",
        gotchas=(25,),
        change=subscribing(EventType, tuple(EventType)),
    ),
    Mutant(
        "subscribes-calls-like-meetings",
        "RT-205",
        "The events of a meeting are subscribed on a contact-center call.",
        gotchas=(25,),
        change=subscribing(VoiceEventType, tuple(client._SUBSCRIPTIONS[EventType])),
    ),
    Mutant(
        "subscribes-by-18",
        "RT-206",
        "The subscription is message 18, as one of Zoom's pages has it.",
        gotchas=(25,),
        change=spoilt(
            messages,
            "event_subscription",
            lambda message, _: {**message, "msg_type": MessageType.MEDIA_DATA_CHAT},
        ),
    ),
    Mutant(
        "asks-for-a-stranger",
        "RT-208",
        "The video of a user is asked for who is not there.",
        change=after(ClientMachine, "_ready", ask_for_video),
    ),
    Mutant(
        "asks-for-a-made-up-session",
        "RT-208",
        "The state of a session is asked for that nobody has told of.",
        change=after(ClientMachine, "_ready", ask_for_session),
    ),
)
