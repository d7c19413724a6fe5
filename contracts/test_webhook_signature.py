"""Whatever does not carry Zoom's signature over its bytes, made just now, is not from Zoom."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature

Headers = dict[str, str]
Forgery = Callable[[Headers], Headers]


def signature(change: Callable[[str], str]) -> Forgery:
    return lambda signed: {**signed, SIGNATURE_HEADER: change(signed[SIGNATURE_HEADER])}


def stamp(text: str) -> Forgery:
    return lambda signed: {**signed, TIMESTAMP_HEADER: text}


def without(header: str) -> Forgery:
    return lambda signed: {name: value for name, value in signed.items() if name != header}


FORGERIES: dict[str, Forgery] = {
    "no headers": lambda _: {},
    "no signature": without(SIGNATURE_HEADER),
    "no timestamp": without(TIMESTAMP_HEADER),
    "empty signature": signature(lambda _: ""),
    "prefix only": signature(lambda _: "v0="),
    "zeros": signature(lambda _: "v0=" + "0" * 64),
    "truncated": signature(lambda whole: whole[:-1]),
    "extended": signature(lambda whole: whole + "0"),
    "without its prefix": signature(lambda whole: whole.removeprefix("v0=")),
    "letters outside ASCII": signature(lambda whole: whole[:-1] + "é"),
    "another timestamp": stamp("1700000000"),
    "no number": stamp("now"),
    "a huge number": stamp("9" * 400),
    "a negative number": stamp("-1"),
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_forgeries_are_refused(receiver: Any, harmless: dict[str, Any], forge: Forgery) -> None:
    """A missing, broken or made-up signature gets 4xx: else anybody can start and stop streams."""
    body = json.dumps(harmless).encode()
    answer = receiver.post(body, forge(receiver.sign(body)))
    assert answer.refused, answer


def test_another_secret_is_refused(receiver: Any, harmless: dict[str, Any]) -> None:
    """A signature made with another app's secret is no signature."""
    body = json.dumps(harmless).encode()
    now = receiver.sign(body)[TIMESTAMP_HEADER]
    other = webhook_signature(receiver.credentials.secret_token + "x", now, body)
    answer = receiver.post(body, {TIMESTAMP_HEADER: now, SIGNATURE_HEADER: other})
    assert answer.refused, answer


def test_a_tampered_body_is_refused(receiver: Any, harmless: dict[str, Any]) -> None:
    """The signature is over the body: one changed digit and it is somebody else's event."""
    body = json.dumps(harmless).encode()
    tampered = json.dumps({**harmless, "event_ts": harmless["event_ts"] + 1}).encode()
    answer = receiver.post(tampered, receiver.sign(body))
    assert answer.refused, answer


@pytest.mark.parametrize("offset_s", [-3600, -600, 600, 3600])
def test_old_and_future_stamps_are_refused(
    receiver: Any, harmless: dict[str, Any], offset_s: int
) -> None:
    """A well-signed request from another time is a replay, or is kept for one."""
    body = json.dumps(harmless).encode()
    answer = receiver.post(body, receiver.sign(body, offset_s))
    assert answer.refused, answer


SPELLINGS: dict[str, Callable[[Any], str]] = {
    "compact": lambda event: json.dumps(event, separators=(",", ":")),
    "indented": lambda event: json.dumps(event, indent=4),
    "keys sorted": lambda event: json.dumps(event, sort_keys=True),
    "keys reversed": lambda event: json.dumps(dict(reversed(event.items()))),
    "space around": lambda event: f"\n {json.dumps(event)}\r\n",
    "emoji": lambda event: json.dumps({**event, "note": "Zoë 🎧 שלום"}, ensure_ascii=False),
    "escapes": lambda event: json.dumps({**event, "note": "Zoë 🎧 שלום"}),
    "odd escapes": lambda event: json.dumps({**event, "note": "?"}).replace("?", "\\u0041\\/"),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_the_signature_is_over_the_raw_bytes(
    receiver: Any, harmless: dict[str, Any], spell: Callable[[Any], str]
) -> None:
    """Who parses and writes the JSON anew before checking loses events with a name like Zoë's."""
    body = spell(harmless).encode()
    answer = receiver.post(body, receiver.sign(body))
    assert answer.accepted, answer


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'{"event":1}'], ids=lambda body: body.decode() or "empty"
)
def test_authentication_comes_before_validation(
    receiver: Any, harmless: dict[str, Any], body: bytes
) -> None:
    """A stranger gets the same refusal for nonsense as for an event, and learns no schema."""
    valid = receiver.post(json.dumps(harmless).encode(), {})
    nonsense = receiver.post(body, {})
    assert valid.refused, valid
    assert nonsense.status == valid.status, (valid, nonsense)
