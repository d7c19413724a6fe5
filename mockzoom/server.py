"""`MockZoom`: builds the parts, owns their threads, and is the one place that crosses them.

    with MockZoom(receivers=["http://127.0.0.1:3000/webhook"]) as zoom:
        meeting = zoom.meeting("Weekly", participants=["Alice", "Bob"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        meeting.say("Alice", "Good morning, everybody.")
        stream.wait_spoken()
        stream.stop()
        zoom.check()

The world lives on an asyncio loop's thread and the control API on waitress's; what is called here
runs on the loop and comes back with its result.
"""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mockzoom.clock import Clock, checked_speed
from mockzoom.core.active_faults import Faults
from mockzoom.core.app_limit import AppLimit
from mockzoom.core.clip import Clip
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.limits import Limits
from mockzoom.core.rest import RestPolicy
from mockzoom.core.signing import Credentials
from mockzoom.core.spec import Profile, load_spec
from mockzoom.core.stream import StreamPolicy
from mockzoom.core.timings import DeliveryTimings, Timings
from mockzoom.core.zoom_ids import ZoomIds
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import KEPT_ENTRIES, Journal
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.engine.sender import WebhookSender
from mockzoom.engine.store import StateFile, Store
from mockzoom.engine.world import World as EngineWorld
from mockzoom.engine.worlds import DEFAULT, Worlds
from mockzoom.errors import UsageError
from mockzoom.handles import World
from mockzoom.threads import LoopThread, WebThread
from mockzoom.web.app import LOOPBACK, MAX_BODY_BYTES, create_app, world_name
from mockzoom.web.control.blueprint import MAX_WAITS
from mockzoom.web.rest import create_rest

if TYPE_CHECKING:
    from mockzoom.engine.files import Media

__all__ = ["MockZoom", "new_credentials"]

_START_S = 20.0
_CLOSE_S = 10.0

#: Enough that others are answered when as many requests wait as may.
_WEB_THREADS = MAX_WAITS + 8


def new_credentials() -> Credentials:
    """Credentials in Zoom's shape that nobody can guess."""
    ids = ZoomIds(secrets.randbits(128))
    return Credentials(ids.client_id(), ids.client_secret(), ids.secret_token())


def _clips(media: Media | None) -> dict[str, Clip]:
    if not media:
        return {}
    # Imported where it is needed: it loads PyAV.
    from mockzoom.engine.files import clips_of

    return clips_of(media)


class MockZoom(World):
    """A running mock, between `with` and its end: its default world, and the server of all others.

    It posts webhooks to `receivers`, which must validate first.  `credentials` are what the app is
    configured with, and `account_id` is the account that its tokens are for; they are made up when
    not given.  `rest_policy` is what the app may do by REST.  Ports of 0 are free ones, read back
    from `url` and `rtms_url`.  `tls` serves ``wss://`` behind a CA of its own, at `ca_path`.
    `seed` repeats every id and example.  `spec` is a document to use in place of the shipped one.
    `delivery_timings` says when webhooks are tried again, `limits` what peers may cost.  On a
    `host` off loopback the control API wants `api_token`, made when none is given.

    An app may have `max_streams` streams at once.  Time in its worlds runs `speed` times as fast as
    real time, up to 1,000; `clock` steers it further.

    `media` are files that participants of these names play once their meeting's stream starts: a
    recording (any that PyAV reads), a transcript (.vtt, .srt, .jsonl), or both; docs/media.md.

    The journal keeps `journal_size` entries.  In the file `state` journal, subscriptions and what
    is on its way outlive the process, those of the default world; the next one with that file goes
    on with them.

    Starting raises `PortInUse`, `SpecError`, `ConfigurationError` for a file that cannot be
    used, and for a receiver that does not validate `ReceiverUnreachable` or `ContractBroken`.
    """

    def __init__(
        self,
        *,
        receivers: Sequence[str] = (),
        credentials: Credentials | None = None,
        account_id: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        rtms_port: int = 0,
        tls: bool = False,
        seed: int | None = None,
        spec: str | Path | None = None,
        spec_profile: Profile = "corrected",
        timings: Timings | None = None,
        delivery_timings: DeliveryTimings | None = None,
        policy: StreamPolicy | None = None,
        limits: Limits | None = None,
        rest_policy: RestPolicy | None = None,
        api_token: str | None = None,
        state: str | Path | None = None,
        journal_size: int = KEPT_ENTRIES,
        max_streams: int = AppLimit.max_streams,
        speed: float = 1.0,
        media: Media | None = None,
    ) -> None:
        self.credentials = credentials or new_credentials()
        self.seed = secrets.randbits(32) if seed is None else seed
        self.spec = load_spec(spec, spec_profile)
        self.ca_path: Path | None = None
        self.api_token = api_token
        if api_token is None and host not in LOOPBACK:
            self.api_token = secrets.token_urlsafe(24)
        self._receivers = receivers
        self._host = host
        self._port = port
        self._rtms_port = rtms_port
        self._tls = tls
        self._timings = timings or Timings()
        self._delivery_timings = delivery_timings or DeliveryTimings()
        self._policy = policy or StreamPolicy()
        self._limits = limits or Limits()
        self._rest_policy = rest_policy
        self._account_id = account_id
        self._state = state
        self._journal_size = journal_size
        self._limit = AppLimit(max_streams)
        self._speed = checked_speed(speed)
        self._clips = _clips(media)
        self._cleanup = contextlib.ExitStack()
        self._running = False

    # --- life ---------------------------------------------------------------------------------

    def start(self) -> MockZoom:
        if self._running:
            raise UsageError("the mock is running already; make another MockZoom for a second one")
        self._running = True
        try:
            self._start()
            for url in self._receivers:
                self.subscribe(url)
        except BaseException:
            self.close()
            raise
        return self

    def _start(self) -> None:
        self._loop = LoopThread("mockzoom loop")
        self._cleanup.callback(self._loop.close)
        self._worlds = self._loop.run(self._build(), _START_S)
        self._world = self._worlds[DEFAULT]
        app = create_app(self._worlds, self._loop.call, self._loop.run, self.api_token)
        app.register_blueprint(
            create_rest(
                lambda: self._worlds[world_name()],
                self._loop.call,
                self.credentials,
                self._rest_policy,
            )
        )
        self._web = WebThread(
            app,
            name="control API",
            host=self._host,
            port=self._port,
            max_body_bytes=MAX_BODY_BYTES,
            option="--port",
            threads=_WEB_THREADS,
        )
        self._cleanup.callback(self._web.close)
        self._cleanup.callback(lambda: self._loop.call(self._worlds.give_up))
        self._web.start()

    async def _build(self) -> Worlds:
        store = Store() if self._state is None else StateFile(Path(self._state))
        self._cleanup.callback(lambda: self._loop.call(store.close))
        clock = Clock(self._speed)
        clock.advance(max(0, store.last_ms - clock.now_ms()))  # time in a world never goes back
        journal = Journal(clock, self._journal_size, store)
        self._rtms = RtmsServer(journal, self._limits)
        context = None
        if self._tls:
            # Imported where it is needed: most mocks have no certificate to make.
            from mockzoom.engine.certificates import server_context

            folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="mockzoom-"))
            self.ca_path = Path(folder) / "ca.pem"
            context = server_context(self._host, self.ca_path)
        await self._rtms.start(self._host, self._rtms_port, context)
        self._on_close(self._rtms.close)
        timeout_s = self._delivery_timings.timeout_ms / 1000
        self._sender = WebhookSender(self.credentials, timeout_s)
        self._on_close(self._sender.close)
        self._account_id = self._account_id or ZoomIds(self.seed).account_id()
        # With a seed as well, ids that were given out before a restart are not given out again.
        seed = self.seed + store.last_id("journal")
        default = self._new_world(DEFAULT, seed, clock, journal, store)
        default.deliveries.resume()
        worlds = Worlds(default, self.seed, self._new_world)
        self._cleanup.callback(lambda: self._loop.call(worlds.close))
        return worlds

    def _new_world(
        self,
        name: str,
        seed: int,
        clock: Clock | None = None,
        journal: Journal | None = None,
        store: Store | None = None,
    ) -> EngineWorld:
        """A world on the ports of all of them, with a clock of its own."""
        clock = clock or Clock(self._speed)
        journal = journal or Journal(clock, self._journal_size)
        faults = Faults(seed)
        return EngineWorld(
            name="" if name == DEFAULT else name,
            credentials=self.credentials,
            examples=ExampleFactory(self.spec, seed),
            clock=clock,
            journal=journal,
            pacer=Pacer(clock, journal),
            rtms=self._rtms,
            deliveries=Deliveries(
                self._sender, clock, journal, self._delivery_timings, faults, store
            ),
            timings=self._timings,
            policy=self._policy,
            faults=faults,
            limit=self._limit,
            account_id=self._account_id,
            clips=self._clips,
        )

    def _on_close(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._cleanup.callback(lambda: self._loop.run(work(), _CLOSE_S))

    def close(self) -> None:
        """Stop everything; safe to call twice."""
        self._cleanup.close()
        self._running = False

    def __enter__(self) -> MockZoom:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- where it is --------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """The base of the control API, and of Zoom's REST in place of its own hosts."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._web.port}"

    @property
    def rtms_url(self) -> str:
        """The base of the RTMS sockets' URLs."""
        return self._rtms.base_url

    # --- other worlds -------------------------------------------------------------------------

    def world(self, name: str, seed: int | None = None) -> World:
        """The world that is called `name`, made when there is none: parallel jobs share a server.

        It has meetings, receivers, faults and a journal of its own, and the ports and credentials
        of all.  Without a `seed` it has one that follows from the server's and the name.
        """

        def found_or_made() -> EngineWorld:
            if name not in self._worlds:
                self._worlds.create(name, seed)
            return self._worlds[name]

        return World(self._loop.call(found_or_made), self._loop, f"{self.url}/w/{name}")

    @property
    def worlds(self) -> list[str]:
        """The names of all worlds, the default one first."""
        return self._loop.call(lambda: list(self._worlds))

    def remove_world(self, name: str) -> None:
        """End a world with all that is in it; raises `UnknownObject`."""
        self._loop.call(self._worlds.remove, name)
