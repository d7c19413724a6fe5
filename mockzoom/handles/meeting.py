"""A meeting as who uses the mock in Python holds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mockzoom.core.codes import ChatOperation
from mockzoom.core.meeting import Meeting as CoreMeeting
from mockzoom.core.meeting import Utterance
from mockzoom.engine.world import World as EngineWorld
from mockzoom.handles.stream import Stream
from mockzoom.threads import LoopThread

__all__ = ["Meeting"]


class Meeting:
    """A meeting of a running `MockZoom`."""

    def __init__(self, meeting: CoreMeeting, world: EngineWorld, loop: LoopThread) -> None:
        self._meeting = meeting
        self._world = world
        self._loop = loop

    @property
    def key(self) -> str:
        """The id by which the control API calls it, a `meeting_id` for a meeting."""
        return self._meeting.key

    @property
    def ids(self) -> dict[str, Any]:
        return dict(self._meeting.ids)

    @property
    def participants(self) -> list[str]:
        return list(self._meeting.participants)

    def add(self, name: str) -> None:
        """`name` joins the meeting."""
        self._loop.call(self._world.join, self._meeting, name)

    def leave(self, name: str) -> None:
        """`name` leaves the meeting."""
        self._loop.call(self._world.leave, self._meeting, name)

    def mute(self, name: str) -> None:
        """`name` is not heard from now on, also not what they were about to say."""
        self._loop.call(self._world.mute, self._meeting, name)

    def unmute(self, name: str) -> None:
        """`name` is heard again, with what they say from now on."""
        self._loop.call(self._world.unmute, self._meeting, name)

    def camera(self, name: str, *, on: bool) -> None:
        """`name` turns the camera on or off."""
        self._loop.call(self._world.camera, self._meeting, name, on)

    def share(self, name: str, *, on: bool) -> None:
        """`name` starts or stops sharing the screen."""
        self._loop.call(self._world.share, self._meeting, name, on)

    def tell(self, event_type: int, **fields: Any) -> None:
        """An event of the product's own table happens, with `fields` as its body."""
        self._loop.call(self._world.tell, self._meeting, event_type, fields)

    def chat(
        self,
        name: str,
        text: str,
        *,
        to: str | None = None,
        operation: int = ChatOperation.NEW,
        message_id: str | None = None,
        parent_message_id: str = "",
    ) -> str:
        """`name` writes `text` to everyone, or `to` one participant; returns the message's id."""
        return self._loop.call(
            lambda: self._world.chat(
                self._meeting,
                name,
                text,
                to=to,
                operation=operation,
                message_id=message_id,
                parent_message_id=parent_message_id,
            )
        )

    def say(self, name: str, text: str, language: str | int | None = None) -> Utterance:
        """`name` says `text`, now or once what they are saying is said; returns at once.

        The transcript is in `language` (``"german"``, or the protocol's number), or in the one
        that the app asked for.
        """
        return self._loop.call(self._world.say, self._meeting, name, text, language)

    def play(self, name: str, *files: str | Path) -> Utterance:
        """`name` plays a recording, a transcript, or one of each; returns at once.

            meeting.play("Alice", "talk.mp4", "talk.vtt")

        Its pictures are seen while their camera is on.  Without `files` it is what they have by
        ``MockZoom(media=…)``.  Raises `ConfigurationError` for a file that cannot be read.
        """
        clip = None
        if files:
            # Imported where it is needed: it loads PyAV.
            from mockzoom.engine.files import clip_of

            clip = clip_of(*files)
        return self._loop.call(self._world.play, self._meeting, name, clip)

    def happen(self, name: str, who: str | None = None) -> None:
        """What is called `name` happens, to the participant `who` where one is concerned.

            meeting.happen("stream_revoked")
            call.happen("transfer_accepted", who="Carol")

        docs/world.md lists the names.  Raises `UnknownObject` for one that the product does
        not know, and `UsageError` for what only the app can cause.
        """
        self._loop.call(self._world.happen, self._meeting, name, who)

    def end(self) -> None:
        """The meeting is over: its streams stop, and it takes no new ones."""
        self._loop.call(self._world.end_meeting, self._meeting)

    def disable_app(self, by: str = "host") -> None:
        """The ``host`` or the ``admin`` disables the app, and the streams stop."""
        self._loop.call(self._world.disable_app, self._meeting, by)

    def hold(self, who: str | None = None) -> None:
        """The agent of a voice call, or `who`, puts the customer on hold."""
        self.happen("hold", who)

    def unhold(self, who: str | None = None) -> None:
        """The agent of a voice call, or `who`, comes back to the customer."""
        self.happen("unhold", who)

    def start_rtms(self) -> Stream:
        """Start a stream: the started webhook is on its way.

        Raises `LimitReached` when the app has as many as it may, `UsageError` after the end.
        """
        stream = self._loop.call(self._world.start_rtms, self._meeting)
        return Stream(stream, self._world, self._loop)
