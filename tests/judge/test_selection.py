"""Terms that choose contracts."""

from __future__ import annotations

import pytest
from sample_report import FORGERIES, OWN, USELESS

from mockzoom.judge.contract import MUST, Contract
from mockzoom.judge.selection import Selection

PROMISE = "A forged signature is refused."


@pytest.mark.parametrize(
    ("term", "taken"),
    [
        ("WH-201", True),
        ("wh-201", True),
        ("WH-2", True),
        ("WH-", True),
        ("RT-", False),
        ("WH-20", True),
        ("WH-3", False),
        ("WH-201[zeros]", True),
        ("WH-201[ones]", False),
        ("must", True),
        ("should", False),
        ("signature", True),
        ("Forged Signature", True),
        ("anybody can", True),
        ("zero", True),
        ("emoji", False),
    ],
)
def test_a_term(term: str, taken: bool) -> None:
    """Is an id, its beginning, a case, a severity or a word."""
    assert Selection(select=(term,)).takes(FORGERIES, PROMISE, "zeros") is taken
    assert Selection(skip=(term,)).takes(FORGERIES, PROMISE, "zeros") is not taken


def test_any_of_the_selected_and_none_of_the_skipped() -> None:
    """Skip wins."""
    both = Selection(select=("RT-101", "must"), skip=("zeros",))
    assert both.takes(FORGERIES, PROMISE, "ones")
    assert not both.takes(FORGERIES, PROMISE, "zeros")


@pytest.mark.parametrize(("profile", "taken"), [("all", "WRO"), ("webhook", "WO"), ("rtms", "RO")])
def test_a_profile_has_its_own_and_the_teams(profile: str, taken: str) -> None:
    """Contracts of a team belong to every profile."""
    rows = {"W": USELESS, "R": Contract("RT-101", MUST, "", ""), "O": OWN}
    chosen = [name for name, row in rows.items() if Selection(profile).takes(row, "", "")]
    assert "".join(chosen) == taken
