from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mockzoom.cli.main import main


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Cli = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Runs the command line in this process; its stderr may hold no traceback."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*args: object) -> Ended:
        with pytest.raises(SystemExit) as exit_:
            main([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Ended(exit_.value.code, out, err)

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this repository or of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("MOCKZOOM_") or name in {"FORCE_COLOR", "TTY_COMPATIBLE"}:
            monkeypatch.delenv(name)


@dataclass
class Endpoint:
    """A webhook endpoint that answers every request with one status and body."""

    url: str
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def endpoint() -> Iterator[Callable[..., Endpoint]]:
    """Makes endpoints: ``endpoint(status, body)``."""
    servers: list[ThreadingHTTPServer] = []

    def make(status: int = 200, answer: bytes = b"") -> Endpoint:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                made.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        made = Endpoint(f"http://127.0.0.1:{server.server_port}/webhook")
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        return made

    yield make
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def process() -> Callable[..., Any]:
    """The command line in a process of its own, killed at the end if it still runs."""

    @contextmanager
    def run(*args: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "mockzoom", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        ) as started:
            try:
                yield started
            finally:
                started.kill()

    return run
