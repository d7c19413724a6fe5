"""Mutants that do not come back, or come back too soon, and those that cannot take a no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from endings import reading
from mutant import Mutant, around, put, spoilt
from repeats import EVERY_DELIVERY, beside

from mockzoom.core import client
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import SIGNALING, ClientSocket, Ending, Step
from mockzoom.core.codes import StatusCode
from mockzoom.receiver import streams
from mockzoom.receiver.streams import Streams

__all__ = ["RECONNECTING"]

Lose = Callable[[ClientMachine, ClientSocket, int], None]
Refused = Callable[[ClientMachine, ClientSocket, int, str], None]


def give_up(machine: ClientMachine) -> None:
    machine._end(Ending(Step.GAVE_UP))


def never(original: Lose) -> Lose:
    def lose(machine: ClientMachine, socket: ClientSocket, now_ms: int) -> None:
        if socket.media is None:
            give_up(machine)
        else:
            original(machine, socket, now_ms)

    return lose


def never_with_media(original: Lose) -> Lose:
    def lose(machine: ClientMachine, socket: ClientSocket, now_ms: int) -> None:
        if socket.media is None:
            original(machine, socket, now_ms)
        else:
            machine._close(socket)
            socket.step(Step.GAVE_UP)

    return lose


def with_everything(original: Lose) -> Lose:
    return lambda machine, socket, now_ms: original(machine, machine._signaling, now_ms)


def once(original: Lose) -> Lose:
    lost: set[ClientMachine] = set()

    def lose(machine: ClientMachine, socket: ClientSocket, now_ms: int) -> None:
        if socket.media is None and machine in lost:
            give_up(machine)
            return
        lost.add(machine)
        original(machine, socket, now_ms)

    return lose


def ask_again(machine: ClientMachine, socket: ClientSocket, status: int, reason: str) -> None:
    machine._lose(socket, socket.heard_ms)


def sit(original: Refused) -> Refused:
    def refused(machine: ClientMachine, socket: ClientSocket, status: int, reason: str) -> None:
        if socket.media is None:
            original(machine, socket, status, reason)
        else:
            machine._close(socket)

    return refused


def leave_open(machine: ClientMachine, socket: ClientSocket, status: int, reason: str) -> None:
    machine.timers.cancel(("handshake", socket))


def start_over(machine: ClientMachine, server_urls: str, now_ms: int) -> None:
    if SIGNALING.allows(machine.state, Step.FAILOVER):
        machine._hang_up()
        machine._begin(Step.FAILOVER, now_ms)


def unordered(original: Callable[..., None]) -> Callable[..., None]:
    def started(self: Streams, product: Any, event: Any, stream: Any) -> None:
        newest = {} if stream is None else {"event_ts": stream.event_ts}
        original(self, product, {**event, **newest}, stream)

    return started


AT_ONCE = put(ClientMachine, "_pause_ms", lambda *_: 0)

RECONNECTING = (
    Mutant(
        "never-comes-back",
        "RT-401",
        "When signaling is lost, that is the end.",
        gotchas=(20,),
        change=around(ClientMachine, "_lose", never),
    ),
    Mutant(
        "crashes-on-interruption",
        "RT-402",
        "The interrupted webhook is taken to have a URL, and crashes.",
        gotchas=(20,),
        change=reading("_interrupted", "server_urls"),
    ),
    Mutant(
        "never-comes-back-with-media",
        "RT-403",
        "A media socket that is lost stays so.",
        gotchas=(21,),
        change=around(ClientMachine, "_lose", never_with_media),
    ),
    Mutant(
        "comes-back-with-everything",
        "RT-404",
        "A media socket that is lost has everything done anew.",
        gotchas=(21,),
        change=around(ClientMachine, "_lose", with_everything),
    ),
    Mutant(
        "comes-back-once",
        "RT-405",
        "The second loss of signaling is the end.",
        gotchas=(20,),
        change=around(ClientMachine, "_lose", once),
    ),
    Mutant(
        "gives-up-as-duplicate",
        "RT-406",
        "Status 8 is final, like any other refusal.",
        gotchas=(18,),
        change=put(client, "_PASSING", ()),
    ),
    Mutant(
        "gives-media-up-as-duplicate",
        "RT-406",
        "Status 16, which is 8 for a media socket, is final.",
        gotchas=(18,),
        change=put(client, "_PASSING", (StatusCode.DUPLICATE_SIGNAL_REQUEST,)),
    ),
    Mutant(
        "dials-without-pause",
        "RT-407",
        "Lost connections are dialled again at once, without end.",
        gotchas=(19,),
        change=AT_ONCE,
    ),
    Mutant(
        "asks-without-pause",
        "RT-408",
        "A handshake that is refused is sent again at once, on a new connection.",
        gotchas=(19,),
        change=put(ClientMachine, "_refused", ask_again),
        also=(AT_ONCE,),
    ),
    Mutant(
        "takes-no-breath",
        "RT-409",
        "The first attempt after a loss comes at once.",
        gotchas=(18, 19),
        change=spoilt(
            ClientMachine,
            "_pause_ms",
            lambda pause_ms, machine, socket: pause_ms if socket.losses else 0,
        ),
    ),
    Mutant(
        "sits-without-media",
        "RT-413",
        "After media was refused nothing happens any more.",
        gotchas=(17,),
        change=around(ClientMachine, "_refused", sit),
    ),
    Mutant(
        "keeps-refused-sockets",
        "RT-414",
        "A socket on which the handshake was refused stays open.",
        gotchas=(17,),
        change=put(ClientMachine, "_refused", leave_open),
    ),
    Mutant(
        "never-returns",
        "RT-415",
        "No stream that has ended starts again, whatever its end was.",
        gotchas=(26,),
        change=put(streams._Past, "may_return", lambda *_: False),
    ),
    Mutant(
        "stays-on-its-server",
        "RT-410",
        "A start of a stream that runs is a repeat, also with other URLs.",
        gotchas=(3,),
        change=put(ClientMachine, "failover", lambda *_: None),
    ),
    Mutant(
        "moves-to-where-it-was",
        "RT-410",
        "A start with other URLs has everything done anew, on the old server.",
        gotchas=(3,),
        change=put(ClientMachine, "failover", start_over),
    ),
    Mutant(
        "has-two-servers",
        "RT-411",
        "A stream that moves to another server is kept on the old one as well.",
        gotchas=(2, 3),
        change=beside(
            lambda event, stream: (
                stream.machine._signaling.urls != (event["payload"]["server_urls"],)
            )
        ),
    ),
    Mutant(
        "moves-back",
        "RT-412",
        "A start that is delivered late moves the stream to the server that it has left.",
        gotchas=(3,),
        change=around(Streams, "_started", unordered),
        also=(EVERY_DELIVERY,),
    ),
)
