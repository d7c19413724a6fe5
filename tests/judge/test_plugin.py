"""The same contracts under plain pytest, of which `verify` is one user among others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from misbehaving import OK, Misbehaving, answering

from mockzoom.resources import contracts_path

CONTRACTS = str(contracts_path() / "test_webhook_signature.py")


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("MOCKZOOM_"):
            monkeypatch.delenv(name)


def options(receiver: Misbehaving) -> list[str]:
    return ["--receiver-url", receiver.url, "--secret-token", "token", "-p", "no:cacheprovider"]


def test_a_failure_shows_its_contract(pytester: pytest.Pytester) -> None:
    """Clause, line of shell and loss stand in a section of their own."""
    with Misbehaving(answering(OK)) as receiver:
        found = pytester.runpytest_inprocess(CONTRACTS, *options(receiver), "-k", "another_secret")
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(
        [
            "*Broken: expected a refusal: a status from 400 to 499, found status 200: {}",
            "*- contract WH-202 -*",
            "clause: A signature that was made with another app's secret is refused. (must; *",
            "sent: now=*curl*",
            "why it matters: Every other Zoom app can send events in Zoom's name.",
        ]
    )


def test_it_runs_on_several_processes(pytester: pytest.Pytester) -> None:
    """pytest-xdist carries options and verdicts."""
    with Misbehaving(answering(OK)) as receiver:
        found = pytester.runpytest_subprocess(
            CONTRACTS, *options(receiver), "-n", "2", "-k", "raw_bytes or another_secret"
        )
    found.assert_outcomes(passed=10, failed=1)
    found.stdout.fnmatch_lines(["*- contract WH-202 -*"])


SEEDS = """
    def test_it(assignment):
        with open("seeds", "a") as file:
            file.write(f"{assignment.seed} ")

    test_again = test_it
"""


def test_a_seed_is_made_up_and_told(pytester: pytest.Pytester) -> None:
    """Every process of a run has the same, and every run another."""
    pytester.makepyfile(SEEDS)
    some = ("--receiver-url", "http://127.0.0.1:9/", "--secret-token", "token")
    told = []
    for _ in range(2):
        found = pytester.runpytest_subprocess(*some, "-n", "2", "-p", "no:cacheprovider")
        found.assert_outcomes(passed=2)
        told += [line.rpartition(" ")[2] for line in found.outlines if "with seed" in line]
    first, second = told
    assert first != second
    seeds = (pytester.path / "seeds").read_text(encoding="utf-8").split()
    assert sorted(seeds) == sorted([first] * 2 + [second] * 2)


def test_the_environment_does_as_well(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every option has its variable."""
    with Misbehaving(answering(OK)) as receiver:
        monkeypatch.setenv("MOCKZOOM_RECEIVER_URL", receiver.url)
        monkeypatch.setenv("MOCKZOOM_SECRET_TOKEN", "token")
        monkeypatch.setenv("MOCKZOOM_WITHOUT", "timestamp-window")
        found = pytester.runpytest_inprocess(CONTRACTS, "-k", "stamps or raw_bytes", "-rs")
    found.assert_outcomes(passed=10, skipped=6)
    found.stdout.fnmatch_lines(["*declared not to be done: timestamp-window"])


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "no receiver to judge: give --receiver-url or MOCKZOOM_RECEIVER_URL"),
        (["--receiver-url", "http://127.0.0.1:9/"], "no --secret-token or MOCKZOOM_SECRET_TOKEN"),
    ],
)
def test_without_a_receiver_nothing_is_judged(
    pytester: pytest.Pytester, given: list[str], reason: str
) -> None:
    """Every contract is skipped, and the reason says what is missing."""
    found = pytester.runpytest_inprocess(CONTRACTS, *given, "-k", "another_secret", "-rs")
    found.assert_outcomes(skipped=1)
    found.stdout.fnmatch_lines([f"*{reason}*"])


def test_short_options_are_nobodys_until_a_receiver_is_named(pytester: pytest.Pytester) -> None:
    """A project of which another plugin or conftest has `--seed` is not disturbed."""
    pytester.makeconftest(
        """
        def pytest_addoption(parser):
            parser.addoption("--seed")
            parser.addoption("--product")
        """
    )
    pytester.makepyfile("def test_it(pytestconfig): assert pytestconfig.getoption('seed') == '7'")
    pytester.runpytest_inprocess("--seed", "7").assert_outcomes(passed=1)


def test_it_costs_nothing_until_it_is_used() -> None:
    """Every run of pytest loads the plugin, so it loads nothing but pytest."""
    script = "import sys, mockzoom.judge.plugin; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    heavy = {"aiohttp", "flask", "hypothesis", "jsonschema_rs", "schemathesis", "yaml"}
    assert not heavy & set(done.stdout.split())
