"""Mutants that take what Zoom has not signed, or refuse what it has."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from typing import Any

from mutant import Change, Mutant, around, before, put, skipped
from werkzeug.datastructures import Headers
from werkzeug.exceptions import Unauthorized

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER
from mockzoom.receiver import webhook

__all__ = ["SIGNATURES"]

Authenticate = Callable[[str, Headers, bytes, float, int], None]
Compare = Callable[[str, str], bool]


def second_chance(secret: str = "", body: Callable[[bytes], bytes] = bytes) -> Change:
    """Who is refused is let in if it fits with `secret` at the end of ours, and that `body`."""

    def made(original: Authenticate) -> Authenticate:
        def authenticate(token: str, headers: Headers, raw: bytes, now_s: float, w: int) -> None:
            try:
                original(token, headers, raw, now_s, w)
            except Unauthorized:
                original(token + secret, headers, body(raw), now_s, w)

        return authenticate

    return around(webhook, "_authenticate", made)


def signed_over(spell: Callable[[bytes], bytes]) -> Change:
    """The HMAC is over what `spell` makes of the body."""
    return around(
        webhook,
        "webhook_signature",
        lambda original: lambda secret, stamp, body: original(secret, stamp, spell(body)),
    )


def written_anew(**how: Any) -> Change:
    """The HMAC is over JSON that was read and written again, as `how` tells `json.dumps`."""

    def spell(body: bytes) -> bytes:
        try:
            return json.dumps(json.loads(body), **how).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError):
            return body

    return signed_over(spell)


def with_keys_in_order(body: bytes) -> bytes:
    try:
        event = json.loads(body)
        text = json.dumps(event, sort_keys=True)
        return body if text == json.dumps(event) else text.encode()
    except (ValueError, RecursionError):
        return body


def never_early(original: Authenticate) -> Authenticate:
    def authenticate(token: str, headers: Headers, body: bytes, now_s: float, w: int) -> None:
        stamp = headers.get(TIMESTAMP_HEADER, "")
        early = stamp.isdigit() and len(stamp) <= 12
        original(token, headers, body, max(now_s, int(stamp)) if early else now_s, w)

    return authenticate


def known_signatures(original: Compare) -> Compare:
    known = set()

    def same(expected: str, given: str) -> bool:
        if original(expected, given):
            known.add(given)
        return given in known

    return same


SIGNATURES = (
    Mutant(
        "takes-anything",
        "WH-201",
        "The signature is not looked at.",
        gotchas=(4,),
        change=put(webhook, "_authenticate", lambda *_: None),
    ),
    Mutant(
        "takes-unsigned",
        "WH-201",
        "The signature is checked only where there is one.",
        gotchas=(4,),
        change=skipped(
            webhook, "_authenticate", lambda token, headers, *_: SIGNATURE_HEADER not in headers
        ),
    ),
    Mutant(
        "compares-a-prefix",
        "WH-201",
        "Only as many characters of the signature are compared as have come.",
        gotchas=(4,),
        change=put(
            webhook,
            "same",
            lambda expected, given: len(given) > len("v0=") and expected.startswith(given),
        ),
    ),
    Mutant(
        "takes-no-version",
        "WH-201",
        "The `v0=` before the signature may be missing.",
        gotchas=(4,),
        change=put(
            webhook, "same", lambda expected, given: given in (expected, expected[len("v0=") :])
        ),
    ),
    Mutant(
        "compares-as-text",
        "WH-201",
        "Letters outside ASCII in the signature crash the comparison.",
        gotchas=(4,),
        change=put(webhook, "same", hmac.compare_digest),
    ),
    Mutant(
        "trusts-the-stamp",
        "WH-201",
        "A stamp that is missing, or no number, crashes.",
        gotchas=(4,),
        change=before(
            webhook,
            "_authenticate",
            lambda token, headers, *_: int(headers.get(TIMESTAMP_HEADER)),
        ),
    ),
    Mutant(
        "takes-two-secrets",
        "WH-202",
        "The secret token of another app is good as well.",
        gotchas=(4,),
        change=second_chance(secret="?"),
    ),
    Mutant(
        "forgives-spaces",
        "WH-203",
        "Spaces that were added to a signed body are overlooked.",
        gotchas=(4,),
        change=second_chance(body=bytes.rstrip),
    ),
    Mutant(
        "remembers-signatures",
        "WH-204",
        "A signature that was right once is right for any body.",
        gotchas=(4,),
        change=around(webhook, "same", known_signatures),
    ),
    Mutant(
        "has-no-window",
        "WH-205",
        "The age of a request does not matter.",
        gotchas=(6,),
        settings={"window_s": 10**9},
    ),
    Mutant(
        "has-a-wide-window",
        "WH-205",
        "Requests are good for half an hour.",
        gotchas=(6,),
        settings={"window_s": 1800},
    ),
    Mutant(
        "takes-tomorrow",
        "WH-206",
        "The stamp may be of the past for a while, and of the future for ever.",
        gotchas=(6,),
        change=around(webhook, "_authenticate", never_early),
    ),
    Mutant(
        "has-a-narrow-window",
        "WH-207",
        "Two seconds between the clocks are too many.",
        gotchas=(6,),
        settings={"window_s": 2},
    ),
    Mutant(
        "signs-compact-json",
        "WH-208",
        "The HMAC is over the JSON without its spaces.",
        gotchas=(5,),
        change=written_anew(separators=(",", ":"), ensure_ascii=False),
    ),
    Mutant(
        "signs-escaped-json",
        "WH-208",
        "The HMAC is over the JSON with spaces and escapes as another library has them.",
        gotchas=(5,),
        change=written_anew(),
    ),
    Mutant(
        "signs-sorted-json",
        "WH-208",
        "The HMAC is over the JSON with its keys in order.",
        gotchas=(5,),
        change=signed_over(with_keys_in_order),
    ),
    Mutant(
        "signs-latin-text",
        "WH-208",
        "The body is read as Latin-1 before the HMAC is made: an emoji is too much.",
        gotchas=(5,),
        change=signed_over(lambda body: body.decode("latin-1").encode()),
    ),
    Mutant(
        "signs-plain-slashes",
        "WH-208",
        r"The HMAC is over the body with `\/` written as `/`.",
        gotchas=(5,),
        change=signed_over(lambda body: body.replace(b"\\/", b"/")),
    ),
    Mutant(
        "signs-trimmed-body",
        "WH-208",
        "The HMAC is over the body without the spaces around it.",
        gotchas=(5,),
        change=signed_over(bytes.strip),
    ),
    Mutant(
        "validates-first",
        "WH-209",
        "The body is read before the signature is checked: strangers get 400 for nonsense.",
        gotchas=(8,),
        change=before(
            webhook, "_authenticate", lambda token, headers, body, *_: webhook._parse(body)
        ),
    ),
)
