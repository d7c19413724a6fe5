"""Only what Zoom has signed, just now, over exactly these bytes, is an event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from mockzoom.judge.answer import ACCEPTED, REFUSED
from mockzoom.judge.contract import MUST, SHOULD, contract
from mockzoom.judge.receiver_under_test import ReceiverUnderTest
from mockzoom.judge.request import Signing

Event = dict[str, Any]

UNSIGNED = Signing(stamp=None, signature=None)

FORGERIES = {
    "no headers": UNSIGNED,
    "no signature": Signing(signature=None),
    "no timestamp": Signing(stamp=None),
    "empty signature": Signing(signature=""),
    "prefix only": Signing(signature="v0="),
    "zeros": Signing(signature="v0=" + "0" * 64),
    "no hex": Signing(signature="v0=" + "z" * 64),
    "truncated": Signing(signature="v0={hex:.63}"),
    "the first digits": Signing(signature="v0={hex:.8}"),
    "extended": Signing(signature="v0={hex}0"),
    "without its prefix": Signing(signature="{hex}"),
    "another version": Signing(signature="v1={hex}"),
    "letters outside ASCII": Signing(signature="v0={hex:.63}é"),
    "another timestamp": Signing(stamp="1700000000"),
    "no number": Signing(stamp="now"),
    "empty timestamp": Signing(stamp=""),
    "a huge number": Signing(stamp="9" * 400),
    "a negative number": Signing(stamp="-1"),
}


@contract(
    "WH-201",
    MUST,
    source="webhooks: x-zm-signature",
    loses="Anybody who knows the URL can start and stop streams in your app.",
    gotchas=[4],
)
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_forgeries_are_refused(
    receiver: ReceiverUnderTest, harmless: Event, forgery: Signing
) -> None:
    """A signature or stamp that is missing, broken or made up is refused with a 4xx."""
    receiver.post(json.dumps(harmless).encode(), forgery).must_be(REFUSED)


@contract(
    "WH-202",
    MUST,
    source="webhooks: the key is the app's webhook secret token",
    loses="Every other Zoom app can send events in Zoom's name.",
    gotchas=[4],
)
def test_another_secret_is_refused(receiver: ReceiverUnderTest, harmless: Event) -> None:
    """A signature that was made with another app's secret is refused."""
    receiver.post(json.dumps(harmless).encode(), Signing(other_secret=True)).must_be(REFUSED)


@contract(
    "WH-203",
    MUST,
    source="webhooks: the signature is over the body",
    loses="Who sits on the line can change an event, such as where your app is to connect to.",
    gotchas=[4],
)
@pytest.mark.parametrize(
    "tamper",
    [
        lambda body: body.replace(b"1700", b"1701"),
        lambda body: body + b" ",
        lambda body: body[:-1] + b',"event":"meeting.rtms_stopped"}',
    ],
    ids=["one digit", "a space at the end", "a second name"],
)
def test_a_tampered_body_is_refused(
    receiver: ReceiverUnderTest, harmless: Event, tamper: Callable[[bytes], bytes]
) -> None:
    """A body that is not to the byte what was signed is refused."""
    body = json.dumps(harmless).encode()
    receiver.post(tamper(body), Signing(signed=body)).must_be(REFUSED)


@contract(
    "WH-204",
    MUST,
    source="webhooks: fresh stamp and signature for each attempt",
    loses="One captured event is enough to send any other.",
    gotchas=[4],
)
def test_a_signature_is_for_one_body(
    receiver: ReceiverUnderTest, harmless: Event, example: Callable[..., Event]
) -> None:
    """The signature of an event that was accepted is refused with another event."""
    body = json.dumps(harmless).encode()
    now_s = int(time.time())
    receiver.post(body, Signing(at_s=now_s)).must_be(ACCEPTED)
    other = json.dumps(example("rtms.concurrency_limited")).encode()
    receiver.post(other, Signing(signed=body, at_s=now_s)).must_be(REFUSED)


@contract(
    "WH-205",
    MUST,
    source="webhooks: x-zm-request-timestamp",
    loses="Who has recorded an event can play it again for ever.",
    needs=["timestamp-window"],
    gotchas=[6],
)
@pytest.mark.parametrize("offset_s", [-600, -3600, -86_400], ids=["10 min", "1 h", "1 day"])
def test_old_stamps_are_refused(
    receiver: ReceiverUnderTest, harmless: Event, offset_s: int
) -> None:
    """A request that is signed rightly and ten minutes old or older is refused."""
    receiver.deliver(harmless, offset_s=offset_s).must_be(REFUSED)


@contract(
    "WH-206",
    MUST,
    source="webhooks: x-zm-request-timestamp",
    loses="A request stamped for tomorrow can be played again until then.",
    needs=["timestamp-window"],
    gotchas=[6],
)
@pytest.mark.parametrize("offset_s", [600, 3600, 86_400], ids=["10 min", "1 h", "1 day"])
def test_future_stamps_are_refused(
    receiver: ReceiverUnderTest, harmless: Event, offset_s: int
) -> None:
    """A request that is signed rightly for ten minutes from now or later is refused."""
    receiver.deliver(harmless, offset_s=offset_s).must_be(REFUSED)


@contract(
    "WH-207",
    SHOULD,
    source="webhooks: clocks differ",
    loses="A clock that is a few seconds off costs every event.",
    gotchas=[6],
)
@pytest.mark.parametrize("offset_s", [-10, 5], ids=["10 s old", "5 s ahead"])
def test_clocks_may_differ_a_little(
    receiver: ReceiverUnderTest, harmless: Event, offset_s: int
) -> None:
    """A stamp that is some seconds off, to either side, is accepted."""
    receiver.deliver(harmless, offset_s=offset_s).must_be(ACCEPTED)


SPELLINGS: dict[str, Callable[[Any], str]] = {
    "compact": lambda event: json.dumps(event, separators=(",", ":")),
    "indented": lambda event: json.dumps(event, indent=4),
    "keys sorted": lambda event: json.dumps(event, sort_keys=True),
    "keys reversed": lambda event: json.dumps(dict(reversed(event.items()))),
    "space around": lambda event: f"\n {json.dumps(event)}\r\n",
    "emoji": lambda event: json.dumps({**event, "note": "Zoë 🎧 שלום"}, ensure_ascii=False),
    "escapes": lambda event: json.dumps({**event, "note": "Zoë 🎧 שלום"}),
    "odd escapes": lambda event: json.dumps({**event, "note": "?"}).replace("?", "\\u0041\\/"),
    "a number as 1.0": lambda event: json.dumps({**event, "note": 1.0}),
    "a long number": lambda event: json.dumps({**event, "note": 2**60 + 1}),
}


@contract(
    "WH-208",
    MUST,
    source="webhooks: the HMAC is over the raw body bytes",
    loses="Events with a name like Zoë's are lost, and whatever else your JSON writer spells anew.",
    gotchas=[5],
)
@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
def test_the_signature_is_over_the_raw_bytes(
    receiver: ReceiverUnderTest, harmless: Event, spell: Callable[[Any], str]
) -> None:
    """However an event is spelt, it is accepted with the signature of exactly these bytes."""
    receiver.deliver(spell(harmless).encode()).must_be(ACCEPTED)


@contract(
    "WH-209",
    MUST,
    source="public tracker: validation before authentication",
    loses="Strangers learn from your answers what your events look like.",
    gotchas=[8],
)
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"event":1}', b'{"event":"meeting.rtms_started"}'],
    ids=lambda body: body.decode() or "empty",
)
def test_authentication_comes_before_validation(
    receiver: ReceiverUnderTest, harmless: Event, body: bytes
) -> None:
    """A stranger gets the same status for nonsense as for an event, and it is a refusal."""
    valid = receiver.post(json.dumps(harmless).encode(), UNSIGNED).must_be(REFUSED)
    nonsense = receiver.post(body, UNSIGNED).must_be(REFUSED)
    if nonsense.status != valid.status:
        raise nonsense.broken(f"status {valid.status}, as for an unsigned event that is valid")
