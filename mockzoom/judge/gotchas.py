"""What goes wrong in real receivers, by number: each row is covered by a contract or more.

The numbers are in the contracts (`gotchas=`), and docs/gotchas.md puts the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["GOTCHAS"]

GOTCHAS: Mapping[int, str] = {
    1: "The answer takes more than 3 s; the event comes again, and a second connection is opened.",
    2: "The same start twice gives two sets of sockets, of which the first is forgotten.",
    3: "A start with new URLs for a running stream is a failover, and is taken for a repeat.",
    4: "Webhooks are accepted without a signature, or with any.",
    5: "The HMAC is computed over JSON that was written anew: other spaces, order or escapes.",
    6: "The stamp is not looked at, or only for being too old.",
    7: "The URL validation encrypts any text for anybody, and so signs webhooks for strangers.",
    8: "The body is validated before the signature, and strangers are taught its schema.",
    9: "Whatever host a start names is dialled.",
    10: "Fields are looked for under `payload.object`, where they never are.",
    11: "The handshake is signed with the id of another product.",
    12: "A list of URLs with commas is dialled as one, or one URL is taken apart.",
    13: "Only the media key `all` is known, or only the single ones.",
    14: "A binary frame is not read.",
    15: "Keep-alives are answered on one socket only, without their timestamp, or too late.",
    16: "The ready message goes to the media socket, or is never sent.",
    17: "After a refused media handshake nothing ever happens again.",
    18: "A refusal as a duplicate right after a loss is taken for final.",
    19: "Lost connections are dialled again at once, without end.",
    20: "The signaling socket is lost and stays so; or the interruption, without a URL, crashes.",
    21: "A media socket is lost while signaling lives, and stays so.",
    22: "The stop is answered with an error, or leaves sockets open.",
    23: "What was asked for is taken for what was granted (what is stored is not seen).",
    24: "Numbers of one enum are read as those of another.",
    25: "Events are subscribed that may not be, or with the wrong message.",
    26: "Stop reasons are treated alike: one asks for deletion (not seen), some announce a return.",
    27: "An event, field or message that is new, or a person without a name, crashes.",
    28: "Two streams at once are mixed up (what goes into whose recording is not seen).",
    29: "A minute of buffered audio comes in one burst, and overflows.",
    30: "Repeats are told by a delivery header, which nobody signed, in place of the body.",
}
