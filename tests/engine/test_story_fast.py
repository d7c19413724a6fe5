"""The stories of a lost app, at fifty times Zoom's pace, over real sockets and in real time.

Every story is played at once for every product; how long things took is what the journal says.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from rtms_app import Conn, RtmsApp

from mockzoom import MockZoom, StopReason, Stream, Timings
from mockzoom.core.codes import EventType, MessageType, StreamState
from mockzoom.core.handshake import Identity
from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.signing import encrypted_token
from mockzoom.core.webhook_order import judge

FAST = Timings.named("fast")
T = MessageType

#: How late a timer may be on a machine that has other things to do as well.
LATE_MS = 150
#: An entry is made a moment after what it tells of, so what begins with one seems shorter.
NOTED_MS = 20
PATIENCE_S = 10.0

Entry = dict[str, Any]


@dataclass
class Play:
    """One story of one product: what the app's endpoint was sent, and what the mock noted."""

    product: Product
    stream: Stream
    app: RtmsApp
    webhooks: list[Entry] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    failure: BaseException | None = None

    def all(self, kind: str, **fields: Any) -> list[Entry]:
        """The entries of `kind` with these fields."""
        return [
            entry
            for entry in self.entries
            if entry["kind"] == kind and all(entry.get(k) == v for k, v in fields.items())
        ]

    def at_ms(self, kind: str, **fields: Any) -> int:
        """When the first entry of `kind` with these fields was made."""
        found = self.all(kind, **fields)
        assert found, f"no {kind} with {fields}"
        return int(found[0]["at_ms"])

    def told(self) -> list[str]:
        """What the webhooks told, without the product's prefix."""
        prefix = f"{self.product.event_prefix}_"
        return [hook["event"].removeprefix(prefix) for hook in self.webhooks]

    def webhook_ms(self, happening: str) -> int:
        """When the webhook of `happening` was on its way: it was noted once it was answered."""
        [entry] = self.all("webhook", event=self.product.event(happening))
        return int(entry["at_ms"] - entry["elapsed_ms"])

    def opened(self, key: str) -> Entry:
        """The first socket on the URL of `key`."""
        return self.all("socket", happened="opened", socket=key)[0]

    def keep_alives(self, key: str) -> list[int]:
        """When keep-alives were sent on that socket, by their own stamps."""
        conn = self.opened(key)["conn"]
        asked = self.all("message", conn=conn, way="out", name=T.KEEP_ALIVE_REQ.name)
        return [entry["message"]["timestamp"] for entry in asked]

    def found(self) -> list[str]:
        return [entry["check"] for entry in self.all("finding")]

    def states(self) -> list[str]:
        return [entry["state"] for entry in self.all("state")]


# --- the stories ------------------------------------------------------------------------------


async def silent(play: Play) -> None:
    """The app joins, answers no keep-alive on signaling, and never comes back."""
    await play.app.join_signaling(answers=False)
    await play.app.join_media()
    await play.app.acknowledge()
    await ended(play)


async def never(play: Play) -> None:
    """The app is told of the stream and never dials."""
    await ended(play)


async def media_lost(play: Play) -> None:
    """The audio socket goes and does not come back; signaling stays."""
    audio = await play.app.join()
    await audio.close()
    await ended(play)


async def media_back(play: Play) -> None:
    """The audio socket goes, and comes back within its window."""
    audio = await play.app.join()
    await audio.close()
    await play.app.signaling.until(lambda: interruptions(play.app.signaling), "event 7")
    await keep_alives(play.app.signaling, 1)
    again = await play.app.join_media()
    await keep_alives(again, FAST.media_window_ms // FAST.keep_alive_ms + 1)
    await finish(play)


async def all_back(play: Play) -> None:
    """Signaling goes, and the app does everything again within its window."""
    audio = await play.app.join()
    await play.app.signaling.close()
    assert await audio.close_code() == 1006
    await until(lambda: "interrupted" in play.told())
    await play.app.join()
    await keep_alives(play.app.signaling, FAST.signaling_window_ms // FAST.keep_alive_ms + 1)
    await finish(play)


STORIES = (silent, never, media_lost, media_back, all_back)


def interruptions(conn: Conn) -> list[Entry]:
    events = [message["event"] for message in conn.of(T.EVENT_UPDATE)]
    return [e for e in events if e["event_type"] == EventType.MEDIA_CONNECTION_INTERRUPTED]


async def keep_alives(conn: Conn, more: int) -> None:
    """Time passes: so many more keep-alives come."""
    await conn.next(T.KEEP_ALIVE_REQ, len(conn.of(T.KEEP_ALIVE_REQ)) + more)


async def ended(play: Play) -> None:
    await until(lambda: "stopped" in play.told())


async def finish(play: Play) -> None:
    assert play.stream.state is StreamState.ACTIVE
    await asyncio.to_thread(play.stream.stop, StopReason.HOST_TRIGGERED)


# --- playing all of them at once --------------------------------------------------------------

NEWS = asyncio.Condition()


async def until(reached: Callable[[], bool]) -> None:
    """Wait until `reached` says so; asked again whenever a webhook has come."""
    async with asyncio.timeout(PATIENCE_S), NEWS:
        await NEWS.wait_for(reached)


class Endpoint:
    """The webhook endpoint of all apps, which knows whose event it is by the stream."""

    def __init__(self, secret_token: str) -> None:
        self.plays: dict[str, Play] = {}
        self._secret_token = secret_token

    async def answer(self, request: web.Request) -> web.Response:
        event = await request.json()
        payload = event["payload"]
        if event["event"] == "endpoint.url_validation":
            plain = payload["plainToken"]
            return web.json_response(
                {"plainToken": plain, "encryptedToken": encrypted_token(self._secret_token, plain)}
            )
        async with NEWS:
            self.plays[payload["rtms_stream_id"]].webhooks.append(event)
            NEWS.notify_all()
        return web.Response()


async def play_all(zoom: MockZoom) -> dict[tuple[str, str], Play]:
    async with AsyncExitStack() as stack:
        conns: list[Conn] = []
        session = await stack.enter_async_context(aiohttp.ClientSession())
        endpoint = Endpoint(zoom.credentials.secret_token)
        server = web.Server(endpoint.answer)
        runner = web.ServerRunner(server)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        await asyncio.to_thread(zoom.subscribe, site.name)
        plays: dict[tuple[str, str], Play] = {}
        tales: list[Awaitable[None]] = []
        for story in STORIES:
            for product in PRODUCTS.values():
                play = begun(zoom, session, conns, product)
                endpoint.plays[play.stream.rtms_stream_id] = play
                plays[story.__name__, product.name] = play
                tales.append(story(play))
        results = await asyncio.gather(*tales, return_exceptions=True)
        for play, result in zip(plays.values(), results, strict=True):
            play.failure = result
        for conn in conns:
            await conn.close()
    return plays


def begun(
    zoom: MockZoom, session: aiohttp.ClientSession, conns: list[Conn], product: Product
) -> Play:
    meeting = zoom.meeting(product=product.name)
    stream = meeting.start_rtms()
    identity = Identity(product, meeting.ids[product.id_field], stream.rtms_stream_id)
    app = RtmsApp(session, conns, zoom.credentials, identity, stream.server_urls)
    return Play(product, stream, app)


@pytest.fixture(scope="module")
def plays() -> dict[tuple[str, str], Play]:
    with MockZoom(timings=FAST, seed=1) as zoom:
        played = asyncio.run(play_all(zoom))
        journal = zoom.journal()
    for play in played.values():
        play.entries = [e for e in journal if e["stream"] == play.stream.rtms_stream_id]
    assert [entry for entry in journal if entry["kind"] == "failure"] == []
    assert judge(journal) == []
    return played


@pytest.fixture(params=list(PRODUCTS))
def played(
    request: pytest.FixtureRequest, plays: dict[tuple[str, str], Play]
) -> Callable[[Callable[..., Any]], Play]:
    """The play of a story for one product; a story that went wrong is raised here."""

    def of(story: Callable[..., Any]) -> Play:
        play = plays[story.__name__, request.param]
        if play.failure is not None:
            raise play.failure
        return play

    return of


Played = Callable[[Callable[..., Any]], Play]


# --- what came of them ------------------------------------------------------------------------


def on_time(then_ms: int, now_ms: int, after_ms: int) -> bool:
    """Whether that long passed, and not much more."""
    return after_ms - NOTED_MS <= now_ms - then_ms <= after_ms + LATE_MS


def test_three_missed_keep_alives_end_in_a_stop(played: Played) -> None:
    """Three unanswered, interruption, window and stop, each when `Timings` says, within 3 s."""
    play = played(silent)
    opened_ms = play.opened("signaling")["at_ms"]
    asked = play.keep_alives("signaling")
    assert len(asked) == FAST.keep_alives_missed
    lost_ms = play.at_ms("state", state="INTERRUPTED")
    for then_ms, now_ms in zip([opened_ms, *asked], [*asked, lost_ms], strict=True):
        assert on_time(then_ms, now_ms, FAST.keep_alive_ms)
    over_ms = play.at_ms("state", state="TERMINATED")
    assert on_time(lost_ms, over_ms, FAST.signaling_window_ms)
    assert on_time(lost_ms, play.webhook_ms("interrupted"), 0)
    assert on_time(over_ms, play.webhook_ms("stopped"), 0)
    assert play.webhook_ms("stopped") - opened_ms < 3_000
    assert play.states() == ["ACTIVE", "INTERRUPTED", "TERMINATED"]


def test_a_silent_app_is_told_of_by_webhooks_and_found(played: Played) -> None:
    """Started, interrupted, stopped with the product's reason; two clauses were broken."""
    play = played(silent)
    assert play.told() == ["started", "interrupted", "stopped"]
    reason = play.product.stop_reasons[StopReason.KEEP_ALIVE_TIMEOUT]
    assert play.webhooks[-1]["payload"]["stop_reason"] == reason
    assert play.found() == ["rtms.keep-alive", "rtms.reconnect"]
    interrupted = play.webhooks[1]["payload"]
    assert "server_urls" not in interrupted
    assert interrupted[play.product.id_field] == play.webhooks[0]["payload"][play.product.id_field]


def test_an_interruption_cuts_the_media_too(played: Played) -> None:
    """The audio socket answers its keep-alives and is cut with signaling all the same."""
    play = played(silent)
    audio = play.opened("audio")["conn"]
    lost_ms = play.at_ms("state", state="INTERRUPTED")
    assert on_time(lost_ms, play.at_ms("socket", conn=audio, happened="closed"), 0)


def test_an_app_that_never_comes_is_waited_for(played: Played) -> None:
    """No connection within the window: stopped, with no interruption before it."""
    play = played(never)
    assert play.told() == ["started", "stopped"]
    over_ms = play.at_ms("state", state="TERMINATED")
    waited_ms = over_ms - play.webhooks[0]["event_ts"]
    assert on_time(0, waited_ms, FAST.connect_window_ms)
    reason = play.product.stop_reasons[StopReason.CONNECTION_TIMEOUT]
    assert play.webhooks[-1]["payload"]["stop_reason"] == reason
    assert play.found() == ["rtms.connect"]


def test_lost_media_is_told_on_signaling_and_waited_for(played: Played) -> None:
    """Event 7 at once, no webhook, and a stop when the media window is over."""
    play = played(media_lost)
    audio = play.opened("audio")["conn"]
    lost_ms = play.at_ms("socket", conn=audio, happened="closed")
    [event] = interruptions(play.app.signaling)
    assert on_time(lost_ms, event["timestamp"], 0)
    over_ms = play.at_ms("state", state="TERMINATED")
    assert on_time(event["timestamp"], over_ms, FAST.media_window_ms)
    assert play.told() == ["started", "stopped"]
    reason = play.product.stop_reasons[StopReason.DATA_CONNECTION_INTERRUPTED]
    assert play.webhooks[-1]["payload"]["stop_reason"] == reason
    assert play.found()[0] == "rtms.reconnect"
    assert play.states() == ["ACTIVE", "TERMINATED"]


def test_signaling_lives_on_while_media_is_missed(played: Played) -> None:
    """Keep-alives go out and are answered on signaling for the whole of the window."""
    play = played(media_lost)
    asked = play.keep_alives("signaling")
    assert len(asked) >= FAST.media_window_ms // FAST.keep_alive_ms
    assert all(
        0 <= now_ms - then_ms - FAST.keep_alive_ms <= LATE_MS for then_ms, now_ms in pairwise(asked)
    )


@pytest.mark.parametrize("story", [media_back, all_back])
def test_who_returns_within_the_window_goes_on(played: Played, story: Any) -> None:
    """No stop when the window would have been over: the stream ends when the host ends it."""
    play = played(story)
    interrupted = ["interrupted"] if story is all_back else []
    assert play.told() == ["started", *interrupted, "stopped"]
    reason = play.product.stop_reasons[StopReason.HOST_TRIGGERED]
    assert play.webhooks[-1]["payload"]["stop_reason"] == reason
    window_ms = FAST.signaling_window_ms if interrupted else FAST.media_window_ms
    first = play.opened("signaling" if interrupted else "audio")["conn"]
    lost_ms = play.at_ms("socket", conn=first, happened="closed")
    assert play.at_ms("state", state="TERMINATED") - lost_ms > window_ms
    assert play.states() == [
        "ACTIVE",
        *(["INTERRUPTED", "ACTIVE"] if interrupted else []),
        "TERMINATED",
    ]
    assert "rtms.keep-alive" not in play.found()
