"""Starts a receiver, of whatever language, and ends it: it prints where it listens, and no more."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mockzoom import Credentials

__all__ = ["running"]

START_S = 30


@contextmanager
def running(
    command: Sequence[str], credentials: Credentials, log: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """The URL of the receiver that `command` starts; `log` is a file for its standard error."""
    told = {
        "ZOOM_CLIENT_ID": credentials.client_id,
        "ZOOM_CLIENT_SECRET": credentials.client_secret,
        "ZOOM_SECRET_TOKEN": credentials.secret_token,
        "RTMS_HOSTS": "127.0.0.1",
        **environment,
    }
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command,
            cwd=log.parent,  # the SDK looks there for a folder to log to
            env={**os.environ, **told},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            yield _url(process, log)
        finally:
            process.kill()


def _url(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    watchdog = threading.Timer(START_S, process.kill)
    watchdog.start()
    try:
        lines = (line.partition("listening on ")[2].strip() for line in process.stdout)
        url = next(filter(None, lines), "")
    finally:
        watchdog.cancel()
        watchdog.join()
    assert url, f"the receiver did not start: {log.read_text('utf-8', 'replace')[-2000:]}"
    return url
