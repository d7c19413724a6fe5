"""Which contracts of a run are wanted: by id, by severity, or by a word that they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from mockzoom.judge.contract import Contract, Severity

__all__ = ["PROFILES", "Profile", "Selection"]

Profile = Literal["webhook", "rtms", "all"]
PROFILES: tuple[Profile, ...] = get_args(Profile)


@dataclass(frozen=True)
class Selection:
    """What is judged: of the `profile`, what any term of `select` meets and none of `skip`.

    A term is an id (``WH-101``), the beginning of one (``WH-1``), one case of one
    (``WH-208[emoji]``), a severity, or a word of the promise, of what is lost, or of the case.
    """

    profile: Profile = "all"
    select: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()

    def takes(self, contract: Contract, promise: str, case: str) -> bool:
        """Whether this case of this contract is to be judged."""
        if contract.profile not in (self.profile, "own") and self.profile != "all":
            return False
        wanted = not self.select or any(_meets(t, contract, promise, case) for t in self.select)
        return wanted and not any(_meets(t, contract, promise, case) for t in self.skip)


def _meets(term: str, contract: Contract, promise: str, case: str) -> bool:
    wanted = term.strip().lower()
    id_ = contract.id.lower()
    if "[" in wanted:
        return wanted == f"{id_}[{case}]".lower()
    if wanted in list(Severity):
        return wanted == contract.severity
    if wanted == id_ or (_is_id(wanted) and id_.startswith(wanted)):
        return True
    return any(wanted in text.lower() for text in (promise, contract.loses, case))


def _is_id(term: str) -> bool:
    """Whether a term is the beginning of an id: letters, a hyphen, digits."""
    letters, hyphen, digits = term.partition("-")
    return bool(letters.isalpha() and hyphen and (not digits or digits.isdigit()))
