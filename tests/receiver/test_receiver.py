"""The receiver as a whole: webhooks over HTTP, streams over WebSockets, files on disk."""

from __future__ import annotations

import json
import ssl
import threading
import wave
from pathlib import Path
from typing import Any

import pytest
import trustme

from mockzoom.core.client_sockets import Link, Step
from mockzoom.core.signing import Credentials
from mockzoom.errors import ConfigurationError, PortInUse
from mockzoom.receiver.receiver import Receiver

#: As in conftest.py.
STREAM = "609340fb2a7946909659956c8aa9250c"

FRAME = b"\1\2" * 320


def test_a_meeting_from_start_to_stop(zoom: Any, running: Any, tmp_path: Path) -> None:
    """Started by the webhook, two voices and a line are recorded, and the stop closes all."""
    assert running.send("started", server_urls=zoom.url) == 200
    zoom.wait_told(7)
    for i in range(50):
        zoom.speak(1, "Alice", 1000 + 20 * i, FRAME)
    zoom.speak(2, "Bob", 1000, FRAME)
    line = {"user_id": 1, "user_name": "Alice", "data": "Hello", "timestamp": 1000}
    zoom.say("transcript", {"msg_type": 17, "content": line})
    zoom.say("transcript", {"msg_type": 12, "sequence": 1, "timestamp": 5})
    zoom.wait_told(13)
    assert running.receiver.wait_joined(STREAM).state is Link.JOINED
    zoom.say("audio", {"msg_type": 12, "sequence": 2, "timestamp": 5})
    zoom.wait_told(13, 2)
    assert running.send("stopped", stop_reason=6) == 200
    status = running.receiver.wait_ended(STREAM)
    zoom.wait_closed()
    assert [code for _, code in zoom.codes] == [1000] * 3
    assert status.ending is not None
    assert (status.ending.cause, status.ending.code) == (Step.STOPPED, 6)
    folder = tmp_path / STREAM
    with wave.open(str(folder / "1-Alice.wav")) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getnframes()) == (16000, 1, 16000)
        assert wav.readframes(16000) == FRAME * 50
    assert json.loads((folder / "transcript.jsonl").read_text())["text"] == "Hello"
    summary = json.loads((folder / "stream.json").read_text())
    assert [track["file"] for track in summary["tracks"]] == ["1-Alice.wav", "2-Bob.wav"]
    assert summary["ended"] == {"cause": "stopped", "code": 6, "detail": ""}
    assert [kind for kind in running.kinds() if kind != "webhook"] == [
        "joined",
        "transcript",
        "ended",
    ]


def test_binary_frames_are_read(zoom: Any, running: Any) -> None:
    """JSON comes in binary frames as well as in text frames."""
    zoom.binary = True
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    zoom.say("signaling", {"msg_type": 12, "sequence": 1, "timestamp": 5})
    assert zoom.wait_told(13) == [{"msg_type": 13, "sequence": 1, "timestamp": 5}]


def test_over_tls_with_a_ca_of_its_own(
    another_zoom: Any, run_receiver: Any, tmp_path: Path
) -> None:
    """`wss://` works with the CA given, and without it the stream is not joined."""
    ca = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    pem = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(pem))
    zoom = another_zoom(tls)
    with run_receiver(ca=pem) as running:
        running.send("started", server_urls=zoom.url)
        running.receiver.wait_joined(STREAM)
    zoom.wait_closed()
    with run_receiver() as running:
        running.send("started", server_urls=zoom.url)
        with pytest.raises(TimeoutError, match=r"not joined within 0.2 s"):
            running.receiver.wait_joined(STREAM, timeout_s=0.2)


@pytest.mark.parametrize("path", ["signaling", "audio"])
@pytest.mark.parametrize("how", ["drop", "close"])
def test_lost_sockets_come_back(zoom: Any, running: Any, path: str, how: str) -> None:
    """Signaling brings everything back, media only itself; the recording goes on."""
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    running.receiver.wait_joined(STREAM)
    zoom.speak(1, "Alice", 1000, FRAME)
    if how == "drop":
        zoom.drop(path)
    else:
        zoom._run(zoom.sockets[path].close(code=1011))
    opened = 6 if path == "signaling" else 4
    zoom.wait("redialled", lambda: len(zoom.opened) == opened)
    zoom.wait_told(3, 4 if path == "signaling" else 3)
    zoom.wait_told(7, 2 if path == "signaling" else 1)
    zoom.speak(1, "Alice", 1020, FRAME)
    zoom.say("audio", {"msg_type": 12, "sequence": 2, "timestamp": 5})
    zoom.wait_told(13)
    running.send("stopped", stop_reason=6)
    assert running.receiver.wait_ended(STREAM).counters["audio_frames"] == 2


def test_a_duplicate_refusal_is_tried_again(zoom: Any, running: Any) -> None:
    """Status 8 twice, then yes: joined on the third attempt."""
    zoom.refusals["signaling"] = [8, 8]
    running.send("started", server_urls=zoom.url)
    running.receiver.wait_joined(STREAM)
    assert zoom.opened.count("signaling") == 3


def test_a_refusal_is_reported(zoom: Any, running: Any, tmp_path: Path) -> None:
    """Any other status ends the stream with its number, and nothing is left on disk."""
    zoom.refusals["signaling"] = [2]
    running.send("started", server_urls=zoom.url)
    with pytest.raises(TimeoutError, match=r"found refused \(2\)"):
        running.receiver.wait_joined(STREAM)
    ending = running.receiver.wait_ended(STREAM).ending
    assert str(ending) == "refused (2): signaling: no"
    assert list(tmp_path.iterdir()) == []


def test_terminated_on_the_wire(zoom: Any, running: Any) -> None:
    """TERMINATED ends the stream before the webhook does, which then changes nothing."""
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    zoom.say("signaling", {"msg_type": 8, "state": 4, "reason": 6, "timestamp": 1})
    ending = running.receiver.wait_ended(STREAM).ending
    zoom.wait_closed()
    assert running.send("stopped", stop_reason=6) == 200
    assert running.receiver.streams[STREAM].ending == ending
    assert str(ending) == "terminated (6)"


@pytest.mark.parametrize("told_by", ["wire", "webhook", "both"])
def test_a_revoked_stream_is_deleted(zoom: Any, running: Any, tmp_path: Path, told_by: str) -> None:
    """Reason 8 deletes what was recorded, whoever says it, and also after another end."""
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    zoom.speak(1, "Alice", 1000, FRAME)
    zoom.say("audio", {"msg_type": 12, "sequence": 1, "timestamp": 5})
    zoom.wait_told(13)
    assert list(tmp_path.iterdir())
    if told_by != "webhook":
        reason = 8 if told_by == "wire" else 6
        zoom.say("signaling", {"msg_type": 8, "state": 4, "reason": reason, "timestamp": 1})
        running.receiver.wait_ended(STREAM)
    if told_by != "wire":
        running.send("stopped", stop_reason=8)
        running.settle()
    assert list(tmp_path.iterdir()) == []


def test_the_same_start_twice(zoom: Any, running: Any) -> None:
    """Two starts, with the same body or another, make one set of sockets."""
    running.send("started", server_urls=zoom.url, event_ts=1)
    running.send("started", server_urls=zoom.url, event_ts=1)
    running.send("started", server_urls=zoom.url, event_ts=2)
    running.receiver.wait_joined(STREAM)
    running.settle()
    assert sorted(zoom.opened) == ["audio", "signaling", "transcript"]


def test_failover_to_new_urls(zoom: Any, another_zoom: Any, running: Any) -> None:
    """The same start with other URLs: the old sockets are closed, new ones opened."""
    other = another_zoom()
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    running.send("started", server_urls=other.url)
    other.wait_told(7)
    zoom.wait_closed()


def test_a_late_start_does_not_move_the_stream_back(
    zoom: Any, another_zoom: Any, running: Any
) -> None:
    """A start that is older than the one followed names a server that was left."""
    other = another_zoom()
    running.send("started", server_urls=zoom.url, event_ts=2)
    running.send("started", server_urls=other.url, event_ts=1)
    running.receiver.wait_joined(STREAM)
    running.settle()
    assert other.opened == []


def test_the_interrupted_webhook(zoom: Any, running: Any) -> None:
    """It carries no URL; everything is done again at the URL that is known."""
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    running.receiver.wait_joined(STREAM)
    running.send("interrupted")
    zoom.wait_told(7, 2)


def test_orders_that_should_not_happen(zoom: Any, running: Any) -> None:
    """A start that comes after its stop is not followed; stops and interruptions may repeat."""
    running.send("interrupted", stream="a")
    running.send("stopped", stream="b", stop_reason=6, event_ts=2)
    running.send("stopped", stream="b", stop_reason=6, event_ts=3)
    running.send("started", stream="b", server_urls=zoom.url, event_ts=1)
    running.send("started", stream="b", server_urls=zoom.url, event_ts=9)
    running.settle()
    assert (zoom.opened, running.receiver.streams) == ([], {})


@pytest.mark.parametrize(("event_ts", "joins"), [(4, False), (5, False), (6, True)])
def test_a_stream_may_come_back_after_a_breakdown(
    zoom: Any, running: Any, event_ts: int, joins: bool
) -> None:
    """Stop reason 11 is a time-out: a newer start is followed, an older one was late."""
    running.send("stopped", stop_reason=11, event_ts=5)
    running.send("started", server_urls=zoom.url, event_ts=event_ts)
    running.settle()
    assert (STREAM in running.receiver.streams) is joins


def test_two_streams_are_kept_apart(zoom: Any, running: Any) -> None:
    """A stop for one stream leaves the other alone, and so does one with another meeting's id."""
    running.send("started", server_urls=zoom.url)
    running.send("started", stream="other", server_urls=zoom.url)
    running.receiver.wait_joined(STREAM)
    running.send("stopped", stop_reason=6, meeting_uuid="another")
    running.send("stopped", stream="other", stop_reason=6)
    running.receiver.wait_ended("other")
    assert running.receiver.streams[STREAM].state is Link.JOINED


@pytest.mark.parametrize(
    "url",
    [
        "ws://169.254.169.254/latest",
        "http://127.0.0.1/",
        "ws://user@127.0.0.1/",
        "ws://127.0.0.1@evil.example/",
        "ws://[::1/",
        "",
        ",",
    ],
)
def test_only_allowed_hosts_are_dialled(running: Any, url: str) -> None:
    """Any other URL ends the stream at once; nothing is dialled."""
    running.send("started", server_urls=url)
    ending = running.receiver.wait_ended(STREAM).ending
    assert str(ending) == "refused: server_urls has no URL that may be dialled"


def test_redirects_are_not_followed(zoom: Any, running: Any) -> None:
    """A redirect would lead past the allowed hosts."""
    running.send("started", server_urls=zoom.url.replace("signaling", "elsewhere"))
    with pytest.raises(TimeoutError):
        running.receiver.wait_joined(STREAM, timeout_s=0.2)
    assert zoom.opened == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff\xfe",
        b"{" * 5000,
        b'{"msg_type": 12, "timestamp": "\\ud800"}',
        b'{"msg_type": 14, "content": {"data": 1}}',
        b'{"msg_type": 14, "content": {"user_id": 1, "timestamp": 1, "data": "%%%"}}',
        b'{"msg_type": 17, "content": []}',
        b'{"msg_type": 6, "event": 3}',
        b"x" * (5 * 1024 * 1024),
    ],
    ids=lambda data: repr(data[:40]),
)
def test_garbage_does_not_end_the_stream(
    zoom: Any, running: Any, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a server sends: at worst the socket is dialled again."""
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    zoom.say_bytes("audio", garbage)
    zoom.say("signaling", {"msg_type": 12, "sequence": 1, "timestamp": 7})
    zoom.wait("keep-alive", lambda: any(message.get("timestamp") == 7 for _, message in zoom.told))
    assert running.receiver.wait_joined(STREAM).ending is None
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_mixed_audio_at_another_rate(zoom: Any, running: Any, tmp_path: Path) -> None:
    """What was granted counts: user 0 at 48 kHz goes into one file with that rate."""
    zoom.grant = {"audio": {"data_opt": 1, "sample_rate": 3}}
    running.send("started", server_urls=zoom.url)
    zoom.wait_told(7)
    zoom.say("audio", {"msg_type": 14, "content": {"user_id": 0, "timestamp": 1, "data": "AAAA"}})
    zoom.say("audio", {"msg_type": 12, "sequence": 1, "timestamp": 5})
    zoom.wait_told(13)
    running.send("stopped", stop_reason=6)
    running.receiver.wait_ended(STREAM)
    with wave.open(str(tmp_path / STREAM / "mixed.wav")) as wav:
        assert (wav.getframerate(), wav.getnframes()) == (48000, 1)


def test_closing_leaves_nothing_behind(zoom: Any, run_receiver: Any) -> None:
    """With streams live and dialling, the end of the block closes sockets and threads."""
    before = set(threading.enumerate())
    with run_receiver() as running:
        running.send("started", server_urls=zoom.url)
        running.send("started", stream="dialling", server_urls="ws://127.0.0.1:1/")
        running.receiver.wait_joined(STREAM)
    zoom.wait_closed()
    assert set(threading.enumerate()) == before


def test_a_listener_that_fails_costs_nothing(zoom: Any, run_receiver: Any) -> None:
    """An exception in `on_event` is logged, and the stream goes on."""

    def fail(kind: str, fields: dict[str, Any]) -> None:
        raise RuntimeError(kind)

    with run_receiver(on_event=fail) as running:
        running.send("started", server_urls=zoom.url)
        assert running.receiver.wait_joined(STREAM).joined


def test_a_port_in_use(running: Any, run_receiver: Any) -> None:
    """One line says which port; no thread is left."""
    port, before = running.receiver.port, set(threading.enumerate())
    with pytest.raises(PortInUse, match=f"127.0.0.1:{port}: .*--port"), run_receiver(port=port):
        pass
    assert set(threading.enumerate()) == before


def test_a_ca_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing or empty CA file is a configuration error with its name."""
    with pytest.raises(ConfigurationError, match=r"nowhere.pem"):
        Receiver(Credentials("a", "b", "c"), ca=tmp_path / "nowhere.pem")
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(ConfigurationError, match=r"empty.pem"):
        Receiver(Credentials("a", "b", "c"), ca=tmp_path / "empty.pem")
