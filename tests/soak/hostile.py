"""Clients that wish the mock ill: a process of its own, driven by a seed, that stops by itself.

    echo PLAN | python tests/soak/hostile.py

The plan is a JSON object: `port` and `signaling` (URLs) are what is attacked; `members` are streams
with the credentials to join them; `seed`, `attacks` and `seconds` say which attacks, how many of
them, and over how long they are spread.  One line of JSON tells what was done.  Nothing here
connects to anywhere but 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

import uvloop
from raw_socket import BINARY, CONTINUATION, PING, TEXT, Wire

from mockzoom.core import messages
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.signing import handshake_signature

#: As long as one attack may take, and as many run at once.
ATTACK_S = 3.0
AT_ONCE = 32
DROPS = 100

EVERYTHING_48K = {"audio": {"codec": 1, "sample_rate": 3, "data_opt": 2}}
RESET = struct.pack("ii", 1, 0)


class Attacker:
    """One attack with its own source of chance."""

    def __init__(self, plan: dict[str, Any], chance: Random, done: Counter[str]) -> None:
        self.plan = plan
        self.chance = chance
        self.done = done
        self._writers: list[asyncio.StreamWriter] = []

    # --- connections --------------------------------------------------------------------------

    async def connect(self) -> Wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.plan["port"])
        self._writers.append(writer)
        self.done["connects"] += 1
        return Wire(reader, writer)

    async def upgraded(self, url: str = "") -> Wire:
        url = url or self.some_url()
        wire = await self.connect()
        await wire.upgrade(url)
        return wire

    def some_url(self) -> str:
        signaling = self.chance.choice(self.plan["signaling"])
        media = signaling.replace("signaling", "media")
        return self.chance.choice([signaling, f"{media}/audio", f"{media}/all"])

    def drop_all(self) -> None:
        """Leave, half of the time with a reset."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            if raw is not None and raw.fileno() >= 0 and self.chance.random() < 0.5:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    def noise(self, most: int) -> bytes:
        return self.chance.randbytes(self.chance.randrange(most))

    # --- below WebSocket ----------------------------------------------------------------------

    async def connects_and_drops(self) -> None:
        """Many connections that go again before, while or after they upgrade."""
        for _ in range(DROPS):
            wire = await self.connect()
            how = self.chance.randrange(3)
            if how:
                upgrade = asyncio.ensure_future(wire.upgrade(self.some_url()))
                if how == 2:
                    with suppress(OSError, EOFError):
                        await upgrade
                await asyncio.sleep(0)
                upgrade.cancel()
                upgrade.add_done_callback(lambda task: task.cancelled() or task.exception())
            self.drop_all()
            self._writers.clear()

    async def http_junk(self) -> None:
        """Requests that are no upgrade, or hardly requests."""
        path = self.some_url().partition("127.0.0.1")[2].partition("/")[2]
        requests = [
            b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST /%b HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\nx",
            b"GET /%b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            b"GET /%b HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            b"GET /%b HTTP/9.9\r\nUpgrade: websocket\r\nSec-WebSocket-Key: short\r\n\r\n",
            b"GET /%b\r\n\r\n",
            b"\r\n\r\n\r\n\r\n%b",
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n%b\r\n",
            b"GET /\xff\xfe/%b HTTP/1.1\r\nX: " + b"y" * 50_000 + b"\r\n\r\n",
        ]
        wire = await self.connect()
        wire.writer.write(self.chance.choice(requests) % path.encode())
        await wire.reader.read()

    async def tls_junk(self) -> None:
        """The beginning of TLS, which nobody speaks here, or noise."""
        wire = await self.connect()
        wire.writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + self.noise(600))
        await wire.reader.read()

    async def half_open(self) -> None:
        """Nothing, or half of a request, and then silence."""
        wire = await self.connect()
        wire.writer.write(self.chance.choice([b"", b"GET", b"GET / HTTP/1.1\r\nHost: "]))
        if self.chance.random() < 0.3:
            wire.writer.write_eof()
        await wire.reader.read()

    # --- frames -------------------------------------------------------------------------------

    async def fuzzed_frames(self) -> None:
        """Frames with every bit in them random, sizes that lie, and noise."""
        wire = await self.upgraded()
        for _ in range(self.chance.randrange(1, 40)):
            head = bytes([self.chance.randrange(256), self.chance.randrange(256)])
            wire.writer.write(head + self.noise(300))
        await wire.reader.read()

    async def oversized(self) -> None:
        """A frame that claims to be huge, or one that is."""
        wire = await self.upgraded()
        if self.chance.random() < 0.5:
            claimed = self.chance.choice([2**17, 2**31, 2**40, 2**63, 2**64 - 1])
            wire.writer.write(b"\x82\xff" + struct.pack("!Q", claimed) + b"mask" + b"x" * 1_000)
        else:
            wire.send(BINARY, b"x" * self.chance.randrange(60_000, 200_000))
        await wire.reader.read()

    async def endless_fragments(self) -> None:
        """A message that never ends: in small pieces, with pings between, up to the limit."""
        wire = await self.upgraded()
        wire.send(TEXT, b"{", fin=False)
        for _ in range(self.chance.randrange(200)):
            wire.send(CONTINUATION, self.noise(1_000), fin=False)
            if self.chance.random() < 0.1:
                wire.send(PING, b"are you there")
        await wire.reader.read()

    async def ping_flood(self) -> None:
        """Pings without end, and no pong is read."""
        wire = await self.upgraded()
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(20):
            for _ in range(100):
                wire.send(PING, b"p" * 125)
            await wire.writer.drain()

    # --- messages -----------------------------------------------------------------------------

    async def not_text(self) -> None:
        """Text frames that are no UTF-8, and UTF-8 that is no JSON."""
        wire = await self.upgraded()
        for _ in range(50):
            wire.send(TEXT, self.chance.choice([b"\xc3\x28", b"\xed\xa0\x80", b"\x00", b'{"a":']))
            wire.send(TEXT, self.noise(200))
        wire.writer.write_eof()
        await wire.reader.read()

    async def message_flood(self) -> None:
        """Messages of every type, with anything in their fields, as fast as they go."""
        wire = await self.upgraded()
        for _ in range(self.chance.randrange(20, 300)):
            wire.send(self.chance.choice([TEXT, BINARY]), self.some_message())
        wire.writer.write_eof()
        await wire.reader.read()

    def some_message(self) -> bytes:
        kind = self.chance.choice([*MessageType, 0, -1, 77, 2**40, None, "1", 1.0, True, [], {}])
        fields = {name: self.some_value() for name in self.chance.sample(FIELDS, 4)}
        return json.dumps({"msg_type": kind, **fields}).encode()

    def some_value(self) -> Any:
        values = (
            lambda: self.chance.randrange(-(2**70), 2**70),
            lambda: self.chance.random() * 1e308,
            lambda: "\U0001f600\ud83d"[: self.chance.randrange(3)] + "x" * 100,
            lambda: [{"event_type": self.chance.randrange(40), "subscribe": True}] * 5,
            lambda: {"audio": {"codec": self.chance.randrange(9), "channel": None}},
            lambda: [[]] * 1_000,
            lambda: json.loads("[" * 50 + "]" * 50),
            lambda: None,
        )
        return self.chance.choice(values)()

    # --- with credentials ---------------------------------------------------------------------

    async def slow_reader(self) -> None:
        """A member asks for all the media there is, and for more, and reads nothing of it."""
        member = self.chance.choice(self.plan["members"])
        signaling = await self.upgraded(member["url"])
        signaling.send(TEXT, self.signaling_handshake(member))
        answer = await signaling.message()
        if answer["status_code"] != 0:
            return  # another one has it
        url = answer["media_server"]["server_urls"]["audio"]  # type: ignore[index]
        media = await self.upgraded(url)
        media.send(BINARY, self.media_handshake(member))
        await media.message()
        ack = messages.client_ready_ack(member["rtms_stream_id"])
        signaling.send(TEXT, messages.encode(ack).encode())
        media.writer.transport.pause_reading()  # type: ignore[attr-defined]
        signaling.writer.transport.pause_reading()  # type: ignore[attr-defined]
        asked = messages.encode(messages.stream_state_req(member["rtms_stream_id"])).encode()
        for _ in range(50):
            for _ in range(20):
                signaling.send(TEXT, asked)
                media.send(PING, b"p" * 125)
            await signaling.writer.drain()
            await media.writer.drain()
        self.done["members"] += 1
        await asyncio.sleep(ATTACK_S)

    def signaling_handshake(self, member: dict[str, Any]) -> bytes:
        request = messages.signaling_handshake_req(
            "meeting_uuid",
            member["id"],
            member["rtms_stream_id"],
            self.signature(member),
            sequence=1,
            buffer=True,
        )
        return messages.encode(request).encode()

    def media_handshake(self, member: dict[str, Any]) -> bytes:
        request = messages.data_handshake_req(
            "meeting_uuid",
            member["id"],
            member["rtms_stream_id"],
            self.signature(member),
            sequence=1,
            media_type=MediaType.AUDIO,
            media_params=EVERYTHING_48K,
        )
        return messages.encode(request).encode()

    def signature(self, member: dict[str, Any]) -> str:
        keys = self.plan["client_id"], self.plan["client_secret"]
        return handshake_signature(*keys, member["id"], member["rtms_stream_id"])


FIELDS = [
    "protocol_version",
    "sequence",
    "meeting_uuid",
    "rtms_stream_id",
    "signature",
    "media_type",
    "media_params",
    "events",
    "timestamp",
    "user_id",
    "subscribe",
    "buffer_data",
]

Attack = Callable[[Attacker], Coroutine[Any, Any, None]]

#: Each attack with how often it is chosen, next to the others.
ATTACKS: dict[Attack, int] = {
    Attacker.connects_and_drops: 10,
    Attacker.http_junk: 4,
    Attacker.tls_junk: 2,
    Attacker.half_open: 4,
    Attacker.fuzzed_frames: 6,
    Attacker.oversized: 3,
    Attacker.endless_fragments: 3,
    Attacker.ping_flood: 2,
    Attacker.not_text: 2,
    Attacker.message_flood: 3,
    Attacker.slow_reader: 1,
}

#: What a hostile client may meet: it is cut, closed or told nothing.
EXPECTED = (OSError, EOFError, TimeoutError, AssertionError)


async def play(plan: dict[str, Any]) -> dict[str, Any]:
    """Every attack of the plan, each at its time; late ones at once, until time is up."""
    began = time.monotonic()
    chance = Random(plan["seed"])
    chosen = chance.choices([*ATTACKS], [*ATTACKS.values()], k=plan["attacks"])
    done: Counter[str] = Counter()
    places = asyncio.Semaphore(AT_ONCE)

    async def run(attack: Attack, seed: int) -> None:
        attacker = Attacker(plan, Random(seed), done)
        with suppress(*EXPECTED):
            async with asyncio.timeout(ATTACK_S):
                await attack(attacker)
        attacker.drop_all()
        done[attack.__name__] += 1
        places.release()

    async with asyncio.TaskGroup() as running:
        for number, attack in enumerate(chosen):
            due = began + number * plan["seconds"] / plan["attacks"]
            await asyncio.sleep(due - time.monotonic())
            await places.acquire()
            if time.monotonic() > began + 3 * plan["seconds"]:  # of a machine with too much to do
                break
            running.create_task(run(attack, chance.getrandbits(64)))
    never = [attack.__name__ for attack in ATTACKS if not done[attack.__name__]]
    return {**done, "never": never, "seconds": round(time.monotonic() - began, 2)}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(play(json.load(sys.stdin)))))
