"""Contracts run in a process of their own, a team's beside ours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from misbehaving import OK, Misbehaving, answering, hanging

from mockzoom.core.signing import Credentials
from mockzoom.errors import MockzoomError, UsageError
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.run import Begun, Planned, Step, verify
from mockzoom.judge.selection import Selection
from mockzoom.judge.verdict import Outcome, Verdict

OURS = """\
import time
import pytest
from mockzoom.judge.answer import ACCEPTED, REFUSED
from mockzoom.judge.contract import Broken, MUST, contract, needs

def own(number, **more):
    return contract(f"ACME-{number:03}", MUST, source="house rules", loses="Trust.", **more)
"""


@pytest.fixture
def receiver() -> Iterator[Misbehaving]:
    with Misbehaving(answering(OK)) as server:
        yield server


def steps(receiver: Misbehaving, folder: Path, text: str, **more: object) -> list[Step]:
    (folder / "test_own.py").write_text(OURS + textwrap.dedent(text), encoding="utf-8")
    assignment = Assignment(
        receiver.url, Credentials("id", "secret", "token"), without=frozenset({"chat"})
    )
    selection = Selection(select=("ACME-",))
    return list(verify(assignment, selection, contracts=folder, **more))


def verdicts(found: list[Step]) -> dict[str, Verdict]:
    return {step.key: step for step in found if isinstance(step, Verdict)}


def test_a_teams_contracts_are_judged_like_ours(receiver: Misbehaving, tmp_path: Path) -> None:
    """With the same fixtures; every outcome is told, and in an order that follows the ids."""
    found = steps(
        receiver,
        tmp_path,
        """
        @own(5)
        def test_taken(receiver, harmless):
            '''It is taken.'''
            receiver.deliver(harmless).must_be(ACCEPTED)

        @own(2)
        @pytest.mark.parametrize("a", [1, pytest.param(2, marks=needs("chat"))])
        def test_refused(receiver, a):
            '''It is refused.'''
            receiver.deliver(b"x").must_be(REFUSED)

        @own(3)
        def test_plain(receiver):
            assert 1 + 1 == 3, "arithmetics"

        @own(4)
        def test_mistaken(receiver):
            {}["x"]

        @own(1)
        def test_not_yet(receiver):
            pytest.skip("not yet")
        """,
    )
    assert found[0] == Planned(6)
    assert [step.key for step in found if isinstance(step, Begun)] == list(verdicts(found))
    told = verdicts(found)
    assert {key: verdict.outcome for key, verdict in told.items()} == {
        "ACME-001": Outcome.NOT_TESTED,
        "ACME-002[1]": Outcome.FAILED,
        "ACME-002[2]": Outcome.DECLARED,
        "ACME-003": Outcome.FAILED,
        "ACME-004": Outcome.ERROR,
        "ACME-005": Outcome.PASSED,
    }
    assert told["ACME-005"].promise == "It is taken."
    assert told["ACME-005"].wire[1] == "< status 200: {}"
    assert told["ACME-002[1]"].failure.found == "status 200: {}"
    assert told["ACME-002[2]"].reason == "chat"
    assert "arithmetics" in told["ACME-003"].failure.found
    assert told["ACME-004"].reason == "KeyError: 'x' (in call)"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def test_nothing(): pass", "test_nothing is no contract: give it an id"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        (
            "@own(1)\ndef test_a(receiver): pass\n@own(1)\ndef test_b(receiver): pass",
            "ACME-001 is the id of",
        ),
        ("contract('a', MUST, source='', loses='')", "contract 'a': expected an id such as WH-101"),
    ],
)
def test_what_cannot_be_judged_by_is_told(
    receiver: Misbehaving, tmp_path: Path, text: str, told: str
) -> None:
    """By name, before anything is judged."""
    with pytest.raises(UsageError, match=told):
        steps(receiver, tmp_path, text)


def test_nothing_of_the_user_disturbs(
    receiver: Misbehaving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings nor a conftest around the folder, nor PYTEST_ADDOPTS; and it may print."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    for name, text in {
        "conftest.py": "raise SystemError('somebody else')",
        "pytest.ini": "[pytest]\naddopts = --no-such-option",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no.such.plugin")
    text = """
        import os, warnings

        @own(1)
        def test_loud(receiver):
            print("{}")
            os.write(1, b"noise")
            warnings.warn("loud")
        """
    [verdict] = verdicts(steps(receiver, folder, text)).values()
    assert verdict.outcome is Outcome.PASSED


def test_a_conftest_of_the_team_is_used(receiver: Misbehaving, tmp_path: Path) -> None:
    """Their contracts may have fixtures of their own."""
    text = "import pytest\n\n@pytest.fixture\ndef answer():\n    return 42\n"
    (tmp_path / "conftest.py").write_text(text, encoding="utf-8")
    found = steps(receiver, tmp_path, "@own(1)\ndef test_a(receiver, answer): assert answer == 42")
    assert [verdict.outcome for verdict in verdicts(found).values()] == [Outcome.PASSED]


def test_a_contract_that_kills_the_process(receiver: Misbehaving, tmp_path: Path) -> None:
    """The judge lives, and says that the run broke off."""
    with pytest.raises(MockzoomError, match="broke off: its process has ended"):
        steps(receiver, tmp_path, "import os\n@own(1)\ndef test_a(receiver): os._exit(3)")


def test_a_contract_that_never_ends(receiver: Misbehaving, tmp_path: Path) -> None:
    """Is not waited for."""
    text = "import threading\n@own(1)\ndef test_a(receiver): threading.Event().wait()"
    with pytest.raises(MockzoomError, match="nothing happened for 5 s"):
        steps(receiver, tmp_path, text, silence_s=5)


def test_a_receiver_that_hangs_costs_little(tmp_path: Path) -> None:
    """After three contracts without an answer the rest is not tried, and told as not tested."""
    text = """
        @own(1)
        @pytest.mark.parametrize("number", range(20))
        def test_taken(receiver, harmless, number):
            receiver.deliver(harmless).must_be(ACCEPTED)
        """
    with Misbehaving(hanging) as receiver:
        found = list(verdicts(steps(receiver, tmp_path, text)).values())
    assert [verdict.outcome for verdict in found[:3]] == [Outcome.FAILED] * 3
    assert {verdict.outcome for verdict in found[3:]} == {Outcome.NOT_TESTED}
    assert found[0].failure.found == "no answer in time (within 3 s)"
    assert found[3].reason == "the receiver does not answer any more"
