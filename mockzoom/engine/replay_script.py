"""The recording as a script: what Zoom did is done again, what the app did is waited for.

The script is gone through once, from the first entry to the last.  Webhooks are posted, messages
sent, sockets closed or reset when they are due.  Waited for is what the rest makes no sense
without: the two handshakes, and CLIENT_READY_ACK.  Time stands still for the whole recording while
one of these is waited for, so that a receiver that is slow hears the same as the recorded one did.
Who does not come in time is left out, with everything that hangs on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mockzoom.core.answers import ANSWERS, HANDSHAKES, echoing
from mockzoom.core.codes import MessageType, StatusCode
from mockzoom.core.examples import encode
from mockzoom.core.handshake import Identity, Rejected
from mockzoom.core.messages import Message, message_type
from mockzoom.core.outline import Outline, product_of
from mockzoom.core.products import PRODUCTS
from mockzoom.core.recording import APP, CUT, WEBHOOK, ZOOM, Entry
from mockzoom.core.rehearsed import check_request
from mockzoom.core.restaging import Restaging
from mockzoom.core.server_urls import with_urls
from mockzoom.core.sockets import SIGNALING
from mockzoom.engine.replay_sockets import AppSocket, Place
from mockzoom.engine.replay_stage import Listener, Stage
from mockzoom.engine.sender import Attempt
from mockzoom.errors import ReceiverUnreachable

__all__ = ["Pace", "Script"]

_READY = MessageType.CLIENT_READY_ACK
_STOPPED = {product.event("stopped") for product in PRODUCTS.values()}


class Pace:
    """When things are due: `speed` times as fast as they were, and later by what was waited.

    `news` is to be set whenever the receiver did something; it is waited for at most `patience_s`.
    """

    def __init__(self, speed: float, patience_s: float) -> None:
        self.news = asyncio.Event()
        self.patience_s = patience_s
        self._speed = speed
        self._epoch_s: float | None = None

    async def wait_until(self, at_ms: int) -> None:
        """Wait until an entry is due; the first one is due at once."""
        # Where there is nothing to wait for, whoever has news still gets a word in.
        await asyncio.sleep(max(0, -self._late_s(at_ms)))

    def hold(self, at_ms: int) -> None:
        """Time stood still at `at_ms`: whatever comes after it is due as much later."""
        late_s = self._late_s(at_ms)
        assert self._epoch_s is not None
        self._epoch_s += max(0, late_s)

    async def reached(self, what: Callable[[], object], timeout_s: float | None = None) -> bool:
        """Whether it came to `what` in time."""
        try:
            async with asyncio.timeout(self.patience_s if timeout_s is None else timeout_s):
                while not what():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            return False
        return True

    def _late_s(self, at_ms: int) -> float:
        """How long ago it was `at_ms`."""
        at_s, now_s = at_ms / 1000 / self._speed, asyncio.get_running_loop().time()
        if self._epoch_s is None:
            self._epoch_s = now_s - at_s
        return now_s - at_s - self._epoch_s


@dataclass
class _Line:
    """A recorded connection while it is played, and the receiver's `socket` in its place.

    `recorded` is the handshake that the app sent then and `request` the one that it sent now,
    until it is answered.  Nothing more is played on a line that is `dead`: the receiver did not
    come, or was refused.
    """

    place: Place
    socket: AppSocket | None = None
    recorded: Message | None = None
    request: Message | None = None
    ready: bool = False
    dead: bool = False

    @property
    def stream(self) -> str:
        return self.place.identity.rtms_stream_id


class Script:
    """Plays entry after entry by `perform`, then `leave`.

    `post` posts a webhook's body to the receiver, `new_token` makes a part of a URL.
    """

    def __init__(
        self,
        outline: Outline,
        stage: Stage,
        pace: Pace,
        restaging: Restaging,
        new_token: Callable[[], str],
        post: Callable[[bytes], Awaitable[Attempt]],
        tell: Listener,
    ) -> None:
        self.webhooks = 0
        self._outline = outline
        self._stage = stage
        self._pace = pace
        self._restaging = restaging
        self._new_token = new_token
        self._post = post
        self._tell = tell
        self._lines: dict[int, _Line] = {}
        self._absent: set[str] = set()
        self._stopped: set[str] = set()

    @property
    def streams(self) -> int:
        """How many were started."""
        return len({place.identity.rtms_stream_id for place in self._stage.places.values()})

    async def perform(self, entry: Entry) -> None:
        """Do what the entry says, now.

        Raises `ReceiverUnreachable` for the first webhook, if nobody is there.
        """
        if entry.leg == WEBHOOK:
            if entry.message is not None:
                await self._deliver(entry, entry.message)
        elif entry.opened is not None:
            # A URL that stood in a message which was not played is nobody's place.
            if entry.opened in self._stage.places:
                self._lines[entry.conn] = _Line(self._stage.places[entry.opened])
        elif entry.conn in self._lines:
            line = self._lines[entry.conn]
            if entry.closed is not None:
                await self._end(entry, line)
            elif entry.message is not None and not line.dead:
                act = self._expect if entry.by == APP else self._say
                await act(entry, line, entry.message)

    async def leave(self, grace_s: float) -> None:
        """Let the receiver close the sockets of streams that have ended, and see what is left."""

        def of_ended() -> list[Place]:
            places = self._stage.server.sockets.values()
            return [place for place in places if place.identity.rtms_stream_id in self._stopped]

        await self._stage.server.read()
        if not await self._pace.reached(lambda: not of_ended(), grace_s):
            for place in of_ended():
                self._stage.found("rtms.left-open", str(place), "closed", "still open", place)

    # --- webhooks -----------------------------------------------------------------------------

    async def _deliver(self, entry: Entry, recorded: Message) -> None:
        message = self._restaging.staged(recorded)
        product = product_of(message)
        if product is not None:
            payload = message["payload"]
            identity = Identity(product, payload[product.id_field], payload["rtms_stream_id"])
            message = self._with_places(message, identity)
        elif message.get("event") in _STOPPED and isinstance(message.get("payload"), dict):
            self._stopped.add(message["payload"].get("rtms_stream_id", ""))
        await self._stage.server.read()  # see _say
        attempt = await self._post(encode(message))
        self._pace.hold(entry.at_ms)
        name = str(message.get("event"))
        self._tell("webhook", {"at_ms": entry.at_ms, "event": name, "answer": attempt.told})
        if attempt.status is None and not self.webhooks:
            raise ReceiverUnreachable(f"{attempt.url}: {attempt.error}; is the receiver running?")
        self.webhooks += 1
        if not attempt.ok:
            self._stage.found("webhook.answer", name, "200 or 204 within 3 s", attempt.told)

    def _with_places(self, message: Message, identity: Identity) -> Message:
        """`message` with URLs of our own for those that the recorded app has dialled.

        An app that dialled none is told of all.
        """
        named: set[str] = set()
        with_urls(message, lambda _, url: named.add(url))
        offered = named & self._outline.used or named

        def fresh(leg: str, url: str) -> str | None:
            if url not in offered:
                return None
            return self._stage.place(leg, url, identity, self._new_token).url

        return with_urls(message, fresh)

    # --- what the app has to do ---------------------------------------------------------------

    async def _expect(self, entry: Entry, line: _Line, recorded: Message) -> None:
        kind = message_type(recorded)
        if kind in HANDSHAKES:
            await self._expect_handshake(entry, line, recorded)
        elif kind == _READY and line.place.leg == SIGNALING and not line.ready:
            line.ready = True
            await self._expect_ready(entry, line)

    async def _expect_handshake(self, entry: Entry, line: _Line, recorded: Message) -> None:
        place = line.place
        if line.stream in self._absent and place.leg != SIGNALING:
            place.awaited += 1
            line.dead = True
            return

        def came() -> object:
            return place.came_back or place.next_handshake()

        in_time = await self._wait_for(entry, line, came, "a handshake")
        place.awaited += 1
        if not in_time:
            check = "rtms.reconnect" if place.answer else "rtms.connect"
            self._missing(line, check, "a handshake")
            return
        self._absent.discard(line.stream)
        following = place.next_handshake()
        if following is None:
            line.socket, place.conn = place.accepted, entry.conn
        else:
            place.waiting.popleft()
            line.socket, line.request = following
            line.recorded = recorded
        place.returned = False

    async def _expect_ready(self, entry: Entry, line: _Line) -> None:
        socket = line.socket
        if socket is None:
            return

        def came() -> object:
            return socket.heard[_READY] or not socket.alive

        if not await self._wait_for(entry, line, came, _READY.name):
            self._missing(line, "rtms.ready-ack", _READY.name)

    async def _wait_for(
        self, entry: Entry, line: _Line, came: Callable[[], object], what: str
    ) -> bool:
        if came():
            return True
        self._tell("waiting", {"at_ms": entry.at_ms, "for": f"{what} on the {line.place}"})
        reached = await self._pace.reached(came)
        self._pace.hold(entry.at_ms)
        return reached

    def _missing(self, line: _Line, check: str, what: str) -> None:
        """The receiver did not do what the rest of its stream depends on."""
        line.dead = True
        wanted = f"{what} within {self._pace.patience_s:g} s, as recorded"
        self._stage.found(check, str(line.place), wanted, "none", line.place)
        if line.place.leg == SIGNALING:
            self._absent.add(line.stream)

    # --- what Zoom says -----------------------------------------------------------------------

    async def _say(self, entry: Entry, line: _Line, recorded: Message) -> None:
        message, kind = self._restaging.staged(recorded), message_type(recorded)
        if kind in HANDSHAKES.values():
            await self._answer_handshake(entry, line, message)
        elif kind in ANSWERS.values():
            await self._stage.answer(line.place, message, entry.binary)
        elif line.stream not in self._absent:
            here = line.socket is not None and line.socket.alive
            socket = line.socket if here else line.place.accepted  # it came back by itself
            if line.place.leg == SIGNALING and kind != MessageType.KEEP_ALIVE_REQ:
                # What is said here may be the end of other sockets.  What was sent on those had
                # been read by now, and is so again, however fast it all goes.
                await self._stage.server.read()
            await self._stage.send(socket, message, entry.binary)

    async def _answer_handshake(self, entry: Entry, line: _Line, answer: Message) -> None:
        place, socket, request = line.place, line.socket, line.request
        if socket is None or request is None:
            return
        line.request = None
        if answer.get("status_code") == StatusCode.OK:
            try:
                if place.leg == SIGNALING:
                    answer = self._with_places(answer, place.identity)
                elif line.recorded is not None:
                    check_request(line.recorded, answer, request)
            except Rejected as rejected:
                line.dead = True
                await self._stage.refuse(place, socket, request, rejected)
                return
            place.accepted, place.answer, place.conn = socket, answer, entry.conn
        await self._stage.send(socket, echoing(answer, request), entry.binary)
        if place.accepted is socket:
            await self._stage.refuse_surplus(place)

    async def _end(self, entry: Entry, line: _Line) -> None:
        """The recorded connection ends: as it did, where that was not the app's own decision."""
        del self._lines[entry.conn]
        if line.place.conn == entry.conn and not line.place.returned:
            line.place.accepted = None
        if line.socket is not None and (entry.by == ZOOM or entry.closed == CUT):
            await line.socket.close(entry.closed or CUT)
