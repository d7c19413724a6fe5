"""A request as headers and as a line of shell that says the same."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from mockzoom.core.signing import SIGNATURE_HEADER, TIMESTAMP_HEADER, webhook_signature
from mockzoom.judge.request import GENUINE, Request, Signing

SECRET = "s3cr3t'with$igns"

BODIES = {
    "JSON": b'{"event":"a"}',
    "quotes": b'it\'s "quoted" $HOME `id` \\n %s',
    "emoji": '{"name":"Zoë 🎧"}'.encode(),
    "lines": b"\n {}\r\n",
    "binary": bytes(range(256)),
    "empty": b"",
}

SIGNINGS = {
    "rightly": GENUINE,
    "an hour ago": Signing(offset_s=-3600),
    "over another body": Signing(signed=b'{"event":"b"}'),
    "by another secret": Signing(other_secret=True),
    "truncated": Signing(signature="v0={hex:.63}"),
    "zeros": Signing(signature="v0=" + "0" * 64),
    "empty": Signing(signature=""),
    "not at all": Signing(stamp=None, signature=None),
    "no number": Signing(stamp="now"),
}


def test_a_genuine_request_is_signed_as_zoom_signs() -> None:
    """Stamp and signature of the body, and the usual headers."""
    headers = Request(b"{}").all_headers(SECRET, 1_700_000_000)
    assert headers[TIMESTAMP_HEADER] == "1700000000"
    assert headers[SIGNATURE_HEADER] == webhook_signature(SECRET, "1700000000", b"{}")
    assert headers["content-type"] == "application/json; charset=utf-8"


@pytest.fixture
def seen() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that notes what it gets: its URL, and headers and body of each request."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            got.append((headers, self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/webhook", got
        server.shutdown()
        thread.join()


def run(line: str) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "ZOOM_SECRET_TOKEN": SECRET, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr


needs_curl = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl")), reason="curl and openssl"
)


@needs_curl
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_the_line_sends_the_same_bytes(
    seen: tuple[str, list[tuple[dict[str, str], bytes]]], body: bytes
) -> None:
    """A shell with the secret in its environment sends the body as it was, signed rightly."""
    url, got = seen
    line = Request(body).curl(url)
    assert SECRET not in line
    run(line)
    [(headers, came)] = got
    assert came == body
    stamp = headers[TIMESTAMP_HEADER]
    assert headers[SIGNATURE_HEADER] == webhook_signature(SECRET, stamp, body)


@needs_curl
@pytest.mark.parametrize("signing", SIGNINGS.values(), ids=SIGNINGS)
def test_the_line_signs_as_wrongly_as_the_request(
    seen: tuple[str, list[tuple[dict[str, str], bytes]]], signing: Signing
) -> None:
    """Each way to sign comes out of the shell as it goes over the wire, but for the time."""
    url, got = seen
    request = Request(b'{"event":"a"}', signing)
    run(request.curl(url))
    [(headers, _)] = got
    stamp = headers.get(TIMESTAMP_HEADER, "")
    now_s = int(stamp) - signing.offset_s if stamp.isdigit() else int(time.time())
    expected = request.all_headers(SECRET, now_s)
    for name in (TIMESTAMP_HEADER, SIGNATURE_HEADER):
        assert headers.get(name) == expected.get(name)


@needs_curl
@pytest.mark.parametrize("text", ['{{"event_ts": {}}}', '{{"name":"Zo\'ë 🎧","event_ts":{}}}\n'])
def test_the_line_sends_an_event_of_then(
    seen: tuple[str, list[tuple[dict[str, str], bytes]]], text: str
) -> None:
    """An `event_ts` of now is the stamp's time when it is sent again; another one stays."""
    url, got = seen
    now_ms = time.time_ns() // 1_000_000
    line = Request(text.format(now_ms).encode()).curl(url)
    assert str(now_ms) not in line
    run(line)
    run(Request(text.format(1_700_000_000_000).encode()).curl(url))
    [(headers, fresh), (_, old)] = got
    stamp = headers[TIMESTAMP_HEADER]
    assert fresh == text.format(f"{stamp}000").encode()
    assert headers[SIGNATURE_HEADER] == webhook_signature(SECRET, stamp, fresh)
    assert old == text.format(1_700_000_000_000).encode()


def test_a_signature_can_be_sent_again_in_another_second() -> None:
    """Stamp and signature are those of the moment that is given."""
    again = Signing(at_s=1_700_000_000)
    assert again.headers(SECRET, b"{}", 1_700_000_001) == GENUINE.headers(
        SECRET, b"{}", 1_700_000_000
    )
    assert again == GENUINE  # as far as reports go, which are not to tell the time


def test_a_huge_body_is_not_pasted() -> None:
    """Nobody wants two megabytes in a report."""
    assert Request(b"x" * 2_000_000).curl("http://127.0.0.1/").startswith("# 2,000,000 bytes")


def test_what_is_wrong_is_told() -> None:
    """In words, for the wire log."""
    assert str(GENUINE) == "signed rightly"
    assert str(Signing(offset_s=-600, other_secret=True)) == "stamped -600 s, by another secret"
    assert str(Signing(stamp=None)) == "no x-zm-request-timestamp"
