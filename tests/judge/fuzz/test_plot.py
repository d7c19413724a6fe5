"""Whatever is made up is a scenario without a mistake, and gets smaller step by step."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mockzoom.core.products import PRODUCTS
from mockzoom.core.spec import load_spec
from mockzoom.engine.scenario_library import parse_scenario
from mockzoom.judge.events import NOWHERE
from mockzoom.judge.fuzz.plot import (
    DELIVERED,
    DEPARTURES,
    HAPPENINGS,
    OLDER,
    REASONS,
    SHAPES,
    Plot,
    smaller,
    written,
)

NUMBERS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 40)), max_size=12)


def act(plot: Plot, rule: int, number: int) -> None:
    """One rule, where it may be applied."""
    product = list(PRODUCTS)[number % len(PRODUCTS)]
    happening = HAPPENINGS[number % len(HAPPENINGS)]
    shape = list(SHAPES)[number % len(SHAPES)]
    reason = REASONS[number % len(REASONS)]
    if rule == 0:
        plot.start(product)
    elif rule == 1 and plot.running:
        plot.stop(plot.running[0], reason)
    elif rule == 2 and not plot.armed:
        plot.arm(DEPARTURES[number % len(DEPARTURES)])
    elif rule == 3 and plot.streams:
        plot.send(plot.streams[-1], happening, shape, reason)
    elif rule == 4:
        plot.send_of_nobody(product, happening, shape, reason)
    elif rule == 5 and plot.joined:
        plot.lose_signaling(plot.joined[0])
    elif rule == 6 and plot.joined:
        plot.relocate(plot.joined[-1])


@settings(max_examples=40)
@given(numbers=NUMBERS, connects=st.booleans())
def test_every_plot_is_a_scenario(numbers: list[tuple[int, int]], connects: bool) -> None:
    """Its text is read without a mistake, has the steps, and stops what it has started."""
    plot = Plot(connects)
    for rule, number in numbers:
        act(plot, rule, number)
    plot.finish()
    if not plot.steps:
        return
    read = parse_scenario(written("a", plot.steps, plot.meetings), load_spec())
    assert [step.do for step in read.steps] == [step["do"] for step in plot.steps]
    assert not plot.running
    assert not any(step["for"] == "ready" for step in plot.steps if "for" in step and not connects)


def test_a_plot_reads_well() -> None:
    """A person can see what happens: a line a step, and only the meetings that are used."""
    plot = Plot(connects=True)
    plot.start("meeting")
    plot.start("meeting")
    plot.arm("webhook_reorder")
    plot.stop(plot.streams[0], "meeting_ended")
    plot.send_of_nobody("webinar", "started", "as published", REASONS[0])
    steps = [step for step in plot.steps if step.get("meeting") != "meeting2"]
    text = written("fuzz-3", [s for s in steps if s.get("stream") != "meeting2"], plot.meetings)
    head, _, told = text.partition("steps:\n")
    assert "meetings:\n  meeting: {product: meeting, people: [Alice]}\nexpect:" in head
    nowhere = f"{{payload: {{server_urls: '{NOWHERE}'}}}}"
    assert told.splitlines() == [
        "  - {do: start, meeting: meeting}",
        "  - {do: wait, for: ready, stream: meeting, within: 10s}",
        "  - {do: wait, for: delivered}",
        "  - {do: wait, for: delivered}",
        "  - {do: fault, kind: webhook_reorder, with: {times: 1, ms: 300, probability: 1.0}}",
        "  - {do: stop, stream: meeting, reason: meeting_ended}",
        f"  - {{do: send, event: webinar.rtms_started, set: {nowhere}}}",
        "  - {do: wait, for: delivered}",
    ]


def test_events_of_an_older_document_lack_what_was_added_since() -> None:
    """As far as they have it today; and without that they are plainer."""
    plot = Plot(connects=False)
    for happening in ("started", "stopped"):
        plot.send_of_nobody("meeting", happening, OLDER, REASONS[0])
    started, stopped = (step for step in plot.steps if step["do"] == "send")
    assert started["without"] == ["account_id", "meeting_id", "is_original_host"]
    assert "without" not in stopped
    assert "without" not in [*smaller([started])][-1][0]


def test_smaller_sequences() -> None:
    """Each step goes once, the last one first, with what is waited for after it."""
    start = {"do": "start", "meeting": "a"}
    stop = {"do": "stop", "stream": "a", "reason": "meeting_ended"}
    plainer = [start, DELIVERED, {"do": "stop", "stream": "a"}]
    assert list(smaller([start, DELIVERED, stop])) == [[start, DELIVERED], [stop], plainer]
    elsewhere = {"do": "send", "set": {"payload": {"server_urls": NOWHERE}}}
    assert list(smaller([elsewhere])) == [[]]
