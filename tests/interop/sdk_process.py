"""Starts `sdk_app.py` and reads what it tells."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from mockzoom import MockZoom

APP = Path(__file__).with_name("sdk_app.py")

Told = dict[str, Any]


class SdkApp:
    """The app's process; `told` is everything it said so far."""

    def __init__(self, zoom: MockZoom, **wanted: Any) -> None:
        environment = {
            **os.environ,
            "ZM_RTMS_CLIENT": zoom.credentials.client_id,
            "ZM_RTMS_SECRET": zoom.credentials.client_secret,
            "SDK_APP_TOKEN": zoom.credentials.secret_token,
            "SDK_APP": json.dumps(wanted),
        }
        if zoom.ca_path is not None:
            environment["ZM_RTMS_CA"] = str(zoom.ca_path)
        self.told: list[Told] = []
        self._output: list[str] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(APP)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream,))
            for stream in (self._process.stdout, self._process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> SdkApp:
        self.url = f"http://127.0.0.1:{self.wait('listening')['port']}/"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        for reader in self._readers:
            reader.join(5)
        for stream in (self._process.stdout, self._process.stderr):
            stream.close()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                if line.startswith("@"):
                    self.told.append(json.loads(line[1:]))
                else:
                    self._output.append(line)
                self._news.notify_all()

    def wait(
        self,
        what: str,
        timeout_s: float = 15,
        matching: Callable[[Told], bool] | None = None,
        **fields: Any,
    ) -> Told:
        """The first thing told that fits; fails with the app's own output."""

        def fits(told: Told) -> bool:
            same = all(told.get(name) == value for name, value in fields.items())
            return told["what"] == what and same and (matching is None or matching(told))

        def seen() -> Told | None:
            return next((told for told in self.told if fits(told)), None)

        with self._news:
            told = self._news.wait_for(seen, timeout_s)
        if told is None:
            heard = [(t["what"], t.get("code")) for t in self.told if t["what"] != "audio"]
            raise AssertionError(
                f"the SDK's app never told {what} {fields}; it told {heard}\n"
                + "".join(self._output[-20:])
            )
        return told

    def all(self, what: str, **fields: Any) -> list[Told]:
        with self._news:
            return [
                told
                for told in self.told
                if told["what"] == what and all(told.get(k) == v for k, v in fields.items())
            ]

    def command(self, stream: str, method: str, *args: Any) -> None:
        """Have the app call `method` of the client of `stream`."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([stream, method, *args]) + "\n")
        self._process.stdin.flush()
