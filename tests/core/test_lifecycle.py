"""The table of a stream's states."""

from __future__ import annotations

import pytest

from mockzoom.core.codes import StreamState
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.errors import RefusedTransition

S, H = StreamState, Happening


def test_every_state_has_a_row_and_every_happening_a_place() -> None:
    """No state of the wire is forgotten, and nothing that can happen is without effect anywhere."""
    assert set(LIFECYCLE.steps) == set(StreamState)
    assert {happening for _, happening, _ in LIFECYCLE} == set(Happening)


@pytest.mark.parametrize("state", StreamState)
@pytest.mark.parametrize("happening", Happening)
def test_every_pair_is_in_the_table_or_refused(state: StreamState, happening: Happening) -> None:
    """There is a next state, or an error that names both."""
    if LIFECYCLE.allows(state, happening):
        assert LIFECYCLE.after(state, happening) in StreamState
        return
    with pytest.raises(RefusedTransition, match=f"{happening.name} .* {state.name}"):
        LIFECYCLE.after(state, happening)


@pytest.mark.parametrize(
    "state", [s for s in StreamState if s not in (S.TERMINATING, S.TERMINATED)]
)
def test_every_live_state_can_be_ended_cut_and_moved(state: StreamState) -> None:
    """Stopping, losing signaling and failover can happen at any time before the end."""
    assert LIFECYCLE.after(state, H.STOP) is S.TERMINATING
    assert LIFECYCLE.after(state, H.SIGNALING_LOST) is S.INTERRUPTED
    assert LIFECYCLE.after(state, H.RELOCATE) is S.INACTIVE


def test_a_stream_flows_only_after_a_ready_ack() -> None:
    """ACTIVE is reached by READY alone, and RESUMED only from PAUSED."""
    into = {state: {(a, h) for a, h, b in LIFECYCLE if b is state} for state in StreamState}
    assert {h for _, h in into[S.ACTIVE]} == {H.READY}
    assert into[S.RESUMED] == {(S.PAUSED, H.RESUME)}


def test_the_end_is_the_end() -> None:
    """TERMINATING goes to TERMINATED, and nothing goes on from there."""
    assert dict(LIFECYCLE.steps[S.TERMINATING]) == {H.END: S.TERMINATED}
    assert dict(LIFECYCLE.steps[S.TERMINATED]) == {}
