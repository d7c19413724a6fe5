"""Both sides of a stream against each other in memory: the app's machine and Zoom's."""

from __future__ import annotations

from typing import Any

import pytest

from mockzoom.core import messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import Link, Step
from mockzoom.core.codes import MediaType, StopReason, StreamState
from mockzoom.core.effects import Close, Dial, Drop, Effect, Emit, Found, Send
from mockzoom.core.findings import Finding
from mockzoom.core.handshake import Identity
from mockzoom.core.machine import Machine
from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.signing import Credentials
from mockzoom.core.sockets import SIGNALING
from mockzoom.core.stream import StreamMachine, StreamUrls

CREDENTIALS = Credentials("client", "secret", "token")
STREAM = "609340fb2a7946909659956c8aa9250c"
WANTED = {MediaType.AUDIO: {"codec": 1, "data_opt": 2}, MediaType.TRANSCRIPT: {}}


def urls(server: str) -> StreamUrls:
    media = {key: f"ws://{server}/{key}" for key in messages.MEDIA_KEYS.values()}
    return StreamUrls(f"ws://{server}/{SIGNALING}", media)


class Pair:
    """A network without delay between the two, and webhooks that arrive at once."""

    def __init__(self, product: Product = PRODUCTS["meeting"]) -> None:
        self.now_ms = 1_000_000
        identity = Identity(product, "an+id/==", STREAM)
        self.zoom = StreamMachine(identity, CREDENTIALS, urls("one"))
        self.app = ClientMachine(
            product,
            identity.id,
            STREAM,
            self.zoom.urls.signaling,
            CREDENTIALS,
            WANTED,
            allow_url=lambda url: True,
        )
        self.findings: list[Finding] = []
        self.webhooks: list[str] = []
        self.zoom.start(self.now_ms)
        self.app.start(self.now_ms)
        self.settle()

    def settle(self) -> None:
        """Carry out effects until neither side has any."""
        while effects := [
            (machine, effect)
            for machine in (self.zoom, self.app)
            for effect in machine.take_effects()
        ]:
            for machine, effect in effects:
                self.carry_out(machine, effect)

    def carry_out(self, machine: Machine, effect: Effect) -> None:
        peer: Any = self.app if machine is self.zoom else self.zoom
        match effect:
            case Send(conn, message):
                peer.receive(conn, messages.encode(message), self.now_ms)
            case Close(conn) | Drop(conn):
                peer.lost(conn, self.now_ms)
            case Dial(conn, url):
                self.zoom.opened(conn, url.rpartition("/")[2], self.now_ms)
                self.app.opened(conn, self.now_ms)
            case Emit(happening, fields):
                self.deliver(happening, fields)
            case Found(finding):
                self.findings.append(finding)

    def deliver(self, happening: str, fields: dict[str, Any]) -> None:
        self.webhooks.append(happening)
        match happening:
            case "started":
                self.app.failover(self.zoom.urls.signaling, self.now_ms)
            case "interrupted":
                self.app.interrupted(self.now_ms)
            case "stopped":
                self.app.stop(self.now_ms, fields["stop_reason"])

    def cut(self, key: str) -> None:
        """The network loses the socket of `key`, for both sides at once."""
        (conn,) = [conn for conn, socket in self.zoom.sockets.items() if socket.key == key]
        self.app.lost(conn, self.now_ms)
        self.zoom.lost(conn, self.now_ms)
        self.settle()

    def run(self, seconds: int) -> None:
        """Let that time pass, from timer to timer."""
        until_ms = self.now_ms + seconds * 1000
        while self.now_ms < until_ms:
            timers = [at for m in (self.zoom, self.app) if (at := m.next_timer()) is not None]
            self.now_ms = min([until_ms, *(max(at, self.now_ms) for at in timers)])
            self.zoom.handle_timer(self.now_ms)
            self.app.handle_timer(self.now_ms)
            self.settle()

    @property
    def together(self) -> bool:
        keys = sorted(socket.key for socket in self.zoom.sockets.values())
        both = self.zoom.state is StreamState.ACTIVE and self.app.state is Link.JOINED
        return both and keys == ["audio", "signaling", "transcript"]


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_an_hour_without_a_mistake(product: Product) -> None:
    """Every product joins, answers keep-alives for an hour and stops, and nobody finds fault."""
    pair = Pair(product)
    pair.run(3600)
    assert pair.together
    pair.zoom.stop(StopReason.USER_LEFT, pair.now_ms)
    pair.settle()
    pair.run(10)
    assert pair.app.ending is not None
    assert pair.app.ending.cause is Step.TERMINATED
    assert (pair.findings, pair.zoom.sockets) == ([], {})
    assert (pair.app.next_timer(), pair.zoom.next_timer()) == (None, None)


@pytest.mark.parametrize("key", ["signaling", "audio", "transcript"])
def test_a_cut_socket_comes_back(key: str) -> None:
    """After each of many cuts the two are together again, and nobody finds fault."""
    pair = Pair()
    for _ in range(5):
        pair.cut(key)
        assert not pair.together
        pair.run(20)
        assert pair.together
    assert pair.findings == []


def test_failover() -> None:
    """The server moves the stream: a new start, and the app is at the new URLs at once."""
    pair = Pair()
    pair.zoom.relocate(urls("two"), pair.now_ms)
    pair.settle()
    assert pair.together
    assert pair.webhooks == ["started", "started"]
    assert pair.findings == []


def test_zoom_forgets_a_socket_that_the_app_still_holds() -> None:
    """A half-open connection: the webhook is all that the app hears, and it suffices."""
    pair = Pair()
    (conn,) = [conn for conn, s in pair.zoom.sockets.items() if s.is_signaling]
    pair.zoom.lost(conn, pair.now_ms)
    pair.settle()
    pair.run(5)
    assert pair.together
    assert "interrupted" in pair.webhooks
