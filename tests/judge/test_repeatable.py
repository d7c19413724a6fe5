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
        (f'{{"timestamp":{NOW_S}123}}', '{"timestamp":(now in ms)}'),
        (f"the stamp {NOW_S - 400} is stale", "the stamp (now in s) is stale"),
        (f"{NOW_S}.25 s", "(now in s) s"),
        ('{"timestamp":1700000000000}', '{"timestamp":1700000000000}'),
        (f"{NOW_S}1, x{NOW_S}, {NOW_S}a", f"{NOW_S}1, x{NOW_S}, {NOW_S}a"),
        ("ws://127.0.0.1:40123/signaling/x", "ws://127.0.0.1:0/signaling/x"),
        ("ws://127.0.0.1:4123@localhost:51234/x", "ws://127.0.0.1:0@localhost:0/x"),
        ("ws://[::1]:41234/x", "ws://[::1]:0/x"),
        (f"a redirect to {URL}/", f"a redirect to {URL}/"),
        ("wss://127.0.0.1:9 and wss://example.com:40123", "wss://127.0.0.1:9 and wss://example.com:40123"),
    ],
)  # fmt: skip
def test_times_and_ports_of_a_run_are_told_as_such(text: str, told: str) -> None:
    """A time of about now, and a port of this machine that is not the receiver's; nothing else."""
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
