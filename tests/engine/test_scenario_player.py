"""The player: time, waiting, what goes wrong, and what is left behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mockzoom import MockZoom, Receiver, Timings
from mockzoom.core.scenario import Scenario
from mockzoom.core.spec import load_spec
from mockzoom.engine.scenario_library import parse_scenario
from mockzoom.engine.scenario_player import Progress
from mockzoom.errors import ContractBroken, NothingTested, ScenarioError, UnknownObject, UsageError

SPEC = load_spec()
HEAD = "name: story\nstory: Something.\nmeetings: {weekly: {people: [Alice]}}\n"
PATIENCE_S = 20


def story(*steps: str, head: str = "") -> Scenario:
    lines = "".join(f"  - {{{step}}}\n" for step in steps)
    return parse_scenario(f"{HEAD}{head}\nsteps:\n{lines}", SPEC, "story.yaml")


@pytest.fixture
def deaf() -> Iterator[MockZoom]:
    """A mock whose webhooks nobody answers."""
    with MockZoom(seed=1) as zoom:
        zoom.subscribe("http://127.0.0.1:9/", validate=False)
        yield zoom


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[MockZoom]:
    """A mock to which the reference receiver listens."""
    with (
        MockZoom(seed=1, timings=Timings.named("50")) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path, timings=Timings.named("fast")) as app,
    ):
        zoom.subscribe(app.url)
        yield zoom


def test_steps_come_at_their_times(heard: MockZoom) -> None:
    """A minute of the story is a minute of the world, and no minute of anybody's life."""
    result = heard.play(story("do: start", "at: 60s, do: stop"), speed=1000)
    started, stopped = [e for e in heard.journal() if e["kind"] == "webhook"]
    assert stopped["body"]["event_ts"] - started["body"]["event_ts"] >= 60_000
    assert result.duration_ms < 20_000


def test_each_step_is_told_of(heard: MockZoom) -> None:
    """As it starts, or waits for the receiver, and when it is done."""
    told: list[Progress] = []
    heard.play(story("do: start", "do: wait, for: ready"), speed=100, on_step=told.append).check()
    assert [(p.number, p.steps, p.happened) for p in told] == [
        (1, 2, "started"),
        (1, 2, "done"),
        (2, 2, "waiting"),
        (2, 2, "done"),
    ]
    assert told[2].step == "wait for=ready"


def test_a_receiver_that_never_comes_fails_the_story(deaf: MockZoom) -> None:
    """With the place of the step that waited for it, and the other steps are not played."""
    told: list[Progress] = []
    steps = "do: start", "do: wait, for: ready, within: 200ms", "do: stop"
    result = deaf.play(story(*steps), on_step=told.append)
    assert result.unmet[0] == (
        "story.yaml:7: wait: waited 0.2 s for weekly to be ready; the stream is INACTIVE"
    )
    assert (result.steps_done, result.steps, result.passed) == (1, 3, False)
    assert told[-1].happened == "failed"
    with pytest.raises(ContractBroken, match=r"2 thing\(s\) went wrong"):
        result.check()


def test_what_was_expected_and_did_not_come_is_told(heard: MockZoom) -> None:
    """Joining, webhooks, findings and orders are held against what the story says."""
    expect = (
        "expect: {webhooks: [meeting.rtms_started], findings: [rtms.keep-alive], "
        "out_of_order: [order.started]}"
    )
    result = heard.play(story("do: start", "do: stop", head=expect), speed=100)
    assert result.unmet == (
        "stream weekly: expected the receiver to join it, which it never did",
        "expected the webhooks meeting.rtms_started; found meeting.rtms_started, "
        "meeting.rtms_stopped",
        "expected a finding rtms.keep-alive, found none",
        "expected webhooks that break order.started, found none",
    )


def test_an_order_that_zoom_never_sends_must_be_announced(heard: MockZoom) -> None:
    """A stop that nothing caused is a mistake of the story, or its subject."""
    steps = (
        "do: start",
        "do: wait, for: ready",
        "do: send, event: meeting.rtms_stopped, stream: weekly",
    )
    after = "do: stop"
    result = heard.play(story(*steps, after), speed=100)
    assert [told.split(": ")[0] for told in result.unmet] == ["the story breaks an order"]
    on_purpose = story(*steps, after, head="expect: {out_of_order: [order.stopped]}")
    assert heard.play(on_purpose, speed=100).unmet == ()


def test_what_the_receiver_breaks_is_found(deaf: MockZoom) -> None:
    """A webhook that nobody takes is a finding of the story, but where it was foreseen."""
    steps = "do: start", "do: stop"
    result = deaf.play(story(*steps, head="expect: {joins: false}"))
    assert {finding.check for finding in result.findings} == {"webhook.answer"}
    foreseen = "expect: {joins: false, findings: [webhook.answer]}"
    assert deaf.play(story(*steps, head=foreseen)).findings == ()


def test_what_the_world_refuses_fails_the_story(heard: MockZoom) -> None:
    """Resuming what is not paused is no traceback but a line of the result."""
    result = heard.play(story("do: start", "do: wait, for: ready", "do: resume"), speed=100)
    assert result.unmet[0].startswith("story.yaml:8: resume: stream: ")


def test_a_limit_that_is_not_reached_fails_the_story(heard: MockZoom) -> None:
    """`refused_start` is about being refused."""
    [told] = heard.play(story("do: refused_start"), speed=100).unmet
    assert told.startswith("story.yaml:6: refused_start: the stream did start")


def test_everything_is_as_before_when_the_story_is_over(heard: MockZoom) -> None:
    """Its faults are lifted, and speed, timings and limits are the mock's own again."""
    head = "policy: {max_streams: 1}\ntimings: {media_window: 1s}\nexpect: {joins: false}"
    steps = "do: fault, kind: no_keep_alive", "do: start", "do: wait, for: ready", "do: stop"
    heard.play(story(*steps, head=head), speed=200).check()
    assert heard.clock.speed == 1
    lifted = [entry for entry in heard.journal() if entry["kind"] == "fault"]
    assert [entry["happened"] for entry in lifted] == ["on", "lifted"]
    first, second = heard.meeting().start_rtms(), heard.meeting().start_rtms()
    assert first.rtms_stream_id != second.rtms_stream_id


def test_without_a_receiver_nothing_is_tested() -> None:
    """Which is said at once, not after every wait has timed out."""
    with MockZoom() as zoom, pytest.raises(NothingTested, match="subscribe a receiver"):
        zoom.play("happy-meeting")


def test_a_story_without_webhooks_tests_nothing(deaf: MockZoom) -> None:
    """It has not failed, and has not passed either."""
    result = deaf.play(story("do: join, who: Bob"))
    assert not result.passed
    with pytest.raises(NothingTested, match="sent no webhook"):
        result.check()


def test_a_raw_webhook_may_break_the_specification(deaf: MockZoom) -> None:
    """What `set` says is in it, with the ids of the stream."""
    raw = "do: send, event: meeting.rtms_started, stream: weekly, valid: false"
    head = "expect: {joins: false, findings: [webhook.answer], out_of_order: [order.time]}"
    scenario = story(
        "do: start", f"{raw}, set: {{event_ts: soon, payload: {{extra: 1}}}}", head=head
    )
    deaf.play(scenario)
    started, sent = [entry["body"] for entry in deaf.journal() if entry["kind"] == "webhook"]
    assert sent["event_ts"] == "soon"
    assert sent["payload"]["extra"] == 1
    assert sent["payload"]["rtms_stream_id"] == started["payload"]["rtms_stream_id"]


def test_a_webhook_may_have_the_shape_of_an_older_document(deaf: MockZoom) -> None:
    """Fields of today's are left out of an event that would be right with them."""
    raw = "do: send, event: meeting.rtms_started, without: [account_id, is_original_host]"
    head = "expect: {joins: false, findings: [webhook.answer]}"
    deaf.play(story(raw, head=head))
    [sent] = [entry["body"] for entry in deaf.journal() if entry["kind"] == "webhook"]
    left_out = deaf.spec.event(sent["event"]).payload_fields.keys() - sent["payload"]
    assert left_out == {"account_id", "is_original_host"}


@pytest.mark.parametrize(
    ("prepare", "speed", "wrong"),
    [
        (lambda zoom: None, 1001, "speed: expected .* to 1000, found 1001"),
        (lambda zoom: zoom.clock.freeze(), 1, "the clock is frozen"),
    ],
)
def test_a_time_that_does_not_pass_is_refused(
    deaf: MockZoom, prepare: Callable[[MockZoom], None], speed: float, wrong: str
) -> None:
    """Before anything has happened."""
    prepare(deaf)
    with pytest.raises(UsageError, match=wrong):
        deaf.play(story("do: start"), speed=speed)
    assert not [entry for entry in deaf.journal() if entry["kind"] == "webhook"]


def test_one_story_at_a_time(deaf: MockZoom) -> None:
    """Two would pull at one clock; other worlds are there for that."""
    waiting = threading.Event()

    def on_step(progress: Progress) -> None:
        if progress.happened == "waiting":
            waiting.set()

    scenario = story("do: start", "do: wait, for: ready, within: 500ms")
    first = threading.Thread(target=deaf.play, args=[scenario], kwargs={"on_step": on_step})
    first.start()
    assert waiting.wait(PATIENCE_S)
    with pytest.raises(UsageError, match="story is played here already"):
        deaf.play(scenario)
    first.join(PATIENCE_S)
    assert not first.is_alive()


def test_a_file_is_played_by_its_path(deaf: MockZoom, tmp_path: Path) -> None:
    """Its mistakes name it, and what is no file and no name is said to be neither."""
    path = tmp_path / "own.yaml"
    path.write_text(f"{HEAD}steps: [{{do: join, who: Bob}}]\n", encoding="utf-8")
    assert deaf.play(path).steps_done == 1
    path.write_text(f"{HEAD}steps: [{{do: jion}}]\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"own\.yaml:4:10: do: .* did you mean 'join'"):
        deaf.play(str(path))
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="expected UTF-8"):
        deaf.play(path)
    with pytest.raises(UnknownObject, match="did you mean 'webinar'"):
        deaf.play("webina")


def test_who_is_kept_out_by_a_fault_is_not_blamed(heard: MockZoom) -> None:
    """A refusal for as long as the window lasts ends the stream, and is nobody's breach."""
    steps = (
        "do: start",
        "do: wait, for: ready",
        "do: fault, kind: refuse, with: {times: null, socket: signaling}",
        "do: fault, kind: reset, with: {socket: signaling}",
        "do: wait, for: ended",
    )
    heard.play(story(*steps, head="timings: {signaling_window: 1s}"), speed=100).check()
    excused = [e for e in heard.journal() if e["kind"] == "fault" and e["happened"] == "excused"]
    assert [entry["check"] for entry in excused] == ["rtms.reconnect"]


def test_who_does_not_come_is_blamed(deaf: MockZoom) -> None:
    """Without a fault the window is the receiver's to keep."""
    head = "timings: {connect_window: 1s}\nexpect: {joins: false, findings: [webhook.answer]}"
    result = deaf.play(story("do: start", "do: wait, for: ended", head=head), speed=100)
    assert [finding.check for finding in result.findings] == ["rtms.connect"]


def test_somebody_without_a_name_is_one_to_the_story_alone(heard: MockZoom) -> None:
    """The app is told an empty name, and the steps go on to call them what they do."""
    steps = (
        "do: start",
        "do: wait, for: ready",
        "do: join, who: A phone, nameless: true",
        "do: say, who: A phone, text: Hello",
        "do: wait, for: spoken",
        "do: leave, who: A phone",
        "do: stop",
    )
    heard.play(story(*steps), speed=100).check()
    joined = [
        person["user_name"]
        for entry in heard.journal()
        if entry["kind"] == "message" and entry["name"] == "EVENT_UPDATE"
        for person in entry["message"]["event"].get("participants", [])
        if "user_name" in person
    ]
    assert "" in joined
    assert "A phone" not in joined
