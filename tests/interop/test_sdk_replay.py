"""Zoom's own SDK is recorded, and the recording is played to it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from sdk_process import SdkApp

from mockzoom import Credentials, MockZoom
from mockzoom.engine.record_proxy import RecordProxy
from mockzoom.engine.replayer import Replayer

pytestmark = pytest.mark.usefixtures("official_sdk")

OTHER = Credentials("another-client-id", "another-client-secret", "another-secret-token")


def test_the_sdk_is_recorded_and_replayed_to(tmp_path: Path) -> None:
    """It hears through the proxy what it hears without, and the same from the file."""
    file = tmp_path / "sdk.jsonl"
    with (
        MockZoom(seed=7) as zoom,
        SdkApp(zoom) as app,
        RecordProxy(app.url, file, zoom.credentials.secret_token) as proxy,
    ):
        zoom.subscribe(proxy.url)
        meeting = zoom.meeting("Weekly", participants=["Alice Liddell"])
        stream = meeting.start_rtms()
        stream.wait_ready()
        said = meeting.say("Alice Liddell", "Good morning everybody.")
        stream.wait_spoken()
        app.wait("audio", timestamp=said.end_ms - 20)
        stream.stop()
        app.wait("leave", stream=stream.rtms_stream_id)
        zoom.check()
        first = [frame["data"] for frame in app.all("audio")]
    assert len(first) == said.duration_ms // 20
    with SdkApp(SimpleNamespace(credentials=OTHER, ca_path=None)) as app:  # type: ignore[arg-type]
        played = Replayer(file, app.url, OTHER, speed=10, patience_s=20).play()
        app.wait("leave")
        again = [frame["data"] for frame in app.all("audio", user_name="Participant 1")]
    assert played.findings == ()
    assert again == first
