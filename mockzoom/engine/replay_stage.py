"""The receiver's side of a replay: who is connected where, and what it is answered.

Handshakes are checked as Zoom would check them.  One that is in order waits for what was recorded,
unless the recording is past it: then the receiver has lost its connection and come back by itself,
and gets the recorded answer again.  Requests meet their recorded answers, whichever comes first.
What was never asked in the recording has no answer there: that is refused, and found fault with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mockzoom.core import messages
from mockzoom.core.answers import ANSWERS, HANDSHAKES, echoing, refusal
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.codes import MessageType, StatusCode
from mockzoom.core.findings import Finding
from mockzoom.core.handshake import Identity, Rejected, check_identity, check_shape
from mockzoom.core.messages import Message, message_type
from mockzoom.core.outline import Outline
from mockzoom.core.rehearsed import CHECK
from mockzoom.core.signing import Credentials
from mockzoom.core.sockets import SIGNALING
from mockzoom.engine.replay_sockets import AppSocket, Place, ReplayServer

__all__ = ["Listener", "Stage"]

T = MessageType

_MAX_FINDINGS = 1_000

Listener = Callable[[str, Mapping[str, Any]], None]


class Stage:
    """`places` are the URLs of the recording that were told to the receiver.

    `on_news` is called when something has changed, and `tell` with "finding" for each of those.
    """

    def __init__(
        self,
        outline: Outline,
        credentials: Credentials,
        *,
        now_ms: Callable[[], int],
        timeout_s: float,
        on_news: Callable[[], None],
        tell: Listener,
    ) -> None:
        self.server = ReplayServer(self)
        self.places: dict[str, Place] = {}
        self.findings: list[Finding] = []
        self.sent = 0
        self._outline = outline
        self._credentials = credentials
        self._now_ms = now_ms
        self._timeout_s = timeout_s
        self._on_news = on_news
        self._tell = tell

    def place(
        self, leg: str, recorded: str, identity: Identity, new_token: Callable[[], str]
    ) -> Place:
        """The place of the URL `recorded`; if it is new, a new token goes into its own URL."""
        if recorded not in self.places:
            self.places[recorded] = self.server.add(leg, new_token(), recorded, identity)
        return self.places[recorded]

    async def send(self, socket: AppSocket | None, message: Message, binary: bool = False) -> None:
        """Send `message`, unless there is nobody any more."""
        if socket is not None and socket.alive:
            self.sent += await socket.send(message, binary=binary, timeout_s=self._timeout_s)

    async def answer(self, place: Place, answer: Message, binary: bool) -> None:
        """Answer the request that waits for it, or keep the answer until there is one."""
        kind, socket = message_type(answer), place.accepted
        assert kind is not None
        if socket is not None and socket.unanswered[kind]:
            request = socket.unanswered[kind].popleft()
            await self.send(socket, echoing(answer, request), binary)
        else:
            place.held[kind].append(answer)

    async def refuse(
        self, place: Place, socket: AppSocket, request: Message, rejected: Rejected
    ) -> None:
        """Answer `request` with the status of `rejected`, which is a finding as well."""
        self.found(rejected.check, str(place), rejected.expected, rejected.actual, place)
        kind, reason = request["msg_type"], str(rejected)
        await self.send(socket, refusal(request, kind, rejected.status, reason, self._now_ms()))

    async def refuse_surplus(self, place: Place) -> None:
        """One was accepted: whoever else waits there has no place in the recording."""
        while len(place.waiting) > self._recorded(place) - place.awaited:
            socket, request = place.waiting.pop()
            await self.refuse(place, socket, request, _duplicate(place))

    def found(
        self, check: str, where: str, expected: str, actual: str, place: Place | None = None
    ) -> None:
        stream = place.identity.rtms_stream_id if place else ""
        finding = Finding(check, where, expected, actual, CLAUSES[check], stream)
        if len(self.findings) < _MAX_FINDINGS:
            self.findings.append(finding)
            self._tell("finding", finding.as_dict())

    # --- what the server tells ----------------------------------------------------------------

    async def heard(self, place: Place, socket: AppSocket, data: str | bytes) -> None:
        message = messages.decode(data)
        kind = None if message is None else message_type(message)
        if message is None or kind is None:
            wanted = "a JSON object with msg_type"
            self.found("rtms.message", str(place), wanted, f"{len(data)} bytes", place)
            return
        socket.heard[kind] += 1
        if kind in HANDSHAKES:
            await self._on_handshake(place, socket, message, kind)
        elif kind in ANSWERS:
            await self._on_request(place, socket, message, ANSWERS[MessageType(kind)])
        self._on_news()

    def gone(self, place: Place, socket: AppSocket) -> None:
        if socket.mute:
            asked = socket.told[T.KEEP_ALIVE_REQ]
            self.found("rtms.keep-alive", str(place), f"{asked} answers", "none", place)
        self._on_news()

    def stranger(self, path: str) -> None:
        self.found("rtms.url", "upgrade request", "a URL given out", path)

    # --- requests of the receiver -------------------------------------------------------------

    async def _on_handshake(
        self, place: Place, socket: AppSocket, message: Message, kind: int
    ) -> None:
        try:
            self._check(place, message, kind)
        except Rejected as rejected:
            await self.refuse(place, socket, message, rejected)
            return
        if place.accepted is not None and place.answer is not None:
            place.accepted, place.returned = socket, True
            await self.send(socket, echoing(place.answer, message))
        else:
            place.waiting.append((socket, message))

    def _check(self, place: Place, message: Message, kind: int) -> None:
        if (kind == T.SIGNALING_HAND_SHAKE_REQ) != (place.leg == SIGNALING):
            wanted, status = f"the handshake of a {place}", StatusCode.INVALID_MESSAGE_TYPE
            raise Rejected(status, "rtms.message-type", wanted, str(kind))
        check_shape(message)
        check_identity(message, place.identity, self._credentials)
        if place.accepted is not None and place.accepted.alive:
            raise _duplicate(place)
        recorded = self._recorded(place)
        if place.accepted is None and place.awaited >= recorded:
            wanted, status = (
                f"{recorded} handshakes, as recorded",
                StatusCode.INVALID_RTMS_STREAM_ID,
            )
            raise Rejected(status, CHECK, wanted, "another one")

    def _recorded(self, place: Place) -> int:
        """How many handshakes there are in the recording."""
        kind = T.SIGNALING_HAND_SHAKE_REQ if place.leg == SIGNALING else T.DATA_HAND_SHAKE_REQ
        return self._outline.heard[place.recorded, kind]

    async def _on_request(
        self, place: Place, socket: AppSocket, message: Message, answer: MessageType
    ) -> None:
        place.requests[answer] += 1
        if place.held[answer]:
            await self.send(socket, echoing(place.held[answer].popleft(), message))
        elif place.requests[answer] <= self._outline.told[place.recorded, answer]:
            socket.unanswered[answer].append(message)
        else:
            asked, status = MessageType(message["msg_type"]).name, StatusCode.INVALID_MESSAGE_TYPE
            rejected = Rejected(status, CHECK, "what the recorded app asked", asked)
            await self.refuse(place, socket, message, rejected)


def _duplicate(place: Place) -> Rejected:
    status = StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION
    if place.leg == SIGNALING:
        status = StatusCode.DUPLICATE_SIGNAL_REQUEST
    return Rejected(status, "rtms.duplicate", "one connection", "a second one")
