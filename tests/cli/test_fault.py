from __future__ import annotations

import json
import socket

import pytest

from mockzoom import MockZoom
from mockzoom.core.fault_kinds import FAULTS, settings


@pytest.fixture(scope="module")
def mock():
    with MockZoom(seed=1, api_token="the-api-token") as zoom:
        yield zoom


@pytest.fixture
def fault(cli, mock):
    """`mockzoom fault …` for the running mock."""
    mock.reset()
    return lambda *args: cli("fault", *args, "--url", mock.url, "--api-token", "the-api-token")


def test_kinds_are_listed(cli):
    """Every kind with what it does and the defaults of its fields."""
    out = cli("fault", "kinds").out
    for kind in FAULTS:
        assert f"\n{kind}: " in f"\n{out}"
    assert "delay: Everything comes `ms` later.\n    ms=500, " in out
    rows = {row["kind"]: row for row in cli("fault", "kinds", "--json").json}
    assert rows["grant"]["fields"]["params"] is None
    assert all(set(rows[kind]["fields"]) == set(settings(kind)) for kind in FAULTS)


def test_a_fault_is_switched_on_listed_and_lifted(fault, mock):
    """From the outside as from Python."""
    first = fault("add", "delay", "ms=200", "socket=audio", "stream=123")
    assert first.out.startswith("fault ")
    params = '{"audio": {"data_opt": 1}}'
    second = fault("add", "grant", f"params={params}", "times=null", "--json").json
    assert second["params"] == json.loads(params)
    lines = fault("list").out.splitlines()
    assert [line.split(":")[1].split(",")[0].strip() for line in lines] == ["delay", "grant"]
    assert "ms=200 " in lines[0] + " "
    assert 'stream="123"' in lines[0]
    assert fault("list", "--json").json[1]["hits"] == 0
    assert fault("lift", second["id"]).status == 0
    assert len(fault("list").out.splitlines()) == 1
    assert fault("lift").status == 0
    assert fault("list").out == ""
    assert [e["happened"] for e in mock.journal() if e["kind"] == "fault"] == [
        "on",
        "on",
        "lifted",
        "lifted",
    ]


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("add", "dely"), "did you mean 'delay'?"),
        (("add", "delay", "msec=1"), "unknown field 'msec'; did you mean 'ms'?"),
        (("add", "delay", "ms=soon"), "ms: expected int, found 'soon'"),
        (("add", "delay", "ms"), "expected FIELD=VALUE, found 'ms'"),
        (("add", "grant"), "params is missing"),
        (("lift", "77"), "fault 77: it is not on"),
    ],
)
def test_mistakes_are_one_line(fault, args, line):
    """Status 2, and what to change."""
    ended = fault(*args)
    assert ended.status == 2
    assert line in ended.err
    assert ended.err.count("\n") == 1


def test_a_world_has_faults_of_its_own(fault, mock):
    """What is switched on in one is not on in the others; a world that is not there is told."""
    mock.world("job-1")
    fault("add", "delay", "--world", "job-1")
    assert fault("list").out == ""
    assert ": delay, " in fault("list", "--world", "job-1").out
    ended = fault("list", "--world", "job-2")
    assert (ended.status, "did you mean 'job-1'?" in ended.err) == (2, True)


def test_the_token_is_asked_for(cli, mock):
    """Without it the API says what is missing."""
    ended = cli("fault", "list", "--url", mock.url)
    assert (ended.status, "API token" in ended.err) == (2, True)


def test_no_mock_there(cli, monkeypatch):
    """Status 4 and one line, also for a URL from the environment and for who speaks no HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        monkeypatch.setenv("MOCKZOOM_URL", f"http://127.0.0.1:{reserved.getsockname()[1]}")
    ended = cli("fault", "list")
    assert ended.status == 4
    assert ended.err.endswith("; does `mockzoom serve` run there?\n")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("url", ["127.0.0.1:8700", "file:///etc/passwd", "x"])
def test_no_url(cli, url):
    """What is no URL of a mock is a mistake of usage."""
    ended = cli("fault", "list", "--url", url)
    assert ended.status == 2
    assert ended.err.count("\n") == 1
