"""`mockzoom verify` as a command: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mockzoom import Credentials, Receiver
from mockzoom.cli.verify import verify
from mockzoom.resources import spec_path

Cli = Callable[..., Any]

SECRETS = ("--client-id", "an-id", "--client-secret", "a-client-secret")
SECRETS += ("--secret-token", "a-secret-token")
WEBHOOKS = (*SECRETS, "--profile", "webhook")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    credentials = Credentials("an-id", "a-client-secret", "a-secret-token")
    with Receiver(credentials, recordings=tmp_path / "recordings") as running:
        yield running


def test_a_receiver_that_keeps_its_contract(cli: Cli, receiver: Receiver, tmp_path: Path) -> None:
    """Status 0, what was found out, a table, and every report in its file."""
    files = {name: tmp_path / f"report.{name}" for name in ("json", "html", "junit", "sarif")}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    done = cli("verify", receiver.url, *WEBHOOKS, "--select", "WH-10", "--skip", "advice", *options)
    assert done.status == 0, done.out + done.err
    assert re.search(r"^  URL validation +right$", done.out, re.MULTILINE)
    assert re.search(r"^WH-101 +must .* 4/4 +ok", done.out, re.MULTILINE)
    assert "WH-106" not in done.out
    assert all(path.stat().st_size > 500 for path in files.values())
    assert json.loads(files["json"].read_text(encoding="utf-8"))["ok"] is True
    assert "a-secret-token" not in "".join(p.read_text("utf-8") for p in files.values()) + done.out


def test_it_leaves_nothing_behind(
    cli: Cli, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder that it is called in is as it was, with contracts that fuzz, too."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    done = cli("verify", receiver.url, *WEBHOOKS, "--select", "WH-302[meeting.rtms_stopped]")
    assert done.status == 0, done.out + done.err
    assert list(here.iterdir()) == []


def test_a_receiver_that_takes_everything(
    cli: Cli, endpoint: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 1; each failure has its clause, a line of shell, the answer, and how to repeat it."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    url = endpoint(200, b"fine").url
    done = cli("verify", url, *WEBHOOKS, "--select", "WH-201[zeros]", "--select", "WH-309")
    assert done.status == 1
    assert "contracts are broken: WH-201" in done.err
    failure = done.out[done.out.index("WH-201[zeros]  BROKEN") :]
    for heading, text in {
        "clause": "A signature or stamp that is missing",
        "expected": "a refusal: a status from 400 to 499",
        "found": "status 200: fine",
        "sent": "now=",
        "why it matters": "Anybody who knows the URL",
        "again": f"mockzoom verify {url} --select 'WH-201[zeros]'",
        "wire": "> POST",
    }.items():
        assert re.search(rf"^  {heading} +{re.escape(text)}", failure, re.MULTILINE), heading
    assert "\n::error title=mockzoom WH-201[zeros]::" in done.out
    assert "4 passed, 1 failed" in done.out


def test_known_failures(cli: Cli, endpoint: Callable[..., Any], tmp_path: Path) -> None:
    """They are written, then known, and told when they are over."""
    url, file = endpoint(200).url, tmp_path / "known.txt"
    some = (*WEBHOOKS, "--select", "WH-20", "--skip", "WH-207", "--skip", "WH-208")
    assert cli("verify", url, *some, "--baseline", file).status == 2
    done = cli("verify", url, *some, "--baseline", file, "--update-baseline")
    assert done.status == 0
    assert "WH-201[zeros]" in file.read_text(encoding="utf-8")
    done = cli("verify", url, *some, "--baseline", file)
    assert done.status == 0
    assert re.search(r"^WH-202 .* known", done.out, re.MULTILINE)
    file.write_text("WH-309\n", encoding="utf-8")
    done = cli("verify", url, *WEBHOOKS, "--select", "WH-309", "--baseline", file)
    assert "no longer failing: WH-309" in done.out


def test_what_is_not_done_is_declared(cli: Cli, endpoint: Callable[..., Any]) -> None:
    """Products and capabilities that are not there are not judged, and the report says so."""
    url = endpoint(200).url
    declared = ("--product", "webinar", "--without", "url-validation")
    done = cli("verify", url, *WEBHOOKS, *declared, "--select", "WH-10", "--select", "WH-301")
    assert done.status == 0
    assert re.search(r"^WH-101 .* declared", done.out, re.MULTILINE)
    assert re.search(r"^WH-301 .* 5/5 +ok", done.out, re.MULTILINE)


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        ((*WEBHOOKS, "--select", "nothing-at-all"), 3, "no contract is selected"),
        ((*WEBHOOKS, "--select", "WH-101", "--without", "url-validation"), 3, "nothing was tested"),
        ((), 2, "verify needs the receiver's --secret-token"),
        ((*WEBHOOKS, "--without", "vidoe"), 2, "did you mean 'video'"),
        ((*WEBHOOKS, "--product", "webinars"), 2, "did you mean 'webinar'"),
        ((*WEBHOOKS, "--timings", "fats"), 2, "did you mean 'fast'"),
        ((*WEBHOOKS, "--update-baseline"), 2, "--update-baseline needs --baseline FILE"),
        ((*WEBHOOKS, "--contracts", "/nowhere"), 2, "/nowhere: no such folder"),
    ],
)
def test_other_ends(
    cli: Cli,
    endpoint: Callable[..., Any],
    options: tuple[str, ...],
    status: int,
    told: str,
) -> None:
    """Nothing tested is 3, a mistake of usage 2, each in one line."""
    done = cli("verify", endpoint(200).url, *options)
    assert (done.status, done.err.count("\n")) == (status, 1), done.err
    assert told in done.err


def test_nobody_listens(cli: Cli) -> None:
    """Status 4, before anything is judged."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/webhook"
    done = cli("verify", url, *WEBHOOKS)
    assert done.status == 4
    assert "nobody listens; is the receiver running?" in done.err


def test_it_is_no_url(cli: Cli) -> None:
    """Status 2."""
    assert cli("verify", "localhost:3000", *WEBHOOKS).status == 2


def timeless(path: Path) -> str:
    """A report without its times."""
    return re.sub(r'"(took_s|started_at)": [^,\n]+', "", path.read_text(encoding="utf-8"))


def test_two_runs_are_equal(cli: Cli, endpoint: Callable[..., Any], tmp_path: Path) -> None:
    """The same seed and receiver give the same report, times aside."""
    url = endpoint(200, b"fine").url
    some = ("--select", "WH-2", "--select", "WH-302[meeting.rtms_started]", "--seed", "5")
    reports = []
    for number in (1, 2):
        file = tmp_path / f"{number}.json"
        cli("verify", url, *WEBHOOKS, *some, "--json", file)
        reports.append(timeless(file))
    assert reports[0] == reports[1]
    assert "WH-302" in reports[0]


def test_each_run_without_a_seed_is_another(
    cli: Cli, endpoint: Callable[..., Any], tmp_path: Path
) -> None:
    """Its streams have ids that no receiver has seen, and it says how to have the same ones."""
    url, file = endpoint(202).url, tmp_path / "report.json"
    seeds, streams = set(), set()
    for _ in range(2):
        some = ("--select", "WH-301[meeting.rtms_started]", "--json", file)
        done = cli("verify", url, *WEBHOOKS, *some)
        [contract] = json.loads(file.read_text(encoding="utf-8"))["contracts"]
        [seed] = re.findall(rf"^judging {url} with seed (\d+)$", done.out, re.MULTILINE)
        assert contract["cases"][0]["failure"]["rerun"].endswith(f"--seed {seed}")
        seeds.add(seed)
        streams |= set(re.findall(r'"rtms_stream_id": "(\w+)"', contract["cases"][0]["wire"][0]))
    assert len(seeds) == len(streams) == 2


def test_the_schema_of_the_report_is_named_in_the_docs() -> None:
    """Where to look it up."""
    page = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")
    assert spec_path("verify-report.schema.json").name in page
    assert verify.name == "verify"
