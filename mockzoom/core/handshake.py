"""The checks of both handshakes, in the fixed order in which the server makes them.

Signaling: shape (4), stream (2), id (2), signature (3), then whether the stream has a signaling
connection already (8).  Media: shape (4), stream (2), id (2), signature (3), signaling present
(2), the media type (14, 9-13, 7), a connection of that type (15, 16), and the parameters
(17-39, 43, 46).  What is no message (4) and a wrong `msg_type` (1) are told before any of these.

A check passes silently or raises `Rejected`, which names both the status code that the app gets
and the clause that it broke.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mockzoom.core.codes import MediaType, StatusCode
from mockzoom.core.media_params import Refused, grant, media_types
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.products import ID_FIELDS, Product
from mockzoom.core.protocol import load_protocol
from mockzoom.core.signing import (
    Credentials,
    handshake_signature,
    same,
    shortened,
    without_signatures,
)
from mockzoom.core.sockets import Socket
from mockzoom.core.validators import Problem

__all__ = ["Identity", "Rejected", "check_identity", "check_media", "check_shape"]

C = StatusCode

_NOT_SUPPORTED = {
    MediaType.AUDIO: C.MEDIA_TYPE_AUDIO_NOT_SUPPORT,
    MediaType.VIDEO: C.MEDIA_TYPE_VIDEO_NOT_SUPPORT,
    MediaType.DESKSHARE: C.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT,
    MediaType.TRANSCRIPT: C.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT,
    MediaType.CHAT: C.MEDIA_TYPE_CHAT_NOT_SUPPORT,
}


@dataclass(frozen=True)
class Identity:
    """Whose stream it is: the product, the value of its id field, and the stream's own id."""

    product: Product
    id: str
    rtms_stream_id: str


class Rejected(Exception):  # travels from a check to the answer; nobody outside sees it
    """What was `expected` and found (`actual`), the answer's `status`, and the clause (`check`).

    No clause, ``""``, is where nobody is to blame.
    """

    def __init__(self, status: StatusCode, check: str, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}, found {actual}")
        self.status = status
        self.check = check
        self.expected = expected
        self.actual = actual


def check_shape(message: Message) -> None:
    problems = load_protocol().problems(message)
    if problems:
        found = without_signatures("; ".join(_told(problem) for problem in problems[:3]))
        raise Rejected(C.INVALID_PAYLOAD, "rtms.payload", "the shape of the protocol", found)


def _told(problem: Problem) -> str:
    """A problem in words, without what was found in place of a signature: it may be a secret."""
    return "signature: expected string" if problem.path.startswith("signature") else str(problem)


def check_identity(message: Message, identity: Identity, credentials: Credentials) -> None:
    """The stream, the id under whichever name it came, and the signature over both."""
    if message["rtms_stream_id"] != identity.rtms_stream_id:
        raise Rejected(
            C.INVALID_RTMS_STREAM_ID,
            "rtms.stream-id",
            identity.rtms_stream_id,
            str(message["rtms_stream_id"])[:80],
        )
    given = [message[name] for name in ID_FIELDS if name in message]
    if identity.id not in given:
        raise Rejected(
            C.INVALID_RTMS_STREAM_ID,
            "rtms.id",
            f"{identity.product.id_field} {identity.id}",
            f"{given[0]!s:.80}",
        )
    expected = handshake_signature(
        credentials.client_id, credentials.client_secret, identity.id, identity.rtms_stream_id
    )
    if not same(expected, message["signature"]):
        raise Rejected(
            C.INVALID_SIGNATURE,
            "rtms.signature",
            f"HMAC-SHA256 over '{credentials.client_id},{identity.id},{identity.rtms_stream_id}'",
            shortened(message["signature"]),
        )


def check_media(
    message: Message, key: str, offered: tuple[MediaType, ...], live: Iterable[Socket]
) -> tuple[tuple[MediaType, ...], Message]:
    """The media types asked for on the URL of `key`, and the parameters granted for them."""
    asked = int(message["media_type"])  # JSON Schema takes 1.0 for an integer
    types = media_types(asked)
    _check_type(asked, types, key, offered)
    _check_free(asked, types, list(live))
    types = tuple(media for media in types if media in offered)
    try:
        return types, grant(types, message.get("media_params"))
    except Refused as refused:
        raise Rejected(
            refused.status, "rtms.media-params", "values of the protocol", refused.reason
        ) from None


def _check_type(
    asked: int, types: tuple[MediaType, ...], key: str, offered: tuple[MediaType, ...]
) -> None:
    check = "rtms.media-type"
    if not types:
        raise Rejected(C.MEDIA_TYPE_INVALID_VALUE, check, "a mask of 1 to 16, or 32", str(asked))
    if asked != MediaType.ALL:
        for media in types:
            if media not in offered:
                raise Rejected(
                    _NOT_SUPPORTED[media], check, "a type that the app may have", MEDIA_KEYS[media]
                )
    if key != MEDIA_KEYS[MediaType.ALL] and [MEDIA_KEYS[media] for media in types] != [key]:
        raise Rejected(C.INVALID_MEDIA_TYPE, check, f"{key} on the URL of {key}", str(asked))


def _check_free(asked: int, types: tuple[MediaType, ...], live: list[Socket]) -> None:
    check = "rtms.duplicate"
    if any(socket.all_media for socket in live):
        raise Rejected(
            C.MEDIA_DATA_ALL_CONNECTION_EXIST, check, "one connection a type", "all is connected"
        )
    taken: Mapping[MediaType, Socket] = {media: s for s in live for media in s.media}
    for media in types:
        if media in taken:
            raise Rejected(
                C.DUPLICATE_MEDIA_DATA_CONNECTION,
                check,
                "one connection a type",
                f"{MEDIA_KEYS[media]} is connected on {taken[media]}",
            )
