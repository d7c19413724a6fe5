"""A mock with a state file, from the outside: what is there after a restart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from moody import CREDENTIALS, receiver

from mockzoom import DeliveryTimings, MockZoom
from mockzoom.errors import ConfigurationError

TIMINGS = replace(DeliveryTimings.named("fast"), retries_ms=(3_600_000,))


def mock(state: Path, **options: object) -> MockZoom:
    settings = {"credentials": CREDENTIALS, "delivery_timings": TIMINGS, "seed": 7, **options}
    return MockZoom(state=state, api_token="the-api-token", **settings)  # type: ignore[arg-type]


def test_a_restart_goes_on(tmp_path: Path) -> None:
    """Journal, findings, subscriptions and what waits are there; ids are new ones, also seeded."""
    state = tmp_path / "state"
    with receiver(503) as url:
        with mock(state, receivers=[url]) as zoom:
            account, first = zoom.account_id, zoom.meeting().start_rtms()
            zoom.wait_for("webhook", attempt=1)
            before, findings = zoom.journal(), zoom.findings
        with mock(state) as zoom:
            assert zoom.journal()[: len(before)] == before
            assert zoom.findings == findings != []
            assert zoom.wait_for("webhook", then="retry") in before
            assert zoom.wait_for("restart")["pending"] == 1
            second = zoom.meeting().start_rtms()
            zoom.wait_for("webhook", stream=second.rtms_stream_id)
            assert second.rtms_stream_id != first.rtms_stream_id
            assert zoom.account_id == account
            assert [e["kind"] for e in zoom.journal()].count("validation") == 1
            zoom.reset()
        with mock(state) as zoom:
            assert [entry["kind"] for entry in zoom.journal()] == ["restart"]
            assert zoom.journal()[0]["id"] > before[-1]["id"]
    secrets = (CREDENTIALS.client_secret, CREDENTIALS.secret_token, "the-api-token")
    for file in tmp_path.iterdir():
        assert not any(secret.encode() in file.read_bytes() for secret in secrets)


def test_time_never_goes_back(tmp_path: Path) -> None:
    """A clock that was moved ahead is where it was."""
    with mock(tmp_path / "state") as zoom:
        zoom.meeting().start_rtms()
        zoom.clock.advance(86_400_000)
        before_ms = zoom.journal()[-1]["at_ms"]
    with mock(tmp_path / "state") as zoom:
        assert zoom.journal()[-1]["at_ms"] >= before_ms


def test_the_journal_has_a_size(tmp_path: Path) -> None:
    """In memory and file alike; none at all is a mistake."""
    with mock(tmp_path / "state", journal_size=3) as zoom:
        for _ in range(3):
            zoom.meeting().start_rtms().stop()
        assert len(zoom.journal()) == 3
    with mock(tmp_path / "state") as zoom:
        assert len(zoom.journal()) == 4
    with pytest.raises(ConfigurationError, match="room for 1 entry or more, found 0"):
        mock(tmp_path / "state", journal_size=0).start()
