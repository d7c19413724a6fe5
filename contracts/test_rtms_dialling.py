"""Where a receiver may be sent: `server_urls` come from outside, even when they are signed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mockzoom.core.codes import MessageType
from mockzoom.judge.answer import ALIVE
from mockzoom.judge.contract import ADVICE, SHOULD, contract
from mockzoom.judge.evidence import Evidence
from mockzoom.judge.stage import Stage

SOURCE = "OWASP: server-side request forgery; Zoom's docs name the hosts of its RTMS servers"
LOSES = "Whoever gets hold of one secret sends the app into its own network."
T = MessageType

#: Long enough for a dial, not for a retry: nobody has a reason to try again here.
A_WHILE_S = 0.7

URLS = {
    "another host": "ws://{trap}/signaling/x",
    "another host behind a name": "ws://{zoom}@{trap}/signaling/x",
    "another host behind a backslash": "ws://{trap}\\@{zoom}/signaling/x",
    "another host in the list": "ws://{trap}/a,ws://{trap}/b",
}
SCHEMES = {
    "http": "http://{trap}/signaling/x",
    "ftp": "ftp://{trap}/x",
    "gopher": "gopher://{trap}/x",
    "none": "{trap}/x",
}


def stays_at_home(stage: Stage, urls: Mapping[str, str], host: str) -> None:
    """Started on each of `urls`, in webhooks that are signed, it dials none of them."""
    zoom = stage.rtms_url.partition("://")[2]
    traps = {}
    for what, url in urls.items():
        traps[what] = trap = stage.trap(host)
        told = url.format(trap=f"{host}:{trap.port}", zoom=zoom)
        stage.deliver(stage.event("started", server_urls=told)).must_be(ALIVE)
    stage.watch(A_WHILE_S)
    dialled = [what for what, trap in traps.items() if trap.calls]
    Evidence("", ()).demand(not dialled, "none of the URLs dialled", ", ".join(dialled))


@pytest.fixture
def other_host(stage: Stage) -> str:
    """An address of this machine that is not the mock's."""
    try:
        return stage.trap("127.0.0.2").host
    except OSError:
        pytest.skip("this machine has no 127.0.0.2 that could stand for another host")


@contract(
    "RT-601",
    SHOULD,
    source=SOURCE,
    loses=LOSES,
    needs=("rtms", "host-check"),
    gotchas=(9,),
)
def test_other_hosts_are_not_dialled(stage: Stage, other_host: str) -> None:
    """server_urls on a host that it was not told to trust are not dialled."""
    stays_at_home(stage, URLS, other_host)


@contract(
    "RT-602",
    SHOULD,
    source=SOURCE,
    loses=LOSES,
    needs=("rtms", "host-check"),
    gotchas=(9,),
)
def test_only_websockets_are_dialled(stage: Stage) -> None:
    """server_urls of another scheme than ws and wss are not dialled, on no host."""
    stays_at_home(stage, SCHEMES, "127.0.0.1")


@contract(
    "RT-603",
    ADVICE,
    source=SOURCE,
    loses=LOSES,
    needs=("rtms", "host-check", "media-host-check"),
    gotchas=(9,),
)
def test_media_urls_are_looked_at_too(stage: Stage, other_host: str) -> None:
    """Media URLs on another host, in a handshake response, are not dialled."""
    trap = stage.trap(other_host)
    stage.fault("silence", socket="signaling", msg_type=T.SIGNALING_HAND_SHAKE_RESP, times=1)
    stream = stage.begin()
    window_s = stage.window_s("connect_window")
    stream.until("a handshake", lambda seen: seen.said(T.SIGNALING_HAND_SHAKE_REQ), window_s)
    keys = ("audio", "video", "deskshare", "transcript", "chat", "all")
    stream.send(
        {
            "msg_type": T.SIGNALING_HAND_SHAKE_RESP,
            "protocol_version": 1,
            "sequence": 1,
            "status_code": 0,
            "reason": "",
            "media_server": {"server_urls": dict.fromkeys(keys, trap.url)},
        }
    )
    dialled = trap.called(A_WHILE_S)
    stream.evidence.demand(not dialled, "no connection to another host's media URL", "one")
