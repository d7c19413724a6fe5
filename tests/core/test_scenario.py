"""The language of scenarios: what is read, and what is found wrong, with its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.products import WEBINAR
from mockzoom.core.scenario import read_scenario
from mockzoom.core.scenario_text import MAX_CHARS
from mockzoom.core.spec import load_spec
from mockzoom.core.timings import Timings
from mockzoom.engine.scenario_steps import VERBS
from mockzoom.errors import ScenarioError

SPEC = load_spec()

HEAD = """\
name: story
story: Something happens.
meetings:
  weekly: {people: [Alice, Bob]}
  call: {product: contact_center, people: [Customer, Agent]}
steps:
  - {do: start, meeting: weekly}
"""


def read(source: str):
    return read_scenario(source, "s.yaml", VERBS, SPEC)


def mistakes(source: str) -> list[str]:
    with pytest.raises(ScenarioError) as found:
        read(source)
    return list(found.value.mistakes)


def test_a_whole_scenario_is_read():
    """Head, meetings, settings, expectations and steps become values with their units."""
    found = read("""\
name: all
story: Everything.
seed: 7
timings: {media_window: 2s, keep_alive: 500ms}
policy: {max_streams: 2, gate_events: true}
meetings:
  launch: {product: webinar, topic: Launch, people: [Host]}
expect: {joins: false, findings: [rtms.reconnect], webhooks: [webinar.rtms_started]}
steps:
  - do: start
  - {at: 1.5s, do: say, who: Host, text: Hello}
  - {do: camera, who: Host, on: true}
  - {at: 5min, do: wait, for: ended, within: 1h}
""")
    assert (found.name, found.head.seed) == ("all", 7)
    assert found.head.timed(Timings()) == Timings(media_window_ms=2000, keep_alive_ms=500)
    assert found.meetings["launch"].product == WEBINAR.name
    assert (found.policy.max_streams, found.policy.gate_events) == (2, True)
    assert found.expect.findings == ("rtms.reconnect",)
    assert [(step.do, step.at_ms, step.line) for step in found.steps] == [
        ("start", 0, 10),
        ("say", 1500, 11),
        ("camera", 1500, 12),
        ("wait", 300_000, 13),
    ]
    start, say, _, wait = found.steps
    assert (start.meeting, start.stream, say.meeting) == ("launch", "launch", "launch")
    assert (wait.for_, wait.stream, wait.within_ms) == ("ended", None, 3_600_000)


#: A step after those of HEAD, and what is wrong with it: line 8 is its own.
STEPS = [
    ("{do: sya, who: Alice}", "8:6: do: expected a verb, found 'sya'; did you mean 'say'?"),
    ("{do: pause, strem: weekly}", "8:17: unknown field 'strem'; did you mean 'stream'?"),
    (
        "{do: pause, loudly: yes}",
        "8:17: unknown field 'loudly'; there are at, stream",
    ),
    (
        "{do: say, meeting: weekly, who: Alise, text: x}",
        "8:32: who: expected one of Alice, Bob in weekly; found 'Alise'; did you mean 'Alice'?",
    ),
    (
        "{do: say, meeting: weekly, who: Agent, text: x}",
        "8:32: who: expected one of Alice, Bob in weekly; found 'Agent'",
    ),
    (
        "{do: say, who: Alice, text: x}",
        "8:5: meeting: expected one of weekly, call; say which",
    ),
    (
        "{do: say, meeting: weekly, who: Alice}",
        "8:5: text is missing: expected a text",
    ),
    (
        "{do: say, meeting: weekly, who: Alice, text: 12}",
        "8:44: text: expected a text, found 12; put it in quotes",
    ),
    (
        "{do: say, meeting: weekly, who: Alice, text: ''}",
        "8:44: text: expected a text that is not empty",
    ),
    (
        "{do: join, meeting: weekly, who: Bob}",
        "8:33: who: expected a new name, but there is a person 'Bob' already",
    ),
    (
        "{do: start, meeting: weekly}",
        "8:5: stream: expected a new name, but there is a stream 'weekly' already",
    ),
    ("{do: pause, stream: other}", "8:17: stream: expected one of weekly; found 'other'"),
    (
        "{do: lift, called: slow}",
        "8:16: called: expected a fault, but there is none, found 'slow'",
    ),
    (
        "{at: 1500, do: pause}",
        "8:6: at: expected a time with its unit, such as 1.5s, 200ms or 5min, found 1500",
    ),
    (
        "{at: 1.5 sec, do: pause}",
        "8:6: at: expected a time with its unit, such as 1.5s, 200ms or 5min, found '1.5 sec'",
    ),
    ("{at: 200h, do: pause}", "8:6: at: expected at most a week, found 200h"),
    (
        "{do: camera, meeting: weekly, who: Bob, on: 1}",
        "8:45: on: expected true or false, found 1",
    ),
    (
        "{do: stop, reason: revoked}",
        "8:16: reason: expected one of 26 words; found 'revoked'; did you mean 'stream_revoked'?",
    ),
    (
        "{do: wait}",
        "8:5: for is missing: expected one of `ready`, `spoken`, `ended`, `delivered`, "
        "`reconnected`",
    ),
    (
        "{do: wait, for: godot}",
        "8:16: for: expected one of ready, spoken, ended, delivered, reconnected; found 'godot'",
    ),
    (
        "{do: fault, kind: delay, with: {mss: 3}}",
        "8:30: with: fault delay: unknown field 'mss'; did you mean 'ms'?; there are ms, stream, "
        "times, probability, socket, msg_type",
    ),
    (
        "{do: happen, meeting: weekly, what: holt}",
        "8:35: what: expected one of 39 words; found 'holt'; did you mean 'hold'?",
    ),
    (
        "{do: tell, meeting: weekly, event: user_hold}",
        "8:33: event: expected one of first_packet_timestamp, active_speaker_change, "
        "participant_join, participant_leave, sharing_start, sharing_stop, "
        "media_connection_interrupted, participant_video_on, participant_video_off, "
        "chat_group_create, chat_group_delete, chat_group_members_add, "
        "chat_group_members_delete, chat_group_member_status; found 'user_hold'",
    ),
    (
        "{do: send, event: meeting.rtms_startd}",
        "8:16: event: expected one of 14 words; found 'meeting.rtms_startd'; "
        "did you mean 'meeting.rtms_started'?",
    ),
    (
        "{do: send, event: meeting.rtms_started, set: {event_ts: soon}}",
        "8:45: set: meeting.rtms_started would break its contract: event_ts: expected integer, "
        'found "soon"; say `valid: false` where it is to',
    ),
    (
        "{do: send, event: meeting.rtms_started, without: [acount_id]}",
        "8:45: without: meeting.rtms_started has no field 'payload.acount_id': no 'acount_id' in "
        "payload; did you mean 'account_id'?",
    ),
    ("pause", "8:5: steps: expected fields with their values, found 'pause'"),
    ("{do: [pause]}", "8:6: do: expected a verb, found ['pause']"),
    ("{}", "8:5: do: expected a verb, found nothing"),
    ("{do: }", "8:6: do: expected a verb, found nothing"),
    (
        "{do: create, people: [Ann, Ann], meeting: m}",
        "8:32: people: expected a new name, but there is a person 'Ann' already",
    ),
    ("{who: Alice}", "8:5: do: expected a verb, found nothing"),
]


@pytest.mark.parametrize(("step", "wrong"), STEPS, ids=[step for step, _ in STEPS])
def test_a_mistake_in_a_step_is_told_with_its_place(step, wrong):
    """File, line, column, what was expected and found, and what may have been meant."""
    [found] = mistakes(f"{HEAD}  - {step}\n")
    expected = f"s.yaml:{wrong}"
    assert found == expected or found.startswith(f"{expected}; there are")


WHOLE = [
    ("", "1:1: expected fields with their values, found nothing"),
    ("- a\n", "1:1: expected fields with their values, found ['a']"),
    ("name: x\nstory: y\n", "1:1: steps: expected a list of steps, found nothing"),
    ("name: x\nstory: y\nsteps: []\n", "3:1: steps: expected a list of steps, found []"),
    ("name: [x\n", "2:1: this is not YAML: did not find expected ',' or ']'"),
    (
        "name: x\n\tstory: y\n",
        "2:1: this is not YAML: found a tab character that violates indentation",
    ),
    ("name: !!python/object:os.system x\n", None),
    ("name: x\nname: y\n", "2:1: 'name' is given twice"),
    ("name: &a x\nstory: *a\n", "2:1: expected no aliases (*name): write it out"),
    ("x" * (MAX_CHARS + 1), f"1:1: expected at most {MAX_CHARS} characters, found {MAX_CHARS + 1}"),
    ("[" * 5000, None),
]


@pytest.mark.parametrize(("source", "wrong"), WHOLE, ids=range(len(WHOLE)))
def test_a_file_that_is_no_scenario_is_told_of(source, wrong):
    """Nothing at all, other YAML, no YAML, and what YAML can do to surprise."""
    found = mistakes(source)
    assert all(one.startswith("s.yaml:") and "\n" not in one for one in found)
    assert wrong is None or f"s.yaml:{wrong}" in found


HEADS = [
    ("stroy: x", "1:1: unknown field 'stroy'; did you mean 'story'?"),
    ("seed: many", "1:1: seed: expected a whole number from 0, found 'many'"),
    ("timings: slow", "1:1: timings: expected 'zoom' or 'fast' or a factor, found 'slow'"),
    ("timings: -1", "1:1: timings: expected a factor above 0, found -1.0"),
    ("timings: {media_window: 0}", "1:1: timings: expected 1 or more, found 0"),
    (
        "timings: {media_windw: 1s}",
        "1:11: timings: expected one of 12 words; found 'media_windw'; "
        "did you mean 'media_window'?",
    ),
    ("timings: {media_window: 1}", "1:11: timings: expected media_window to be a time with"),
    ("policy: {max_streams: -1}", "1:10: max_streams: expected a whole number from 0, found -1"),
    (
        "expect: {findings: [rtms.reconnect, rtms.reconect]}",
        "1:37: findings: expected one of",
    ),
    ("expect: {webhooks: meeting.rtms_started}", "1:10: webhooks: expected a list, found"),
    ("meetings: [weekly]", "1:1: meetings: expected fields with their values, found ['weekly']"),
    (
        "meetings: {weekly: {product: webinr}}",
        "1:21: product: expected one of meeting, webinar, session, contact_center; "
        "found 'webinr'; did you mean 'webinar'?",
    ),
    (
        "meetings: {weekly: {people: [Ann, Ann]}}",
        "1:35: people: expected a new name, but there is a person 'Ann' already",
    ),
]


@pytest.mark.parametrize(("line", "wrong"), HEADS, ids=[line for line, _ in HEADS])
def test_a_mistake_before_the_steps_is_told_with_its_place(line, wrong):
    """Settings, expectations and meetings are checked as steps are."""
    source = f"{line}\nname: x\nstory: y\nsteps: [{{do: create, meeting: m}}]\n"
    [found] = mistakes(source)
    assert wrong in found


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text():
    """Whoever has made five mistakes sees five lines, not one five times."""
    found = mistakes(
        HEAD
        + "  - {at: 2s, do: pause, x: 1}\n"
        + "  - {at: 1s, do: pause}\n"
        + "  - {do: say, meeting: weekly, who: Nobody, text: 1}\n"
    )
    assert [line.split(": ")[0] for line in found] == [
        "s.yaml:8:25",
        "s.yaml:9:6",
        "s.yaml:10:32",
        "s.yaml:10:45",
    ]
    assert "at: expected 2000 ms or later, as the step before, found 1000 ms" in found[1]


def test_who_has_left_is_gone_and_may_come_back():
    """Names are known at the time of a step: before it, after it, and in one meeting only."""
    gone = "  - {do: leave, meeting: weekly, who: Bob}\n"
    say = "  - {do: say, meeting: weekly, who: Bob, text: Hello}\n"
    back = "  - {do: join, meeting: weekly, who: Bob}\n"
    [found] = mistakes(HEAD + gone + say)
    assert found == "s.yaml:9:32: who: expected a person that is still there in weekly, found 'Bob'"
    assert len(read(HEAD + gone + back + say).steps) == 4


def test_a_meeting_that_has_ended_is_gone():
    """Nobody speaks in it any more, but its stream can be waited for."""
    over = HEAD + "  - {do: end, meeting: weekly}\n"
    assert read(over + "  - {do: wait, for: ended}\n")
    [found] = mistakes(over + "  - {do: join, meeting: weekly, who: Carol}\n")
    assert "meeting: expected a meeting that is still there, found 'weekly'" in found


def test_what_happens_must_belong_to_the_product():
    """A meeting has no hold, and a call no host."""
    [found] = mistakes(HEAD + "  - {do: happen, meeting: weekly, what: hold}\n")
    assert found.endswith("in a meeting; found 'hold'")
    assert read(HEAD + "  - {do: happen, meeting: call, what: hold}\n")
    [found] = mistakes(HEAD + "  - {do: happen, meeting: call, what: host_disables_app}\n")
    assert found.endswith("in a contact_center; found 'host_disables_app'")


def test_a_webhook_may_break_the_specification_when_it_says_so():
    """`valid: false` is what tells a story about it from a mistake."""
    wrong = "  - {do: send, event: meeting.rtms_started, set: {event_ts: soon}, valid: false}\n"
    assert read(HEAD + wrong).steps[-1].set == {"event_ts": "soon"}


def test_words_of_yaml_are_words():
    """`on` and `no` as keys or in quotes are what is written, and dates are texts."""
    found = read(HEAD + "  - {do: say, meeting: weekly, who: Alice, text: 2026-11-22}\n")
    assert found.steps[-1].text == "2026-11-22"


@given(st.text(alphabet=" \n-:{}[]'\"#&*!|>%@,abdeimnopstw0123456789", max_size=200))
def test_no_text_brings_the_reader_down(source):
    """Whatever is written, it is a scenario or a list of mistakes with places."""
    found: tuple[str, ...] = ()
    try:
        read(HEAD + source)
    except ScenarioError as error:
        found = error.mistakes
    assert all(line.startswith("s.yaml:") for line in found)
