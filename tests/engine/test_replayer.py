"""A recording is played to receivers that were not there."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from recorded import OTHER, PATIENCE_S, TIMINGS, Recorded, record_meeting, seconds_of
from webhook_app import App, an_app, status

from mockzoom import Credentials, MockZoom, Receiver
from mockzoom.core import messages
from mockzoom.core.codes import MediaType, MessageType
from mockzoom.core.media_params import grant
from mockzoom.core.messages import Message
from mockzoom.core.products import PRODUCTS
from mockzoom.core.recording import Entry, Header
from mockzoom.core.signing import handshake_signature, webhook_signature
from mockzoom.engine.record_proxy import RecordProxy
from mockzoom.engine.replayer import Replayed, Replayer
from mockzoom.errors import (
    BadRecording,
    ConfigurationError,
    NothingTested,
    PortInUse,
    ReceiverUnreachable,
)
from mockzoom.threads import listen


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    return record_meeting(tmp_path_factory.mktemp("recorded"))


def replayed_into(app: Receiver, file: Path, **settings: Any) -> Replayed:
    settings = {"speed": 50, "patience_s": PATIENCE_S, **settings}
    return Replayer(file, app.url, OTHER, **settings).play()


@pytest.mark.parametrize("speed", [50, 1000])
def test_another_receiver_hears_the_same(recorded: Recorded, tmp_path: Path, speed: int) -> None:
    """Other credentials, ids and URLs, the same meeting, and nobody breaks a rule."""
    with Receiver(OTHER, recordings=tmp_path, timings=TIMINGS) as app:
        played = replayed_into(app, recorded.file, speed=speed)
        [stream] = app.streams
        heard = app.wait_ended(stream)
    assert played.findings == ()
    assert (played.streams, played.webhooks) == (1, 3)
    for what in ("audio_frames", "transcript_lines"):
        assert heard.counters[what] == recorded.status.counters[what]
    assert seconds_of(heard.folder) == pytest.approx(recorded.seconds)
    assert stream not in recorded.file.read_text("utf-8")
    lines = (heard.folder / "transcript.jsonl").read_text("utf-8").splitlines()
    told = [(line["user_name"], line["text"]) for line in map(json.loads, lines)]
    assert sorted(told) == sorted(
        (pseudonym, re.sub(r"\w", "x", line.text))
        for pseudonym, utterance in zip(pseudonyms(told), recorded.spoken, strict=True)
        for line in utterance.lines()
    )


def pseudonyms(told: list[tuple[str, str]]) -> list[str]:
    """Who Alice, Bob, and Alice again are: she speaks last."""
    alice = told[-1][0]
    return [alice, next(name for name, _ in told if name != alice), alice]


def test_products_side_by_side(tmp_path: Path) -> None:
    """Streams at the same time, one of which is moved to other URLs, are not mixed up."""
    file = tmp_path / "a.jsonl"
    spoken: dict[str, int] = {}
    with (
        MockZoom(seed=3, timings=TIMINGS) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path / "one", timings=TIMINGS) as app,
        RecordProxy(app.url, file, zoom.credentials.secret_token) as proxy,
    ):
        zoom.subscribe(proxy.url)
        meetings = [
            zoom.meeting(product=product, participants=[f"Person of {product}"])
            for product in PRODUCTS
        ]
        streams = [meeting.start_rtms() for meeting in meetings]
        for stream in streams:
            stream.wait_ready()
        streams[0].relocate()
        streams[0].wait_ready()
        texts = ("A", "Bee", "Cecil", "Dorothea")
        for product, meeting, text in zip(PRODUCTS, meetings, texts, strict=True):
            said = meeting.say(meeting.participants[0], text)
            spoken[product] = said.duration_ms // 20
        for stream in streams:
            stream.wait_spoken()
            stream.stop()
            app.wait_ended(stream.rtms_stream_id)
        zoom.check()
    with Receiver(OTHER, recordings=tmp_path / "two", timings=TIMINGS) as app:
        played = replayed_into(app, file)
        heard = {s.product: s.counters["audio_frames"] for s in app.streams.values()}
    assert (checks(played), played.streams) == ([], len(PRODUCTS))
    assert heard == spoken
    assert "Person of" not in file.read_text("utf-8")


def test_the_seed_repeats_the_ids(recorded: Recorded, tmp_path: Path) -> None:
    """With a seed every run has the same, without one each has its own."""
    seen = []
    for seed in (7, 7, 8, None):
        with Receiver(OTHER, recordings=tmp_path / str(len(seen)), timings=TIMINGS) as app:
            replayed_into(app, recorded.file, seed=seed)
            seen.append(list(app.streams))
    assert seen[0] == seen[1]
    assert len({stream for [stream] in seen}) == 3


def test_nobody_there(recorded: Recorded) -> None:
    """The first webhook says so."""
    listening = listen("127.0.0.1", 0, "test", "")
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    listening.close()
    with pytest.raises(ReceiverUnreachable, match="is the receiver running"):
        Replayer(recorded.file, url, OTHER).play()


def test_files_that_are_none(recorded: Recorded, tmp_path: Path) -> None:
    """Nothing is sent before the whole file was read; the line is named."""
    lines = recorded.file.read_bytes().splitlines(keepends=True)
    bad = tmp_path / "bad.jsonl"

    def play() -> None:
        Replayer(bad, "http://127.0.0.1:1/", OTHER).play()

    with pytest.raises(BadRecording, match=r"bad\.jsonl: cannot be read"):
        play()
    bad.write_bytes(b"".join([*lines[:-1], b"nonsense\n"]))
    with pytest.raises(BadRecording, match=rf"bad\.jsonl:{len(lines)}: expected an entry"):
        play()
    bad.write_bytes(lines[0])
    with pytest.raises(NothingTested, match="holds no webhook"):
        play()


def test_settings_that_cannot_be(recorded: Recorded) -> None:
    """No speed, no URL, a port in use."""
    url = "http://127.0.0.1:1/"
    with pytest.raises(ConfigurationError, match="speed"):
        Replayer(recorded.file, url, OTHER, speed=0)
    with pytest.raises(ConfigurationError, match="receiver"):
        Replayer(recorded.file, "nowhere", OTHER)
    with listen("127.0.0.1", 0, "test", "") as taken, pytest.raises(PortInUse, match="--port"):
        Replayer(recorded.file, url, OTHER, port=taken.getsockname()[1]).play()


# --- apps that do it their own way ------------------------------------------------------------

UUID, STREAM = "4444AAAiAAAAAiAiAiiAii==", "609340fb2a7946909659956c8aa9250c"
URL, MEDIA = "wss://rtms-1.example.com/signaling", "wss://rtms-2.example.com/audio"
BEGAN_MS = 1763814001000

T = MessageType


def request(kind: int, **fields: Any) -> Message:
    return {"msg_type": kind, **fields}


def started() -> Message:
    event: Message = {"event": "meeting.rtms_started", "event_ts": BEGAN_MS}
    ids = {"meeting_uuid": UUID, "rtms_stream_id": STREAM, "meeting_id": 95123456789}
    ids |= {"operator_id": "o", "account_id": "a", "is_original_host": True}
    return {**event, "payload": {**ids, "server_urls": URL}}


def stopped() -> Message:
    ids = {"meeting_uuid": UUID, "rtms_stream_id": STREAM, "stop_reason": 6}
    return {"event": "meeting.rtms_stopped", "payload": ids}


def webhook(at_ms: int, message: Message) -> Entry:
    return Entry(at_ms, "webhook", "zoom", message=message)


def app_said(at_ms: int, message: Message, conn: int = 1, leg: str = "signaling") -> Entry:
    return Entry(at_ms, leg, "app", conn, message=message)


def zoom_said(at_ms: int, message: Message, conn: int = 1, leg: str = "signaling") -> Entry:
    return Entry(at_ms, leg, "zoom", conn, message=message)


JOINED = [
    webhook(0, started()),
    Entry(1, "signaling", "app", 1, opened=URL),
    app_said(2, request(T.SIGNALING_HAND_SHAKE_REQ, sequence=1)),
    zoom_said(3, messages.signaling_handshake_resp(1, {"audio": MEDIA, "video": "wss://v"})),
]


def written(tmp_path: Path, script: list[Entry]) -> Path:
    file = tmp_path / "own.jsonl"
    file.write_bytes(b"".join([Header(BEGAN_MS).line(), *(entry.line() for entry in script)]))
    return file


def test_a_wrong_secret_is_refused(tmp_path: Path) -> None:
    """Handshakes are checked: status 3 to the app, and a finding in the report."""
    wrong = Credentials(OTHER.client_id, "wrong", OTHER.secret_token)
    with Receiver(wrong, recordings=tmp_path, timings=TIMINGS) as app:
        played = replayed_into(app, written(tmp_path, JOINED), patience_s=2)
        [stream] = app.streams
        status_ = app.wait_ended(stream)
    assert status_.ending is not None
    assert status_.ending.code == 3
    assert checks(played) == ["rtms.signature", "rtms.connect"]
    assert OTHER.client_secret not in str(played)


@pytest.mark.parametrize("wanted", [{"codec": 4, "sample_rate": 3}, {"send_rate": 40}])
def test_other_parameters_than_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: dict[str, int]
) -> None:
    """The status code says that they are not to be had, and the finding what the recording has."""
    monkeypatch.setattr("mockzoom.receiver.streams.WANTED", {MediaType.AUDIO: wanted})
    granted = grant((MediaType.AUDIO,), None)
    media = [
        Entry(4, "audio", "app", 2, opened=MEDIA),
        app_said(5, request(T.DATA_HAND_SHAKE_REQ, media_type=1), 2, "audio"),
        zoom_said(6, messages.data_handshake_resp(1, granted), 2, "audio"),
    ]
    with Receiver(OTHER, recordings=tmp_path, timings=TIMINGS) as app:
        played = replayed_into(app, written(tmp_path, [*JOINED, *media]))
        [stream] = app.streams
        status_ = app.wait_ended(stream)
    assert status_.ending is not None
    assert status_.ending.code == 17
    assert checks(played) == ["replay.asked"]


class OwnApp:
    """An app that is written in a test: `act` is what it does once it was told of a stream."""

    def __init__(self, payload: Message, session: aiohttp.ClientSession) -> None:
        self._payload = payload
        self._session = session
        self.credentials = OTHER

    async def dial(self, url: str = "") -> aiohttp.ClientWebSocketResponse:
        return await self._session.ws_connect(url or self._payload["server_urls"])

    def handshake(self, kind: int, sequence: int, **fields: Any) -> Message:
        id_, stream = self._payload["meeting_uuid"], self._payload["rtms_stream_id"]
        keys = self.credentials
        signature = handshake_signature(keys.client_id, keys.client_secret, id_, stream)
        return {
            "msg_type": kind,
            "protocol_version": 1,
            "sequence": sequence,
            "meeting_uuid": id_,
            "rtms_stream_id": stream,
            "signature": signature,
            **fields,
        }

    @property
    def stream(self) -> str:
        return str(self._payload["rtms_stream_id"])

    async def join(self, sequence: int = 77) -> tuple[aiohttp.ClientWebSocketResponse, Message]:
        ws = await self.dial()
        return ws, await ask(ws, self.handshake(T.SIGNALING_HAND_SHAKE_REQ, sequence))


async def ask(ws: aiohttp.ClientWebSocketResponse, message: Message) -> Message:
    await ws.send_json(message)
    return dict(await ws.receive_json())


def played_to(
    tmp_path: Path,
    script: list[Entry],
    act: Callable[[OwnApp], Awaitable[None]],
    **settings: Any,
) -> Replayed:
    """Play `script` to an app that does `act` when its stream starts; what it asserts, counts."""
    file = written(tmp_path, script)

    async def run() -> Replayed:
        acting: list[asyncio.Task[None]] = []
        async with an_app() as app, aiohttp.ClientSession() as session:

            async def answer(request: web.Request, event: Message) -> web.Response:
                if event["event"].endswith("_started"):
                    acting.append(
                        asyncio.create_task(_done(act(OwnApp(event["payload"], session))))
                    )
                return web.Response()

            app.answer = answer
            given = {"patience_s": PATIENCE_S, "speed": 10, **settings}
            played = await asyncio.to_thread(Replayer(file, app.url, OTHER, **given).play)
            await asyncio.gather(*acting)
            _signed(app)
            return played

    async def _done(acts: Awaitable[None]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            await acts

    return asyncio.run(run())


def _signed(app: App) -> None:
    for request_, body in app.requests:
        stamp = request_.headers["x-zm-request-timestamp"]
        expected = webhook_signature(OTHER.secret_token, stamp, body)
        assert request_.headers["x-zm-signature"] == expected


def checks(played: Replayed) -> list[str]:
    return [finding.check for finding in played.findings]


def test_the_answer_echoes_and_offers_what_is_there(tmp_path: Path) -> None:
    """The sequence is the app's own, the URL leads here, and media that nobody used are gone."""

    async def act(app: OwnApp) -> None:
        ws, answer = await app.join(sequence=4711)
        assert (answer["status_code"], answer["sequence"]) == (0, 4711)
        assert list(answer["media_server"]["server_urls"]) == ["audio"]
        media = await app.dial(answer["media_server"]["server_urls"]["audio"])
        granted = await ask(media, app.handshake(T.DATA_HAND_SHAKE_REQ, 5, media_type=1))
        assert (granted["status_code"], granted["sequence"]) == (0, 5)
        assert (await media.receive_json())["content"]["timestamp"] > BEGAN_MS + 10**9
        assert (await ws.receive()).data == 1001

    recorded = request(T.DATA_HAND_SHAKE_REQ, media_type=1, media_params=None)
    frame = {"data": "AAAA", "length": 3, "user_id": 1, "timestamp": BEGAN_MS}
    media = [
        Entry(4, "audio", "app", 2, opened=MEDIA),
        app_said(5, recorded, 2, "audio"),
        zoom_said(6, messages.data_handshake_resp(1, {}), 2, "audio"),
        zoom_said(7, messages.media_data(MediaType.AUDIO, frame), 2, "audio"),
    ]
    played = played_to(tmp_path, [*JOINED, *media], act)
    assert (checks(played), played.messages) == ([], 3)


def test_the_end_overtakes_nothing(tmp_path: Path) -> None:
    """The last frames are read before any socket is closed, however fast it goes."""
    frames = 300

    async def act(app: OwnApp) -> None:
        ws, answer = await app.join()
        media = await app.dial(answer["media_server"]["server_urls"]["audio"])
        await ask(media, app.handshake(T.DATA_HAND_SHAKE_REQ, 5, media_type=1))
        heard = []

        async def hear() -> None:
            async for frame in media:
                heard.append(frame.data)

        hearing = asyncio.create_task(hear())
        await ws.receive()
        assert len(heard) == frames
        await hearing

    frame = {"data": "A" * 4000, "length": 3000, "user_id": 1, "timestamp": BEGAN_MS}
    media = [
        Entry(4, "audio", "app", 2, opened=MEDIA),
        app_said(5, request(T.DATA_HAND_SHAKE_REQ, media_type=1), 2, "audio"),
        zoom_said(6, messages.data_handshake_resp(1, {}), 2, "audio"),
        *[zoom_said(7, messages.media_data(MediaType.AUDIO, frame), 2, "audio")] * frames,
    ]
    played = played_to(tmp_path, [*JOINED, *media], act, speed=1000)
    assert (checks(played), played.messages) == ([], frames + 2)


def test_another_medium_is_refused(tmp_path: Path) -> None:
    """Who asks for video on the URL of audio gets 7, and hears no more on it."""

    async def act(app: OwnApp) -> None:
        _, answer = await app.join()
        media = await app.dial(answer["media_server"]["server_urls"]["audio"])
        refused = await ask(media, app.handshake(T.DATA_HAND_SHAKE_REQ, 5, media_type=2))
        assert refused["status_code"] == 7
        assert "media_type 1, as recorded" in refused["reason"]

    media = [
        Entry(4, "audio", "app", 2, opened=MEDIA),
        app_said(5, request(T.DATA_HAND_SHAKE_REQ, media_type=1), 2, "audio"),
        zoom_said(6, messages.data_handshake_resp(1, {}), 2, "audio"),
    ]
    assert checks(played_to(tmp_path, [*JOINED, *media], act)) == ["replay.asked"]


def test_requests_meet_their_answers(tmp_path: Path) -> None:
    """Earlier or later than the recorded app asked; what it never asked is refused."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        state = await ask(ws, {"msg_type": 19, "rtms_stream_id": app.stream})
        assert (state["msg_type"], state["state"]) == (20, 1)
        assert state["rtms_stream_id"] == app.stream
        refused = await ask(ws, {"msg_type": 19, "rtms_stream_id": app.stream})
        assert (refused["msg_type"], refused["status_code"]) == (20, 1)
        refused = await ask(ws, {"msg_type": 10, "rtms_session_id": "x"})
        assert (refused["msg_type"], refused["status_code"]) == (11, 1)

    answer = zoom_said(400, messages.stream_state_resp(STREAM, 1, BEGAN_MS))
    script = [*JOINED, app_said(399, request(19)), answer, zoom_said(5000, request(6, event={}))]
    assert checks(played_to(tmp_path, script, act)) == ["replay.asked"] * 2


def test_a_second_connection_is_refused(tmp_path: Path) -> None:
    """While the first one lives: 8, as Zoom answers."""

    async def act(app: OwnApp) -> None:
        first, _ = await app.join()
        _, refused = await app.join()
        assert (refused["msg_type"], refused["status_code"]) == (2, 8)
        assert not first.closed

    script = [*JOINED, zoom_said(5000, request(6, event={}))]
    assert checks(played_to(tmp_path, script, act)) == ["rtms.duplicate"]


def test_two_at_the_same_time(tmp_path: Path) -> None:
    """One is let in, and the other refused as soon as that is so."""

    async def act(app: OwnApp) -> None:
        answers = await asyncio.gather(app.join(1), app.join(2))
        assert sorted(answer["status_code"] for _, answer in answers) == [0, 8]

    script = [*JOINED, zoom_said(3000, request(6, event={}))]
    script[2] = app_said(2000, request(T.SIGNALING_HAND_SHAKE_REQ, sequence=1))
    script[3] = zoom_said(2500, messages.signaling_handshake_resp(1, {}))
    assert checks(played_to(tmp_path, script, act)) == ["rtms.duplicate"]


def test_more_than_was_recorded(tmp_path: Path) -> None:
    """After the last recorded connection has ended there is no answer for another one."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        await ws.receive()
        _, refused = await app.join()
        assert (refused["msg_type"], refused["status_code"]) == (2, 2)

    ended = Entry(5, "signaling", "zoom", 1, closed=1000)
    script = [*JOINED, ended, webhook(3000, {"event": "meeting.ended", "payload": {}})]
    assert checks(played_to(tmp_path, script, act)) == ["replay.asked"]


def test_of_several_urls_the_one_that_was_dialled_is_told(tmp_path: Path) -> None:
    """The others led nowhere when it was recorded."""

    async def act(app: OwnApp) -> None:
        assert "," not in app._payload["server_urls"]
        await app.join()

    first = started()
    first["payload"]["server_urls"] = f"wss://down.example.com,{URL}"
    assert checks(played_to(tmp_path, [webhook(0, first), *JOINED[1:]], act)) == []


def test_who_comes_back_goes_on(tmp_path: Path) -> None:
    """A connection that the app loses is let in again, with the recorded answer."""

    async def act(app: OwnApp) -> None:
        ws, first = await app.join(1)
        await ws.close()
        ws, again = await app.join(2)
        assert again == {**first, "sequence": 2}
        assert (await ws.receive_json())["msg_type"] == 6

    script = [*JOINED, zoom_said(5000, request(6, event={"event_type": 2}))]
    assert checks(played_to(tmp_path, script, act)) == []


def test_who_came_back_early_is_who_was_waited_for(tmp_path: Path) -> None:
    """The recorded app reconnects later: the one that did so already goes on from there."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        await ws.close()
        ws, _ = await app.join()
        assert (await ws.receive_json())["msg_type"] == 6

    again = [
        Entry(3000, "signaling", "app", 1, closed=1000),
        Entry(3001, "signaling", "app", 2, opened=URL),
        app_said(3002, request(T.SIGNALING_HAND_SHAKE_REQ, sequence=1), 2),
        zoom_said(3003, messages.signaling_handshake_resp(1, {}), 2),
        zoom_said(3004, request(6, event={"event_type": 2}), 2),
    ]
    assert checks(played_to(tmp_path, [*JOINED, *again], act)) == []


def test_recorded_endings_happen_again(tmp_path: Path) -> None:
    """A close frame with its code, then a break without one, each on its connection."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        await ws.receive()
        assert ws.close_code == 4001
        ws, _ = await app.join()
        with suppress(ConnectionError):
            assert (await ws.receive()).type is not aiohttp.WSMsgType.CLOSE

    script = [
        *JOINED,
        Entry(5, "signaling", "zoom", 1, closed=4001),
        Entry(6, "signaling", "app", 2, opened=URL),
        app_said(7, request(T.SIGNALING_HAND_SHAKE_REQ, sequence=1), 2),
        zoom_said(8, messages.signaling_handshake_resp(1, {}), 2),
        Entry(9, "signaling", "app", 2, closed=1006),
    ]
    assert checks(played_to(tmp_path, script, act)) == []


def test_sockets_left_open_and_keep_alives_not_answered(tmp_path: Path) -> None:
    """Both are rules that a receiver breaks in a replay as anywhere."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        while not ws.closed:
            await ws.receive()

    keep_alives = [
        zoom_said(10 + n, messages.keep_alive_req(n, BEGAN_MS + 10 + n)) for n in range(3)
    ]
    script = [*JOINED, *keep_alives, webhook(20, stopped())]
    played = played_to(tmp_path, script, act, patience_s=0.5)
    assert sorted(checks(played)) == ["rtms.keep-alive", "rtms.left-open"]


def test_who_never_comes_is_not_waited_for_again(tmp_path: Path) -> None:
    """A missing signaling handshake is one finding, and what hangs on it is left out."""

    async def act(app: OwnApp) -> None:
        pass

    media = [
        Entry(4, "audio", "app", 2, opened=MEDIA),
        app_said(5, request(T.DATA_HAND_SHAKE_REQ, media_type=1), 2, "audio"),
        app_said(6, request(T.CLIENT_READY_ACK)),
        webhook(7, stopped()),
    ]
    played = played_to(tmp_path, [*JOINED, *media], act, patience_s=0.2)
    assert (checks(played), played.webhooks, played.messages) == (["rtms.connect"], 2, 0)


def test_no_ready_ack_no_media(tmp_path: Path) -> None:
    """The recorded app was ready, this one never says so."""

    async def act(app: OwnApp) -> None:
        ws, _ = await app.join()
        assert (await ws.receive()).type is aiohttp.WSMsgType.CLOSE

    script = [*JOINED, app_said(4, request(T.CLIENT_READY_ACK)), zoom_said(5, request(6, event={}))]
    played = played_to(tmp_path, script, act, patience_s=0.2)
    assert (checks(played), played.messages) == (["rtms.ready-ack"], 1)


def test_strange_things(tmp_path: Path) -> None:
    """What is no message, the wrong handshake, and a URL that was never given out."""

    async def act(app: OwnApp) -> None:
        ws = await app.dial()
        await ws.send_str("[]")
        wrong = await ask(ws, app.handshake(T.DATA_HAND_SHAKE_REQ, 1, media_type=1))
        assert (wrong["msg_type"], wrong["status_code"]) == (4, 1)
        assert (await ask(ws, {"msg_type": 1}))["status_code"] == 4
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await app.dial(app._payload["server_urls"] + "x")
        await app.join()

    assert checks(played_to(tmp_path, JOINED, act)) == [
        "rtms.message",
        "rtms.message-type",
        "rtms.payload",
        "rtms.url",
    ]


def test_a_webhook_that_is_refused_is_a_finding(tmp_path: Path) -> None:
    """It is sent once, and the script goes on."""
    file = written(tmp_path, [webhook(0, stopped()), webhook(1, stopped())])

    async def run() -> Replayed:
        async with an_app() as app:
            app.answer = status(500)
            return await asyncio.to_thread(Replayer(file, app.url, OTHER).play)

    played = asyncio.run(run())
    assert (checks(played), played.webhooks) == (["webhook.answer"] * 2, 2)
