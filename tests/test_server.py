"""`MockZoom`: the parts together, as who writes a test of an app uses them."""

from __future__ import annotations

import asyncio
import gc
import http.client
import http.server
import json
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from mockzoom import Credentials, MockZoom, Receiver, StopReason, Timings
from mockzoom.core.faults import Refuse, Reset
from mockzoom.errors import (
    ConfigurationError,
    ContractBroken,
    PortInUse,
    ReceiverUnreachable,
    RefusedTransition,
    SpecError,
    UnknownObject,
    UsageError,
)

TEXT = "Good morning."

#: What waits until something needs it: media, webhooks, certificates, words, stories, verdicts.
LATE = {"PIL", "av", "numpy"}
LATE |= {"aiohttp", "cryptography", "trustme", "faker", "mockzoom.engine.scenario_player"}
LATE |= {"hypothesis", "jsonschema", "openapi_core", "pytest", "rich", "schemathesis"}


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Every test ends with the threads that it began with."""
    before = set(threading.enumerate())
    yield
    gc.collect()
    left = {thread for thread in threading.enumerate() if thread not in before}
    assert not left


@pytest.fixture
def app(tmp_path: Path) -> Iterator[tuple[MockZoom, Receiver]]:
    """A mock and the reference receiver, subscribed."""
    with (
        MockZoom(seed=3) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path) as receiver,
    ):
        zoom.subscribe(receiver.url)
        yield zoom, receiver


def test_a_meeting_from_its_beginning_to_its_end(app: tuple[MockZoom, Receiver]) -> None:
    """Start, connect, speak, stop: the app did everything right, and the journal has it all."""
    zoom, receiver = app
    meeting = zoom.meeting("Weekly", participants=["Alice", "Bob"])
    stream = meeting.start_rtms()
    stream.wait_ready()
    assert stream.state.name == "ACTIVE"
    meeting.add("Carol")
    said = [meeting.say(name, TEXT) for name in ("Alice", "Carol")]
    stream.wait_spoken()
    assert stream.sent == {
        "audio": sum(u.duration_ms // 20 for u in said),
        "transcript": 2,
    }
    stream.stop(StopReason.USER_LEFT)
    stream.wait_ended()
    zoom.check()
    assert meeting.participants == ["Alice", "Bob", "Carol"]
    stopped = zoom.wait_for("webhook", event="meeting.rtms_stopped")
    assert stopped["body"]["payload"]["stop_reason"] == StopReason.USER_LEFT
    assert stopped["outcome"] == "accepted"
    assert receiver.wait_ended(stream.rtms_stream_id)
    told = json.dumps(zoom.journal())
    assert zoom.credentials.client_secret not in told
    assert zoom.credentials.secret_token not in told


def test_pause_and_resume(app: tuple[MockZoom, Receiver]) -> None:
    """The host pauses; doing it twice is refused by name; resumed media flows."""
    zoom, _ = app
    stream = zoom.meeting().start_rtms()
    stream.wait_ready()
    stream.pause()
    assert stream.state.name == "PAUSED"
    with pytest.raises(RefusedTransition, match="PAUSE"):
        stream.pause()
    stream.resume()
    stream.wait_ready()
    assert stream.state.name == "RESUMED"
    stream.stop()


def test_a_receiver_follows_a_failover(app: tuple[MockZoom, Receiver]) -> None:
    """New URLs in a second started webhook: it reconnects there, and hears what is said then."""
    zoom, receiver = app
    meeting = zoom.meeting(participants=["Alice", "Bob"])
    stream = meeting.start_rtms()
    stream.wait_ready()
    old = stream.server_urls
    stream.relocate()
    assert stream.server_urls != old
    stream.wait_ready()
    meeting.say("Alice", TEXT)
    stream.wait_spoken()
    meeting.leave("Bob")
    stream.stop()
    assert receiver.wait_ended(stream.rtms_stream_id)
    assert stream.sent["transcript"] == 1
    zoom.check()


def test_faults_from_python(app: tuple[MockZoom, Receiver]) -> None:
    """A value or its kind and fields; the receiver gets over a reset, and no clause is broken."""
    zoom, _ = app
    stream = zoom.meeting().start_rtms()
    stream.wait_ready()
    number = zoom.fault("delay", ms=20)
    zoom.fault(Reset(stream=stream.rtms_stream_id))
    zoom.wait_for("state", state="INTERRUPTED")
    stream.wait_ready()
    zoom.lift(number)
    zoom.fault(Refuse())
    zoom.lift()
    told = [(e["happened"], e["fault"]["kind"]) for e in zoom.journal() if "fault" in e]
    assert told == [("on", "delay"), ("on", "reset"), ("on", "refuse")]
    with pytest.raises(ConfigurationError, match="did you mean 'reset'"):
        zoom.fault("rest")
    with pytest.raises(UnknownObject):
        zoom.lift(number)
    stream.stop()
    zoom.check()


def test_a_report_shows_what_was_said() -> None:
    """`check` raises with the clause and the messages that led to it."""
    with MockZoom(timings=Timings.named("fast")) as zoom:
        stream = zoom.meeting().start_rtms()

        async def wrong() -> None:
            async with (
                aiohttp.ClientSession() as session,
                session.ws_connect(stream.server_urls) as ws,
            ):
                await ws.send_str('{"msg_type": 5}')
                await ws.receive()

        asyncio.run(wrong())
        with pytest.raises(ContractBroken) as broken:
            zoom.check()
        lines = str(broken.value).splitlines()
        assert lines[1].startswith("  rtms.message-type: signaling socket #1: expected one of")
        assert lines[2].endswith(' in on socket #1: EVENT_SUBSCRIPTION {"msg_type":5}')


def test_two_mocks_at_once() -> None:
    """Each has its own ports, credentials and world."""
    with MockZoom() as one, MockZoom() as other:
        assert one.url != other.url
        assert one.rtms_url != other.rtms_url
        assert one.credentials != other.credentials
        assert one.seed != other.seed
        meeting = one.meeting()
        assert answer(f"{one.url}/_mockzoom/meetings/{meeting.key}")["topic"] == "mockzoom meeting"
        with pytest.raises(urllib.request.HTTPError) as missing:
            answer(f"{other.url}/_mockzoom/meetings/{meeting.key}")
        missing.value.close()


def answer(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=5) as response:
        return json.load(response)  # type: ignore[no-any-return]


def test_reset_is_a_new_beginning(app: tuple[MockZoom, Receiver]) -> None:
    """Nothing of before is left but ports and credentials, and everything works again."""
    zoom, receiver = app
    where = zoom.url, zoom.rtms_url, zoom.credentials
    meeting = zoom.meeting()
    stream = meeting.start_rtms()
    stream.wait_ready()
    meeting.say("Alice", TEXT * 10)
    zoom.reset()
    assert zoom.journal() == []
    assert zoom.findings == []
    assert (zoom.url, zoom.rtms_url, zoom.credentials) == where
    zoom.subscribe(receiver.url)
    again = zoom.meeting().start_rtms()
    again.wait_ready()
    again.stop()
    zoom.check()
    assert {entry["stream"] for entry in zoom.journal()} <= {"", again.rtms_stream_id}


def test_waiting_in_vain_says_what_for() -> None:
    """A time-out names what was waited for and what came nearest."""
    with MockZoom() as zoom:
        stream = zoom.meeting().start_rtms()
        with pytest.raises(
            TimeoutError, match=r"found 0; there is no webhook entry, but nothing at all$"
        ):
            zoom.wait_for("webhook", timeout_s=0.01)
        zoom.meeting().say("Alice", TEXT)
        with pytest.raises(
            TimeoutError, match=r"has 0 of 1: text: expected \"x\", found \"Good morning.\"$"
        ):
            zoom.wait_for("speech", timeout_s=0.01, text="x")
        for wait, what in [(stream.wait_ready, "connected"), (stream.wait_ended, "ended")]:
            with pytest.raises(TimeoutError, match=f"to be {what}, it is INACTIVE$"):
                wait(0.01)


def test_waiting_for_speech_in_vain(app: tuple[MockZoom, Receiver]) -> None:
    """A time-out while somebody speaks says what was sent."""
    zoom, _ = app
    meeting = zoom.meeting()
    stream = meeting.start_rtms()
    stream.wait_ready()
    meeting.say("Alice", TEXT * 20)
    with pytest.raises(TimeoutError, match="to be sent what was said, it is ACTIVE and was sent"):
        stream.wait_spoken(0.01)


class Refusing(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def wrong_receiver() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_check_tells_what_broke(wrong_receiver: str) -> None:
    """Findings become one failure that lists them, also after the mock was closed."""
    with MockZoom() as zoom:
        zoom.check()
        with pytest.raises(ContractBroken, match="status 404"):
            zoom.subscribe(wrong_receiver)
        stream = zoom.meeting().start_rtms()
        stream.stop()
    assert [finding.check for finding in zoom.findings] == ["webhook.validation"] * 3
    with pytest.raises(AssertionError, match=r"broke 3 clause\(s\):\n  webhook.validation: http"):
        zoom.check()


def test_a_receiver_that_does_not_validate_ends_the_start(wrong_receiver: str) -> None:
    """`receivers` must validate: else nothing runs, and the error says why."""
    with pytest.raises(ContractBroken, match="status 404"):
        MockZoom(receivers=[wrong_receiver]).start()
    with pytest.raises(ReceiverUnreachable, match="is it running"):
        MockZoom(receivers=["http://127.0.0.1:1/"]).start()
    with pytest.raises(UsageError, match="expected an address"):
        MockZoom(receivers=["nonsense"]).start()


def test_ports_that_are_taken(tmp_path: Path) -> None:
    """Each of the two ports is named with its option; a broken document with its file."""
    with MockZoom() as zoom:
        port, rtms_port = (int(url.rpartition(":")[2]) for url in (zoom.url, zoom.rtms_url))
        with pytest.raises(PortInUse, match=f"control API: .*:{port}: .* --port"):
            MockZoom(port=port).start()
        with pytest.raises(PortInUse, match=f"RTMS server: .*:{rtms_port}: .* --rtms-port"):
            MockZoom(rtms_port=rtms_port, tls=True).start()
    (tmp_path / "broken.yaml").write_text("openapi: [")
    with pytest.raises(SpecError, match=r"broken\.yaml"):
        MockZoom(spec=tmp_path / "broken.yaml")


def test_a_port_can_be_had_again_at_once() -> None:
    """Closing gives the ports back; closing twice is fine."""
    with MockZoom() as zoom:
        port = int(zoom.url.rpartition(":")[2])
        answer(f"{zoom.url}/_mockzoom/health")
    zoom.close()
    with MockZoom(port=port) as again:
        assert again.url == zoom.url


def test_a_mock_runs_once_at_a_time() -> None:
    """Starting what is running is a mistake; starting it again after its end is fine."""
    with MockZoom() as zoom, pytest.raises(UsageError, match="running already"):
        zoom.start()
    with zoom:
        zoom.meeting().start_rtms()


def test_an_interrupt_closes_everything() -> None:
    """Ctrl-C within the block leaves nothing running (the fixture looks for threads)."""

    def story() -> None:
        with MockZoom() as zoom:
            meeting = zoom.meeting()
            meeting.start_rtms()
            meeting.say("Alice", TEXT * 50)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        story()


def test_an_interrupt_while_starting_closes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C before the mock is up leaves nothing running either."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MockZoom, "subscribe", interrupted)
    with pytest.raises(KeyboardInterrupt):
        MockZoom(receivers=["http://127.0.0.1:1/"]).start()


def test_closing_in_the_middle_of_everything(app: tuple[MockZoom, Receiver]) -> None:
    """Speech, sockets and webhooks on their way: the end comes at once, and is no failure."""
    zoom, _ = app
    meeting = zoom.meeting(participants=["Alice", "Bob"])
    stream = meeting.start_rtms()
    stream.wait_ready()
    for name in ("Alice", "Bob"):
        meeting.say(name, TEXT * 20)
    meeting.start_rtms()
    zoom.close()
    assert zoom.findings == []
    with pytest.raises(RuntimeError, match="mockzoom loop has stopped"):
        zoom.meeting()


def test_off_loopback_a_token_is_asked_for() -> None:
    """On another host the API wants a token; health is for everybody, loopback is free."""
    with MockZoom() as zoom:
        assert zoom.api_token is None
    with MockZoom(api_token="sesame") as zoom:
        assert zoom.api_token == "sesame"
        assert answer(f"{zoom.url}/_mockzoom/health") == {"status": "ok"}
        host = zoom.url.removeprefix("http://")
        for header, status in [
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "Bearer é"}, 401),
            ({"Authorization": "Bearer sesame"}, 200),
        ]:
            connection = http.client.HTTPConnection(host, timeout=5)
            connection.request("GET", "/_mockzoom/journal", headers=header)
            assert connection.getresponse().status == status
            connection.close()
    assert MockZoom(host="192.0.2.1").api_token


def test_tls_has_an_authority_of_its_own() -> None:
    """With `tls` the sockets are wss behind a CA whose file is there while the mock runs."""
    with MockZoom(tls=True) as zoom:
        assert zoom.rtms_url.startswith("wss://localhost:")
        assert zoom.ca_path is not None
        trust = ssl.create_default_context(cafile=str(zoom.ca_path))
        host, _, port = zoom.rtms_url.removeprefix("wss://").partition(":")
        connection = http.client.HTTPSConnection(host, int(port), context=trust, timeout=5)
        connection.request("GET", "/signaling/made-up")
        assert connection.getresponse().status == 404
        connection.close()
    assert not zoom.ca_path.exists()


def test_the_same_seed_gives_the_same_ids() -> None:
    """Ids repeat with the seed; credentials are the caller's or new ones."""
    credentials = Credentials("id", "secret", "token")
    told = []
    for _ in range(2):
        with MockZoom(seed=9, credentials=credentials) as zoom:
            assert (zoom.seed, zoom.credentials) == (9, credentials)
            meeting = zoom.meeting()
            stream = meeting.start_rtms()
            told.append((meeting.ids, stream.rtms_stream_id))
            assert stream.server_urls.startswith(zoom.rtms_url + "/signaling/")
    assert told[0] == told[1]


@pytest.mark.parametrize("product", ["meeting", "webinar", "session", "contact_center"])
def test_every_product_has_a_meeting(product: str) -> None:
    """Whatever it is called, it has ids, people and streams."""
    with MockZoom() as zoom:
        meeting = zoom.meeting(product=product, participants=["Alice"])
        assert meeting.key in map(str, meeting.ids.values())
        meeting.start_rtms().stop()


def test_mistakes_are_told_in_one_line() -> None:
    """Unknown people and products, names that are taken, nothing to say."""
    with MockZoom() as zoom:
        meeting = zoom.meeting(participants=["Alice"])
        with pytest.raises(UnknownObject, match="did you mean 'Alice'"):
            meeting.say("Alise", TEXT)
        with pytest.raises(UsageError, match="is in it already"):
            meeting.add("Alice")
        with pytest.raises(UsageError, match="at least one word"):
            meeting.say("Alice", " ")
        with pytest.raises(UnknownObject, match="did you mean 'session'"):
            zoom.meeting(product="sesion")


def test_an_interruption_at_speed() -> None:
    """With fast timings an app that never comes is given up within a second."""
    with MockZoom(timings=Timings.named("fast")) as zoom:
        stream = zoom.meeting().start_rtms()
        stream.wait_ended(5)
        assert [finding.check for finding in zoom.findings] == ["rtms.connect"]


def test_the_start_loads_nothing_that_can_wait() -> None:
    """A mock with a stream that nobody has joined has imported no library for more than that."""
    script = (
        "import sys\n"
        "from mockzoom import MockZoom\n"
        "with MockZoom() as zoom:\n"
        "    zoom.meeting().start_rtms()\n"
        "    print(*sys.modules)\n"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    modules = set(loaded.stdout.split())
    assert "mockzoom.server" in modules
    assert not LATE & modules
