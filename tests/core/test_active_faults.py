"""The faults that are on: where they apply, how often, and that chance repeats."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import StatusCode
from mockzoom.core.fault_kinds import FAULTS, settings
from mockzoom.core.faults import (
    CloseFrame,
    Grant,
    HalfOpen,
    Lasting,
    NoKeepAlive,
    Offer,
    Refuse,
    StopAnswering,
)
from mockzoom.core.messages import Message
from mockzoom.core.wire_faults import Delay, Duplicate, Jitter, Silence
from mockzoom.errors import UnknownObject

AUDIO = {"msg_type": 14, "content": {"data": "AAAA"}}
KEEP_ALIVE = {"msg_type": 12, "sequence": 1, "timestamp": 2}


def test_without_faults_everything_goes_through_unchanged() -> None:
    """One packet, at once."""
    faults = Faults(1)
    (packet,) = faults.outgoing("s", "audio", AUDIO)
    assert (packet.delay_ms, packet.in_order) == (0, True)
    assert faults.hears("s", "audio", 13)
    assert not faults


@pytest.mark.parametrize(
    ("socket", "stream", "hit"),
    [
        ("any", "", True),
        ("media", "", True),
        ("audio", "", True),
        ("signaling", "", False),
        ("video", "", False),
        ("any", "s", True),
        ("any", "other", False),
    ],
)
def test_a_fault_is_only_where_it_was_put(socket: str, stream: str, hit: bool) -> None:
    """Socket and stream narrow it down."""
    faults = Faults(1)
    faults.add(Silence(socket=socket, stream=stream))
    assert (faults.outgoing("s", "audio", AUDIO) == []) is hit


def test_faults_compose_in_the_order_in_which_they_were_switched_on() -> None:
    """Each works on what the one before it made."""
    faults = Faults(1)
    faults.add(Duplicate())
    faults.add(Delay(ms=30))
    assert [packet.delay_ms for packet in faults.outgoing("s", "audio", AUDIO)] == [30, 30]


def test_a_fault_with_a_count_ends_by_itself() -> None:
    """It hits as often as it was told to, and is gone then."""
    faults = Faults(1)
    faults.add(Silence(times=2))
    sent = [bool(faults.outgoing("s", "audio", AUDIO)) for _ in range(4)]
    assert sent == [False, False, True, True]
    assert not faults


def test_lifting_ends_a_fault_and_only_that() -> None:
    """By its number; a number that is not on is told."""
    faults = Faults(1)
    first, second = faults.add(Silence()), faults.add(Delay(ms=5))
    faults.lift(first)
    assert [active.number for active in faults] == [second]
    with pytest.raises(UnknownObject, match=f"fault {first}: it is not on; on are: {second}"):
        faults.lift(first)
    faults.clear()
    assert not faults


def test_cuts_happen_once_and_are_never_on() -> None:
    """They are done by whoever holds the sockets."""
    faults = Faults(1)
    faults.add(CloseFrame())
    assert not faults


def test_the_same_seed_gives_the_same_faults() -> None:
    """Chance has one source, and it is seeded."""

    def delays(seed: int) -> list[int]:
        faults = Faults(seed)
        faults.add(Jitter(ms=1000, probability=0.5))
        return [faults.outgoing("s", "audio", AUDIO)[0].delay_ms for _ in range(50)]

    assert delays(4) == delays(4)
    assert delays(4) != delays(5)


def test_hits_are_counted_and_the_last_one_is_told() -> None:
    """Who asked is told of a fault that ends by itself, with the number of its hits."""
    faults, over = Faults(1), []
    faults.over = lambda active: over.append((active.number, active.hits))
    faults.add(Delay())
    number = faults.add(Silence(times=2, msg_type=14))
    for message in (AUDIO, KEEP_ALIVE, AUDIO, AUDIO):
        faults.outgoing("s", "audio", message)
    assert over == [(number, 2)]
    assert [active.hits for active in faults] == [4]


def test_the_server_can_be_deaf_or_half_open() -> None:
    """A deaf server still talks, over a half-open line nothing passes."""
    faults = Faults(1)
    faults.add(StopAnswering(socket="audio", msg_type=13))
    faults.add(HalfOpen(socket="signaling"))
    assert not faults.hears("s", "audio", 13)
    assert faults.hears("s", "audio", 7)
    assert faults.outgoing("s", "audio", AUDIO)
    assert not faults.hears("s", "signaling", 13)
    assert not faults.outgoing("s", "signaling", KEEP_ALIVE)


def test_keep_alives_can_be_left_out() -> None:
    """As often as asked; messages go through, and so do keep-alives that are not spared."""
    faults = Faults(1)
    faults.add(NoKeepAlive(times=2))
    assert faults.outgoing("s", "audio", KEEP_ALIVE)
    assert [faults.spares_keep_alive("s", "audio") for _ in range(3)] == [True, True, False]


def test_handshakes_are_refused_and_grants_changed() -> None:
    """The next one is refused, the one after that gets other parameters than it asked for."""
    faults = Faults(1)
    faults.add(Refuse(code=StatusCode.INTERNAL_EXCEPTION))
    faults.add(Grant(params={"audio": {"data_opt": 1}}))
    assert faults.refusal("s", "signaling") is StatusCode.INTERNAL_EXCEPTION
    assert faults.refusal("s", "signaling") is None
    granted = faults.granted("s", "audio", {"audio": {"data_opt": 2, "codec": 1}})
    assert granted["audio"].items() >= {"data_opt": 1, "codec": 1}.items()


MESSAGES = [
    AUDIO,
    KEEP_ALIVE,
    {"msg_type": 14, "content": {"user_id": 1, "user_name": "Zoë", "data": "", "length": 0}},
    {"msg_type": 17, "content": {"data": "Hello \N{GRINNING FACE}", "timestamp": 5}},
    {"msg_type": 2, "media_server": {"server_urls": {"audio": "ws://x"}}, "status_code": 0},
    {"msg_type": 6, "event": {"event_type": 3, "participants": [{"user_id": 1}]}},
    {"msg_type": 8},
]
KINDS = [FAULTS[kind] for kind in FAULTS if issubclass(FAULTS[kind], Lasting) and kind != "grant"]


@st.composite
def lasting(draw: st.DrawFn) -> Lasting:
    """A fault of sockets as somebody could ask for it."""
    fields = {
        "socket": st.sampled_from(["any", "media", "audio", "signaling"]),
        "times": st.none() | st.integers(1, 5),
        "probability": st.floats(0, 1, exclude_min=True),
        "msg_type": st.none() | st.sampled_from([2, 12, 14]),
        "field": st.sampled_from(["", "content", "data", "msg_type", "none"]),
        "number": st.integers(0, 10**9),
        "bytes": st.integers(1, 1_000),
        "ms": st.integers(0, 3_600_000),
        "bytes_per_s": st.integers(1, 10**9),
    }
    kind = draw(st.sampled_from(KINDS))
    own = [name for name in settings(kind.kind) if name in fields]
    return kind(**{name: draw(fields[name]) for name in own if draw(st.booleans())})


@given(st.lists(lasting(), max_size=6), st.integers(0, 9), st.lists(st.sampled_from(MESSAGES)))
def test_no_faults_together_fail(faults: list[Lasting], seed: int, sent: list[Message]) -> None:
    """Any faults, on any messages: packets that can be sent, and the same again with the seed."""

    def told() -> list[tuple[bytes, float, bool]]:
        active = Faults(seed)
        for fault in faults:
            active.add(fault)
        packets = []
        for message in sent:
            before = json.dumps(message)
            packets += active.outgoing("s", "audio", message)
            active.hears("s", "audio", 13)
            active.spares_keep_alive("s", "audio")
            active.refusal("s", "signaling")
            assert json.dumps(message) == before, "messages are shared, and never changed in place"
        return [(p.text.encode(), p.delay_ms, p.in_order) for p in packets]

    first = told()
    assert all(text and delay_ms >= 0 for text, delay_ms, _ in first)
    assert told() == first


def test_offers_are_narrowed_down() -> None:
    """All offers that are on apply, to their stream."""
    faults, urls = Faults(1), {"audio": "a", "video": "v", "all": "x"}
    assert faults.offered("s", "signaling", urls) == urls
    faults.add(Offer(keys="audio,video", stream="s"))
    faults.add(Offer(keys="audio,all", times=1))
    assert faults.offered("s", "signaling", urls) == {"audio": "a"}
    assert faults.offered("s", "signaling", urls) == {"audio": "a", "video": "v"}
    assert faults.offered("other", "signaling", urls) == urls
