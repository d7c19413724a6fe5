"""Attacks on receivers: the sound one survives, and what kills the others is found and small."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path

import pytest
from attacks import FORGETS, REVOKED, SOUND, WANTS_PAYLOADS, attacked
from misbehaving import Misbehaving, answering, hanging, resetting
from mutant import CREDENTIALS

from mockzoom import MockZoom
from mockzoom.core.spec import load_spec
from mockzoom.engine.scenario_library import parse_scenario
from mockzoom.errors import ReceiverUnreachable, UnknownEvent
from mockzoom.judge.fuzz.findings import GONE, Harm, Taken
from mockzoom.judge.fuzz.run import Plan

STOPPED = "meeting.rtms_stopped"


def bodies(name: str = STOPPED, examples: int = 40) -> Plan:
    return Plan(max_examples=examples, events=(name,), sequences=False)


def sequences(examples: int, command: str = "") -> Plan:
    return Plan(max_examples=examples, bodies=False, command=command)


def test_the_reference_receiver_survives() -> None:
    """Bodies of an event, and sequences in which it joins streams; all of them are counted."""
    plan = Plan(max_examples=8, events=("meeting.rtms_started",))
    with SOUND.running() as receiver:
        report = attacked(receiver.url, plan, without=())
    assert report.problem() is None, report.as_dict()
    started, played = report.rows
    assert started.counts[Taken.VALID_ACCEPTED] == 8
    assert started.counts.total() == 16
    assert played.counts == {Taken.SURVIVED: 8}


def test_a_valid_body_that_crashes() -> None:
    """It is found, and nothing in it is there without need."""
    with REVOKED.running() as receiver:
        report = attacked(receiver.url, bodies())
    (failure,) = report.failures
    assert (failure.what, failure.harm, failure.repeats) == (STOPPED, Harm.CRASHED, True)
    payload = {"meeting_uuid": "", "rtms_stream_id": "", "stop_reason": 8}
    assert json.loads(failure.sample) == {"event": STOPPED, "event_ts": 0, "payload": payload}
    assert failure.found.startswith("status 500")
    assert "openssl dgst -sha256 -hmac" in failure.again
    assert CREDENTIALS.secret_token not in json.dumps(report.as_dict())


def test_an_invalid_body_that_crashes() -> None:
    """It is found too, though it may be refused or ignored as one likes."""
    with WANTS_PAYLOADS.running() as receiver:
        report = attacked(receiver.url, bodies())
    (failure,) = report.failures
    assert failure.harm is Harm.CRASHED
    assert set(json.loads(failure.sample)) <= {"event", "event_ts"}


def test_a_sequence_that_crashes() -> None:
    """Three steps are left; as a scenario they do it again, and not to a sound receiver."""
    with FORGETS.running() as receiver:
        (failure,) = attacked(receiver.url, sequences(40)).failures
        scenario = parse_scenario(failure.sample.decode(), load_spec())
        again = played(receiver.url, failure.sample.decode())
    assert [step.do for step in scenario.steps if step.do != "wait"] == ["start", "stop", "send"]
    assert (failure.harm, failure.repeats) == (Harm.CRASHED, True)
    assert re.match(r"after step 5, send .*: status 500", failure.found)
    assert {finding.check for finding in again.findings} == {"webhook.answer"}
    with SOUND.running() as receiver:
        assert played(receiver.url, failure.sample.decode()).passed


def played(url: str, scenario: str):
    """What comes of it where it is played as by `mockzoom scenario run`."""
    with MockZoom(credentials=CREDENTIALS) as zoom:
        zoom.subscribe(url)
        return zoom.play(parse_scenario(scenario, zoom.spec))


def test_the_same_seed_gives_the_same_report() -> None:
    """Byte for byte, but for the stamps; another seed tries something else."""
    reports = []
    for seed in (3, 3, 4):
        with REVOKED.running() as receiver:
            report = attacked(receiver.url, bodies(examples=15), seed=seed).as_dict()
        reports.append(json.dumps(report).replace(receiver.url, "URL"))
    assert reports[0] == reports[1]
    assert reports[0] != reports[2]


def test_a_refusal_is_no_crash() -> None:
    """Who refuses what Zoom may send breaks the contract; nothing has crashed."""
    with Misbehaving(answering(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")) as receiver:
        report = attacked(receiver.url, bodies(examples=3))
    assert [failure.harm for failure in report.failures] == [Harm.REFUSED]
    assert set(report.rows[0].counts) == {Taken.VALID_REFUSED, Taken.INVALID_REFUSED}


@pytest.mark.parametrize(
    "behave",
    [resetting, answering(b"garbage\r\n\r\n"), answering(b"")],
    ids=["resets", "garbage", "nothing"],
)
def test_who_never_answers_is_given_up(behave, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has a few seconds to come back, and then there is nobody to attack."""
    monkeypatch.setattr("mockzoom.judge.fuzz.subject._BACK_S", 0.1)
    with Misbehaving(behave) as receiver:
        report = attacked(receiver.url, bodies(examples=3))
    assert (report.ended, report.tried) == (GONE, 0)


def test_who_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait is without an end."""
    monkeypatch.setattr("mockzoom.judge.receiver_under_test.PATIENCE_S", 0.2)
    monkeypatch.setattr("mockzoom.judge.fuzz.subject._BACK_S", 0.1)
    with Misbehaving(hanging) as receiver:
        assert attacked(receiver.url, bodies(examples=3)).ended == GONE


#: Dies of a stop with reason 8, and says so.
MORTAL = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if b'"stop_reason":8' in body.replace(b" ", b""):
            print("farewell from the secret token", flush=True)
            os._exit(9)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def mortal(tmp_path: Path) -> tuple[str, str]:
    """A URL, and the command that starts a receiver there."""
    file = tmp_path / "mortal.py"
    file.write_text(MORTAL, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return f"http://127.0.0.1:{port}/", f"'{sys.executable}' '{file}' {port}"


def test_a_process_that_dies_is_started_again(mortal: tuple[str, str]) -> None:
    """So what kills it is made small, as a body and as a sequence; its last words are told."""
    url, command = mortal
    plan = Plan(max_examples=25, events=(STOPPED,), command=command)
    by_body, by_sequence = attacked(url, plan).failures
    assert by_body.repeats
    assert by_sequence.repeats
    assert json.loads(by_body.sample)["payload"]["stop_reason"] == 8
    assert "the process has died" in by_body.found
    assert by_body.last_words == "farewell from (secret)\n(ended with status 9)"
    steps = parse_scenario(by_sequence.sample.decode(), load_spec()).steps
    assert len([step for step in steps if step.do != "wait"]) <= 2
    assert "the process has died" in by_sequence.found


def test_what_is_not_there() -> None:
    """Nobody listens, or there is no such event: nothing is tried."""
    with pytest.raises(ReceiverUnreachable, match="nobody listens"):
        attacked("http://127.0.0.1:1/", bodies())
    with pytest.raises(UnknownEvent, match=r"did you mean 'meeting.rtms_stopped'"):
        attacked("http://127.0.0.1:1/", bodies("meeting.rtms_stoped"))


def test_the_time_is_over() -> None:
    """What was found up to then is reported."""
    with SOUND.running() as receiver:
        report = attacked(receiver.url, Plan(max_time_s=0.001, sequences=False))
    assert (report.ended, report.tried) == ("the time is over (--max-time)", 0)
