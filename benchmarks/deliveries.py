"""How many webhooks a second: signed, validated and journaled, against nothing but posting.

Both sides post the same bytes to the same trivial receiver, which is a process of its own, round by
round in turn, so that a machine that is busy for a while is busy for both.  *bare* is a loop around
aiohttp's client.  *delivered* validates each event, serialises and signs it, posts it in order,
judges the answer and writes the journal.  *made and delivered* also makes each event anew from the
contract, as mockzoom does when something happens in its world.  *with a state file* is *delivered*
with all of it on the disk as well, each event before its first attempt.  The middle round counts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import uvloop

from mockzoom.clock import Clock
from mockzoom.core.examples import ExampleFactory, encode
from mockzoom.core.signing import Credentials
from mockzoom.core.spec import load_spec
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Journal
from mockzoom.engine.sender import Attempt, WebhookSender
from mockzoom.engine.store import StateFile, Store

__all__ = ["measure"]

EVENT = "meeting.rtms_started"
ENDPOINTS = (1, 8)


class Receiver(asyncio.Protocol):
    """Answers 200 to every request, and understands as little of HTTP as that takes."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(self.data) < end + 4 + length:
                return
            self.data = self.data[end + 4 + length :]
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def receive(pipe: Connection) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(serve())


class TrustingSender(WebhookSender):
    """The receiver cannot prove anything, and need not."""

    async def validate(self, url: str, now_ms: int) -> tuple[Attempt, str]:
        return Attempt(url, 200, 0), ""


def made(number: int) -> Iterator[dict[str, Any]]:
    examples = ExampleFactory(load_spec(), seed=1)
    return (examples.event(EVENT, now_ms=now_ms) for now_ms in range(number))


async def bare(urls: list[str], events: int) -> float:
    """Seconds for posting, one after the other to each URL."""
    bodies = [encode(event) for event in made(events)]
    headers = {"content-type": "application/json; charset=utf-8"}

    async def post_all(session: aiohttp.ClientSession, url: str) -> None:
        for body in bodies:
            async with session.post(url, data=body, headers=headers) as response:
                await response.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        began = time.perf_counter()
        await asyncio.gather(*(post_all(session, url) for url in urls))
        return time.perf_counter() - began


async def delivered(urls: list[str], events: int) -> float:
    """Seconds for delivering events that are there."""
    return await _delivered(urls, list(made(events)))


async def made_and_delivered(urls: list[str], events: int) -> float:
    """Seconds for making events and delivering them."""
    return await _delivered(urls, made(events))


async def delivered_with_state(urls: list[str], events: int) -> float:
    """Seconds for delivering events that are there, and keeping all of it in a file."""
    with TemporaryDirectory() as folder:
        store = StateFile(Path(folder) / "state")
        took = await _delivered(urls, list(made(events)), store)
        store.close()
        return took


async def _delivered(
    urls: list[str], events: Iterable[dict[str, Any]], store: Store | None = None
) -> float:
    clock, contract = Clock(), load_spec().event(EVENT)
    journal = Journal(clock, store=store)
    sent = 0
    async with TrustingSender(Credentials("id", "secret", "token")) as sender:
        deliveries = Deliveries(sender, clock, journal, store=store)
        for url in urls:
            await deliveries.subscribe(url)
        began = time.perf_counter()
        for sent, event in enumerate(events, 1):  # noqa: B007 - it is asked below
            assert not contract.problems(event)
            deliveries.send(EVENT, encode(event), "a-stream")
        await deliveries.drained(600)
        took = time.perf_counter() - began
        assert journal.counters["webhooks"] == sent * len(urls)
        assert not journal.findings
        deliveries.forget()
        return took


LOADS: dict[str, Callable[[list[str], int], Coroutine[Any, Any, float]]] = {
    "bare": bare,
    "delivered": delivered,
    "made and delivered": made_and_delivered,
    "with a state file": delivered_with_state,
}


def rates(urls: list[str], events: int) -> dict[str, float]:
    """Webhooks a second in one round, of each kind."""
    return {
        name: events * len(urls) / uvloop.run(load(urls, events)) for name, load in LOADS.items()
    }


def measure(quick: bool) -> dict[str, dict[str, float]]:
    """For one and for eight endpoints: webhooks a second of each kind, and that over the bare."""
    events, rounds = (16, 1) if quick else (1_500, 5)
    figures = {}
    with receiving() as url:
        for endpoints in ENDPOINTS:
            urls = [f"{url}{number}" for number in range(endpoints)]
            found = [rates(urls, events // endpoints) for _ in range(rounds)]
            figures[f"{endpoints} endpoints"] = _middle(found)
    return figures


def _middle(found: list[dict[str, float]]) -> dict[str, float]:
    figures = {}
    for name in LOADS:
        figures[f"{name}, per s"] = statistics.median(each[name] for each in found)
        if name != "bare":
            ratios = (each[name] / each["bare"] for each in found)
            figures[f"{name}, of the bare rate"] = statistics.median(ratios)
    return figures


@contextmanager
def receiving() -> Iterator[str]:
    """The base URL of a receiver in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    receiver = context.Process(target=receive, args=(there,), daemon=True)
    receiver.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}/"
    finally:
        receiver.terminate()
        receiver.join()
