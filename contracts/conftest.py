"""What every contract needs: the receiver under test, and a sender that signs as Zoom does.

    pytest contracts --receiver-url http://127.0.0.1:3000/webhook --secret-token …

Each option can come from the environment (`MOCKZOOM_RECEIVER_URL`, `MOCKZOOM_CLIENT_ID`,
`MOCKZOOM_CLIENT_SECRET`, `MOCKZOOM_SECRET_TOKEN`).  Without a URL there is nothing to judge, and
every contract is skipped.
"""

from __future__ import annotations

import copy
import http.client
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from mockzoom.core.signing import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Credentials,
    webhook_signature,
)
from mockzoom.core.spec import load_spec

#: Zoom waits this long for an answer and then counts the delivery as failed.
PATIENCE_S = 3.0

OPTIONS = {
    "--receiver-url": "where the app takes webhooks, such as http://127.0.0.1:3000/webhook",
    "--client-id": "the app's client id",
    "--client-secret": "the app's client secret, for the RTMS handshakes",
    "--secret-token": "the app's webhook secret token",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts", "the receiver to judge")
    for option, text in OPTIONS.items():
        group.addoption(option, default=os.environ.get(_variable(option)), help=text)


def _variable(option: str) -> str:
    return "MOCKZOOM_" + option.removeprefix("--").replace("-", "_").upper()


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the body, and the seconds that it took."""

    status: int
    body: bytes
    took_s: float

    @property
    def accepted(self) -> bool:
        return self.status in (200, 204) and self.took_s < PATIENCE_S

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500

    def __str__(self) -> str:
        return f"{self.status} after {self.took_s:.2f} s: {self.body[:200]!r}"


class ReceiverUnderTest:
    """A receiver somewhere on the network, and the secrets that it shares with Zoom."""

    def __init__(self, url: str, credentials: Credentials) -> None:
        self.url = urlsplit(url)
        self.credentials = credentials

    def sign(self, body: bytes, offset_s: float = 0) -> dict[str, str]:
        """The two headers of a delivery of `body`, `offset_s` from now."""
        stamp = str(int(time.time() + offset_s))
        return {
            TIMESTAMP_HEADER: stamp,
            SIGNATURE_HEADER: webhook_signature(self.credentials.secret_token, stamp, body),
        }

    def deliver(self, event: object) -> Answer:
        """`event`, signed, as JSON or, when it is bytes, as it is."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.post(body, self.sign(body))

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Exactly these bytes with these headers; no answer in time fails the contract."""
        secure = self.url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self.url.hostname or "", self.url.port, timeout=PATIENCE_S)
        common = {"content-type": "application/json; charset=utf-8"}
        path = self.url.path or "/"
        started_s = time.monotonic()
        try:
            connection.request("POST", path, body, {**common, **headers})
            response = connection.getresponse()
            answer = response.read(64 * 1024)
        except (OSError, http.client.HTTPException) as error:
            pytest.fail(f"no answer within {PATIENCE_S} s to {body[:200]!r}: {error!r}")
        finally:
            connection.close()
        return Answer(response.status, answer, time.monotonic() - started_s)


@pytest.fixture(scope="session")
def receiver(request: pytest.FixtureRequest) -> ReceiverUnderTest:
    """The receiver that the options name."""
    url, *secrets = (request.config.getoption(option) for option in OPTIONS)
    if not url:
        pytest.skip("no receiver to judge: give --receiver-url or MOCKZOOM_RECEIVER_URL")
    if not secrets[-1]:
        pytest.skip("no --secret-token or MOCKZOOM_SECRET_TOKEN: nothing can be signed")
    return ReceiverUnderTest(url, Credentials(*(secret or "" for secret in secrets)))


@pytest.fixture
def harmless() -> dict[str, Any]:
    """A valid event that starts and ends nothing, with `event_ts` of now."""
    return _example("rtms.concurrency_near_limit")


@pytest.fixture
def example() -> Callable[[str], dict[str, Any]]:
    """A function that gives the published example of an event, as if it happened now."""
    return _example


def _example(name: str) -> dict[str, Any]:
    published = next(iter(load_spec().event(name).examples.values()))
    return {**copy.deepcopy(published), "event_ts": int(time.time() * 1000)}
