"""Mutants that can be sent to where they have no business."""

from __future__ import annotations

from collections.abc import Callable, Collection

from mutant import Change, Mutant, put
from yarl import URL

from mockzoom.core.client import ClientMachine
from mockzoom.core.codes import MediaType
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.receiver import receiver

__all__ = ["DIALLING"]


def allowing(allows: Callable[[str, Collection[str]], bool]) -> Change:
    """A URL is dialled where `allows(url, hosts)` says so."""
    return put(receiver, "allowed", lambda hosts: lambda url: allows(url, hosts))


def unchecked(machine: ClientMachine, message: Message) -> dict[MediaType, str]:
    offered = message["media_server"]["server_urls"]
    return {media: offered[MEDIA_KEYS[media]] for media in machine.wanted}


DIALLING = (
    Mutant(
        "dials-any-host",
        "RT-601",
        "Whatever host a start names is dialled.",
        gotchas=(9,),
        change=allowing(lambda url, hosts: URL(url).scheme in ("ws", "wss")),
    ),
    Mutant(
        "looks-for-hosts-at-the-beginning",
        "RT-601",
        "A URL that begins like one of a known host is dialled, whoever's it is.",
        gotchas=(9,),
        change=allowing(lambda url, hosts: any(url.startswith(f"ws://{host}") for host in hosts)),
    ),
    Mutant(
        "dials-any-scheme",
        "RT-602",
        "The scheme of a URL is not looked at.",
        gotchas=(9,),
        change=allowing(lambda url, hosts: URL(url).host in hosts),
    ),
    Mutant(
        "trusts-media-urls",
        "RT-603",
        "The hosts of media URLs are not looked at.",
        gotchas=(9,),
        change=put(ClientMachine, "_media_urls", unchecked),
    ),
)
