"""How long a text takes to speak, and where its parts lie.

Audio and transcript of one utterance must agree on time, and both must be known before a
single sample exists: a scenario asks "when is Alice done?", a transcript line carries its
start and end.  So the timing lives here, without sound: a text becomes syllables with a
place on the time line, the synthesiser colours them, the transcript groups them into lines.

No language is known here.  Each character is put into one of a few classes by what Unicode
says of it, and syllables are found in the string of classes:

- letters of scripts with capitals (Latin, Greek, Cyrillic, ...): a group of vowels with the
  consonants around it;
- wide letters (Han, kana, Hangul), digits and symbols (emoji too): one each;
- other letters (Arabic, Hebrew, Hindi, Thai, ...), which mostly write consonants: two a syllable.

The pace is that of unhurried English: 150 to 160 words a minute, the range that is usually
given for audiobooks and presentations (a test holds it against a paragraph).  That makes a
syllable of two or three letters last 220 to 240 ms, a little longer than the 160 to 190 ms of
fluent reading that Pellegrino, Coupe and Marsico (Language 87(3), 2011) measured for English
and Mandarin.
All times are multiples of 20 ms, the shortest audio frame of the protocol.
"""

# Letters and marks that look like Latin ones are the subject here.
# ruff: noqa: RUF001, RUF002

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import Literal

from mockzoom.core.codes import TranscriptLanguage

__all__ = ["FRAME_MS", "Line", "Onset", "Syllable", "Vowel", "lines", "speaking_ms", "syllables"]

Vowel = Literal["a", "e", "i", "o", "u"]
Onset = Literal["none", "hiss", "burst", "hum"]

FRAME_MS = 20
"""The shortest audio frame of the protocol; every time here is a multiple of it."""

_COLOURS: tuple[Vowel, ...] = ("a", "e", "i", "o", "u")
_VOWEL_LETTERS: dict[Vowel, str] = {
    "a": "aæαая",
    "e": "eœεηеэє",
    "i": "iyıιиыі",
    "o": "oøοωо",
    "u": "uυую",
}
_COLOUR_OF: dict[str, Vowel] = {
    letter: colour for colour, letters in _VOWEL_LETTERS.items() for letter in letters
}
_ONSETS: tuple[Onset, ...] = ("hiss", "burst", "hum")
_ONSET_LETTERS: dict[Onset, str] = {
    "hiss": "sfhzxcvjßþσςφθχζξсзфхшщжчц",
    "burst": "ptkbdgqπτκβδγптбдгк",
    "hum": "mnlrwμνλρмнлрв",
}
_ONSET_OF: dict[str, Onset] = {
    letter: onset for onset, letters in _ONSET_LETTERS.items() for letter in letters
}

# Classes: V vowel, C consonant, S letter of a consonant script, W spoken on its own, D digit,
# "." and "," marks, " " any other gap, "" no sound and no gap.
_SENTENCE_MARKS = ".!?…。！？．｡؟۔।॥\n\r\x0b\x0c\x85\u2028\u2029"
_CLAUSE_MARKS = ",;:—–()،؛、，；：･"
_PAUSE_MS = {".": 500, ",": 240, " ": 40}
_SYLLABLE = re.compile(r"C{0,3}V+(?:C{1,4}(?!V))?|C{1,4}|S{1,2}|[WD]")
_NOT_SPACE = re.compile(r"\S")
_GAP = re.compile(r"[., ]+")
_SILENT_E = re.compile(r"(?<=[VE])(C+)E(?![VECSWD])")
_DECIMAL_MARK = re.compile(r"(?<=D)[.,](?=D)")

# A sentence ends at its marks and the quotes or brackets that close it. Chinese and Japanese put
# no space after theirs.
_SENTENCE_END = re.compile(
    r"(?<![.!?…؟۔।॥])[.!?…؟۔।॥]++[\"'”’»)\]]*+(?=\s)|[。！？．｡]+[\"'”’»」』）)\]]*|[\n\r]+"
)


@dataclass(frozen=True, slots=True)
class Syllable:
    """One beat of speech.

    `start_ms` and `duration_ms` count from the start of the text; `offset` is the index in the
    text of its first letter; `onset` is the kind of consonant before the vowel.
    """

    start_ms: int
    duration_ms: int
    vowel: Vowel
    onset: Onset
    offset: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.duration_ms


@dataclass(frozen=True, slots=True)
class Line:
    """One transcript line: a sentence without the white space around it, and when it is heard.

    `language` is what it is in, where that is known.
    """

    text: str
    start_ms: int
    end_ms: int
    language: TranscriptLanguage | None = None


def speaking_ms(text: str) -> int:
    """Milliseconds to speak `text`: a multiple of 20, 0 for ``""``, else at least 20.

    Pauses stand between words and sentences only; nothing is added after the last one.
    """
    if not text:
        return 0
    beats = syllables(text)
    return beats[-1].end_ms if beats else FRAME_MS


def syllables(text: str) -> tuple[Syllable, ...]:
    """The beats of `text` in order, without overlap; the first starts at 0, gaps are pauses."""
    classes, offsets = _classify(text)
    beats: list[Syllable] = []
    at_ms = position = 0
    while position < len(classes):
        if gap := _GAP.match(classes, position):
            at_ms += max(_PAUSE_MS[mark] for mark in gap[0]) if beats else 0
            position = gap.end()
            continue
        found = _SYLLABLE.match(classes, position)
        assert found, classes  # every class that is no gap is in the pattern
        letters = [_base(text[offset]) for offset in offsets[position : found.end()]]
        beat = _beat(letters, found[0], at_ms, offsets[position])
        beats.append(beat)
        at_ms, position = beat.end_ms, found.end()
    return tuple(beats)


def lines(text: str) -> tuple[Line, ...]:
    """The sentences of `text` as transcript lines that together last from 0 to its end.

    Each ends where the next begins. Joined they give the text back, except for the white space
    between them. No text but white space gives no line.
    """
    if not text.strip():
        return ()
    beats = syllables(text)
    cuts = list(_cuts(text, [beat.offset for beat in beats]))
    first_beats = [bisect_left(beats, cut, key=attrgetter("offset")) for cut in cuts]
    starts_ms = [0, *(beats[first].start_ms for first in first_beats[1:])]
    ends_ms = [*starts_ms[1:], speaking_ms(text)]
    stops = [*cuts[1:], len(text)]
    return tuple(
        Line(text[cut:stop].strip(), start_ms, end_ms)
        for cut, stop, start_ms, end_ms in zip(cuts, stops, starts_ms, ends_ms, strict=True)
    )


def _cuts(text: str, offsets: list[int]) -> Iterator[int]:
    """Where lines begin: after each sentence end that has something to hear on both sides."""
    yield 0
    heard = 0
    for end in _SENTENCE_END.finditer(text):
        spoken = bisect_left(offsets, end.end())
        if heard < spoken < len(offsets) and not _goes_on(text, end):
            heard = spoken
            yield end.end()


def _goes_on(text: str, end: re.Match[str]) -> bool:
    """Whether the sentence goes on behind its full stops: ``e.g. this``, ``well... maybe``."""
    following = _NOT_SPACE.search(text, end.end())
    return not end[0].strip(".…") and following is not None and following[0].islower()


def _beat(letters: list[str], pattern: str, at_ms: int, offset: int) -> Syllable:
    """A syllable of these letters; its colours come from them, by table or by code point."""
    nucleus = pattern.find("V")
    centre = letters[max(nucleus, 0)]
    vowel = _COLOUR_OF.get(centre) or _COLOURS[ord(centre) % len(_COLOURS)]
    first = letters[0]
    onset = _ONSET_OF.get(first) or _ONSETS[ord(first) % len(_ONSETS)]
    # A lone sign (a digit, a Han character) stands for a whole syllable of two or three letters.
    weight = 3 if pattern in {"W", "D"} else min(len(letters), 5)
    return Syllable(
        at_ms, 180 + weight * FRAME_MS, vowel, "none" if nucleus == 0 else onset, offset
    )


def _classify(text: str) -> tuple[str, list[int]]:
    """The classes of the characters that matter, as a string, and the index of each in `text`."""
    kinds = [_kind(character) for character in text]
    offsets = [index for index, kind in enumerate(kinds) if kind]
    classes = "".join(kinds)
    classes = _SILENT_E.sub(r"\1C", classes).replace("E", "V")
    return _DECIMAL_MARK.sub("D", classes), offsets


@lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    """The class of one character (see above); ``"E"`` is a vowel that may fall silent."""
    if character in _SENTENCE_MARKS:
        return "."
    if character in _CLAUSE_MARKS:
        return ","
    category = unicodedata.category(character)
    if category[0] == "M" or category in {"Cf", "Sk"} or character in "'’":
        return ""
    if category[0] == "L":
        return _letter_kind(character)
    if category[0] in "NS":
        return "D" if category == "Nd" else "W"
    return "W" if character in "&@%#" else " "


def _letter_kind(character: str) -> str:
    base = _base(character)
    if base in _COLOUR_OF:
        return "E" if character in "eE" else "V"
    if unicodedata.east_asian_width(character) in "WF":
        return "W"
    return "C" if character.lower() != character.upper() else "S"


@lru_cache(maxsize=4096)
def _base(character: str) -> str:
    """The lower-case letter without accents or width: ``É`` and ``Ｅ`` are both ``e``."""
    return unicodedata.normalize("NFKD", character)[0].lower()[0]
