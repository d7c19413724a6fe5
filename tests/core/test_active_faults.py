"""The faults that are on: where they apply, how often, and that chance repeats."""

from __future__ import annotations

import pytest

from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import StatusCode
from mockzoom.core.faults import (
    Bandwidth,
    CloseFrame,
    Delay,
    Duplicate,
    Grant,
    HalfOpen,
    Jitter,
    NoKeepAlive,
    Refuse,
    Silence,
    StopAnswering,
)
from mockzoom.errors import UnknownObject

AUDIO = {"msg_type": 14, "content": {"data": "AAAA"}}
KEEP_ALIVE = {"msg_type": 12, "sequence": 1, "timestamp": 2}


def test_without_faults_everything_goes_through_unchanged() -> None:
    """One packet, at once."""
    faults = Faults(1)
    (packet,) = faults.outgoing("s", "audio", AUDIO)
    assert (packet.delay_ms, packet.in_order) == (0, True)
    assert faults.hears("s", "audio")
    assert faults.line_bytes_per_s("s", "audio") is None
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
    assert [number for number, _ in faults] == [second]
    with pytest.raises(UnknownObject, match=f"fault {first}"):
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


def test_the_server_can_be_deaf_or_half_open() -> None:
    """A deaf server still talks, over a half-open line nothing passes."""
    faults = Faults(1)
    faults.add(StopAnswering(socket="audio"))
    faults.add(HalfOpen(socket="signaling"))
    assert not faults.hears("s", "audio")
    assert faults.outgoing("s", "audio", AUDIO)
    assert not faults.hears("s", "signaling")
    assert not faults.outgoing("s", "signaling", KEEP_ALIVE)


def test_keep_alives_can_be_left_out() -> None:
    """Nothing else is, and missing answers are to be overlooked."""
    faults = Faults(1)
    faults.add(NoKeepAlive())
    assert faults.outgoing("s", "audio", KEEP_ALIVE) == []
    assert faults.outgoing("s", "audio", AUDIO)
    assert faults.spares_keep_alives("s", "audio")


def test_the_narrowest_line_counts() -> None:
    """Two limits on one socket are the smaller one."""
    faults = Faults(1)
    faults.add(Bandwidth(bytes_per_s=9_000))
    faults.add(Bandwidth(bytes_per_s=4_000, socket="audio"))
    assert faults.line_bytes_per_s("s", "audio") == 4_000
    assert faults.line_bytes_per_s("s", "video") == 9_000


def test_handshakes_are_refused_and_grants_changed() -> None:
    """The next one is refused, the one after that gets other parameters than it asked for."""
    faults = Faults(1)
    faults.add(Refuse(code=StatusCode.INTERNAL_EXCEPTION))
    faults.add(Grant(params={"audio": {"data_opt": 1}}))
    assert faults.refusal("s", "signaling") is StatusCode.INTERNAL_EXCEPTION
    assert faults.refusal("s", "signaling") is None
    granted = faults.granted("s", "audio", {"audio": {"data_opt": 2, "codec": 1}})
    assert granted == {"audio": {"data_opt": 1, "codec": 1}}
