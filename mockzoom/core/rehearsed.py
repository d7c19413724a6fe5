"""Whether a receiver asks for what the recorded one asked for.

What was recorded can be played to nobody else: other media were never sent, and other parameters
would be another sound.  So a request that differs is refused, and told what the recording has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mockzoom.core.codes import StatusCode
from mockzoom.core.handshake import Rejected
from mockzoom.core.media_params import Refused, grant, media_types
from mockzoom.core.messages import Message

__all__ = ["CHECK", "check_request"]

CHECK = "replay.asked"


def check_request(recorded: Message, granted: Message, request: Message) -> None:
    """Hold the media handshake `request` against the `recorded` one, which was answered `granted`.

    Parameters may be asked for in other words, as long as the same ones come of it.  Raises
    `Rejected` with the status that the app is to be answered.
    """
    expected, found = recorded.get("media_type"), request["media_type"]
    if found != expected:
        raise Rejected(
            StatusCode.INVALID_MEDIA_TYPE, CHECK, f"media_type {expected}, as recorded", str(found)
        )
    if request.get("media_params") == recorded.get("media_params"):
        return
    differing = list(_differing(_params(granted), request))
    if differing:
        wanted = ", ".join(f"{name} {recorded}" for name, recorded, _ in differing)
        actual = ", ".join(f"{name} {asked}" for name, _, asked in differing)
        raise Rejected(StatusCode.INVALID_MEDIA_PARAMS, CHECK, f"{wanted}, as recorded", actual)


def _differing(granted: Message, request: Message) -> Iterator[tuple[str, Any, Any]]:
    """Each parameter that was asked for and would be granted otherwise than it was."""
    try:
        would_be = grant(media_types(int(request["media_type"])), request.get("media_params"))
    except Refused as refused:
        raise Rejected(
            refused.status, "rtms.media-params", "values of the protocol", refused.reason
        ) from None
    for key, params in would_be.items():
        recorded, wanted = granted.get(key), _params(request).get(key)
        if not isinstance(recorded, Mapping) or not isinstance(wanted, Mapping):
            continue
        for name in wanted:
            if name in params and name in recorded and params[name] != recorded[name]:
                yield f"{key}.{name}", recorded[name], wanted[name]


def _params(message: Message) -> Message:
    params = message.get("media_params")
    return params if isinstance(params, dict) else {}
