"""Mutants that do not see the end of a stream, or see one where there is none."""

from __future__ import annotations

from typing import Any

from mutant import Change, Mutant, after, before, put, skipped
from repeats import stop_all

from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import Ending
from mockzoom.core.codes import StopReason
from mockzoom.receiver.receiver import Receiver
from mockzoom.receiver.streams import Streams

__all__ = ["ENDINGS", "reading"]

Event = dict[str, Any]


def reading(happening: str, field: str) -> Change:
    """Webhooks that tell of `happening` are taken to have `field` in their payload."""

    def read(_: Receiver, event: Event) -> None:
        if event["event"].endswith(happening):
            event["payload"][field]

    return before(Receiver, "_inbox", read)


def leave_all_open(machine: ClientMachine, ending: Ending) -> None:
    machine._signaling.step(ending.cause)
    machine.ending = ending


def leave_media_open(machine: ClientMachine, ending: Ending) -> None:
    machine._close(machine._signaling)
    leave_all_open(machine, ending)


def find_stream(receiver: Receiver, event: Event) -> None:
    if event["event"].endswith("_stopped"):
        receiver._streams._live[event["payload"]["rtms_stream_id"]]


ENDINGS = (
    Mutant(
        "leaves-sockets-open",
        "RT-303",
        "At the end of a stream no socket is closed.",
        gotchas=(22,),
        change=put(ClientMachine, "_end", leave_all_open),
    ),
    Mutant(
        "leaves-media-open",
        "RT-303",
        "At the end of a stream media sockets are forgotten, and stay open.",
        gotchas=(22,),
        change=put(ClientMachine, "_end", leave_media_open),
    ),
    Mutant(
        "waits-for-the-state",
        "RT-304",
        "The stopped webhook is skipped, because signaling will tell.",
        gotchas=(22,),
        change=put(Streams, "_stopped", lambda *_: None),
    ),
    Mutant(
        "waits-for-the-webhook",
        "RT-305",
        "TERMINATED is skipped, because a webhook will tell.",
        gotchas=(22,),
        change=put(ClientMachine, "_terminated", lambda *_: None),
    ),
    Mutant(
        "crashes-on-the-end",
        "RT-306",
        "The stopped webhook of a stream that it has joined crashes.",
        gotchas=(22,),
        change=reading("_stopped", "server_urls"),
    ),
    Mutant(
        "stops-all",
        "RT-307",
        "The stop of any stream is the end of all.",
        change=after(Streams, "_stopped", stop_all),
    ),
    Mutant(
        "crashes-on-an-unknown-end",
        "RT-307",
        "The stop of a stream that it does not know crashes.",
        gotchas=(22,),
        change=before(Receiver, "_inbox", find_stream),
    ),
    Mutant(
        "ignores-revocation",
        "RT-309",
        "Reason 8 is not in its list, and what is not there is skipped.",
        gotchas=(26,),
        change=skipped(
            Streams,
            "_stopped",
            lambda self, product, event, stream: (
                event["payload"]["stop_reason"] == StopReason.STREAM_REVOKED
            ),
        ),
        also=(
            skipped(
                ClientMachine,
                "_terminated",
                lambda _, socket, message: message["reason"] == StopReason.STREAM_REVOKED,
            ),
        ),
    ),
)
