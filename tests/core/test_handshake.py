"""The checks of both handshakes: each one, and which of two faults is told first."""

from __future__ import annotations

from typing import Any

import pytest

from mockzoom.core.clauses import CLAUSES
from mockzoom.core.codes import MediaType, StatusCode
from mockzoom.core.handshake import Identity, Rejected, check_identity, check_media, check_shape
from mockzoom.core.products import MEETING, PRODUCTS, Product
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.core.sockets import Socket, SocketState

C = StatusCode
CREDENTIALS = Credentials("client", "secret", "token")
EVERYTHING = MEETING.media


def request(product: Product = MEETING, **fields: Any) -> dict[str, Any]:
    return {
        "msg_type": 3,
        "protocol_version": 1,
        "sequence": 1,
        product.id_field: "id",
        "rtms_stream_id": "stream",
        "signature": handshake_signature("client", "secret", "id", "stream"),
        "media_type": 1,
        **fields,
    }


def live(*media: MediaType, all_media: bool = False) -> Socket:
    return Socket(1, "audio", 0, SocketState.JOINED, media=media, all_media=all_media)


def rejected(check: Any, *arguments: Any) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check(*arguments)
    assert caught.value.check in CLAUSES
    return caught.value


def test_a_shape_is_that_of_the_protocol() -> None:
    """A complete request passes; one that lacks fields is rejected with up to three of them."""
    check_shape(request())
    reason = rejected(check_shape, {"msg_type": 3})
    assert (reason.status, reason.check) == (C.INVALID_PAYLOAD, "rtms.payload")
    assert reason.actual.count(";") == 2


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=list(PRODUCTS))
def test_the_identity_of_every_product_passes(product: Product) -> None:
    """The product's own id, under its own name or as the official SDK calls it."""
    identity = Identity(product, "id", "stream")
    check_identity(request(product), identity, CREDENTIALS)
    sdk = request(product, **{product.id_field: None, "meeting_uuid": "id"})
    check_identity(sdk, identity, CREDENTIALS)


@pytest.mark.parametrize(
    ("fields", "status", "clause"),
    [
        ({"rtms_stream_id": "x", "meeting_uuid": "x", "signature": "x"}, 2, "rtms.stream-id"),
        ({"meeting_uuid": "x", "signature": "x"}, 2, "rtms.id"),
        ({"signature": "x"}, 3, "rtms.signature"),
        (
            {"signature": handshake_signature("client", "other", "id", "stream")},
            3,
            "rtms.signature",
        ),
        (
            {"signature": handshake_signature("id", "secret", "client", "stream")},
            3,
            "rtms.signature",
        ),
    ],
)
def test_the_first_fault_of_an_identity_is_told(
    fields: dict[str, Any], status: int, clause: str
) -> None:
    """Stream before id before signature."""
    identity = Identity(MEETING, "id", "stream")
    reason = rejected(check_identity, request(**fields), identity, CREDENTIALS)
    assert (reason.status, reason.check) == (status, clause)


def test_a_signature_finding_shows_no_secret() -> None:
    """It names what has to be signed, not with what."""
    identity = Identity(MEETING, "id", "stream")
    reason = rejected(check_identity, request(signature="x"), identity, CREDENTIALS)
    assert "client,id,stream" in reason.expected
    assert "secret" not in str(reason)


@pytest.mark.parametrize(
    ("media_type", "key", "offered", "sockets", "params", "status"),
    [
        (33, "audio", EVERYTHING, [live(MediaType.AUDIO)], 1, 14),
        (2, "audio", (MediaType.AUDIO,), [live(MediaType.AUDIO)], 1, 10),
        (2, "audio", EVERYTHING, [live(MediaType.VIDEO)], 1, 7),
        (1, "audio", EVERYTHING, [live(MediaType.AUDIO, all_media=True)], 1, 15),
        (1, "audio", EVERYTHING, [live(MediaType.AUDIO)], 1, 16),
        (32, "all", EVERYTHING, [live(MediaType.CHAT)], 1, 16),
        (1, "audio", EVERYTHING, [live(MediaType.VIDEO)], 1, 17),
        (3, "all", EVERYTHING, [], {"audio": 1, "video": 1}, 18),
    ],
)
def test_the_first_fault_of_a_media_request_is_told(
    media_type: int, key: str, offered: Any, sockets: Any, params: Any, status: int
) -> None:
    """A value, a scope, the URL, a free place, and then the parameters."""
    message = request(media_type=media_type, media_params=params)
    assert rejected(check_media, message, key, offered, sockets).status == status


@pytest.mark.parametrize(
    ("media", "status"),
    [
        (MediaType.AUDIO, C.MEDIA_TYPE_AUDIO_NOT_SUPPORT),
        (MediaType.VIDEO, C.MEDIA_TYPE_VIDEO_NOT_SUPPORT),
        (MediaType.DESKSHARE, C.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT),
        (MediaType.TRANSCRIPT, C.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT),
        (MediaType.CHAT, C.MEDIA_TYPE_CHAT_NOT_SUPPORT),
    ],
)
def test_every_type_that_is_not_offered_has_its_code(media: MediaType, status: StatusCode) -> None:
    """Also where it is one of several in a mask."""
    offered = tuple(other for other in EVERYTHING if other is not media)
    message = request(media_type=31)
    assert rejected(check_media, message, "all", offered, []).status == status


def test_a_free_place_is_granted_with_parameters() -> None:
    """The types asked for, of all those that are offered, and what is in force for each."""
    assert check_media(request(), "audio", EVERYTHING, [live(MediaType.VIDEO)])[0] == (1,)
    offered = (MediaType.TRANSCRIPT, MediaType.CHAT)
    types, params = check_media(request(media_type=32), "all", offered, [])
    assert (types, set(params)) == (offered, {"transcript", "chat"})
