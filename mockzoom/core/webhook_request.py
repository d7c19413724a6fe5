"""One webhook as it is posted: the bytes, and the headers that say whom they are from.

A `WebhookRequest` says apart what is posted and what is signed, so that a fault can put the two at
odds: a body that is not the one that was signed, a signature by somebody else, a stamp of another
time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature

__all__ = ["Signature", "WebhookRequest"]

#: How far a stamp may be from now before a receiver must take the request for a replay: five
#: minutes to either side, the window of the contracts and of the reference receiver.
WINDOW_S = 300

#: The same in every request, as observed of the vendor.
_HEADERS: Mapping[str, str] = {
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Zoom Marketplace/1.0a",
    "accept-encoding": "gzip",
}


class Signature(Enum):
    RIGHT = "by the app's secret token"
    WRONG = "by another secret"
    MISSING = "not there"


@dataclass(frozen=True)
class WebhookRequest:
    """`body` is posted, `signed` is signed with the stamp `stamp_s`, in Unix seconds."""

    body: bytes
    signed: bytes
    stamp_s: int
    signature: Signature = Signature.RIGHT

    @classmethod
    def genuine(cls, body: bytes, now_s: int) -> WebhookRequest:
        return cls(body, body, now_s)

    def is_forged(self, now_s: int) -> bool:
        """Whether a receiver must refuse this."""
        stale = abs(self.stamp_s - now_s) > WINDOW_S
        return stale or self.signature is not Signature.RIGHT or self.body != self.signed

    def headers(self, secret_token: str, request_id: str, traceparent: str) -> dict[str, str]:
        """The headers, lower-case, without those that HTTP itself adds."""
        headers = {
            **_HEADERS,
            "x-zm-request-id": request_id,
            "traceparent": traceparent,
            TIMESTAMP_HEADER: str(self.stamp_s),
        }
        if self.signature is not Signature.MISSING:
            key = secret_token if self.signature is Signature.RIGHT else secret_token + "?"
            headers[SIGNATURE_HEADER] = webhook_signature(key, str(self.stamp_s), self.signed)
        return headers
