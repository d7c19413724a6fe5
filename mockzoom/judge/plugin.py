"""What contracts need of pytest: options, fixtures, and a record of what became of each case.

    pytest contracts --receiver-url http://127.0.0.1:3000/webhook --secret-token …

Each option can come from the environment (`MOCKZOOM_RECEIVER_URL`, `MOCKZOOM_SECRET_TOKEN`, …).
Without a URL there is nothing to judge, and every contract is skipped.

This module is loaded by every run of pytest in an environment where mockzoom is installed, so it
loads nothing heavy until a fixture is used, and takes names such as ``--seed`` only in runs that
name a receiver: they may be somebody else's in all others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mockzoom.judge.assignment import Assignment
    from mockzoom.judge.contract import Contract
    from mockzoom.judge.events import Examples
    from mockzoom.judge.evidence import Evidence
    from mockzoom.judge.receiver_under_test import ReceiverUnderTest
    from mockzoom.judge.stage import Stage, Theatre

__all__ = ["VERDICT", "case_of", "contract_of", "key_of", "promise_of"]

_URL = "--receiver-url"

OPTIONS: Mapping[str, str] = {
    "--client-id": "the app's client id",
    "--client-secret": "the app's client secret, for the RTMS handshakes",
    "--secret-token": "the app's webhook secret token",
    "--product": "the products that the app is for, with commas between them; all if not given",
    "--without": "what the app does not do, with commas between; see docs/verify.md",
    "--timings": "the pace of RTMS: fast, zoom, or a factor",
    "--seed": "repeats a run; an app that was judged with it has to be started anew before",
}

#: The attribute of a report that holds what became of a contract, as JSON: pytest-xdist takes
#: plain text to the other process, and not everything else.
VERDICT = "mockzoom_verdict"

_WIRE = pytest.StashKey[list[str]]()

#: Begins the reason of a skip that the receiver's own declaration caused.
DECLARED = "declared not to be done: "


def pytest_addoption(parser: pytest.Parser) -> None:
    help_ = "where the app to judge takes webhooks, such as http://127.0.0.1:3000/webhook"
    parser.getgroup("mockzoom").addoption(_URL, dest=_dest(_URL), metavar="URL", help=help_)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    named = any(arg.partition("=")[0] == _URL for arg in args)
    if not named and _variable(_URL) not in os.environ:
        return
    group = parser.getgroup("mockzoom")
    for option, text in OPTIONS.items():
        group.addoption(option, dest=_dest(option), help=text)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "contract(row): one promise of a receiver (mockzoom)")
    config.addinivalue_line("markers", "needs(*capabilities): what a case asks beside its contract")
    if _value(config, _URL) and not _value(config, "--seed"):
        setattr(
            config.option, _dest("--seed"), _of_worker(config, "mockzoom_seed") or _made_up_seed()
        )


def _made_up_seed() -> str:
    from mockzoom.judge.assignment import new_seed

    return str(new_seed())


def _of_worker(config: pytest.Config, name: str) -> str:
    """What pytest-xdist, or `pytest_configure_node`, has given to this process; "" if nothing."""
    return str(getattr(config, "workerinput", {}).get(name, ""))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A process of pytest-xdist has the seed that was told, also when it was made up."""
    node.workerinput["mockzoom_seed"] = _value(node.config, "--seed")


def pytest_report_header(config: pytest.Config) -> list[str]:
    url, seed = _value(config, _URL), _value(config, "--seed")
    return [f"mockzoom: judging {url} with seed {seed}"] if url else []


def _dest(option: str) -> str:
    return "mockzoom_" + option.removeprefix("--").replace("-", "_")


def _variable(option: str) -> str:
    return "MOCKZOOM_" + option.removeprefix("--").replace("-", "_").upper()


def _value(config: pytest.Config, option: str) -> str:
    return config.getoption(_dest(option), None) or os.environ.get(_variable(option), "")


# --- fixtures -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def assignment(pytestconfig: pytest.Config) -> Assignment:
    """What is judged and on which terms: URL, credentials, products, timings, seed."""
    from mockzoom.core.signing import Credentials
    from mockzoom.judge.assignment import Assignment

    given = {option: _value(pytestconfig, option) for option in (_URL, *OPTIONS)}
    if not given[_URL]:
        pytest.skip(f"no receiver to judge: give {_URL} or {_variable(_URL)}")
    if not given["--secret-token"]:
        pytest.skip("no --secret-token or MOCKZOOM_SECRET_TOKEN: nothing can be signed")
    secrets = (given["--client-id"], given["--client-secret"], given["--secret-token"])
    return Assignment(
        given[_URL],
        Credentials(*secrets),
        products=_words(given["--product"]),
        without=frozenset(_words(given["--without"])),
        timings=given["--timings"] or "fast",
        seed=int(given["--seed"]),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


@pytest.fixture(scope="session")
def _receiver(assignment: Assignment) -> Iterator[ReceiverUnderTest]:
    from mockzoom.judge.receiver_under_test import ReceiverUnderTest

    with ReceiverUnderTest(assignment.url, assignment.credentials) as receiver:
        yield receiver


@pytest.fixture
def receiver(
    request: pytest.FixtureRequest, assignment: Assignment, _receiver: ReceiverUnderTest
) -> Iterator[ReceiverUnderTest]:
    """The receiver that is judged; what is exchanged with it in a test is told if it fails."""
    undone = assignment.undone(_needed(request.node))
    if undone:
        pytest.skip(DECLARED + ", ".join(undone))
    if _receiver.gave_up:
        pytest.skip("the receiver does not answer any more")
    request.node.stash[_WIRE] = _receiver.wire
    with _receiver.one_test():
        yield _receiver


@pytest.fixture(scope="session")
def _theatre(
    pytestconfig: pytest.Config, assignment: Assignment, _receiver: ReceiverUnderTest
) -> Iterator[Theatre]:
    from mockzoom.judge.stage import Theatre

    with Theatre(assignment, _receiver, _of_worker(pytestconfig, "workerid")) as theatre:
        yield theatre


@pytest.fixture
def opening(
    request: pytest.FixtureRequest, _theatre: Theatre, ordinary: Evidence
) -> Iterator[Stage]:
    """The mock for one contract, with the receiver subscribed and known to connect to RTMS."""
    from mockzoom.judge.stage import Stage

    with Stage(_theatre, key_of(request.node)) as stage:
        yield stage


@pytest.fixture
def stage(_theatre: Theatre, opening: Stage) -> Stage:
    """The same, with a receiver that is known to get as far as media."""
    if _theatre.unfit:
        pytest.skip(_theatre.unfit)
    return opening


@pytest.fixture
def ordinary(_theatre: Theatre, receiver: ReceiverUnderTest) -> Evidence:
    """What was seen of a stream on which nothing went wrong, if the receiver has connected."""
    if not _theatre.ordinary.sockets:
        pytest.skip(_theatre.unfit)
    return _theatre.ordinary


@pytest.fixture
def first_stream(_theatre: Theatre, receiver: ReceiverUnderTest) -> Evidence:
    """What was seen of that stream, whatever it was."""
    return _theatre.ordinary


@pytest.fixture
def example(request: pytest.FixtureRequest, assignment: Assignment) -> Examples:
    """A function that gives the published example of an event, as if it happened now.

    All of one test are about the same stream, which no other test knows.
    """
    from mockzoom.judge.events import Examples

    return Examples(f"{assignment.seed}:{key_of(request.node)}")


@pytest.fixture
def harmless(example: Examples) -> dict[str, Any]:
    """A valid event that starts and ends nothing, with `event_ts` of now."""
    return example("rtms.concurrency_near_limit")


# --- verdicts -------------------------------------------------------------------------------------


def contract_of(item: pytest.Item) -> Contract | None:
    """The contract that a test is; None for any other test."""
    marker = item.get_closest_marker("contract")
    return marker.args[0] if marker else None


def case_of(item: pytest.Item) -> str:
    """Which case of its contract a test is, "" if it is the only one."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.id) if callspec else ""


def key_of(item: pytest.Item) -> str:
    """What no other test is called: ``WH-301[emoji]``, or the path of what is no contract."""
    row, case = contract_of(item), case_of(item)
    if row is None:
        return item.nodeid
    return f"{row.id}[{case}]" if case else row.id


def promise_of(item: pytest.Item) -> str:
    """The first line of the docstring."""
    text = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    return str(text.partition("\n")[0] or item.name)


def _needed(item: pytest.Item) -> frozenset[str]:
    row = contract_of(item)
    cases = [name for marker in item.iter_markers("needs") for name in marker.args]
    return frozenset([*(row.needs if row else ()), *cases])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what became of a contract on its report, where pytest-xdist carries it along."""
    report = yield
    row = contract_of(item)
    if row is None or (report.passed and report.when != "call"):
        return report
    from mockzoom.judge.repeatable import retold
    from mockzoom.judge.verdict import Verdict

    verdict = Verdict(
        row,
        promise_of(item),
        case_of(item),
        wire=_wire(item, call),
        place=_place(item),
        took_s=round(call.duration, 3),
        **_judged(report, call),
    )
    verdict = retold(verdict, _value(item.config, _URL))
    vars(report)[VERDICT] = json.dumps(verdict.as_dict())
    if report.failed:
        lines = [f"{heading}: {text}" for heading, text in verdict.explained()]
        report.sections.append((f"contract {verdict.key}", "\n".join(lines)))
    return report


def _judged(report: pytest.TestReport, call: pytest.CallInfo[None]) -> dict[str, Any]:
    from mockzoom.judge.contract import Broken
    from mockzoom.judge.verdict import Failure, Outcome

    error = call.excinfo.value if call.excinfo else None
    if report.passed:
        return {"outcome": Outcome.PASSED}
    if report.skipped:
        reason = str(getattr(error, "msg", error))
        declared = reason.startswith(DECLARED)
        return {
            "outcome": Outcome.DECLARED if declared else Outcome.NOT_TESTED,
            "reason": reason.removeprefix(DECLARED),
        }
    if isinstance(error, Broken):
        failure = Failure(error.expected, error.found, error.sent)
        return {"outcome": Outcome.FAILED, "failure": failure}
    if report.when == "call" and isinstance(error, (AssertionError, pytest.fail.Exception)):
        return {"outcome": Outcome.FAILED, "failure": Failure("the promise kept", str(error))}
    told = f"{type(error).__name__}: {error} (in {report.when})"
    return {"outcome": Outcome.ERROR, "reason": told}


def _wire(item: pytest.Item, call: pytest.CallInfo[None]) -> tuple[str, ...]:
    """What was exchanged: as the failure tells it, else as the receiver's fixture has noted it."""
    told = getattr(call.excinfo.value, "wire", ()) if call.excinfo else ()
    return tuple(told or item.stash.get(_WIRE, ()))


def _place(item: pytest.Item) -> tuple[str, int]:
    file, line, _ = item.location
    return f"{Path(file).parent.name}/{Path(file).name}", (line or 0) + 1
