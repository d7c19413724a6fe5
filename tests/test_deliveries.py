"""The story of a failed delivery in real time, as a test of an app would tell it."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from moody import CREDENTIALS, receiver

from mockzoom import DeliveryTimings, MockZoom
from mockzoom.errors import ContractBroken

PAGE = Path(__file__).parents[1] / "docs" / "webhooks.md"


def test_the_page_on_webhooks_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    """Its example runs: the forged event is refused, and its genuine twin is accepted."""
    [example] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    exec(compile(example, str(PAGE), "exec"), {})
    assert capsys.readouterr().out == "401 ['tamper'] 200\n"


def test_a_whole_story_within_a_second() -> None:
    """A receiver fails, an event is tried four times and dropped; another one hears everything."""
    with (
        receiver(503) as broken,
        receiver(200) as sound,
        MockZoom(
            receivers=[broken, sound],
            credentials=CREDENTIALS,
            delivery_timings=DeliveryTimings.named("fast"),
        ) as zoom,
    ):
        zoom.meeting().start_rtms()
        last = zoom.wait_for("webhook", url=broken, attempt=4)
        assert last["then"] == "dropped"
        told = [entry for entry in zoom.journal() if entry["kind"] == "webhook"]
        tries = [entry for entry in told if entry["url"] == broken]
        for before, after in pairwise(tries):
            assert after["at_ms"] >= before["retry_at_ms"]
        assert [entry["then"] for entry in told if entry["url"] == sound] == ["accepted"]
        with pytest.raises(ContractBroken, match=r"webhook.delivered: .* 4 that failed"):
            zoom.check()


def test_a_receiver_that_recovers_gets_its_events() -> None:
    """What was accepted at the second attempt goes on as if nothing had been."""
    timings = DeliveryTimings(retries_ms=(20,))
    with (
        receiver(500, 204) as url,
        MockZoom(receivers=[url], credentials=CREDENTIALS, delivery_timings=timings) as zoom,
    ):
        zoom.meeting().start_rtms()
        again = zoom.wait_for("webhook", attempt=2)
        assert (again["then"], again["event"]) == ("accepted", "meeting.rtms_started")


def test_at_the_desk_the_intervals_are_those_of_production() -> None:
    """Five minutes to the first retry, unless it is said otherwise."""
    with receiver(500) as url, MockZoom(receivers=[url], credentials=CREDENTIALS) as zoom:
        zoom.meeting().start_rtms()
        entry = zoom.wait_for("webhook")
        assert entry["then"] == "retry"
        assert 290_000 < entry["retry_at_ms"] - entry["at_ms"] <= 300_000
        zoom.reset()
        assert zoom.journal() == []
