"""Zoom checks an endpoint before it sends anything there, and every three days after that."""

from __future__ import annotations

import json
import time

import pytest

from mockzoom.core.signing import encrypted_token, webhook_signature
from mockzoom.judge.answer import ACCEPTED, ALIVE, REFUSED, Answer
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, contract
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.request import GENUINE, Signing

TOKEN = "qgg8vlvZRS6UYooatFL8Aw"

STRANGERS = {
    "unsigned": Signing(stamp=None, signature=None),
    "zeros": Signing(signature="v0=" + "0" * 64),
    "another secret": Signing(other_secret=True),
    "signature of another body": Signing(signed=b'{"event":"meeting.rtms_stopped"}'),
}

every_stranger = pytest.mark.parametrize("signing", STRANGERS.values(), ids=STRANGERS)


def validation(token: object = TOKEN) -> bytes:
    event = {
        "event": "endpoint.url_validation",
        "event_ts": int(time.time() * 1000),
        "payload": {"plainToken": token},
    }
    return json.dumps(event).encode()


def proof(receiver: ReceiverUnderTest, token: str) -> dict[str, str]:
    secret = receiver.credentials.secret_token
    return {"plainToken": token, "encryptedToken": encrypted_token(secret, token)}


def must_prove(receiver: ReceiverUnderTest, answer: Answer, token: str) -> None:
    """Raise Broken unless `answer` is the right one to a validation with `token`."""
    expected = proof(receiver, token)
    told = f"200 within 3 s with {json.dumps(expected)}"
    if answer.status != 200 or answer.trouble:
        raise answer.broken(told)
    try:
        found = json.loads(answer.body)
    except ValueError:
        raise answer.broken(told, f"no JSON: {answer}") from None
    if not isinstance(found, dict) or {**found, **expected} != found:
        raise answer.broken(told)


@contract(
    "WH-101",
    MUST,
    source="webhooks: URL validation",
    loses="Zoom does not save the endpoint, or disables it: no event arrives any more.",
    needs=["url-validation"],
)
@pytest.mark.parametrize(
    "token",
    [TOKEN, "0", "a+b/c==", "x" * 200],
    ids=["usual token", "one digit", "base64", "long token"],
)
def test_the_token_is_encrypted(receiver: ReceiverUnderTest, token: str) -> None:
    """A validation is answered in time with its token and the HMAC of it, as JSON."""
    must_prove(receiver, receiver.deliver(validation(token)), token)


@contract(
    "WH-102",
    MUST,
    source="webhooks: URL validation, again every 72 hours",
    loses="After 18 days of failed validations the subscription is disabled, over night.",
    needs=["url-validation"],
)
def test_it_is_answered_each_time(receiver: ReceiverUnderTest) -> None:
    """A validation with a token that was seen before is answered like the first."""
    body = validation()
    for offset_s in (0, 1, 2):
        must_prove(receiver, receiver.deliver(body, offset_s=offset_s), TOKEN)


@contract(
    "WH-103",
    SHOULD,
    source="webhooks: URL validation",
    loses="A checker that goes by the content type takes the proof for text, and rejects it.",
    needs=["url-validation"],
)
def test_the_proof_is_called_json(receiver: ReceiverUnderTest) -> None:
    """The answer to a validation has the content type application/json."""
    answer = receiver.deliver(validation()).must_be(ACCEPTED)
    if answer.content_type.partition(";")[0].strip().lower() != "application/json":
        raise answer.broken("content-type: application/json", f"{answer.content_type!r}")


@contract(
    "WH-104",
    MUST,
    source="webhooks: URL validation is signed like any other",
    loses="Anybody learns the HMAC of whatever he likes, made with your secret token.",
    needs=["url-validation"],
    gotchas=[4, 7],
)
@every_stranger
def test_strangers_get_no_proof(receiver: ReceiverUnderTest, signing: Signing) -> None:
    """A validation that is not signed rightly is refused, and its token is not encrypted."""
    answer = receiver.post(validation(), signing)
    if proof(receiver, TOKEN)["encryptedToken"].encode() in answer.body:
        raise answer.broken("no encryptedToken for a stranger")
    answer.must_be(REFUSED)


@contract(
    "WH-105",
    MUST,
    source="public advisory on signing oracles",
    loses="A stranger has your endpoint sign an event that he wrote, and sends it to you.",
    needs=["url-validation"],
    gotchas=[7],
)
@every_stranger
def test_it_is_no_signing_oracle(receiver: ReceiverUnderTest, signing: Signing) -> None:
    """Nobody gets the signature of a webhook by asking for the HMAC of the text under it."""
    _must_not_sign(receiver, signing)


@contract(
    "WH-106",
    ADVICE,
    source="public advisory on signing oracles",
    loses="A signed request that leaks lets its finder forge others; a token is never that text.",
    needs=["url-validation"],
    gotchas=[7],
)
def test_it_signs_no_webhook_for_anybody(receiver: ReceiverUnderTest) -> None:
    """Not even a signed validation is answered with what is a webhook's signature."""
    _must_not_sign(receiver, GENUINE)


def _must_not_sign(receiver: ReceiverUnderTest, signing: Signing) -> None:
    stamp, forged = str(int(time.time())), b'{"event":"meeting.rtms_stopped"}'
    answer = receiver.post(validation(f"v0:{stamp}:{forged.decode()}"), signing)
    signature = webhook_signature(receiver.credentials.secret_token, stamp, forged)
    if signature.removeprefix("v0=").encode() in answer.body:
        raise answer.broken("no HMAC of the text under a webhook's signature")


@contract(
    "WH-107",
    MUST,
    source="webhooks: replay protection",
    loses="Whoever has seen one validation can ask for its proof for ever.",
    needs=["url-validation", "timestamp-window"],
    gotchas=[6],
)
@pytest.mark.parametrize("offset_s", [-3600, 3600], ids=["an hour old", "an hour ahead"])
def test_a_proof_is_for_now(receiver: ReceiverUnderTest, offset_s: int) -> None:
    """A validation with a stamp of another time is refused like any other event."""
    receiver.deliver(validation(), offset_s=offset_s).must_be(REFUSED)


MALFORMED = {
    "no token": {"payload": {}},
    "no payload": {},
    "payload is null": {"payload": None},
    "payload is text": {"payload": "plainToken"},
    "token is null": {"payload": {"plainToken": None}},
    "token is a number": {"payload": {"plainToken": 1}},
    "token is an object": {"payload": {"plainToken": {"a": 1}}},
    "token is empty": {"payload": {"plainToken": ""}},
    "half a surrogate pair": {"payload": {"plainToken": "\ud83c"}},
}


@contract(
    "WH-108",
    MUST,
    source="webhooks: 5xx is tried again",
    loses="One odd request takes the endpoint down.",
    needs=["url-validation"],
)
@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
def test_half_a_validation_breaks_nothing(
    receiver: ReceiverUnderTest, fields: dict[str, object]
) -> None:
    """A signed validation without a proper token gets no 5xx, and the next one is answered."""
    receiver.deliver({"event": "endpoint.url_validation", "event_ts": 1, **fields}).must_be(ALIVE)
    must_prove(receiver, receiver.deliver(validation()), TOKEN)
