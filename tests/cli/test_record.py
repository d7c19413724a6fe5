"""`mockzoom record` as a process, up to its sudden death, and `mockzoom replay` after it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from recorded import OTHER, wait_heard

from mockzoom import MockZoom, Receiver

Process = Callable[..., AbstractContextManager["subprocess.Popen[str]"]]
Cli = Callable[..., object]


def record(process: Process, app: Receiver, out: Path, zoom: MockZoom) -> AbstractContextManager:
    return process(
        "record",
        *("--receiver", app.url, "--out", str(out), "--port", "0", "--json"),
        *("--secret-token", zoom.credentials.secret_token),
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_is_recorded_can_be_replayed(
    tmp_path: Path, process: Process, cli: Cli, number: signal.Signals
) -> None:
    """However the recorder ends in the middle of a meeting, what was there is in the file."""
    out = tmp_path / "a.jsonl"
    with (
        MockZoom(seed=5) as zoom,
        Receiver(zoom.credentials, recordings=tmp_path / "one") as app,
        record(process, app, out, zoom) as recorder,
    ):
        assert recorder.stdout is not None
        listening = json.loads(recorder.stdout.readline())
        assert listening["kind"] == "listening"
        zoom.subscribe(listening["url"])
        meeting = zoom.meeting(participants=["Alice Liddell"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        said = meeting.say("Alice Liddell", "Curiouser!")
        stream.wait_spoken()
        wait_heard(app, stream.rtms_stream_id, [said])
        recorder.send_signal(number)
        output, errors = recorder.communicate(timeout=20)
    assert errors == ""
    kinds = [json.loads(line)["kind"] for line in output.splitlines()]
    assert set(kinds[:2]) == {"webhook", "opened"}  # an app may dial before its answer is here
    if number is not signal.SIGKILL:
        assert recorder.returncode == 0
        assert kinds[-1] == "recorded"
    with Receiver(OTHER, recordings=tmp_path / "two") as app:
        ended = replay(cli, out, app)
        [status] = app.streams.values()
    assert (ended.status, ended.err) == (0, "")
    assert status.counters["audio_frames"] == said.duration_ms // 20
    assert status.counters["transcript_lines"] == 1


def replay(cli: Cli, file: Path, app: Receiver, *more: str) -> object:
    return cli(
        *("replay", file, "--receiver", app.url, "--speed", "50", "--port", "0", "--json"),
        *("--client-id", OTHER.client_id, "--client-secret", OTHER.client_secret),
        *("--secret-token", OTHER.secret_token, "--seed", "1", *more),
    )


def test_a_recording_is_never_written_over(tmp_path: Path, cli: Cli) -> None:
    """A file that is there is a mistake of usage."""
    out = tmp_path / "a.jsonl"
    out.write_text("precious")
    told = ("record", "--receiver", "http://127.0.0.1:1/", "--out", out, "--port", "0")
    ended = cli(*told, "--secret-token", "x")
    assert ended.status == 2
    assert ended.err == f"error: {out}: is there already; give another --out\n"
    assert out.read_text() == "precious"
