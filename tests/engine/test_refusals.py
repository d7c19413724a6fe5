"""Every status code over a real socket, in whichever kind of frame the app speaks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import cache
from typing import Any

import pytest
from causes import Cause, documented
from raw_socket import BINARY, CONTINUATION, TEXT, Wire, wire

from mockzoom import MockZoom, Stream
from mockzoom.core import messages
from mockzoom.core.codes import EventType, MediaType, MessageType, StatusCode
from mockzoom.core.handshake import Identity
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.products import PRODUCTS
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamPolicy

T = MessageType
MEDIA_TYPES = {key: media for media, key in MEDIA_KEYS.items()}
CAUSES = documented()

#: What answers a request; 5 and 7 are refused under their own number.
ANSWERS = {1: 2, 3: 4, 5: 5, 7: 7, 10: 11, 19: 20, 21: 22, 28: 29}
ECHOED = ("protocol_version", "sequence", "rtms_session_id", "user_id")

Mocks = Callable[[frozenset[MediaType]], MockZoom]


@pytest.fixture(scope="module")
def mocks() -> Iterator[Mocks]:
    """One mock for all rows, and one for each of the few whose app lacks a scope."""
    started: list[MockZoom] = []
    with ExitStack() as stack:

        @cache
        def mock(without: frozenset[MediaType]) -> MockZoom:
            media = tuple(media for media in MediaType if media not in without)
            zoom = stack.enter_context(MockZoom(seed=1, policy=StreamPolicy(media=media)))
            started.append(zoom)
            return zoom

        yield mock
        assert [e for zoom in started for e in zoom.journal() if e["kind"] == "failure"] == []


class App:
    """An app on raw sockets, all of whose messages go out in frames of `opcode`, in `pieces`."""

    def __init__(
        self, credentials: Credentials, identity: Identity, url: str, opcode: int, pieces: int
    ) -> None:
        self.user_id = 0
        self._credentials = credentials
        self._identity = identity
        self._urls = {SIGNALING: url}
        self._opcode = opcode
        self._pieces = pieces
        self._stack = AsyncExitStack()
        self._sockets: dict[str, Wire] = {}

    async def __aenter__(self) -> App:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self, key: str) -> Wire:
        url = self._urls.get(key) or self._media_url(key)
        self._sockets[key] = opened = await self._stack.enter_async_context(wire(url))
        assert await opened.upgrade(url) == 101
        return opened

    def _media_url(self, key: str) -> str:
        """Where `key` is, for an app that is not told because it may not have it."""
        return f"{self._urls[SIGNALING].replace('signaling', 'media')}/{key}"

    async def ask(self, socket: Wire, key: str, **fields: Any) -> tuple[Message, Message]:
        """The correct request for `key` with other `fields` (None leaves out), and its answer."""
        request = self._request(T(fields["msg_type"]), key) | fields
        request = {name: value for name, value in request.items() if value is not None}
        self._send(socket, json.dumps(request).encode())
        if request["msg_type"] == T.CLIENT_READY_ACK and "rtms_stream_id" in request:
            return request, await self._news(socket)
        return request, await self._answer(socket)

    def _send(self, socket: Wire, data: bytes) -> None:
        size = -(-len(data) // self._pieces)
        parts = [data[at : at + size] for at in range(0, len(data), size)]
        for number, part in enumerate(parts, 1):
            opcode = self._opcode if number == 1 else CONTINUATION
            socket.send(opcode, part, fin=number == len(parts))

    async def _answer(self, socket: Wire) -> Message:
        while "status_code" not in (message := await socket.message()):
            pass
        return message

    async def _news(self, socket: Wire) -> Message:
        """A refusal of the CLIENT_READY_ACK, or who is there, which is told to the ready."""
        while "status_code" not in (message := await socket.message()):
            event = message.get("event", {})
            if event.get("event_type") == EventType.PARTICIPANT_JOIN:
                self.user_id = event["participants"][0]["user_id"]
                break
        return message

    async def join(self, key: str) -> None:
        kind = T.SIGNALING_HAND_SHAKE_REQ if key == SIGNALING else T.DATA_HAND_SHAKE_REQ
        _, answer = await self.ask(await self.open(key), key, msg_type=kind)
        assert answer["status_code"] == StatusCode.OK, answer
        self._urls |= answer.get("media_server", {}).get("server_urls", {})

    async def bring(self, after: list[str]) -> None:
        """To where the table says."""
        asked = {"ready": T.CLIENT_READY_ACK, "subscribed": T.VIDEO_SUBSCRIPTION_REQ}
        for step in after:
            if step in asked:
                await self.ask(self._sockets[SIGNALING], SIGNALING, msg_type=asked[step])
            elif step != "injected" and not step.startswith("no "):
                await self.join(step)

    async def provoke(self, cause: Cause) -> tuple[Message, Message]:
        """The request of the row, on the live signaling socket or else on a new one."""
        handshake = cause.request["msg_type"] in (1, 3)
        socket = None if handshake else self._sockets.get(cause.socket)
        return await self.ask(
            socket or await self.open(cause.socket), cause.socket, **cause.request
        )

    def _request(self, kind: MessageType, key: str) -> Message:
        of = self._identity
        keys = self._credentials
        signature = handshake_signature(
            keys.client_id, keys.client_secret, of.id, of.rtms_stream_id
        )
        handshake = (of.product.id_field, of.id, of.rtms_stream_id, signature)
        requests: dict[MessageType, Callable[[], Message]] = {
            T.SIGNALING_HAND_SHAKE_REQ: lambda: messages.signaling_handshake_req(
                *handshake, sequence=489_896, buffer=True
            ),
            T.DATA_HAND_SHAKE_REQ: lambda: messages.data_handshake_req(
                *handshake,
                sequence=489_897,
                media_type=MEDIA_TYPES.get(key, MediaType.AUDIO),
                media_params=None,
            ),
            T.EVENT_SUBSCRIPTION: lambda: messages.event_subscription([(2, True)]),
            T.CLIENT_READY_ACK: lambda: messages.client_ready_ack(of.rtms_stream_id),
            T.SESSION_STATE_REQ: lambda: messages.session_state_req("none"),
            T.VIDEO_SUBSCRIPTION_REQ: lambda: messages.video_subscription_req(
                self.user_id, True, 1
            ),
        }
        return requests[kind]()


def played(zoom: MockZoom, cause: Cause, opcode: int, pieces: int) -> tuple[Message, Message]:
    """What is sent for `cause` on a stream of its own, and what comes back."""
    meeting = zoom.meeting()
    stream = meeting.start_rtms()
    product = PRODUCTS["meeting"]
    identity = Identity(product, meeting.ids[product.id_field], stream.rtms_stream_id)

    async def story() -> tuple[Message, Message]:
        async with (
            asyncio.timeout(10),
            App(zoom.credentials, identity, stream.server_urls, opcode, pieces) as app,
        ):
            await app.bring(cause.after)
            if "injected" in cause.after:
                inject(zoom, stream, cause)
            return await app.provoke(cause)

    return asyncio.run(story())


def inject(zoom: MockZoom, stream: Stream, cause: Cause) -> None:
    zoom.fault("refuse", code=cause.code, stream=stream.rtms_stream_id, socket=cause.socket)


def lacking(cause: Cause) -> frozenset[MediaType]:
    without = [step.removeprefix("no ") for step in cause.after if step.startswith("no ")]
    return frozenset(MEDIA_TYPES[key] for key in without)


@pytest.mark.parametrize("pieces", [1, 3], ids=["whole", "in pieces"])
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.code}-{cause.name}")
def test_every_status_code_over_a_socket(
    mocks: Mocks, cause: Cause, opcode: int, pieces: int
) -> None:
    """What the docs say provokes a code gets it, a reason, and what the request said of itself."""
    zoom = mocks(lacking(cause))
    request, answer = played(zoom, cause, opcode, pieces)
    assert answer["status_code"] == cause.code, answer
    assert bool(answer["reason"]) is (cause.code != StatusCode.OK)
    if answer["msg_type"] == ANSWERS[request["msg_type"]]:
        sent = {name: request[name] for name in ECHOED if name in request and name in answer}
        assert {name: answer[name] for name in sent} == sent
    if answer["msg_type"] in (2, 4):
        assert ("media_server" in answer or "media_params" in answer) is (cause.code == 0)


def test_a_refusal_is_found_with_its_stream(mocks: Mocks) -> None:
    """A refusal over a socket has a finding with clause and stream; an injected one has none."""
    zoom = mocks(frozenset())
    by_code = {cause.code: cause for cause in CAUSES}
    before = len(zoom.findings)
    played(zoom, by_code[StatusCode.INTERNAL_EXCEPTION], TEXT, 1)
    assert len(zoom.findings) == before
    played(zoom, by_code[StatusCode.INVALID_SIGNATURE], TEXT, 1)
    [finding] = zoom.findings[before:]
    assert finding.check == "rtms.signature"
    assert finding.stream
