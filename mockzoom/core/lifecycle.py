"""The states of a stream and what moves it between them, as a table.

The states are the wire's own (`StreamState`); `mockzoom.core.stream` acts on the table.
"""

from __future__ import annotations

from enum import Enum

from mockzoom.core.codes import StreamState
from mockzoom.core.machine import Table

__all__ = ["LIFECYCLE", "Happening"]


class Happening(Enum):
    """What moves a stream from state to state."""

    START = "the started webhook goes out"
    READY = "the app acknowledged that it is ready"
    READY_PAUSED = "the same, while the host keeps the stream paused"
    SIGNALING_LOST = "the signaling socket is gone or does not answer"
    RELOCATE = "the server moves the stream to new URLs"
    PAUSE = "the host pauses"
    RESUME = "the host resumes"
    STOP = "something ends the stream"
    END = "everybody was told of the end"


S, H = StreamState, Happening

_CONNECTED = {
    H.SIGNALING_LOST: S.INTERRUPTED,
    H.RELOCATE: S.INACTIVE,
    H.STOP: S.TERMINATING,
}
# While the app is not there the host may pause and resume too; it shows once the app is ready.
_APART = {
    **_CONNECTED,
    H.READY: S.ACTIVE,
    H.READY_PAUSED: S.PAUSED,
}

LIFECYCLE = Table(
    "stream",
    {
        S.INACTIVE: {
            **_APART,
            H.START: S.INACTIVE,
            H.PAUSE: S.INACTIVE,
            H.RESUME: S.INACTIVE,
        },
        S.ACTIVE: {**_CONNECTED, H.PAUSE: S.PAUSED},
        S.PAUSED: {**_CONNECTED, H.RESUME: S.RESUMED},
        S.RESUMED: {**_CONNECTED, H.PAUSE: S.PAUSED},
        S.INTERRUPTED: {**_APART, H.PAUSE: S.INTERRUPTED, H.RESUME: S.INTERRUPTED},
        S.TERMINATING: {H.END: S.TERMINATED},
        S.TERMINATED: {},
    },
)
