"""What an app does wrong over real sockets is found, with what was said; and no secret with it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from rig import CREDENTIALS, Rig, in_loop, rig
from rtms_app import Conn, RtmsApp

from mockzoom.core import messages
from mockzoom.core.codes import MessageType, StopReason
from mockzoom.engine.live_stream import LiveStream

T = MessageType
Story = Callable[[Rig, LiveStream, RtmsApp], Awaitable[Any]]


async def wrong_signature(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    app._signature = "0" * 64
    with pytest.raises(AssertionError):
        await app.join_signaling()


async def wrong_id(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    conn = await app.dial(app.server_urls)
    id_ = str(stream.meeting.key)
    await conn.send(
        messages.signaling_handshake_req(
            "meeting_uuid", id_, stream.id, app._signature, sequence=1, buffer=True
        )
    )
    await conn.next(T.SIGNALING_HAND_SHAKE_RESP)


async def no_ready_ack(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join_signaling()
    await app.join_media()
    r.clock.advance(60_000)


async def ready_ack_on_media(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join_signaling()
    conn = await app.join_media()
    await conn.send(messages.client_ready_ack(stream.id))
    await conn.next(T.CLIENT_READY_ACK)


async def ready_ack_before_media(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    conn = await app.join_signaling()
    await conn.send(messages.client_ready_ack(stream.id))
    await conn.next(T.CLIENT_READY_ACK)


async def other_timestamp(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    conn = await joined(app)
    r.clock.advance(10_000)
    asked = await conn.next(T.KEEP_ALIVE_REQ)
    await conn.send({**messages.keep_alive_resp(asked), "timestamp": 1})
    await answered(conn, stream)


async def late_keep_alive(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    conn = await joined(app)
    r.clock.advance(10_000)
    await r.entry("message", name="KEEP_ALIVE_RESP")  # of the other socket
    r.clock.advance(10_000)
    await conn.send(messages.keep_alive_resp(await conn.next(T.KEEP_ALIVE_REQ)))
    await answered(conn, stream)


async def joined(app: RtmsApp) -> Conn:
    """Ready, on a signaling socket that answers no keep-alive by itself."""
    conn = await app.join_signaling(answers=False)
    await app.join_media()
    await app.acknowledge()
    return conn


async def answered(conn: Conn, stream: LiveStream) -> None:
    await conn.send(messages.stream_state_req(stream.id))
    await conn.next(T.STREAM_STATE_RESP)


def subscription(event_type: int) -> Story:
    async def story(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
        conn = await app.join_signaling()
        await conn.send(messages.event_subscription([(event_type, True)]))
        await conn.next(T.EVENT_SUBSCRIPTION)

    return story


async def two_signaling_sockets(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join_signaling()
    with pytest.raises(AssertionError):
        await app.join_signaling()


async def media_alone(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    app.media_urls = dict(stream.machine.urls.media)
    with pytest.raises(AssertionError):
        await app.join_media()


async def reconnect_too_fast(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join()
    await app.signaling.close()
    await r.entry("state", state="INTERRUPTED")
    await app.join_signaling()


async def reconnect_too_late(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join()
    await app.signaling.close()
    await r.entry("state", state="INTERRUPTED")
    r.clock.advance(60_000)


async def left_open(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    await app.join_signaling()
    r.world.stop_rtms(stream, StopReason.MEETING_ENDED)
    r.clock.advance(60_000)


async def hard_coded_url(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await app.dial(f"{r.rtms.base_url}/signaling/{stream.id}")


async def nobody_there(r: Rig, stream: LiveStream, app: RtmsApp) -> None:
    r.clock.advance(60_000)


CASES: list[tuple[str, Story, str]] = [
    ("rtms.signature", wrong_signature, "SIGNALING_HAND_SHAKE_REQ"),
    ("rtms.id", wrong_id, "SIGNALING_HAND_SHAKE_REQ"),
    ("rtms.ready-ack", no_ready_ack, "DATA_HAND_SHAKE_RESP"),
    ("rtms.ready-ack", ready_ack_on_media, "CLIENT_READY_ACK"),
    ("rtms.ready-ack", ready_ack_before_media, "CLIENT_READY_ACK"),
    ("rtms.keep-alive", other_timestamp, "KEEP_ALIVE_RESP"),
    ("rtms.keep-alive", late_keep_alive, "KEEP_ALIVE_RESP"),
    ("rtms.subscription", subscription(1), "EVENT_SUBSCRIPTION"),
    ("rtms.subscription", subscription(7), "EVENT_SUBSCRIPTION"),
    ("rtms.subscription", subscription(99), "EVENT_SUBSCRIPTION"),
    ("rtms.duplicate", two_signaling_sockets, "SIGNALING_HAND_SHAKE_REQ"),
    ("rtms.media-without-signaling", media_alone, "DATA_HAND_SHAKE_REQ"),
    ("rtms.reconnect", reconnect_too_fast, "SIGNALING_HAND_SHAKE_REQ"),
    ("rtms.reconnect", reconnect_too_late, "EVENT_UPDATE"),
    ("rtms.left-open", left_open, "STREAM_STATE_UPDATE"),
    ("rtms.url", hard_coded_url, ""),
    ("rtms.connect", nobody_there, ""),
]


@pytest.mark.parametrize(
    ("check", "story", "last"), CASES, ids=[f"{c}-{s.__name__}" for c, s, _ in CASES]
)
@in_loop
async def test_what_is_wrong_is_found_with_what_was_said(
    check: str, story: Story, last: str
) -> None:
    """The clause, the stream, and the last messages of the socket, which are journal entries."""
    keep_alive_ms = 10_000 if check == "rtms.keep-alive" else 3_600_000
    async with rig(keep_alive_ms=keep_alive_ms) as r:
        stream, app = r.start(r.meeting())
        await story(r, stream, app)
        assert r.found == [check]
        (finding,) = r.journal.findings
        (entry,) = r.entries("finding")
        assert entry["wire"] == list(finding.wire)
        assert finding.stream == ("" if check == "rtms.url" else stream.id)
        assert len(finding.wire) <= 5
        entries = {f"#{e['id']} {e['way']}": e["name"] for e in r.entries("message")}
        told = [entries[line.partition(" on ")[0]] for line in finding.wire]
        assert (told[-1:] or [""]) == [last]
        assert finding.report().splitlines()[1:] == [f"    {line}" for line in finding.wire]


@pytest.mark.parametrize("place", ["signature", "list", "broken", "long", "no id"])
@in_loop
async def test_a_secret_in_place_of_the_signature_is_told_to_nobody(place: str) -> None:
    """Not in the journal, the findings, or the answer: a few letters and the length at most."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        secret = CREDENTIALS.client_secret
        conn = await app.dial(app.server_urls)
        message = messages.signaling_handshake_req(
            "meeting_uuid",
            app.identity.id,
            app.identity.rtms_stream_id,
            secret,
            sequence=1,
            buffer=True,
        )
        if place == "list":
            message["signature"] = 5
        if place == "long":
            message["padding"] = "x" * 10_000
        if place == "no id":
            del message["meeting_uuid"]
        text = json.dumps(message)
        if place == "broken":
            text = '{"signature": "' + secret + '", ' + text
        await conn.ws.send_str(text)
        answer = await conn.next(T.SIGNALING_HAND_SHAKE_RESP)
        assert answer["status_code"] in (3, 4)
        assert len(r.journal.findings) == 1
        everything = json.dumps([e.as_dict() for e in r.journal]) + json.dumps(answer)
        everything += r.journal.findings[0].report()
        assert secret not in everything
        assert secret[:12] not in everything
        if place == "signature":
            told = f"{secret[:4]}… ({len(secret)} characters)"
            assert told in str(r.journal.findings[0])


@in_loop
async def test_a_right_signature_is_shortened_too() -> None:
    """Nobody needs all of it to recognise it."""
    async with rig() as r:
        _, app = r.start(r.meeting())
        await app.join()
        asked = [e["message"] for e in r.entries("message") if "signature" in e["message"]]
        assert len(asked) == 2
        told = f"{app._signature[:4]}… (64 characters)"
        assert all(message["signature"] == told for message in asked)
