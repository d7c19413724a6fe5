"""The products that RTMS streams from, each a row.

A product names the id that its webhooks carry and its handshakes sign, the events on its
signaling socket, the media it offers, and how a stop reason of the wire is told in its webhook.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from mockzoom.core.codes import EventType, MediaType, StopReason, VoiceEventType
from mockzoom.errors import UnknownObject, nearest

__all__ = ["CONTACT_CENTER", "ID_FIELDS", "MEETING", "PRODUCTS", "SESSION", "WEBINAR", "Product"]

_EVERYTHING = (
    MediaType.AUDIO,
    MediaType.VIDEO,
    MediaType.DESKSHARE,
    MediaType.TRANSCRIPT,
    MediaType.CHAT,
)

_R = StopReason

#: Wire reasons 1 to 11 are told unchanged; an app that was lost or too late is 11, and what else
#: broke on the way is 10.
_MEETING_REASONS: Mapping[StopReason, int] = {
    **{reason: int(reason) for reason in StopReason if reason <= 11},
    _R.INSTANCE_CONNECTION_INTERRUPTED: 10,
    _R.SIGNAL_CONNECTION_INTERRUPTED: 11,
    _R.DATA_CONNECTION_INTERRUPTED: 11,
    _R.SIGNAL_CONNECTION_CLOSED_ABNORMALLY: 11,
    _R.DATA_CONNECTION_CLOSED_ABNORMALLY: 11,
    _R.EXIT_SIGNAL: 10,
    _R.AUTHENTICATION_FAILURE: 10,
    _R.AWAIT_RECONNECTION_TIMEOUT: 11,
    _R.RECEIVER_REQUEST_CLOSE: 2,
    _R.CUSTOMER_DISCONNECTED: 3,
    _R.AGENT_DISCONNECTED: 3,
    _R.ADMIN_DISABLED_APP: 9,
    _R.KEEP_ALIVE_TIMEOUT: 11,
    _R.API_TRIGGERED: 2,
    _R.STREAMING_NOT_SUPPORTED: 10,
}

#: Contact-center voice has seven reasons of its own: 1 customer and 2 agent disconnected,
#: 3 revoked, 4 canceled, 5 disabled by the admin, 6 platform error, 7 time-out.
_VOICE_REASONS: Mapping[StopReason, int] = {
    **dict.fromkeys(StopReason, 6),
    **dict.fromkeys((reason for reason, told in _MEETING_REASONS.items() if told == 11), 7),
    _R.CUSTOMER_DISCONNECTED: 1,
    _R.USER_LEFT: 1,
    _R.MEETING_ENDED: 1,
    _R.AGENT_DISCONNECTED: 2,
    _R.HOST_TRIGGERED: 2,
    _R.STREAM_REVOKED: 3,
    _R.STREAM_CANCELED: 4,
    _R.USER_TRIGGERED: 4,
    _R.USER_EJECTED: 4,
    _R.RECEIVER_REQUEST_CLOSE: 4,
    _R.API_TRIGGERED: 4,
    _R.HOST_DISABLED_APP: 5,
    _R.ALL_APPS_DISABLED: 5,
    _R.ADMIN_DISABLED_APP: 5,
}


@dataclass(frozen=True)
class Product:
    """One row.

    `name` is the tag of its webhooks in the spec and `event_prefix` what their names start with
    (`meeting.rtms` + `_started`).  `id_field` is signed and addressed; `key_field` is the id by
    which people and this mock's API call it, because a `meeting_uuid` may hold slashes.
    `stop_reasons` maps a reason of the wire to the one in the webhook.
    """

    name: str
    event_prefix: str
    id_field: str
    key_field: str
    events: type[IntEnum]
    media: tuple[MediaType, ...]
    stop_reasons: Mapping[StopReason, int]

    def event(self, happening: str) -> str:
        """The webhook that tells of `happening`: started, stopped or interrupted."""
        return f"{self.event_prefix}_{happening}"


MEETING = Product(
    "meeting",
    "meeting.rtms",
    "meeting_uuid",
    "meeting_id",
    EventType,
    _EVERYTHING,
    _MEETING_REASONS,
)
WEBINAR = Product(
    "webinar",
    "webinar.rtms",
    "webinar_uuid",
    "webinar_id",
    EventType,
    _EVERYTHING,
    _MEETING_REASONS,
)
SESSION = Product(
    "session",
    "session.rtms",
    "session_id",
    "session_key",
    EventType,
    _EVERYTHING,
    _MEETING_REASONS,
)
CONTACT_CENTER = Product(
    "contact_center",
    "contact_center.voice_rtms",
    "engagement_id",
    "engagement_id",
    VoiceEventType,
    (MediaType.AUDIO, MediaType.TRANSCRIPT),
    _VOICE_REASONS,
)


class _Products(dict[str, Product]):
    def __missing__(self, name: str) -> Product:
        raise UnknownObject(
            f"product {name!r}: expected one of {', '.join(self)}{nearest(name, self)}"
        )


PRODUCTS: Mapping[str, Product] = _Products(
    (product.name, product) for product in (MEETING, WEBINAR, SESSION, CONTACT_CENTER)
)

#: The official SDK puts every product's id under `meeting_uuid`, so an id is looked for under all.
ID_FIELDS = tuple(product.id_field for product in PRODUCTS.values())
