"""What is told of a case is told alike in another run."""

from __future__ import annotations

import time

import pytest
from sample_report import FORGERIES, verdict

from mockzoom.judge.repeatable import repeatable, retold
from mockzoom.judge.verdict import Failure, Outcome

URL = "http://127.0.0.1:3000/webhook"
NOW_S = int(time.time())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{{"timestamp":{now}123}}', '{{"timestamp":(now in ms)}}'),
        ("the stamp {earlier} is stale", "the stamp (now in s) is stale"),
        ("{now}.25 s", "(now in s) s"),
        ('{{"timestamp":1700000000000}}', '{{"timestamp":1700000000000}}'),
        ("{now}1, x{now}, {now}a", "{now}1, x{now}, {now}a"),
        ("ws://127.0.0.1:40123/signaling/x", "ws://127.0.0.1:0/signaling/x"),
        ("ws://127.0.0.1:4123@localhost:51234/x", "ws://127.0.0.1:0@localhost:0/x"),
        ("ws://[::1]:41234/x", "ws://[::1]:0/x"),
        (f"a redirect to {URL}/", f"a redirect to {URL}/"),
        (
            "wss://127.0.0.1:9, wss://example.com:40123",
            "wss://127.0.0.1:9, wss://example.com:40123",
        ),
    ],
)
def test_times_and_ports_of_a_run_are_told_as_such(text: str, told: str) -> None:
    """A time of about now, and a port of this machine that is not the receiver's; nothing else."""
    # Not in the table: each process of a parallel run has to find tests of the same names.
    text, told = (one.format(now=NOW_S, earlier=NOW_S - 400) for one in (text, told))
    assert repeatable(text, URL) == told
    assert repeatable(told, URL) == told


def test_a_verdict_is_told_alike_as_a_whole() -> None:
    """All of its texts; a line that is to be pasted has no time in it, and keeps what it has."""
    text, told = f"127.0.0.1:40123 at {NOW_S}", "127.0.0.1:0 at (now in s)"
    failure = Failure(text, text, f"curl {URL} 127.0.0.1:40123 {NOW_S}")
    found = retold(
        verdict(FORGERIES, "", Outcome.FAILED, reason=text, failure=failure, wire=(text, text)),
        URL,
    )
    assert (found.reason, found.wire) == (told, (told, told))
    assert found.failure == Failure(told, told, f"curl {URL} 127.0.0.1:0 {NOW_S}")
    passed = verdict(FORGERIES, "", Outcome.PASSED)
    assert retold(passed, URL) == passed
