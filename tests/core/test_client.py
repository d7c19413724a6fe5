"""The app's side of a stream, driven in memory: no socket, no clock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockzoom.core import messages
from mockzoom.core.client import ClientMachine
from mockzoom.core.client_sockets import MEDIA, SIGNALING, Ending, Link, Step
from mockzoom.core.codes import MediaType, MessageType, StatusCode, StopReason, StreamState
from mockzoom.core.effects import Close, Dial, Effect, Found, Received, Send
from mockzoom.core.machine import Table
from mockzoom.core.products import CONTACT_CENTER, MEETING, PRODUCTS, Product
from mockzoom.core.signing import Credentials, handshake_signature
from mockzoom.errors import RefusedTransition

CREDENTIALS = Credentials("client", "secret", "token")
STREAM = "609340fb2a7946909659956c8aa9250c"
UUID = "4444AAAiAAAAAiAiAiiAii=="
URL = "ws://here/signaling"
AUDIO = {"codec": 1, "sample_rate": 1, "channel": 1}
WANTED = {MediaType.AUDIO: AUDIO, MediaType.TRANSCRIPT: {}}
MEDIA_URLS = {"audio": "ws://here/audio", "transcript": "ws://here/transcript"}
T0 = 1_000_000


class Talk:
    """A machine, and a peer that says what the test tells it to say."""

    def __init__(
        self,
        urls: str = URL,
        product: Product = MEETING,
        allow_url: Callable[[str], bool] = lambda url: "://here" in url,
    ) -> None:
        self.now_ms = T0
        self.machine = ClientMachine(
            product, UUID, STREAM, urls, CREDENTIALS, WANTED, allow_url=allow_url
        )
        self.effects: list[Effect] = []
        self.urls: dict[int, str] = {}

    def step(self, method: Callable[..., None], *args: Any, **kwargs: Any) -> list[Effect]:
        method(*args, self.now_ms, **kwargs)
        new = self.machine.take_effects()
        for effect in new:
            if isinstance(effect, Dial):
                self.urls[effect.conn] = effect.url
            elif isinstance(effect, Close):
                del self.urls[effect.conn]
        self.effects += new
        return new

    def conn(self, path: str) -> int:
        """The number of the open socket whose URL ends like that."""
        (found,) = [conn for conn, url in self.urls.items() if url.endswith(path)]
        return found

    def open(self, path: str) -> list[Effect]:
        return self.step(self.machine.opened, self.conn(path))

    def say(self, path: str, message: dict[str, Any]) -> list[Effect]:
        return self.step(self.machine.receive, self.conn(path), json.dumps(message))

    def lose(self, path: str) -> list[Effect]:
        return self.step(self.machine.lost, self.conn(path))

    def stop(self, reason: int = 6) -> list[Effect]:
        return self.step(self.machine.stop, reason=reason)

    def advance(self) -> int:
        """Go to the next timer; the time that passed in ms."""
        at_ms = self.machine.next_timer()
        assert at_ms is not None
        passed, self.now_ms = at_ms - self.now_ms, at_ms
        self.step(self.machine.handle_timer)
        return passed

    def shake_signaling(self, urls: dict[str, str] | None = None) -> list[Effect]:
        self.open("signaling")
        urls = MEDIA_URLS if urls is None else urls
        return self.say("signaling", messages.signaling_handshake_resp(1, urls))

    def shake_media(self, key: str, **params: Any) -> list[Effect]:
        self.open(key)
        return self.say(key, messages.data_handshake_resp(1, params))

    def join(self) -> Talk:
        if self.machine.state is Link.IDLE:
            self.step(self.machine.start)
        self.shake_signaling()
        self.shake_media("audio", audio=AUDIO)
        self.shake_media("transcript")
        assert self.machine.state is Link.JOINED
        return self


def sent(effects: list[Effect]) -> list[dict[str, Any]]:
    return [effect.message for effect in effects if isinstance(effect, Send)]


def received(effects: list[Effect]) -> list[int]:
    return [e.message["msg_type"] for e in effects if isinstance(e, Received)]


def keep_alive(now_ms: int = T0) -> dict[str, Any]:
    return messages.keep_alive_req(1, now_ms)


def terminated(reason: int = 6) -> dict[str, Any]:
    return messages.stream_state_update(STREAM, StreamState.TERMINATED, T0, reason)


def refused(msg_type: int, status: int) -> dict[str, Any]:
    return messages.refusal(msg_type, StatusCode(status), "no")


# --- the tables -----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [SIGNALING, MEDIA], ids=lambda table: table.name)
def test_every_pair_is_in_the_table_or_refused(table: Table[Link, Step]) -> None:
    """Each state and step either leads to a state of the table or is refused by name."""
    for state in Link:
        for step in Step:
            if table.allows(state, step):
                assert table.after(state, step) in table.steps
            else:
                with pytest.raises(RefusedTransition, match=step.name):
                    table.after(state, step)


@pytest.mark.parametrize("table", [SIGNALING, MEDIA], ids=lambda table: table.name)
def test_every_state_leads_to_the_end(table: Table[Link, Step]) -> None:
    """No state of either table is a trap, and all are reached from the first."""
    reached = {table.initial}
    while more := {b for a, _, b in table if a in reached} - reached:
        reached |= more
    assert reached == set(table.steps)
    ending = {Link.ENDED}
    while more := {a for a, _, b in table if b in ending} - ending:
        ending |= more
    assert ending == set(table.steps)


# --- joining --------------------------------------------------------------------------------------


def test_a_stream_is_joined_step_by_step() -> None:
    """Signaling handshake, a signed media handshake per type, one ready ack, the subscriptions."""
    talk = Talk()
    assert talk.step(talk.machine.start) == [Dial(1, URL)]
    (hello,) = sent(talk.open("signaling"))
    assert hello["msg_type"] == MessageType.SIGNALING_HAND_SHAKE_REQ
    assert hello["meeting_uuid"] == UUID
    assert hello["signature"] == handshake_signature("client", "secret", UUID, STREAM)
    dials = talk.say("signaling", messages.signaling_handshake_resp(1, MEDIA_URLS))
    assert [effect.url for effect in dials if isinstance(effect, Dial)] == [*MEDIA_URLS.values()]
    (audio,) = sent(talk.open("audio"))
    assert (audio["media_type"], audio["media_params"]) == (1, {"audio": AUDIO})
    (transcript,) = sent(talk.open("transcript"))
    assert (transcript["media_type"], transcript["media_params"]) == (8, None)
    assert not sent(talk.say("audio", messages.data_handshake_resp(1, {"audio": AUDIO})))
    ready, events = talk.say("transcript", messages.data_handshake_resp(1, {}))[1:]
    assert ready == Send(1, messages.client_ready_ack(STREAM))
    assert isinstance(events, Send)
    assert [event["event_type"] for event in events.message["events"]] == [2, 3, 4, 5, 6, 8, 9]


def test_contact_center_has_events_of_its_own() -> None:
    """For voice, 8 to 29 are subscribed to, and the engagement's id is sent."""
    talk = Talk(product=CONTACT_CENTER).join()
    hello, *_, events = sent(talk.effects)
    assert hello["engagement_id"] == UUID
    assert [event["event_type"] for event in events["events"]] == [*range(8, 30)]


@pytest.mark.parametrize(
    ("offered", "asked"),
    [
        ("audio transcript all video", [1, 8]),
        ("audio all", [32]),
        ("all", [32]),
        ("audio video", [1]),
        ("video", []),
        ("", []),
    ],
)
def test_media_keys(offered: str, asked: list[int]) -> None:
    """Single keys where all that is wanted is there, else the one for all, else what there is."""
    talk = Talk()
    talk.step(talk.machine.start)
    talk.shake_signaling({key: f"ws://here/{key}" for key in offered.split()})
    for conn in sorted(set(talk.urls) - {1}):
        talk.step(talk.machine.opened, conn)
    shakes = [m for m in sent(talk.effects) if m["msg_type"] == MessageType.DATA_HAND_SHAKE_REQ]
    assert [shake["media_type"] for shake in shakes] == asked
    assert (talk.machine.ending is None) == bool(asked)


def test_granted_parameters_are_adopted() -> None:
    """What counts is the grant; what it leaves out is what was asked for."""
    talk = Talk()
    talk.step(talk.machine.start)
    talk.shake_signaling({"all": "ws://here/all"})
    talk.shake_media("all", audio={"sample_rate": 3, "data_opt": 1})
    assert talk.machine.granted == {
        "audio": {"codec": 1, "sample_rate": 3, "channel": 1, "data_opt": 1},
        "transcript": {},
    }


@pytest.mark.parametrize("path", ["signaling", "audio"])
@pytest.mark.parametrize("binary", [True, False])
def test_keep_alives_are_echoed_before_the_handshake_response(path: str, binary: bool) -> None:
    """On both kinds of socket, from text and binary frames, everything in them comes back."""
    talk = Talk()
    talk.step(talk.machine.start)
    talk.open("signaling")
    if path == "audio":
        talk.say("signaling", messages.signaling_handshake_resp(1, MEDIA_URLS))
        talk.open("audio")
    frame = messages.encode(keep_alive())
    conn = talk.conn(path)
    data: str | bytes = frame.encode() if binary else frame
    echo = talk.step(talk.machine.receive, conn, data)
    assert echo == [Send(conn, {"msg_type": 13, "sequence": 1, "timestamp": T0})]


def test_hosts_that_are_not_allowed_are_not_dialled() -> None:
    """Neither from the webhook nor from the handshake; each is a finding."""
    talk = Talk("ws://there/signaling, ws://here/signaling")
    assert [e.url for e in talk.step(talk.machine.start) if isinstance(e, Dial)] == [URL]
    talk.shake_signaling({"audio": "ws://169.254.169.254/", "transcript": "ws://here/transcript"})
    assert set(talk.urls.values()) == {URL, "ws://here/transcript"}
    assert [e.finding.check for e in talk.effects if isinstance(e, Found)] == ["server.url"] * 2


def test_no_url_that_may_be_dialled() -> None:
    """Without a usable URL the stream is over before it began."""
    talk = Talk("ws://there/signaling")
    talk.step(talk.machine.start)
    assert talk.machine.ending is not None
    assert talk.machine.ending.cause is Step.REFUSED


def test_unexpected_messages_are_skipped() -> None:
    """Unknown types, second answers, media on signaling and garbage change nothing."""
    talk = Talk().join()
    quiet = [
        {"msg_type": 77},
        {"msg_type": "2"},
        {"msg_type": True},
        {},
        refused(2, 45),
        refused(4, 45),
        {"msg_type": 14, "content": {}},
        {"msg_type": 6, "event": []},
        {"msg_type": 6},
    ]
    for message in quiet:
        assert not [e for e in talk.say("signaling", message) if not isinstance(e, Received)]
    (found,) = talk.step(talk.machine.receive, 1, b"\xff{")
    assert isinstance(found, Found)
    assert talk.machine.state is Link.JOINED


def test_what_the_app_is_told() -> None:
    """Media from joined media sockets, events and states from signaling."""
    talk = Talk().join()
    assert received(talk.say("audio", {"msg_type": 14, "content": {}})) == [14]
    assert received(talk.say("audio", {"msg_type": 9})) == []
    assert received(talk.say("signaling", messages.event_update(3, {}))) == [6]
    assert received(talk.say("signaling", {"msg_type": 9})) == [9]


# --- refusals -------------------------------------------------------------------------------------


def test_a_refused_signaling_handshake_is_final() -> None:
    """The status code is kept, everything is closed, nothing is tried again."""
    talk = Talk()
    talk.step(talk.machine.start)
    talk.open("signaling")
    assert talk.say("signaling", refused(2, 3)) == [Close(1)]
    assert talk.machine.ending == Ending(Step.REFUSED, 3, "signaling: no")
    assert talk.machine.next_timer() is None


def test_a_refused_media_type_does_not_cost_the_others() -> None:
    """One type refused: ready with the rest.  All refused: the end."""
    talk = Talk()
    talk.step(talk.machine.start)
    talk.shake_signaling()
    talk.shake_media("audio")
    talk.open("transcript")
    talk.say("transcript", refused(4, 12))
    assert talk.machine.state is Link.JOINED
    assert talk.machine.refused == {MediaType.TRANSCRIPT: 12}

    talk = Talk()
    talk.step(talk.machine.start)
    talk.shake_signaling({"audio": "ws://here/audio"})
    talk.open("audio")
    talk.say("audio", refused(4, 20))
    assert talk.machine.ending == Ending(Step.REFUSED, 20, "audio: no")
    assert talk.urls == {}


def test_a_duplicate_after_a_drop_passes() -> None:
    """Status 8 means that the server has not noticed the drop yet: wait longer each time."""
    talk = Talk().join()
    talk.lose("signaling")
    pauses = []
    for _ in range(3):
        pauses.append(talk.advance())
        talk.open("signaling")
        talk.say("signaling", refused(2, 8))
    assert pauses == [1000, 2000, 4000]
    talk.advance()
    talk.join()


def test_a_duplicate_media_socket_passes() -> None:
    """Status 16 sends that socket, and no other, into its back-off."""
    talk = Talk().join()
    talk.lose("audio")
    talk.advance()
    talk.open("audio")
    talk.say("audio", refused(4, 16))
    assert talk.advance() == 2000
    talk.shake_media("audio")
    assert talk.machine.state is Link.JOINED


# --- losses ---------------------------------------------------------------------------------------


def test_lost_signaling_is_dialled_within_its_window() -> None:
    """Media is closed too; pauses double up to the cap; after 60 s it is given up."""
    talk = Talk("ws://here/1/signaling,ws://here/2/signaling").join()
    assert talk.lose("signaling") == [Close(2), Close(3), Close(1)]
    pauses, urls = [], []
    while talk.machine.state is Link.WAITING:
        pauses.append(talk.advance())
        urls.append(talk.urls[talk.conn("signaling")])
        talk.lose("signaling")
    assert pauses == [1000, 2000, 4000, 8000, 16000, 16000]
    assert urls[:3] == ["ws://here/2/signaling", "ws://here/1/signaling", "ws://here/2/signaling"]
    assert talk.machine.ending is not None
    assert talk.machine.ending.cause is Step.GAVE_UP
    assert talk.machine.next_timer() is None


def test_the_back_off_is_forgotten_at_the_first_keep_alive() -> None:
    """A connection that breaks at once goes on doubling; one that held starts over."""
    talk = Talk().join()
    for pause in (1000, 2000, 4000):
        talk.lose("signaling")
        assert talk.advance() == pause
        talk.join()
    talk.say("signaling", keep_alive())
    talk.lose("signaling")
    assert talk.advance() == 1000


def test_lost_media_is_dialled_alone() -> None:
    """Signaling and the other media stay, no second ready ack; after 65 s that type is given up."""
    talk = Talk().join()
    assert talk.lose("audio") == [Close(2)]
    assert talk.advance() == 1000
    assert talk.shake_media("audio")[0] == Received(4, messages.data_handshake_resp(1, {}))
    assert len([m for m in sent(talk.effects) if m["msg_type"] == 7]) == 1
    talk.lose("audio")
    pauses = []
    for _ in range(6):
        pauses.append(talk.advance())
        talk.say("signaling", keep_alive(talk.now_ms))
        talk.lose("audio")
    assert pauses == [2000, 4000, 8000, 16000, 16000, 16000]
    assert talk.machine.state is Link.JOINED
    assert talk.advance() == 65_000, "only the silence of signaling is waited for now"


@pytest.mark.parametrize("fields", [{"media_type": 8}, {}], ids=["named", "unnamed"])
def test_event_7_redials_one_media_socket(fields: dict[str, Any]) -> None:
    """The one that it names, or the one that was silent longest; what is down already is let be."""
    talk = Talk().join()
    talk.now_ms += 10_000
    talk.say("audio", keep_alive())
    event = messages.event_update(7, {"timestamp": T0, **fields})
    assert Close(3) in talk.say("signaling", event)
    assert not [e for e in talk.say("signaling", event) if isinstance(e, Close)]
    assert talk.advance() == 1000
    talk.shake_media("transcript")


def test_silence_on_signaling_ends_in_a_new_handshake() -> None:
    """65 s without a keep-alive: everything is closed and dialled again."""
    talk = Talk().join()
    assert talk.advance() == 65_000
    assert talk.machine.state is Link.WAITING
    assert talk.advance() == 1000
    talk.join()


@pytest.mark.parametrize("path", ["signaling", "audio"])
@pytest.mark.parametrize("opened", [True, False], ids=["unanswered", "unopened"])
def test_a_handshake_that_is_never_answered(path: str, opened: bool) -> None:
    """10 s after dialling it counts as lost."""
    talk = Talk()
    talk.step(talk.machine.start)
    if path == "audio":
        talk.shake_signaling({"audio": "ws://here/audio"})
    if opened:
        talk.open(path)
    assert talk.advance() == 10_000
    assert talk.advance() == 1000
    assert talk.urls[talk.conn(path)]


def test_the_interrupted_webhook_redoes_everything() -> None:
    """It counts while joined, and is nothing new when the sockets are known to be gone."""
    talk = Talk().join()
    assert Close(1) in talk.step(talk.machine.interrupted)
    assert talk.step(talk.machine.interrupted) == []
    talk.advance()
    talk.join()


def test_failover() -> None:
    """A start with other URLs moves the stream at once; one with the same URLs is a repeat."""
    talk = Talk().join()
    assert talk.step(talk.machine.start) == []
    assert talk.step(talk.machine.failover, URL) == []
    moved = talk.step(talk.machine.failover, "ws://here/other/signaling")
    assert moved == [Close(2), Close(3), Close(1), Dial(4, "ws://here/other/signaling")]
    talk.join()


# --- the end --------------------------------------------------------------------------------------


def test_terminated_closes_everything() -> None:
    """The reason is kept, sockets are closed, timers are gone, and later starts change nothing."""
    talk = Talk().join()
    assert received(talk.say("signaling", terminated(StopReason.MEETING_ENDED))) == [8]
    assert talk.machine.ending == Ending(Step.TERMINATED, StopReason.MEETING_ENDED)
    assert (talk.urls, talk.machine.next_timer()) == ({}, None)
    for method in (talk.machine.start, talk.machine.interrupted, talk.machine.stop):
        assert talk.step(method) == []
    assert talk.step(talk.machine.failover, "ws://here/other") == []


@pytest.mark.parametrize(
    "progress", ["idle", "dialing", "shaking", "joining", "joined", "waiting", "media waiting"]
)
def test_stop_in_every_state(progress: str) -> None:
    """Whatever is going on, a stop leaves no socket and no timer, and late news is ignored."""
    talk = Talk()
    script: dict[str, Callable[[], object]] = {
        "idle": lambda: None,
        "dialing": lambda: talk.step(talk.machine.start),
        "shaking": lambda: talk.open("signaling"),
        "joining": lambda: talk.say("signaling", messages.signaling_handshake_resp(1, MEDIA_URLS)),
        "joined": lambda: (talk.shake_media("audio"), talk.shake_media("transcript")),
        "waiting": lambda: talk.lose("signaling"),
        "media waiting": lambda: (talk.advance(), talk.join(), talk.lose("audio")),
    }
    for name, act in script.items():
        act()
        if name == progress:
            break
    ever = range(1, talk.machine._conns + 1)
    talk.stop(6)
    assert talk.machine.ending == Ending(Step.STOPPED, 6)
    assert (talk.urls, talk.machine.next_timer()) == ({}, None)
    for conn in ever:
        assert talk.step(talk.machine.opened, conn) == []
        assert talk.step(talk.machine.receive, conn, "{}") == []
        assert talk.step(talk.machine.lost, conn) == []


@pytest.mark.parametrize(
    ("ending", "product", "may_return", "revoked"),
    [
        (Ending(Step.TERMINATED, StopReason.MEETING_ENDED), "meeting", False, False),
        (Ending(Step.TERMINATED, StopReason.STREAM_REVOKED), "meeting", False, True),
        (Ending(Step.TERMINATED, StopReason.KEEP_ALIVE_TIMEOUT), "meeting", True, False),
        (Ending(Step.STOPPED, 11), "meeting", True, False),
        (Ending(Step.STOPPED, 8), "webinar", False, True),
        (Ending(Step.STOPPED, 8), "contact_center", False, False),
        (Ending(Step.STOPPED, 3), "contact_center", False, True),
        (Ending(Step.STOPPED, 3), "session", False, False),
        (Ending(Step.GAVE_UP), "meeting", True, False),
        (Ending(Step.REFUSED, 8), "meeting", True, False),
    ],
)
def test_what_an_ending_means(
    ending: Ending, product: str, may_return: bool, revoked: bool
) -> None:
    """Wire and webhook number their reasons apart, and contact center has numbers of its own."""
    assert ending.may_return(PRODUCTS[product]) is may_return
    assert ending.revoked(PRODUCTS[product]) is revoked


# --- anything at all ------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 60) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from(["status_code", "media_server", "media_params", "event", "state"])
MESSAGES = st.one_of(
    st.builds(lambda kind, more: {"msg_type": kind, **more}, JSON, st.dictionaries(FIELDS, JSON)),
    st.sampled_from(
        [
            messages.signaling_handshake_resp(1, MEDIA_URLS),
            messages.signaling_handshake_resp(1, {"all": "ws://here/all"}),
            messages.data_handshake_resp(1, {"audio": AUDIO}),
            messages.event_update(7, {}),
            messages.event_update(7, {"media_type": 1}),
            keep_alive(),
            terminated(12),
            refused(2, 8),
            refused(4, 16),
            refused(4, 12),
        ]
    ),
)
MOVES = st.one_of(
    st.tuples(st.just("open"), st.integers(0, 3)),
    st.tuples(st.just("open"), st.integers(0, 3)),
    st.tuples(st.just("say"), st.integers(0, 3), MESSAGES),
    st.tuples(st.just("say"), st.integers(0, 3), MESSAGES),
    st.tuples(st.just("garbage"), st.integers(0, 3), st.binary(max_size=6) | st.text(max_size=6)),
    st.tuples(st.just("lose"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.integers(0, 70_000)),
    st.tuples(st.just("failover"), st.sampled_from([URL, "ws://here/2/signaling", "nonsense"])),
    st.tuples(st.just("interrupted")),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(MOVES, max_size=40), st.sampled_from(sorted(PRODUCTS)))
def test_nothing_that_the_world_does_breaks_the_machine(moves: list[Any], product: str) -> None:
    """No move raises, one signaling socket at most is open, and a stop leaves nothing behind."""
    talk = Talk(product=PRODUCTS[product])
    talk.step(talk.machine.start)
    for move in moves:
        play(talk, *move)
        assert len([url for url in talk.urls.values() if url.endswith("signaling")]) <= 1
        if talk.machine.ending is not None:
            break
    talk.stop()
    assert talk.machine.ending is not None
    assert (talk.urls, talk.machine.next_timer()) == ({}, None)


def play(talk: Talk, move: str, *args: Any) -> None:
    machine, conns = talk.machine, sorted(talk.urls)
    match move:
        case "wait":
            talk.now_ms += args[0]
            talk.step(machine.handle_timer)
        case "failover" | "interrupted":
            talk.step(getattr(machine, move), *args)
        case _ if conns:
            conn = conns[args[0] % len(conns)]
            if move == "open":
                talk.step(machine.opened, conn)
            elif move == "lose":
                talk.step(machine.lost, conn)
            else:
                data = args[1] if move == "garbage" else json.dumps(args[1])
                talk.step(machine.receive, conn, data)
