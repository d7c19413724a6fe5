"""Mutants that do not get as far as media, or not with every product and on every server."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import aiohttp.client
from aiohttp._websocket.reader_py import WebSocketDataQueue, WebSocketReader
from mutant import CREDENTIALS, Change, Mutant, after, before, put, skipped, spoilt

from mockzoom.core import client, messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import MEDIA, ClientSocket, Link, Step
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.effects import Dial, Send
from mockzoom.core.messages import MEDIA_KEYS, Message
from mockzoom.core.products import Product
from mockzoom.core.signing import handshake_signature
from mockzoom.receiver import streams
from mockzoom.receiver.streams import Streams

__all__ = ["HANDSHAKES"]

#: What is documented of a frame of audio.
AUDIO = {"user_id", "user_name", "channel_id", "data", "timestamp"}


def shaking(change: Callable[[ClientMachine, ClientSocket, Message], Message]) -> Change:
    """Handshakes are sent as `change` writes them."""
    return spoilt(
        ClientMachine,
        "_handshake",
        lambda message, machine, socket: change(machine, socket, message),
    )


def webinar_by_stream(machine: ClientMachine, socket: ClientSocket, message: Message) -> Message:
    wrong = {"webinar_uuid": machine.rtms_stream_id} if machine.product.name == "webinar" else {}
    return message | wrong


def without_version(machine: ClientMachine, socket: ClientSocket, message: Message) -> Message:
    return {name: value for name, value in message.items() if name != "protocol_version"}


def transcript_as_audio(machine: ClientMachine, socket: ClientSocket, message: Message) -> Message:
    wrong = {"media_type": 1} if socket.media is MediaType.TRANSCRIPT else {}
    return message | wrong


def for_sum(machine: ClientMachine, socket: ClientSocket, message: Message) -> Message:
    return message if socket.media is None else message | {"media_type": sum(machine.wanted)}


def in_hertz(machine: ClientMachine, socket: ClientSocket, message: Message) -> Message:
    if socket.media is not MediaType.AUDIO:
        return message
    audio = message["media_params"]["audio"] | {"sample_rate": 16_000}
    return message | {"media_params": {"audio": audio}}


def signed(sign: Callable[[str, str, str, str], str]) -> Change:
    """Handshakes are signed by `sign(client_id, client_secret, id_, rtms_stream_id)`."""
    return put(client, "handshake_signature", sign)


def sessions_by_stream(machine: ClientMachine, *_: Any, **__: Any) -> None:
    if machine.product.name == "session":
        machine._signature = handshake_signature(
            CREDENTIALS.client_id, CREDENTIALS.client_secret, "", machine.rtms_stream_id
        )


def by_number(stream: streams._Stream, _: Streams, product: Product, event: Any) -> None:
    number, machine = event["payload"].get("meeting_id"), stream.machine
    if number is not None:
        machine._signature = handshake_signature(
            CREDENTIALS.client_id, CREDENTIALS.client_secret, str(number), machine.rtms_stream_id
        )


def says(machine: ClientMachine, message: Message) -> None:
    """Say `message` on the signaling socket."""
    conn = machine._signaling.conn
    assert conn is not None
    machine.effects.append(Send(conn, message))


def acknowledge(machine: ClientMachine, *_: Any) -> None:
    says(machine, messages.client_ready_ack(machine.rtms_stream_id))


def ready(machine: ClientMachine) -> None:
    """What `_ready` does, but for what it says."""
    machine._signaling.step(Step.READY)
    machine._signaling.until_ms = None


def ready_on_media(machine: ClientMachine) -> None:
    ready(machine)
    conn = machine._media[0].conn
    assert conn is not None
    ack = messages.client_ready_ack(machine.rtms_stream_id)
    machine.effects.append(Send(conn, ack))


def dial_chat(machine: ClientMachine, message: Message, now_ms: int) -> None:
    url = message["media_server"]["server_urls"]["chat"]
    machine.effects.append(Dial(9_000, url))


def dial_a_guess(machine: ClientMachine, message: Message, now_ms: int) -> None:
    server = offered(message)["audio"].partition("/media/")[0]
    machine.effects.append(Dial(9_000, f"{server}/media/guess/audio"))


def dial_twice(machine: ClientMachine, message: Message, now_ms: int) -> None:
    for socket in tuple(machine._media):
        second = ClientSocket(MEDIA, socket.media, socket.urls, socket.window_ms, Link.IDLE)
        machine._media.append(second)
        machine._dial(second, Step.START, now_ms)


def offered(message: Message) -> dict[str, str]:
    return message["media_server"]["server_urls"]  # type: ignore[no-any-return]


def lacks_single(machine: ClientMachine, message: Message, now_ms: int) -> bool:
    return not any(MEDIA_KEYS[media] in offered(message) for media in machine.wanted)


class FrameByFrame(WebSocketReader):
    """Takes each frame for a whole message.

    It is in Python, because nobody can get at what is in C, and so is the queue that it needs.
    """

    def _handle_frame(self, fin: bool, opcode: int, payload: Any, compressed: Any) -> None:
        super()._handle_frame(True, opcode or aiohttp.WSMsgType.TEXT, payload, compressed)


def hang_up_on_unknown(machine: ClientMachine, conn: int, data: str | bytes, now_ms: int) -> None:
    if any(name.startswith("x_") for name in json.loads(data)):
        machine.lost(conn, now_ms)


def know_fields(_: streams._Stream, message: Message) -> None:
    if message["msg_type"] == MessageType.MEDIA_DATA_AUDIO and message["content"].keys() - AUDIO:
        raise TypeError


def prefer_object(_: Streams, event: dict[str, Any]) -> None:
    event["payload"] |= event["payload"].get("object", {})


HANDSHAKES = (
    Mutant(
        "never-connects",
        "RT-101",
        "A start is answered, and nothing follows.",
        change=put(Streams, "_started", lambda *_: None),
    ),
    Mutant(
        "names-webinars-by-stream",
        "RT-102",
        "The handshake of a webinar has the stream's id in place of the webinar's.",
        gotchas=(11,),
        change=shaking(webinar_by_stream),
    ),
    Mutant(
        "knows-meetings-only",
        "RT-102",
        "The id of every product is looked for under `meeting_uuid`.",
        gotchas=(11,),
        change=before(
            streams._Stream, "__init__", lambda *args: args[-1]["payload"]["meeting_uuid"]
        ),
    ),
    Mutant(
        "signs-sessions-without-id",
        "RT-103",
        "The signature of a session leaves out its id.",
        gotchas=(11,),
        change=after(ClientMachine, "__init__", sessions_by_stream),
    ),
    Mutant(
        "signs-with-stream-alone",
        "RT-103",
        "The signature is over the stream's id twice.",
        gotchas=(11,),
        change=signed(
            lambda app, secret, id_, stream: handshake_signature(app, secret, stream, stream)
        ),
    ),
    Mutant(
        "signs-with-the-number",
        "RT-103",
        "The number of a meeting is signed, and not its uuid.",
        gotchas=(11,),
        change=after(streams._Stream, "__init__", by_number),
    ),
    Mutant(
        "signs-in-capitals",
        "RT-103",
        "The signature is in capital letters.",
        change=signed(lambda *parts: handshake_signature(*parts).upper()),
    ),
    Mutant(
        "signs-in-another-order",
        "RT-103",
        "The stream's id is signed before that of the product.",
        change=signed(
            lambda app, secret, id_, stream: handshake_signature(app, secret, stream, id_)
        ),
    ),
    Mutant(
        "signs-with-the-secret-token",
        "RT-103",
        "Handshakes are signed with the secret of the webhooks.",
        change=signed(
            lambda app, secret, *ids: handshake_signature(app, CREDENTIALS.secret_token, *ids)
        ),
    ),
    Mutant(
        "says-hello",
        "RT-104",
        "It says something of its own on the signaling socket.",
        change=after(ClientMachine, "_ready", lambda machine: says(machine, {"msg_type": 100})),
    ),
    Mutant(
        "forgets-the-version",
        "RT-104",
        "Its handshakes have no `protocol_version`.",
        change=shaking(without_version),
    ),
    Mutant(
        "asks-for-audio-everywhere",
        "RT-105",
        "On the socket for the transcript it asks for audio.",
        change=shaking(transcript_as_audio),
    ),
    Mutant(
        "adds-media-types",
        "RT-105",
        "Media types are taken for bits, and those that are wanted are asked for as their sum.",
        change=shaking(for_sum),
    ),
    Mutant(
        "guesses-a-url",
        "RT-105",
        "Beside the URLs that it was told it dials one that it has made up.",
        change=after(ClientMachine, "_open_media", dial_a_guess),
    ),
    Mutant(
        "asks-in-hertz",
        "RT-106",
        "The sample rate is asked for in hertz, and not by its number in the list.",
        gotchas=(24,),
        change=shaking(in_hertz),
    ),
    Mutant(
        "is-never-ready",
        "RT-107",
        "CLIENT_READY_ACK is never sent.",
        gotchas=(16,),
        change=put(ClientMachine, "_ready", ready),
    ),
    Mutant(
        "is-ready-on-media",
        "RT-107",
        "CLIENT_READY_ACK goes to a media socket.",
        gotchas=(16,),
        change=put(ClientMachine, "_ready", ready_on_media),
    ),
    Mutant(
        "is-ready-too-early",
        "RT-107",
        "CLIENT_READY_ACK goes out before there is a media socket.",
        gotchas=(16,),
        change=before(ClientMachine, "_open_media", acknowledge),
    ),
    Mutant(
        "is-ready-all-the-time",
        "RT-108",
        "CLIENT_READY_ACK goes out again with every keep-alive.",
        change=after(ClientMachine, "_keep_alive", acknowledge),
    ),
    Mutant(
        "has-a-spare-socket",
        "RT-109",
        "One socket is opened on which nothing is ever said.",
        change=after(ClientMachine, "_open_media", dial_chat),
    ),
    Mutant(
        "dials-media-twice",
        "RT-110",
        "Every media URL is dialled twice.",
        change=after(ClientMachine, "_open_media", dial_twice),
    ),
    Mutant(
        "reads-text-only",
        "RT-111",
        "Binary frames are skipped.",
        gotchas=(14,),
        change=skipped(
            ClientMachine, "receive", lambda _, conn, data, now_ms: isinstance(data, bytes)
        ),
    ),
    Mutant(
        "reads-frame-by-frame",
        "RT-112",
        "Each frame is taken for a message, and pieces of one are skipped.",
        gotchas=(14,),
        change=put(aiohttp.client, "WebSocketReader", FrameByFrame),
        also=(put(aiohttp.client, "WebSocketDataQueue", WebSocketDataQueue),),
    ),
    Mutant(
        "knows-one-key-for-all",
        "RT-113",
        "It waits for the media key `all`, which not every server names.",
        gotchas=(13,),
        change=skipped(
            ClientMachine, "_open_media", lambda _, message, now_ms: "all" not in offered(message)
        ),
    ),
    Mutant(
        "knows-single-keys",
        "RT-114",
        "It waits for single media keys, which not every server names.",
        gotchas=(13,),
        change=skipped(ClientMachine, "_open_media", lacks_single),
    ),
    Mutant(
        "dials-lists",
        "RT-115",
        "A list of URLs is dialled as if it were one.",
        gotchas=(12,),
        change=put(ClientMachine, "_usable", lambda _, server_urls: (server_urls,)),
    ),
    Mutant(
        "dials-the-first",
        "RT-115",
        "Of a list of URLs all but the first are forgotten.",
        gotchas=(12,),
        change=spoilt(ClientMachine, "_usable", lambda urls, *_: urls[:1]),
    ),
    Mutant(
        "lives-after-the-handshake",
        "RT-116",
        "Keep-alives before the answer to the handshake are skipped.",
        gotchas=(15,),
        change=skipped(
            ClientMachine, "_keep_alive", lambda _, socket, asked: socket.state is Link.SHAKING
        ),
    ),
    Mutant(
        "closes-on-new-fields",
        "RT-117",
        "A message with a field that it does not know is a reason to hang up.",
        gotchas=(27,),
        change=before(ClientMachine, "receive", hang_up_on_unknown),
    ),
    Mutant(
        "knows-every-field",
        "RT-117",
        "Audio with a field that is not in its list crashes.",
        gotchas=(27,),
        change=before(streams._Stream, "received", know_fields),
    ),
    Mutant(
        "prefers-payload-object",
        "RT-118",
        "Where there is a `payload.object`, its ids and URLs are taken.",
        gotchas=(10,),
        change=before(Streams, "handle", prefer_object),
    ),
)
