"""The languages of transcripts, by name or number, and which one a line is told to be in."""

from __future__ import annotations

import re

from mockzoom.core.codes import TranscriptLanguage
from mockzoom.core.messages import Message
from mockzoom.errors import UsageError, nearest

__all__ = ["language_of", "told_language"]


def language_of(value: str | int | None) -> TranscriptLanguage | None:
    """The language called `value`: ``"german"``, ``"French (Canada)"`` or 14; None is none given.

    Raises `UsageError` for one that the protocol does not have.
    """
    if value is None:
        return None
    known = TranscriptLanguage.__members__
    if isinstance(value, str):
        name = "_".join(re.findall(r"[A-Z]+", value.upper()))
        if name in known:
            return known[name]
    elif not isinstance(value, bool) and value in tuple(TranscriptLanguage):
        return TranscriptLanguage(value)
    hint = nearest(str(value).upper(), known)
    raise UsageError(f"language: expected a name or number of the protocol, found {value!r}{hint}")


def told_language(spoken: TranscriptLanguage | None, params: Message) -> int:
    """What a transcript with the granted `params` says that a line is in.

    With `enable_lid` (language identification) that is what is spoken.  Without it, and where
    nothing is known of what is spoken, it is the language that was asked for.
    """
    asked: int = params["src_language"]
    return asked if spoken is None or not params["enable_lid"] else spoken
