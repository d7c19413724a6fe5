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
from types import TracebackType
from typing import Any

from mockzoom.clock import Clock
from mockzoom.core.active_faults import Faults
from mockzoom.core.codes import ChatOperation, StopReason, StreamState
from mockzoom.core.examples import ExampleFactory
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.faults import Fault
from mockzoom.core.findings import Finding
from mockzoom.core.limits import Limits
from mockzoom.core.meeting import Meeting as CoreMeeting
from mockzoom.core.meeting import Utterance
from mockzoom.core.rest import RestPolicy
from mockzoom.core.signing import Credentials
from mockzoom.core.spec import Profile, load_spec
from mockzoom.core.stream import StreamPolicy
from mockzoom.core.timings import DeliveryTimings, Timings
from mockzoom.core.zoom_ids import zoom_faker
from mockzoom.engine.certificates import server_context
from mockzoom.engine.delivery import Deliveries
from mockzoom.engine.journal import Entry, Journal
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.pacer import Pacer
from mockzoom.engine.rtms_server import RtmsServer
from mockzoom.engine.sender import WebhookSender
from mockzoom.engine.world import World
from mockzoom.errors import ContractBroken, UsageError
from mockzoom.threads import LoopThread, WebThread
from mockzoom.web.app import MAX_BODY_BYTES, create_app
from mockzoom.web.rest import create_rest

__all__ = ["Meeting", "MockZoom", "Stream", "new_credentials"]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_START_S = 20.0
_CLOSE_S = 10.0


def new_credentials() -> Credentials:
    """Credentials in Zoom's shape that nobody can guess."""
    ids = zoom_faker(secrets.randbits(128)).provider("zoom_ids")
    return Credentials(ids.client_id(), ids.client_secret(), ids.secret_token())


class MockZoom:
    """A running mock, between `with` and its end.

    It posts webhooks to `receivers`, which must validate first.  `credentials` are what the app is
    configured with, and `account_id` is the account that its tokens are for; they are made up when
    not given.  `rest_policy` is what the app may do by REST.  Ports of 0 are free ones, read back
    from `url` and `rtms_url`.  `tls` serves ``wss://`` behind a CA of its own, at `ca_path`.
    `seed` repeats every id and example.  `spec` is a document to use in place of the shipped one.
    `delivery_timings` says when webhooks are tried again, `limits` what peers may cost.  On a
    `host` off loopback the control API wants `api_token`, made when none is given.

    Starting raises `PortInUse`, `SpecError`, and for a receiver that does not validate
    `ReceiverUnreachable` or `ContractBroken`.
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
    ) -> None:
        self.credentials = credentials or new_credentials()
        self.seed = secrets.randbits(32) if seed is None else seed
        self.spec = load_spec(spec, spec_profile)
        self.ca_path: Path | None = None
        self.api_token = api_token
        if api_token is None and host not in _LOOPBACK:
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
        self._world = self._loop.run(self._build(), _START_S)
        app = create_app(self._world, self._loop.call, self._loop.run, self.api_token)
        app.register_blueprint(
            create_rest(self._world, self._loop.call, self.credentials, self._rest_policy)
        )
        self._web = WebThread(
            app,
            name="control API",
            host=self._host,
            port=self._port,
            max_body_bytes=MAX_BODY_BYTES,
            option="--port",
        )
        self._cleanup.callback(self._web.close)
        self._web.start()

    async def _build(self) -> World:
        clock = Clock()
        journal = Journal(clock)
        self._rtms = RtmsServer(journal, self._limits)
        context = None
        if self._tls:
            folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="mockzoom-"))
            self.ca_path = Path(folder) / "ca.pem"
            context = server_context(self._host, self.ca_path)
        await self._rtms.start(self._host, self._rtms_port, context)
        self._on_close(self._rtms.close)
        timeout_s = self._delivery_timings.timeout_ms / 1000
        sender = await WebhookSender(self.credentials, timeout_s).__aenter__()
        self._on_close(lambda: sender.__aexit__(None, None, None))
        faults = Faults(self.seed)
        world = World(
            credentials=self.credentials,
            examples=ExampleFactory(self.spec, self.seed),
            clock=clock,
            journal=journal,
            pacer=Pacer(clock, journal),
            rtms=self._rtms,
            deliveries=Deliveries(sender, clock, journal, self._delivery_timings, faults),
            timings=self._timings,
            policy=self._policy,
            faults=faults,
            account_id=self._account_id,
        )
        self._cleanup.callback(lambda: self._loop.call(world.close))
        return world

    def _on_close(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._cleanup.callback(lambda: self._loop.run(work(), _CLOSE_S))

    def close(self) -> None:
        """Stop everything; safe to call twice."""
        self._cleanup.close()
        self._running = False

    def __enter__(self) -> MockZoom:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def reset(self) -> None:
        """As newly started, with the same ports and credentials: no meeting, endpoint or entry.

        What is in flight is cancelled; new ids are none that were given out before.
        """
        self._loop.call(self._world.reset)

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

    @property
    def account_id(self) -> str:
        """The account that every meeting is of, and that apps ask tokens for."""
        return self._world.account_id

    # --- what happens in it -------------------------------------------------------------------

    def subscribe(self, url: str, events: Sequence[str] = ()) -> None:
        """Validate `url` and send it every event of these names, or every event, from now on.

        Raises `ReceiverUnreachable` or `ContractBroken` when it does not validate; it is then
        validated again when an event is due.  An app has at most 20 subscriptions.
        """
        self._loop.run(self._world.subscribe(url, events))

    def meeting(
        self,
        topic: str = "mockzoom meeting",
        participants: Sequence[str] = ("Alice",),
        product: str = "meeting",
    ) -> Meeting:
        """A meeting (or webinar, session, contact_center) that is in progress."""
        meeting = self._loop.call(self._world.create_meeting, topic, participants, product)
        return Meeting(meeting, self._world, self._loop)

    # --- what goes wrong in it ----------------------------------------------------------------

    def fault(self, fault: Fault | str, **fields: Any) -> int:
        """Switch a fault on while everything runs: a value, or its kind and its fields.

            zoom.fault("delay", ms=200, socket="audio")

        Returns the number that `lift` takes; raises `ConfigurationError` for what is no fault.
        """
        value = parse_fault({"kind": fault, **fields}) if isinstance(fault, str) else fault
        return self._loop.call(self._world.add_fault, value)

    def lift(self, number: int | None = None) -> None:
        """Switch the fault of this number off, or all of them."""
        if number is None:
            self._loop.call(self._world.lift_faults)
        else:
            self._loop.call(self._world.lift_fault, number)

    # --- what happened in it ------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        """Every entry that is kept, oldest first."""
        return self._loop.call(lambda: [entry.as_dict() for entry in self._world.journal])

    @property
    def findings(self) -> list[Finding]:
        """The clauses that the receivers broke."""
        return list(self._world.journal.findings)

    def wait_for(self, kind: str, timeout_s: float = 10, **fields: Any) -> dict[str, Any]:
        """The first journal entry, old or new, of `kind` with these `fields`.

        Raises `TimeoutError`, which names what was waited for and the last entry of that kind.
        """

        def wanted(entry: Entry) -> bool:
            told = entry.as_dict() if entry.kind == kind else {}
            return bool(told) and all(told.get(k) == v for k, v in fields.items())

        what = f"{kind} with {fields}" if fields else kind
        try:
            entry = self._loop.run(self._world.journal.wait(wanted, timeout_s))
        except TimeoutError:
            others = [entry for entry in self.journal() if entry["kind"] == kind]
            seen = f"the last of {len(others)} was {others[-1]}" if others else "there was none"
            raise TimeoutError(f"waited {timeout_s:g} s for {what}; {seen}") from None
        return entry.as_dict()

    def check(self) -> None:
        """Raise `ContractBroken`, which lists the findings, if there are any."""
        findings = self.findings
        if findings:
            told = "\n".join(f"  {finding.report()}" for finding in findings)
            raise ContractBroken(f"the receiver broke {len(findings)} clause(s):\n{told}")


class Meeting:
    """A meeting of a running `MockZoom`."""

    def __init__(self, meeting: CoreMeeting, world: World, loop: LoopThread) -> None:
        self._meeting = meeting
        self._world = world
        self._loop = loop

    @property
    def key(self) -> str:
        """The id by which the control API calls it, a `meeting_id` for a meeting."""
        return self._meeting.key

    @property
    def ids(self) -> dict[str, Any]:
        return dict(self._meeting.ids)

    @property
    def participants(self) -> list[str]:
        return list(self._meeting.participants)

    def add(self, name: str) -> None:
        """`name` joins the meeting."""
        self._loop.call(self._world.join, self._meeting, name)

    def leave(self, name: str) -> None:
        """`name` leaves the meeting."""
        self._loop.call(self._world.leave, self._meeting, name)

    def camera(self, name: str, *, on: bool) -> None:
        """`name` turns the camera on or off."""
        self._loop.call(self._world.camera, self._meeting, name, on)

    def share(self, name: str, *, on: bool) -> None:
        """`name` starts or stops sharing the screen."""
        self._loop.call(self._world.share, self._meeting, name, on)

    def tell(self, event_type: int, **fields: Any) -> None:
        """An event of the product's own table happens, with `fields` as its body."""
        self._loop.call(self._world.tell, self._meeting, event_type, fields)

    def chat(
        self,
        name: str,
        text: str,
        *,
        to: str | None = None,
        operation: int = ChatOperation.NEW,
        message_id: str | None = None,
        parent_message_id: str = "",
    ) -> str:
        """`name` writes `text` to everyone, or `to` one participant; returns the message's id."""
        return self._loop.call(
            lambda: self._world.chat(
                self._meeting,
                name,
                text,
                to=to,
                operation=operation,
                message_id=message_id,
                parent_message_id=parent_message_id,
            )
        )

    def say(self, name: str, text: str) -> Utterance:
        """`name` says `text`, now or once what they are saying is said; returns at once."""
        return self._loop.call(self._world.say, self._meeting, name, text)

    def start_rtms(self) -> Stream:
        """Start a stream: the started webhook is on its way."""
        stream = self._loop.call(self._world.start_rtms, self._meeting)
        return Stream(stream, self._world, self._loop)


class Stream:
    """A stream of a running `MockZoom`."""

    def __init__(self, stream: LiveStream, world: World, loop: LoopThread) -> None:
        self._stream = stream
        self._world = world
        self._loop = loop

    @property
    def rtms_stream_id(self) -> str:
        return self._stream.id

    @property
    def server_urls(self) -> str:
        return self._stream.machine.urls.signaling

    @property
    def state(self) -> StreamState:
        return self._stream.machine.state

    @property
    def sent(self) -> dict[str, int]:
        """Media messages sent so far, by kind."""
        return dict(self._stream.sent)

    def wait_ready(self, timeout_s: float = 10) -> None:
        """Wait until the app is connected and media flows; raises `TimeoutError`."""
        self._wait(lambda: self._stream.machine.flowing, timeout_s, "connected")

    def wait_ended(self, timeout_s: float = 10) -> None:
        """Wait until the stream has terminated; raises `TimeoutError`."""
        self._wait(lambda: self.state is StreamState.TERMINATED, timeout_s, "ended")

    def wait_spoken(self, timeout_s: float = 60) -> None:
        """Wait until what was said in the meeting so far was sent to the app and read by it.

        Only an app that is connected is waited for.  Raises `TimeoutError`.
        """
        try:
            self._loop.run(self._stream.spoken_out(timeout_s))
        except TimeoutError:
            raise TimeoutError(
                f"waited {timeout_s:g} s for stream {self.rtms_stream_id} to be sent what was "
                f"said, it is {self.state.name} and was sent {self.sent}"
            ) from None

    def wait_state(self, state: StreamState, timeout_s: float = 10) -> None:
        """Wait until the stream is in `state`; raises `TimeoutError`."""
        self._wait(lambda: self.state is state, timeout_s, state.name)

    def relocate(self) -> None:
        """Server failover: sockets are cut, and a new started webhook names new URLs."""
        self._loop.call(self._world.relocate, self._stream)

    def pause(self) -> None:
        self._loop.call(self._world.pause, self._stream)

    def resume(self) -> None:
        self._loop.call(self._world.resume, self._stream)

    def stop(self, reason: StopReason = StopReason.MEETING_ENDED) -> None:
        """End the stream and wait until the webhooks that tell of it were attempted."""
        self._loop.call(self._world.stop_rtms, self._stream, reason)
        self._loop.run(self._world.deliveries.drained(_START_S))

    def _wait(self, reached: Callable[[], bool], timeout_s: float, what: str) -> None:
        if reached():
            return
        try:
            # Each change of state is an entry, so this asks again whenever it may have come.
            self._loop.run(self._world.journal.wait(lambda _: reached(), timeout_s))
        except TimeoutError:
            raise TimeoutError(
                f"waited {timeout_s:g} s for stream {self.rtms_stream_id} to be {what}, "
                f"it is {self.state.name}"
            ) from None
