"""A webhook as it is posted: which headers, and whether it is what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.core.webhook_request import WINDOW_S, Signature, WebhookRequest

NOW_S = 1_764_000_000
BODY = b'{"event":"an.event","event_ts":5}'
GENUINE = WebhookRequest.genuine(BODY, NOW_S)


def test_a_genuine_request_is_signed_over_its_body() -> None:
    """The stamp is of now, and the signature is of the stamp and the very bytes."""
    headers = GENUINE.headers("a-secret", "an-id", "a-trace")
    assert headers[TIMESTAMP_HEADER] == str(NOW_S)
    assert headers[SIGNATURE_HEADER] == webhook_signature("a-secret", str(NOW_S), BODY)
    assert (headers["x-zm-request-id"], headers["traceparent"]) == ("an-id", "a-trace")
    assert not GENUINE.is_forged(NOW_S)


@pytest.mark.parametrize(
    ("request_", "forged"),
    [
        (replace(GENUINE, body=b"{}"), True),
        (replace(GENUINE, signed=b"{}"), True),
        (replace(GENUINE, signature=Signature.WRONG), True),
        (replace(GENUINE, signature=Signature.MISSING), True),
        (replace(GENUINE, stamp_s=NOW_S - WINDOW_S - 1), True),
        (replace(GENUINE, stamp_s=NOW_S + WINDOW_S + 1), True),
        (replace(GENUINE, stamp_s=NOW_S - WINDOW_S), False),
        (replace(GENUINE, stamp_s=NOW_S + WINDOW_S), False),
    ],
)
def test_what_a_receiver_must_refuse(request_: WebhookRequest, forged: bool) -> None:
    """A body that was not signed, a signature that is not the app's, a stamp of another time."""
    assert request_.is_forged(NOW_S) is forged


def test_a_signature_may_be_wrong_or_missing() -> None:
    """A wrong one has the right shape."""
    right = GENUINE.headers("s", "", "")[SIGNATURE_HEADER]
    wrong = replace(GENUINE, signature=Signature.WRONG).headers("s", "", "")[SIGNATURE_HEADER]
    assert wrong != right
    assert (wrong[:3], len(wrong)) == (right[:3], len(right))
    assert SIGNATURE_HEADER not in replace(GENUINE, signature=Signature.MISSING).headers(
        "s", "", ""
    )
