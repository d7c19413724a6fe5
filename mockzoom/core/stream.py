"""Zoom's side of one stream: the state machine behind a signaling socket and its media sockets.

A stream begins INACTIVE, when its `started` webhook goes out.  The app dials the signaling URL and
handshakes, is told the media URLs, dials and handshakes on those, and says CLIENT_READY_ACK: the
stream is ACTIVE and media flows.  A lost signaling socket makes it INTERRUPTED, with all of its
sockets cut and a webhook; the app has a window to do everything again.  A lost media socket is
told to the app as event 7, and only that socket has to come back.  The host may pause and resume.
Whatever ends the stream is told first on the signaling socket, then by the `stopped` webhook, and
an app that leaves sockets open after that has them closed.

    opened, receive, lost         what the app does, a small integer naming the socket
    start, stop, pause, resume,   what happens in Zoom's world
    relocate, session, join,
    leave, tell, first_packet
    next_timer, handle_timer      time
    take_effects                  what to do about it

Every clause that the app breaks becomes a finding; what it gets for it is what Zoom would answer.
The sockets themselves are kept by `mockzoom.core.connections`, the app is told of the meeting by
`mockzoom.core.briefing`, and its requests are understood by `mockzoom.core.requests`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

from mockzoom.core import messages, requests
from mockzoom.core.briefing import Briefing
from mockzoom.core.codes import (
    EventType,
    MediaType,
    MessageType,
    SessionState,
    StatusCode,
    StopReason,
    StreamState,
)
from mockzoom.core.effects import Emit
from mockzoom.core.handshake import Identity
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.signing import Credentials
from mockzoom.core.sockets import SIGNALING, Socket, SocketEvent, SocketState
from mockzoom.core.timings import Timings
from mockzoom.errors import RefusedTransition

__all__ = ["StreamMachine", "StreamPolicy", "StreamUrls"]

S, H = StreamState, Happening

_FLOWING = (S.ACTIVE, S.RESUMED)


@dataclass(frozen=True)
class StreamUrls:
    """Where a stream is reached: one signaling URL, and media URLs by key."""

    signaling: str
    media: Mapping[str, str]


@dataclass(frozen=True)
class StreamPolicy:
    """Settings where production differs from page to page.

    `media` narrows the types of the product to those that the app's scopes allow.  `gate_events`
    sends only events that were subscribed to; off, because the official SDK never sends some of
    its subscriptions.  `replace_signaling` lets a second signaling handshake push out the first,
    with its media sockets, instead of being refused.
    """

    media: tuple[MediaType, ...] | None = None
    gate_events: bool = False
    replace_signaling: bool = False


class StreamMachine(Briefing):
    """One stream; `state` is the wire's own.

    `refuse_next` holds status codes under the number of a request, such as
    `DATA_HAND_SHAKE_REQ`: as many of the next such requests are refused, whatever they say.
    `regrant` may change what a media socket (its key, the parameters) is granted, and `reoffer`
    which media URLs the app is told.
    """

    def __init__(
        self,
        identity: Identity,
        credentials: Credentials,
        urls: StreamUrls,
        timings: Timings | None = None,
        policy: StreamPolicy | None = None,
    ) -> None:
        self.policy = policy or StreamPolicy()
        super().__init__(identity, timings or Timings(), gate_events=self.policy.gate_events)
        self.credentials = credentials
        self.urls = urls
        self.state: StreamState = LIFECYCLE.initial
        self.started_ms = 0
        self.ended_ms = 0
        self.refuse_next: defaultdict[MessageType, deque[StatusCode]] = defaultdict(deque)
        self.regrant: Callable[[str, Message], Message] = lambda _, params: params
        self.reoffer: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda urls: urls
        self._paused = False
        self._buffer_from_ms: int | None = None
        self._window_reason = StopReason.CONNECTION_TIMEOUT
        self._lost_ms: dict[str | MediaType, int] = {}

    # --- what others may ask ------------------------------------------------------------------

    @property
    def offered(self) -> tuple[MediaType, ...]:
        product = self.identity.product.media
        wanted = self.policy.media
        return product if wanted is None else tuple(media for media in product if media in wanted)

    @property
    def flowing(self) -> bool:
        """Whether media may flow now."""
        return self.state in _FLOWING

    @property
    def whole(self) -> bool:
        """Whether no socket was lost that has not come back since."""
        return not self._lost_ms

    # --- Zoom's world -------------------------------------------------------------------------

    def start(self, now_ms: int) -> None:
        """The stream exists from now on: its webhook goes out, audio is kept for the app."""
        self._step(H.START)
        self.started_ms = self._buffer_from_ms = now_ms
        self._announce_urls(now_ms)

    def relocate(self, urls: StreamUrls, now_ms: int) -> None:
        """Server failover: every socket is cut, and a new `started` names the new URLs."""
        self._step(H.RELOCATE)
        self.urls = urls
        self._lost_ms.clear()
        for socket in list(self.sockets.values()):
            self.drop(socket)
        self.timers.clear()
        self._announce_urls(now_ms)

    def stop(self, reason: StopReason, now_ms: int) -> None:
        """End the stream; a stream that has ended stays as it is."""
        if not LIFECYCLE.allows(self.state, H.STOP):
            return
        self._step(H.STOP)
        self._tell_state(now_ms, reason)
        self.stop_reason = reason
        for session, state in self.sessions.items():
            if state is not SessionState.STOPPED:
                self.session(session, SessionState.STOPPED, now_ms)
        self._step(H.END)
        self.ended_ms = now_ms
        self._tell_state(now_ms, reason)
        told = self.identity.product.stop_reasons[reason]
        self.effects.append(Emit("stopped", {"stop_reason": told}))
        self.timers.clear()
        if self.sockets:
            self.timers.set("left-open", now_ms + self.timings.close_grace_ms)

    def pause(self, now_ms: int) -> None:
        self._hold(H.PAUSE, True, now_ms)

    def resume(self, now_ms: int) -> None:
        self._hold(H.RESUME, False, now_ms)

    # --- the app's sockets --------------------------------------------------------------------

    def receive(self, conn: int, data: str | bytes, now_ms: int) -> None:
        """One whole WebSocket message, text or binary."""
        if conn in self.sockets:
            requests.handle(self, self.sockets[conn], data, now_ms)

    def gone(self, socket: Socket, reason: StopReason, now_ms: int) -> None:
        """A socket that had joined is no more: the whole stream, or one media type, is apart."""
        if not LIFECYCLE.allows(self.state, H.SIGNALING_LOST):
            return
        if socket.is_signaling:
            self._interrupt(reason, now_ms)
        else:
            self._media_lost(socket, now_ms)

    # --- what a request may do (`mockzoom.core.requests`) -------------------------------------

    def join_signaling(self, socket: Socket, buffer: bool, now_ms: int) -> None:
        """A signaling handshake was accepted, maybe in place of an older connection's."""
        if self.signaling is not None:
            self._replace()
        self._watch_reconnect(SIGNALING, now_ms)
        self.joined(socket)
        self.timers.cancel("window")
        self.timers.set("ready-ack", now_ms + self.timings.handshake_ms)
        if not buffer and self._buffer_from_ms is not None:
            self._buffer_from_ms = now_ms

    def join_media(
        self,
        socket: Socket,
        media: tuple[MediaType, ...],
        params: Message,
        *,
        all_media: bool,
        now_ms: int,
    ) -> None:
        """A media handshake was accepted; media flows at once where the app is ready already."""
        self.joined(socket)
        socket.media, socket.params, socket.all_media = media, params, all_media
        for kind in media:
            self._watch_reconnect(kind, now_ms)
            self.timers.cancel(("media-window", kind))
        if self.state in (*_FLOWING, S.PAUSED):
            socket.flow_from_ms = socket.audio_from_ms = now_ms
        else:
            self.timers.set("ready-ack", now_ms + self.timings.handshake_ms)

    def ready(self, socket: Socket, now_ms: int) -> None:
        """A valid CLIENT_READY_ACK; only the first one on a socket of a live stream counts."""
        if socket.state is SocketState.READY or not LIFECYCLE.allows(self.state, H.READY):
            return
        socket.step(SocketEvent.ACK)
        self.timers.cancel("ready-ack")
        self._step(H.READY_PAUSED if self._paused else H.READY)
        self._open_the_flow(now_ms)
        self._tell_state(now_ms)
        self.brief(now_ms)

    # --- time ---------------------------------------------------------------------------------

    def on_timer(self, name: Hashable, now_ms: int) -> None:
        match name:
            case "ready-ack":
                wanted = f"CLIENT_READY_ACK within {self.timings.handshake_ms} ms of handshakes"
                self.found("rtms.ready-ack", "signaling socket", wanted, "none")
            case "window":
                self._window_over(now_ms)
            case ("media-window", MediaType() as media):
                self._media_window_over(media, now_ms)
            case "left-open":
                self._close_leftovers()
            case _:
                super().on_timer(name, now_ms)

    def _window_over(self, now_ms: int) -> None:
        if self._window_reason is StopReason.CONNECTION_TIMEOUT:
            check, window_ms = "rtms.connect", self.timings.connect_window_ms
        else:
            check, window_ms = "rtms.reconnect", self.timings.signaling_window_ms
        wanted = f"a signaling handshake within {window_ms} ms"
        self.found(check, "signaling socket", wanted, "none")
        self.stop(self._window_reason, now_ms)

    def _media_window_over(self, media: MediaType, now_ms: int) -> None:
        wanted = f"a new handshake within {self.timings.media_window_ms} ms"
        self.found("rtms.reconnect", f"{MEDIA_KEYS[media]} socket", wanted, "none")
        self.stop(StopReason.DATA_CONNECTION_INTERRUPTED, now_ms)

    def _close_leftovers(self) -> None:
        for socket in list(self.sockets.values()):
            self.found("rtms.left-open", socket, "closed", "still open")
            self.shut(socket, "the stream has ended")

    # --- steps --------------------------------------------------------------------------------

    def _step(self, happening: Happening) -> None:
        self.state = LIFECYCLE.after(self.state, happening)

    def _announce_urls(self, now_ms: int) -> None:
        self._wait_for_app(StopReason.CONNECTION_TIMEOUT, now_ms + self.timings.connect_window_ms)
        self.effects.append(Emit("started", {"server_urls": self.urls.signaling}))

    def _wait_for_app(self, reason: StopReason, until_ms: int) -> None:
        self._window_reason = reason
        self.timers.set("window", until_ms)

    def _hold(self, happening: Happening, paused: bool, now_ms: int) -> None:
        before, after = self.state, LIFECYCLE.after(self.state, happening)
        if self._paused == paused:
            raise RefusedTransition(f"stream: {happening.name} is not possible: it is so already")
        self.state, self._paused = after, paused
        if after is before:
            return
        for socket in self.media_sockets if self.flowing else ():
            socket.flow_from_ms = socket.audio_from_ms = now_ms
        self._tell_state(now_ms)

    def _open_the_flow(self, now_ms: int) -> None:
        """Media may flow from now on; the first time also audio of the last minute."""
        audio_from = now_ms
        if self._buffer_from_ms is not None:
            audio_from = max(self._buffer_from_ms, now_ms - self.timings.audio_buffer_ms)
            self._buffer_from_ms = None
        for socket in self.media_sockets:
            if socket.flow_from_ms is None:
                socket.flow_from_ms, socket.audio_from_ms = now_ms, audio_from

    def _watch_reconnect(self, what: str | MediaType, now_ms: int) -> None:
        lost_ms = self._lost_ms.pop(what, None)
        if lost_ms is not None and now_ms - lost_ms < self.timings.reconnect_too_fast_ms:
            where = MEDIA_KEYS[what] if isinstance(what, MediaType) else what
            wanted = f"at least {self.timings.reconnect_too_fast_ms} ms after the loss"
            self.found("rtms.reconnect", f"{where} socket", wanted, "sooner")

    # --- losing sockets -----------------------------------------------------------------------

    def _interrupt(self, reason: StopReason, now_ms: int) -> None:
        """The app is gone: what is left of its connection is cut, and it has a window to return."""
        self._step(H.SIGNALING_LOST)
        for socket in self.media_sockets:
            self.drop(socket)
        self._forget_media_windows()
        self.timers.cancel("ready-ack")
        self._lost_ms = {SIGNALING: now_ms}
        self.effects.append(Emit("interrupted"))
        self._wait_for_app(reason, now_ms + self.timings.signaling_window_ms)

    def _replace(self) -> None:
        """A newer connection pushes out the one there is, which must not come back for it."""
        self._step(H.SIGNALING_LOST)
        for socket in [s for s in self.sockets.values() if s.joined]:
            self.shut(socket, "replaced by a newer connection")
        self._forget_media_windows()
        self._lost_ms.clear()

    def _media_lost(self, socket: Socket, now_ms: int) -> None:
        for media in socket.media:
            self._lost_ms[media] = now_ms
            self.timers.set(("media-window", media), now_ms + self.timings.media_window_ms)
        mask = MediaType.ALL if socket.all_media else sum(socket.media)
        fields = {"timestamp": now_ms, "media_type": mask}
        self.signal(messages.event_update(EventType.MEDIA_CONNECTION_INTERRUPTED, fields))

    def _forget_media_windows(self) -> None:
        for media in MediaType:
            self.timers.cancel(("media-window", media))

    def _tell_state(self, now_ms: int, reason: int = 0) -> None:
        signaling = self.signaling
        if signaling is not None:
            id_ = self.identity.rtms_stream_id
            self.send(signaling, messages.stream_state_update(id_, self.state, now_ms, reason))
