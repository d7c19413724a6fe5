from __future__ import annotations

import json
import socket

import pytest

from mockzoom.core.signing import Credentials, webhook_signature
from mockzoom.core.spec import load_spec
from mockzoom.receiver.receiver import Receiver


def test_one_signed_event(cli, endpoint):
    """The receiver gets one valid event with the documented headers, signed over its bytes."""
    receiver = endpoint(204)
    ended = cli("trigger", "meeting.rtms_started", "--to", receiver.url, "--secret-token", "key")
    assert ended.status == 0
    assert ended.out.startswith(f"meeting.rtms_started to {receiver.url}: 204 in ")
    [(headers, body)] = receiver.taken
    assert load_spec().event("meeting.rtms_started").problems(json.loads(body)) == []
    assert headers["user-agent"] == "Zoom Marketplace/1.0a"
    signature = webhook_signature("key", headers["x-zm-request-timestamp"], body)
    assert headers["x-zm-signature"] == signature


def test_fields_are_set_by_type(cli, endpoint):
    """`--set` reaches the payload with the type that the field has."""
    receiver = endpoint()
    ended = cli(
        *("trigger", "meeting.rtms_stopped", "--to", receiver.url),
        *("--set", "payload.stop_reason=6", "--set", "payload.meeting_uuid=12"),
    )
    assert ended.status == 0
    payload = json.loads(receiver.taken[0][1])["payload"]
    assert (payload["stop_reason"], payload["meeting_uuid"]) == (6, "12")


def test_a_seed_repeats_the_event(cli, endpoint):
    """With a seed everything but the time is the same again."""
    receiver = endpoint()
    args = ("trigger", "webinar.rtms_started", "--to", receiver.url, "--seed", 7, "--json")
    first, second = cli(*args).json, cli(*args).json
    assert first["sent"]["payload"] == second["sent"]["payload"]


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        (
            "payload.stop_reson=1",
            "error: meeting.rtms_stopped has no field 'payload.stop_reson': "
            "no 'stop_reson' in payload; did you mean 'stop_reason'?",
        ),
        ("payload.stop_reason=soon", "error: payload.stop_reason: expected integer, found 'soon'"),
        ("payload.stop_reason=99", "error: meeting.rtms_stopped would break its contract: "),
        ("stop_reason", "error: expected payload.field=value, found 'stop_reason'"),
    ],
)
def test_a_field_that_cannot_be_set(cli, endpoint, assignment, message):
    """Nothing is sent, and one line says why."""
    receiver = endpoint()
    ended = cli("trigger", "meeting.rtms_stopped", "--to", receiver.url, "--set", assignment)
    assert ended.status == 2
    assert ended.err.startswith(message)
    assert ended.err.count("\n") == 1
    assert receiver.taken == []


def test_a_refusal_is_a_broken_contract(cli, endpoint):
    """Status 1, with what was expected and found; what comes back cannot touch the terminal."""
    receiver = endpoint(500, b"oh\n\x1b[31mno")
    ended = cli("trigger", "meeting.rtms_started", "--to", receiver.url, "--secret-token", "key")
    assert ended.status == 1
    assert ended.err == (
        f"error: {receiver.url}: meeting.rtms_started: expected 200 or 204, "
        "found 500 oh \N{REPLACEMENT CHARACTER}[31mno\n"
    )


def test_json_tells_what_was_sent_and_answered(cli, endpoint):
    """For programs: one object, also when the receiver refuses."""
    receiver = endpoint(400, b'{"error": "no"}')
    ended = cli("trigger", "meeting.rtms_started", "--to", receiver.url, "--json")
    assert ended.status == 1
    assert ended.json["status"] == 400
    assert ended.json["ok"] is False
    assert ended.json["sent"]["event"] == "meeting.rtms_started"
    assert ended.json["answer"] == '{"error": "no"}'


def test_the_reference_receiver_takes_it_only_with_its_secret(cli, tmp_path):
    """The right secret is a 200; a wrong or missing one a 401 and a hint, without the secret."""
    credentials = Credentials("id", "client-secret", "the-right-token")
    with Receiver(credentials, recordings=tmp_path) as receiver:
        args = ("trigger", "rtms.concurrency_near_limit", "--to", receiver.url)
        assert cli(*args, "--secret-token", "the-right-token").status == 0
        wrong = cli(*args, "--secret-token", "a-wrong-token")
        missing = cli(*args)
    assert wrong.status == missing.status == 1
    assert "found 401" in wrong.err
    assert wrong.err.endswith("; is --secret-token the one that the receiver has?\n")
    assert "a-wrong-token" not in wrong.err
    assert missing.err.endswith("made-up key: give the receiver's with --secret-token\n")


def test_nobody_there(cli):
    """A receiver that does not run is status 4 and the system's own reason."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}/webhook"
    ended = cli("trigger", "meeting.rtms_started", "--to", url)
    assert ended.status == 4
    assert ended.err.startswith(f"error: {url}: ")
    assert ended.err.endswith("is the receiver running?\n")


def test_no_address(cli):
    """What is no URL is a mistake of usage."""
    ended = cli("trigger", "meeting.rtms_started", "--to", "localhost:3000")
    assert ended.status == 2
    assert ended.err.count("\n") == 1
