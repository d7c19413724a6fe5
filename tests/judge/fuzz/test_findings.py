"""What an attack has come to, without any attack."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from mockzoom.errors import ContractBroken, NothingTested, ReceiverUnreachable
from mockzoom.judge.answer import Answer, Trouble
from mockzoom.judge.fuzz.findings import (
    GONE,
    SEQUENCES,
    Failure,
    FuzzReport,
    Harm,
    Row,
    Taken,
    taken,
)

URL = "http://127.0.0.1:3000/webhook"


@pytest.mark.parametrize(
    ("answer", "valid", "expected"),
    [
        (Answer(200), True, Taken.VALID_ACCEPTED),
        (Answer(204), False, Taken.INVALID_ACCEPTED),
        (Answer(400), True, Taken.VALID_REFUSED),
        (Answer(302), True, Taken.VALID_REFUSED),
        (Answer(422), False, Taken.INVALID_REFUSED),
        (Answer(500), False, Taken.CRASHED),
        (Answer(None, trouble=Trouble.HUNG), True, Taken.CRASHED),
        (Answer(200, trouble=Trouble.ENDLESS), False, Taken.CRASHED),
    ],
)
def test_answers_are_told_apart(answer: Answer, valid: bool, expected: Taken) -> None:
    """A crash is no refusal, and what is accepted though invalid is neither."""
    assert taken(answer, valid=valid) is expected


def failure(what: str = SEQUENCES, harm: Harm = Harm.CRASHED) -> Failure:
    return Failure(what, harm, "an answer", "none", b"x\xff")


def row(*failures: Failure, tried: int = 1) -> Row:
    return Row("a", Counter({Taken.SURVIVED: tried}), list(failures))


@pytest.mark.parametrize(
    ("rows", "ended", "expected"),
    [
        ((row(),), "", type(None)),
        ((row(),), "interrupted", type(None)),
        ((row(failure()),), GONE, ContractBroken),
        ((row(tried=0),), "interrupted", NothingTested),
        ((row(),), GONE, ReceiverUnreachable),
    ],
)
def test_how_it_ends(rows: tuple[Row, ...], ended: str, expected: type) -> None:
    """Broken is broken, however the attack ended; one that tried nothing has not passed."""
    assert type(FuzzReport(URL, 0, rows, ended).problem()) is expected


def test_files_have_names_of_their_own() -> None:
    """Two failures of a kind are two files; a body may hold anything."""
    report = FuzzReport(URL, 7, (row(failure(), failure(), failure("a.b", Harm.REFUSED)),))
    assert list(report.files) == [
        "sequences-crashed.yaml",
        "sequences-crashed-2.yaml",
        "a.b-refused.body",
    ]
    told = json.loads(json.dumps(report.as_dict()))
    assert told["failures"][0]["sample"] == "x\\xff"
    assert (told["seed"], told["exit_code"], told["rows"][0]["tried"]) == (7, 1, 1)
