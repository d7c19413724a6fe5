"""A stream under everything that can happen to it, in any order.

`Chaos` does to a `StreamMachine` what a test tells it: correct and broken messages on any socket,
losses, time, and all that the host may do.  After each step it looks whether the promises of a
stream still hold.  Hypothesis drives it, and shrinks what breaks it; a seeded walk drives it for
much longer.  Then a `ClientMachine` is set against a `StreamMachine`, over a network that fails.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from mockzoom.core import messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import Link
from mockzoom.core.codes import MediaType, MessageType, SessionState, StopReason, StreamState
from mockzoom.core.effects import Close, Dial, Drop, Effect, Emit, Found, Send
from mockzoom.core.handshake import Identity
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.products import PRODUCTS
from mockzoom.core.protocol import load_protocol
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.core.sockets import SIGNALING, SocketState
from mockzoom.core.stream import StreamMachine, StreamPolicy, StreamUrls
from mockzoom.core.timings import Timings
from mockzoom.errors import RefusedTransition, UnknownObject

T = MessageType
S, H = StreamState, Happening

WALK_STEPS = 500_000
HYPOTHESIS_STEPS = 10_000  # of each machine
HYPOTHESIS_EXAMPLES = 240

START_MS = 1_790_000_000_000
STREAM_ID = "609340fb2a7946909659956c8aa9250c"
ID = "4444AAAiAAAAAiAiAiiAii=="
CREDENTIALS = Credentials("client-id", "client-secret", "secret-token")
SIGNATURE = handshake_signature(CREDENTIALS.client_id, CREDENTIALS.client_secret, ID, STREAM_ID)
TIMINGS = Timings()
KEYS = (SIGNALING, *MEDIA_KEYS.values())
POLICIES = (
    StreamPolicy(),
    StreamPolicy(gate_events=True),
    StreamPolicy(replace_signaling=True),
    StreamPolicy(media=(MediaType.AUDIO, MediaType.TRANSCRIPT)),
)
UNANSWERED = (T.EVENT_SUBSCRIPTION, T.CLIENT_READY_ACK)


def urls(number: int) -> StreamUrls:
    base = f"wss://127.0.0.1/{number}/"
    return StreamUrls(base + SIGNALING, {key: base + key for key in MEDIA_KEYS.values()})


def requests_of(id_field: str) -> dict[str, Any]:
    """Correct requests by name, as dicts; the acknowledgement is the one called `ready`."""
    identity = (id_field, ID, STREAM_ID, SIGNATURE)
    return {
        SIGNALING: messages.signaling_handshake_req(*identity, sequence=1, buffer=True),
        "unbuffered": messages.signaling_handshake_req(*identity, sequence=1, buffer=False),
        **{
            key: messages.data_handshake_req(
                *identity, sequence=1, media_type=media, media_params=None
            )
            for media, key in MEDIA_KEYS.items()
        },
        "ready": messages.client_ready_ack(STREAM_ID),
        "subscribe": messages.event_subscription([(2, True), (3, True), (8, False)]),
        "session": messages.session_state_req("one"),
        "state": messages.stream_state_req(STREAM_ID),
        "close": messages.stream_close_req(STREAM_ID),
        "video": messages.video_subscription_req(1, True, 0),
    }


REQUESTS = {name: requests_of(product.id_field) for name, product in PRODUCTS.items()}
ENCODED = {
    name: {key: messages.encode(message) for key, message in requests.items()}
    for name, requests in REQUESTS.items()
}
JUNK_VALUES = (None, True, 0, -1, 7, 1.0, 1.5, 2**70, "", "x", "é", [], {}, [7], {"audio": 1})
JUNK_FRAMES = ("", "null", "[]", "7", "{", "{}", b"\xff\x00", '{"msg_type":99}', '{"msg_type":"1"}')


class Chaos:
    """A stream, what was done to it, and what it promised."""

    def __init__(self, product: str, policy: StreamPolicy) -> None:
        self.product = product
        self.now_ms = START_MS
        self.stream = StreamMachine(
            Identity(PRODUCTS[product], ID, STREAM_ID), CREDENTIALS, urls(0), TIMINGS, policy
        )
        self.conns: list[int] = []
        self.acknowledged: set[int] = set()
        self.keep_alives: deque[tuple[int, str]] = deque(maxlen=20)
        self.webhooks: list[str] = []
        self.findings: list[str] = []
        self.on_effect: Callable[[Effect], None] = lambda effect: None
        self._numbers = count(1)
        self._protocol = load_protocol()
        self.stream.start(self.now_ms)
        self.settle()

    # --- the app ------------------------------------------------------------------------------

    def open(self, key: str) -> None:
        conn = next(self._numbers)
        self.conns.append(conn)
        self.stream.opened(conn, key, self.now_ms)

    def ask(self, conn: int, name: str) -> None:
        if name == "ready":
            self.acknowledged.add(conn)
        self.stream.receive(conn, ENCODED[self.product][name], self.now_ms)

    def ask_wrongly(self, conn: int, name: str, field: int, value: Any) -> None:
        """A request of which one field is another value, or is missing for None."""
        message = dict(REQUESTS[self.product][name])
        key = list(message)[field % len(message)]
        message[key] = value
        if value is None:
            del message[key]
        if message.get("msg_type") == T.CLIENT_READY_ACK:
            self.acknowledged.add(conn)
        self.frame(conn, messages.encode(message))

    def frame(self, conn: int, data: str | bytes) -> None:
        self.stream.receive(conn, data, self.now_ms)

    def answer(self, which: int) -> None:
        """Answer one of the latest keep-alives, for the first time or again."""
        if self.keep_alives:
            conn, data = self.keep_alives[which % len(self.keep_alives)]
            self.frame(conn, data)

    def answer_all(self) -> None:
        while self.keep_alives:
            self.frame(*self.keep_alives.popleft())

    def lose(self, conn: int) -> None:
        self.stream.lost(conn, self.now_ms)

    def connect(self, key: str, *, ready: bool) -> None:
        """Everything that an app does to have media, as far as the stream lets it."""
        for socket, handshake in ((SIGNALING, SIGNALING), (key, key)):
            self.open(socket)
            self.ask(self.conns[-1], handshake)
        live = self.stream.signaling
        if ready and live is not None:
            self.ask(live.conn, "ready")

    # --- the host -----------------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        self.now_ms += ms
        self.stream.handle_timer(self.now_ms)
        due_ms = self.stream.next_timer()
        assert due_ms is None or due_ms > self.now_ms

    def host(self, name: str, happening: Happening, *arguments: Any) -> None:
        """Do what the table may refuse, and see that it refuses nothing else."""
        allowed = LIFECYCLE.allows(self.stream.state, happening)
        refused = ""
        try:
            getattr(self.stream, name)(*arguments, self.now_ms)
        except RefusedTransition as error:
            refused = str(error)
        assert bool(refused) is not allowed or "so already" in refused

    def pause(self) -> None:
        self.host("pause", H.PAUSE)

    def resume(self) -> None:
        self.host("resume", H.RESUME)

    def relocate(self) -> None:
        self.host("relocate", H.RELOCATE, urls(next(self._numbers)))

    def stop(self, reason: StopReason) -> None:
        self.stream.stop(reason, self.now_ms)

    def join(self, user_id: int) -> None:
        self.stream.join(user_id, "Alice", self.now_ms)

    def leave(self, user_id: int) -> None:
        try:
            self.stream.leave(user_id, self.now_ms)
        except UnknownObject:
            assert user_id not in self.stream.roster

    def session(self, name: str, state: SessionState) -> None:
        self.stream.session(name, state, self.now_ms)

    def tell(self, event: int) -> None:
        self.stream.tell(event, {"timestamp": self.now_ms, "event_ts": self.now_ms})
        self.stream.first_packet(self.now_ms)

    # --- what must hold -----------------------------------------------------------------------

    def settle(self) -> None:
        """Look at everything that the machine wants done."""
        for effect in self.stream.take_effects():
            self.on_effect(effect)
            match effect:
                case Send(conn, message):
                    self._sent(conn, message)
                case Close(conn) | Drop(conn):
                    assert conn not in self.stream.sockets
                case Emit(happening):
                    assert "stopped" not in self.webhooks
                    self.webhooks.append(happening)
                case Found(finding):
                    self.findings.append(str(finding))
                    assert self.findings[-1].encode()
                case _:
                    raise AssertionError(effect)

    def _sent(self, conn: int, message: messages.Message) -> None:
        messages.encode(message).encode()
        kind = message["msg_type"]
        if kind in UNANSWERED:
            assert message.keys() == {"msg_type", "status_code", "reason"}
            return
        assert self._protocol.problems(message) == []
        if kind == T.KEEP_ALIVE_REQ:
            self.keep_alives.append((conn, messages.encode(messages.keep_alive_resp(message))))

    def check(self) -> None:
        """The promises of a stream."""
        self.settle()
        stream = self.stream
        signaling = [s for s in stream.sockets.values() if s.is_signaling and s.joined]
        assert len(signaling) <= 1
        ready = [s for s in signaling if s.state is SocketState.READY]
        assert {s.conn for s in ready} <= self.acknowledged
        if stream.state is not S.TERMINATED:
            assert ready or all(s.flow_from_ms is None for s in stream.media_sockets)
        assert ready or not stream.flowing
        if stream.state is S.INTERRUPTED and not signaling:
            assert "window" in stream.timers
        carried = {media for socket in stream.media_sockets for media in socket.media}
        waited_for = {media for media in MediaType if ("media-window", media) in stream.timers}
        assert not (waited_for & carried)
        assert signaling or not waited_for
        ended = stream.stop_reason is not None
        assert ended == (stream.state is S.TERMINATED) == (self.webhooks[-1] == "stopped")
        self.conns = [conn for conn in self.conns if conn in stream.sockets]

    def finish(self) -> None:
        """Whatever was before, a stream that is stopped ends, and nothing of it is left."""
        self.stop(StopReason.MEETING_ENDED)
        self.check()
        assert self.stream.state is S.TERMINATED
        self.wait(TIMINGS.close_grace_ms)
        self.wait(TIMINGS.handshake_ms)  # of sockets that were opened after the end
        self.check()
        assert (self.stream.sockets, self.stream.next_timer()) == ({}, None)


# --- a long walk ------------------------------------------------------------------------------


class Walk:
    """Random steps, likely ones more often, so that a stream lives long enough to be broken."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.chaos = self._fresh()
        steps = {
            self._connect: 4,
            self._open: 6,
            self._ask: 25,
            self._ask_wrongly: 8,
            self._junk: 3,
            self._answer: 6,
            self._answer_all: 12,
            self._lose: 2,
            self._wait: 20,
            self._host: 3,
            self._people: 5,
        }
        self._steps, self._weights = list(steps), list(steps.values())
        self.states: set[StreamState] = set()

    def run(self, steps: int) -> None:
        for step in self.random.choices(self._steps, self._weights, k=steps):
            step()
            self.chaos.check()
            self.states.add(self.chaos.stream.state)
            if self.chaos.stream.state is S.TERMINATED and self.random.random() < 0.1:
                self.chaos.finish()
                self.chaos = self._fresh()

    def _fresh(self) -> Chaos:
        return Chaos(self.random.choice(list(PRODUCTS)), self.random.choice(POLICIES))

    def _conn(self) -> int:
        return self.random.choice(self.chaos.conns or [0])

    def _connect(self) -> None:
        self.chaos.connect(self.random.choice(KEYS[1:]), ready=self.random.random() < 0.6)

    def _open(self) -> None:
        self.chaos.open(self.random.choice(KEYS))

    def _ask(self) -> None:
        name = self.random.choice(list(REQUESTS["meeting"]))
        if name != "close" or self.random.random() < 0.1:
            self.chaos.ask(self._conn(), name)

    def _ask_wrongly(self) -> None:
        name = self.random.choice(list(REQUESTS["meeting"]))
        value = self.random.choice(JUNK_VALUES)
        self.chaos.ask_wrongly(self._conn(), name, self.random.randrange(9), value)

    def _junk(self) -> None:
        self.chaos.frame(self._conn(), self.random.choice(JUNK_FRAMES))

    def _answer(self) -> None:
        self.chaos.answer(self.random.randrange(20))

    def _answer_all(self) -> None:
        self.chaos.answer_all()

    def _lose(self) -> None:
        self.chaos.lose(self._conn())

    def _wait(self) -> None:
        self.chaos.wait(self.random.choice((0, 1, 400, 3_000, 10_000, 10_000, 61_000)))

    def _host(self) -> None:
        self.random.choice(
            (self.chaos.pause, self.chaos.resume, self.chaos.relocate, self._stop_sometimes)
        )()

    def _stop_sometimes(self) -> None:
        if self.random.random() < 0.2:
            self.chaos.stop(self.random.choice(list(StopReason)))

    def _people(self) -> None:
        match self.random.randrange(4):
            case 0:
                self.chaos.join(self.random.randrange(4))
            case 1:
                self.chaos.leave(self.random.randrange(4))
            case 2:
                self.chaos.session("one", self.random.choice(list(SessionState)))
            case _:
                self.chaos.tell(self.random.randrange(1, 30))


@pytest.mark.parametrize("seed", range(5))
def test_a_long_walk_breaks_no_promise(seed: int) -> None:
    """Half a million random steps, in five walks that can each be repeated by its seed."""
    walk = Walk(seed)
    walk.run(WALK_STEPS // 5)
    assert walk.states == set(StreamState) - {S.TERMINATING}


# --- Hypothesis -------------------------------------------------------------------------------

SOCKETS = st.integers(0, 5)
NAMES = st.sampled_from(list(REQUESTS["meeting"]))
VALUES = st.sampled_from(JUNK_VALUES) | st.text(max_size=5) | st.integers()
FRAMES = st.sampled_from(JUNK_FRAMES) | st.text(max_size=30) | st.binary(max_size=30)
WAITS = st.sampled_from([0, 1, 499, 5_000, 10_000, 60_000, 65_000]) | st.integers(0, 100_000)
USERS = st.integers(0, 3)

taken = {"steps": 0}


class Rules(RuleBasedStateMachine):
    """What the rules of both machines have in common: the host and the clock."""

    chaos: Chaos

    @rule()
    def pause(self) -> None:
        self.chaos.pause()

    @rule()
    def resume(self) -> None:
        self.chaos.resume()

    @rule()
    def relocate(self) -> None:
        self.chaos.relocate()

    @rule(user_id=USERS)
    def join(self, user_id: int) -> None:
        self.chaos.join(user_id)

    @rule(user_id=USERS)
    def leave(self, user_id: int) -> None:
        self.chaos.leave(user_id)

    @rule(state=st.sampled_from(SessionState))
    def session(self, state: SessionState) -> None:
        self.chaos.session("one", state)

    @rule(event=st.integers(1, 29))
    def tell(self, event: int) -> None:
        self.chaos.tell(event)

    @invariant()
    def promises(self) -> None:
        taken["steps"] += 1
        if hasattr(self, "chaos"):
            self.chaos.check()


class StreamRules(Rules):
    """A stream alone, with an app that may do anything."""

    @initialize(product=st.sampled_from(list(PRODUCTS)), policy=st.sampled_from(POLICIES))
    def begin(self, product: str, policy: StreamPolicy) -> None:
        self.chaos = Chaos(product, policy)

    def conn(self, which: int) -> int:
        """One of the sockets that are open, or 0 for one that is not."""
        conns = self.chaos.conns
        return conns[which % len(conns)] if conns else 0

    @rule(key=st.sampled_from(KEYS))
    def open(self, key: str) -> None:
        self.chaos.open(key)

    @rule(key=st.sampled_from(KEYS[1:]), ready=st.booleans())
    def connect(self, key: str, ready: bool) -> None:
        self.chaos.connect(key, ready=ready)

    @rule(which=SOCKETS, name=NAMES)
    def ask(self, which: int, name: str) -> None:
        self.chaos.ask(self.conn(which), name)

    @rule(which=SOCKETS, name=NAMES, field=st.integers(0, 8), value=VALUES)
    def ask_wrongly(self, which: int, name: str, field: int, value: Any) -> None:
        self.chaos.ask_wrongly(self.conn(which), name, field, value)

    @rule(which=SOCKETS, data=FRAMES)
    def frame(self, which: int, data: str | bytes) -> None:
        self.chaos.frame(self.conn(which), data)

    @rule(which=st.integers(0, 19))
    def answer(self, which: int) -> None:
        self.chaos.answer(which)

    @rule()
    def answer_all(self) -> None:
        self.chaos.answer_all()

    @rule(which=SOCKETS)
    def lose(self, which: int) -> None:
        self.chaos.lose(self.conn(which))

    @rule(ms=WAITS)
    def wait(self, ms: int) -> None:
        self.chaos.wait(ms)

    @rule(reason=st.sampled_from(StopReason))
    def stop(self, reason: StopReason) -> None:
        self.chaos.stop(reason)

    def teardown(self) -> None:
        if hasattr(self, "chaos"):
            self.chaos.finish()


class Network:
    """A client and a stream, and what is on its way between them.

    Sockets have the client's numbers on its side, and `SERVER` more on the other.  What is sent on
    a `dead` socket is lost, and neither side hears of it.
    """

    SERVER = 10_000

    def __init__(self, product: str, policy: StreamPolicy) -> None:
        self.chaos = Chaos(product, policy)
        self.chaos.on_effect = self._from_server
        self.client = ClientMachine(
            PRODUCTS[product],
            ID,
            STREAM_ID,
            urls(0).signaling,
            CREDENTIALS,
            {media: {} for media in PRODUCTS[product].media},
            allow_url=lambda url: True,
            timings=TIMINGS,
        )
        self.dead: set[int] = set()
        self.wire: deque[Callable[[], None]] = deque()
        self.client.start(self.now_ms)

    @property
    def now_ms(self) -> int:
        return self.chaos.now_ms

    def conns(self) -> list[int]:
        """The client's sockets, by its own numbers."""
        return [conn - self.SERVER for conn in self.chaos.stream.sockets if conn > self.SERVER]

    # --- from one side to the other -----------------------------------------------------------

    def _from_server(self, effect: Effect) -> None:
        client = self.client
        match effect:
            case Send(conn, message):
                data = messages.encode(message)
                self._post(conn, lambda c: client.receive(c, data, self.now_ms))
            case Close(conn) | Drop(conn):
                self._post(conn, lambda c: client.lost(c, self.now_ms))
            case Emit("started", fields):
                server_urls = fields["server_urls"]
                self.wire.append(lambda: client.failover(server_urls, self.now_ms))
            case Emit("interrupted"):
                self.wire.append(lambda: client.interrupted(self.now_ms))
            case Emit("stopped", fields):
                self.wire.append(lambda: client.stop(self.now_ms, fields["stop_reason"]))

    def _from_client(self, effect: Effect) -> None:
        chaos = self.chaos
        match effect:
            case Dial(conn, url):
                self.wire.append(lambda: self._dial(conn, url))
            case Send(conn, message):
                data = messages.encode(message)
                if message["msg_type"] == T.CLIENT_READY_ACK:
                    chaos.acknowledged.add(conn + self.SERVER)
                self._post(conn + self.SERVER, lambda c: chaos.frame(c + self.SERVER, data))
            case Close(conn):
                self._post(conn + self.SERVER, lambda c: chaos.lose(c + self.SERVER))

    def _post(self, conn: int, deliver: Callable[[int], None]) -> None:
        """Put something for socket `conn` (the server's number) on the wire."""
        mine = conn - self.SERVER
        self.wire.append(lambda: None if mine in self.dead else deliver(mine))

    def _dial(self, conn: int, url: str) -> None:
        stream = self.chaos.stream
        keys = {stream.urls.signaling: SIGNALING} | {u: k for k, u in stream.urls.media.items()}
        if url in keys:
            stream.opened(conn + self.SERVER, keys[url], self.now_ms)
            self.client.opened(conn, self.now_ms)
        else:
            self.client.lost(conn, self.now_ms)

    def deliver(self) -> None:
        """Let everything arrive, in order, and what is sent in answer to it."""
        self._collect()
        while self.wire:
            self.wire.popleft()()
            self._collect()

    def _collect(self) -> None:
        self.chaos.check()
        for effect in self.client.take_effects():
            self._from_client(effect)

    # --- time and trouble ---------------------------------------------------------------------

    def wait(self, ms: int) -> None:
        until_ms = self.now_ms + ms
        self.deliver()
        while (due_ms := self._next_timer()) is not None and due_ms <= until_ms:
            self.pass_time(due_ms - self.now_ms)
            self.deliver()
        self.pass_time(until_ms - self.now_ms)
        self.deliver()

    def _next_timer(self) -> int | None:
        timers = (self.chaos.stream.next_timer(), self.client.next_timer())
        return min((at_ms for at_ms in timers if at_ms is not None), default=None)

    def pass_time(self, ms: int) -> None:
        """Time goes by and nothing arrives."""
        self.chaos.wait(ms)
        self.client.handle_timer(self.now_ms)
        self._collect()

    def cut(self, conn: int) -> None:
        """Both sides see the socket go."""
        self.dead.add(conn)
        self.chaos.lose(conn + self.SERVER)
        self.client.lost(conn, self.now_ms)

    def finish(self) -> None:
        """Left in peace, both sides are together again or have both ended; a stop ends both."""
        self.wait(600_000)
        together = self.client.state is Link.JOINED and self.chaos.stream.state in (
            S.ACTIVE,
            S.PAUSED,
            S.RESUMED,
        )
        apart = self.client.state is Link.ENDED and self.chaos.stream.state is S.TERMINATED
        assert together or apart, (self.client.state, self.chaos.stream.state)
        self.chaos.stop(StopReason.MEETING_ENDED)
        self.deliver()
        assert self.client.state is Link.ENDED
        assert self.client.next_timer() is None
        self.chaos.finish()


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_correct_client_breaks_no_clause(product: str) -> None:
    """Whatever the host does, the two stay together and nothing is found."""
    chance = random.Random(product)
    network = Network(product, StreamPolicy())
    chaos = network.chaos
    for _ in range(500):
        network.wait(chance.choice((0, 500, 10_000, 70_000)))
        chance.choice((chaos.pause, chaos.resume, chaos.relocate, lambda: chaos.tell(8)))()
    network.finish()
    assert chaos.findings == []


class PairRules(Rules):
    """A correct client and a stream, over a network that fails."""

    @initialize(product=st.sampled_from(list(PRODUCTS)), policy=st.sampled_from(POLICIES))
    def begin(self, product: str, policy: StreamPolicy) -> None:
        self.network = Network(product, policy)
        self.chaos = self.network.chaos
        self.network.deliver()

    def conn(self, which: int) -> int:
        conns = self.network.conns()
        return conns[which % len(conns)] if conns else 0

    @rule()
    def deliver(self) -> None:
        self.network.deliver()

    @rule(ms=WAITS)
    def wait(self, ms: int) -> None:
        self.network.wait(ms)

    @rule(ms=WAITS)
    def stall(self, ms: int) -> None:
        self.network.pass_time(ms)

    @rule(which=SOCKETS)
    def cut(self, which: int) -> None:
        self.network.cut(self.conn(which))

    @rule(which=SOCKETS)
    def half_open(self, which: int) -> None:
        self.network.dead.add(self.conn(which))

    @rule(which=SOCKETS, name=NAMES, field=st.integers(0, 8), value=VALUES)
    def to_server(self, which: int, name: str, field: int, value: Any) -> None:
        conn = self.conn(which) + Network.SERVER
        self.chaos.ask_wrongly(conn, name, field, value)

    @rule(which=SOCKETS, data=FRAMES)
    def to_client(self, which: int, data: str | bytes) -> None:
        self.network.client.receive(self.conn(which), data, self.network.now_ms)

    def teardown(self) -> None:
        if hasattr(self, "network"):
            self.network.finish()


@pytest.mark.parametrize("rules", [StreamRules, PairRules])
def test_hypothesis_breaks_no_promise(rules: type[Rules]) -> None:
    """Ten thousand steps each, of a stream alone and of a stream with its client."""
    taken["steps"] = 0
    run_state_machine_as_test(
        rules,
        settings=settings(
            max_examples=HYPOTHESIS_EXAMPLES,
            stateful_step_count=50,
            derandomize=True,
            database=None,
            deadline=None,
        ),
    )
    assert taken["steps"] >= HYPOTHESIS_STEPS
