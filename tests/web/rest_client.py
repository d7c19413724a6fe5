"""A client of the mock's REST, over the network, and a mock whose clock tests move."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from rig import CREDENTIALS, Rig, rig

from mockzoom.core.meeting import Meeting
from mockzoom.core.rest import RestPolicy
from mockzoom.engine.worlds import Worlds
from mockzoom.threads import LoopThread, WebThread
from mockzoom.web.app import MAX_BODY_BYTES, create_app, world_name
from mockzoom.web.rest import create_rest

ACCOUNT_ID = "the-account"
TIMEOUT_S = 10


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def told(self) -> tuple[int, int]:
        """The status, and the code of the vendor's for it."""
        return self.status, self.json["code"]


@dataclass
class Api:
    """The client, and the world behind it."""

    rig: Rig
    loop: LoopThread
    port: int
    connection: HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        sent = {"Content-Type": content_type, **headers}
        self.connection.request(method, path, body, {k: v for k, v in sent.items() if v})
        answer = self.connection.getresponse()
        return Answer(answer.status, dict(answer.headers), answer.read())

    def form(self, authorization: str = "", **fields: str) -> Answer:
        body = urlencode(fields).encode()
        kind = "application/x-www-form-urlencoded"
        return self.request("POST", "/oauth/token", body, kind, Authorization=authorization)

    def meeting(self, product: str = "meeting") -> Meeting:
        return self.loop.call(lambda: self.rig.meeting("Alice", product=product))

    def states(self, meeting: Meeting) -> list[str]:
        """Of the streams that were ever started of it."""
        streams = self.loop.call(lambda: list(self.rig.world.streams.values()))
        return [stream.machine.state.name for stream in streams if stream.meeting is meeting]

    def noted(self) -> list[dict[str, Any]]:
        return self.loop.call(lambda: self.rig.entries("rest"))


@contextmanager
def serving(policy: RestPolicy | None = None) -> Iterator[Api]:
    """The app over a world, in a thread each; the control API wants ``a-token``."""
    loop = LoopThread("test loop")
    context = rig()
    try:
        a_rig = loop.run(context.__aenter__(), TIMEOUT_S)
        a_rig.world.account_id = ACCOUNT_ID
        worlds = Worlds(a_rig.world, 1, lambda name, seed: a_rig.world)
        rest = create_rest(
            lambda: worlds[world_name()],
            loop.call,
            CREDENTIALS,
            policy,
        )
        app = create_app(worlds, loop.call, loop.run, api_token="a-token")
        app.register_blueprint(rest)
        web = WebThread(
            app,
            name="REST",
            host="127.0.0.1",
            port=0,
            max_body_bytes=MAX_BODY_BYTES,
            option="port",
        )
        web.start()
        api = Api(a_rig, loop, web.port)
        try:
            yield api
        finally:
            api.connection.close()
            web.close()
            loop.run(context.__aexit__(None, None, None), TIMEOUT_S)
    finally:
        loop.close()
