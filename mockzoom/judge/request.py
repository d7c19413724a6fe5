"""One request to a receiver as data: the bytes, and how they are signed.

A contract asks for one that is signed rightly, or wrongly in one way: `Signing` says which, as
values.  So the same request can be made twice: once as headers for the wire, and once as a line of
shell that a person can paste.  That line signs anew, because a stamp is stale after five minutes,
and takes the secret from a variable, because reports are read by many.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.judge.repeatable import about_now

__all__ = ["GENUINE", "Request", "Signing"]

#: The variable that `mockzoom env` and Zoom's samples keep the webhook secret in.
SECRET_VARIABLE = "ZOOM_SECRET_TOKEN"  # noqa: S105 - the name of a variable

#: A longer body is not written into a line that is to be pasted.
_MAX_PASTED_BYTES = 8 * 1024

#: Where an event says when it happened, in milliseconds; as JSON it is between single quotes.
_EVENT_TS = re.compile(r'("event_ts": ?)(\d{13})\b')

JSON_UTF8 = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Signing:
    """How a request is signed: rightly, but for what is given here.

    The stamp is now, or `at_s` (Unix s) for a signature that is to be sent again in another second,
    plus `offset_s`.  `stamp` and `signature` are the headers as they are sent, None for none:
    ``{now}`` in them is that stamp, ``{hex}`` the HMAC of it and of `signed`, or of the body if
    that is None; ``{hex:.63}`` is its first 63 digits.  `other_secret` signs with a key that is not
    the app's.
    """

    offset_s: int = 0
    stamp: str | None = "{now}"
    signature: str | None = "v0={hex}"
    signed: bytes | None = None
    other_secret: bool = False
    at_s: int | None = field(default=None, compare=False)

    def headers(self, secret_token: str, body: bytes, now_s: int) -> dict[str, str]:
        """The two headers, or those of them that there are."""
        stamp = str((now_s if self.at_s is None else self.at_s) + self.offset_s)
        key = secret_token + "?" if self.other_secret else secret_token
        over = body if self.signed is None else self.signed
        digits = webhook_signature(key, stamp, over).removeprefix("v0=")
        sent = {TIMESTAMP_HEADER: self.stamp, SIGNATURE_HEADER: self.signature}
        return {
            name: text.format(now=stamp, hex=digits)
            for name, text in sent.items()
            if text is not None
        }

    def __str__(self) -> str:
        """In a few words, what is not as it should be."""
        told = {
            f"stamped {self.offset_s:+} s": self.offset_s,
            "by another secret": self.other_secret,
        }
        words = [text for text, applies in told.items() if applies]
        if self.signed is not None:
            words.append("with the signature of another body")
        words += self._told(TIMESTAMP_HEADER, self.stamp, "{now}")
        words += self._told(SIGNATURE_HEADER, self.signature, "v0={hex}")
        return ", ".join(words) or "signed rightly"

    @staticmethod
    def _told(header: str, sent: str | None, usual: str) -> list[str]:
        if sent == usual:
            return []
        return [f"no {header}" if sent is None else f"{header}: {sent:.40}"]


GENUINE = Signing()


@dataclass(frozen=True)
class Request:
    """What is posted, and how it is signed.  `headers` are beside and above the usual ones."""

    body: bytes
    signing: Signing = GENUINE
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)

    def all_headers(self, secret_token: str, now_s: int) -> dict[str, str]:
        """Every header that is sent, lower-case."""
        return {
            "content-type": JSON_UTF8,
            "user-agent": "Zoom Marketplace/1.0a",
            **self.signing.headers(secret_token, self.body, now_s),
            **self.headers,
        }

    def curl(self, url: str) -> str:
        """Shell commands, in one line, that send this again, as if it happened then.

        Stamp, `event_ts` and signature are new.  They want `openssl`, `curl` and the secret in
        ``$ZOOM_SECRET_TOKEN``.  Of a body that is too long to paste only its length is told.
        """
        if max(len(self.body), len(self.signing.signed or b"")) > _MAX_PASTED_BYTES:
            return f"# {len(self.body):,} bytes, too long to paste: run the contract again"
        lines = [f"now=$(( $(date +%s) + {self.signing.offset_s} ))", *self._signed()]
        headers = {"content-type": JSON_UTF8, **self._shell_headers(), **self.headers}
        sent = " ".join(f"-H {_quoted(name, value)}" for name, value in headers.items())
        method = "" if self.method == "POST" else f"-X {self.method} "
        lines.append(
            f"{_printed(self.body)} | curl -sS -i --max-time 3 {method}{shlex.quote(url)} {sent} "
            "--data-binary @-"
        )
        return "; ".join(lines)

    def _signed(self) -> list[str]:
        """The line that puts the HMAC in ``$hex``, if that is needed."""
        if "{hex" not in (self.signing.signature or ""):
            return []
        over = self.body if self.signing.signed is None else self.signing.signed
        key = f"${SECRET_VARIABLE}" + ("?" if self.signing.other_secret else "")
        message = f'{{ printf "v0:$now:"; {_printed(over)}; }}'
        return [f'hex=$({message} | openssl dgst -sha256 -hmac "{key}" | sed "s/.* //")']

    def _shell_headers(self) -> dict[str, str]:
        sent = {TIMESTAMP_HEADER: self.signing.stamp, SIGNATURE_HEADER: self.signing.signature}
        return {name: text for name, text in sent.items() if text is not None}


def _quoted(name: str, value: str) -> str:
    """A header as an argument of curl, which sends an empty one only when it ends in `;`."""
    if not value:
        return f"'{name};'"
    if "{" not in value:
        return shlex.quote(f"{name}: {value}")
    filled = value.replace("{now}", "$now").replace("{hex}", "${hex}")
    filled = filled.replace("{hex:.63}", "$(printf %.63s $hex)")
    return f'"{name}: {filled}"'


def _printed(body: bytes) -> str:
    """A command that prints exactly these bytes, but for an `event_ts` of now."""
    return _EVENT_TS.sub(_as_of_then, _quoted_bytes(body))


def _as_of_then(found: re.Match[str]) -> str:
    return f"""{found[1]}'"${{now}}000"'""" if about_now(found[2]) else found[0]


def _quoted_bytes(body: bytes) -> str:
    """A command that prints exactly these bytes."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if text.isprintable():
        return f"printf %s {shlex.quote(text)}"
    octal = "".join(chr(b) if 32 <= b < 127 and b not in b"\\%'" else f"\\{b:03o}" for b in body)
    return f"printf '{octal}'"
