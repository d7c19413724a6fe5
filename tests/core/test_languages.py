"""Languages of transcripts by name, and what lines are told to be in."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import MediaType, TranscriptLanguage
from mockzoom.core.languages import language_of, told_language
from mockzoom.core.media_params import grant
from mockzoom.errors import UsageError

L = TranscriptLanguage


@pytest.mark.parametrize(
    ("value", "language"),
    [
        (None, None),
        ("german", L.GERMAN),
        ("French (Canada)", L.FRENCH_CANADA),
        ("chinese-simplified", L.CHINESE_SIMPLIFIED),
        (0, L.ARABIC),
        (-1, L.NONE),
        *((language.name, language) for language in L),
    ],
)
def test_languages_have_names_and_numbers(
    value: str | int | None, language: TranscriptLanguage | None
) -> None:
    """Those of the protocol, however they are written."""
    assert language_of(value) is language


@pytest.mark.parametrize("value", ["klingon", "", 37, -2, True])
def test_no_other_language_is_known(value: str | int) -> None:
    """It is named, and nothing is guessed."""
    with pytest.raises(UsageError, match="language: expected a name or number"):
        language_of(value)


@pytest.mark.parametrize(
    ("spoken", "asked", "told"),
    [
        (None, {}, L.ENGLISH),
        (None, {"src_language": L.JAPANESE}, L.JAPANESE),
        (L.GERMAN, {"src_language": L.JAPANESE}, L.GERMAN),
        (L.GERMAN, {"src_language": L.JAPANESE, "enable_lid": False}, L.JAPANESE),
    ],
)
def test_a_switch_is_told_unless_identification_is_off(
    spoken: TranscriptLanguage | None, asked: dict[str, int], told: TranscriptLanguage
) -> None:
    """What is spoken, or what was asked for where that is not known."""
    params = grant((MediaType.TRANSCRIPT,), {"transcript": asked})["transcript"]
    assert told_language(spoken, params) == told
