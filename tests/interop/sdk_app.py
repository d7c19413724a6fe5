"""An app on the official SDK, in a process of its own: does what the vendor's samples do.

It is configured by the SDK's own environment variables, is started by webhooks alone, and tells
what happens as JSON lines behind an ``@`` on standard output.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
from base64 import b64encode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import rtms

clients: dict[str, rtms.Client] = {}
telling = threading.Lock()
finished: queue.Queue[rtms.Client] = queue.Queue()

#: What the test may ask for beyond the SDK's defaults, as JSON in one variable.
WANTED = json.loads(os.environ.get("SDK_APP", "{}"))


#: The SDK writes to standard output too, also into the middle of a line, so it gets the other one.
TOLD = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def tell(what: str, **fields: Any) -> None:
    with telling:
        TOLD.write("@" + json.dumps({"what": what, **fields}) + "\n")
        TOLD.flush()


def join(payload: dict[str, Any]) -> None:
    stream = payload["rtms_stream_id"]
    number = len(clients)
    client = clients[stream] = rtms.Client()
    # What each stream asks for, in the order of their starts; all the same if there is no list.
    params = WANTED["params"][number] if "params" in WANTED else {}
    media: dict[str, Any] = {
        "audio": client.on_audio_data,
        "video": client.on_video_data,
        "deskshare": client.on_deskshare_data,
        "transcript": client.on_transcript_data,
    }

    times: list[int] = []

    def hear(kind: str) -> Any:
        if WANTED.get("count"):  # of many streams nobody wants to read every byte
            return lambda data, size, timestamp, metadata: times.append(timestamp)

        def heard(data: bytes, size: int, timestamp: int, metadata: Any) -> None:
            tell(
                kind,
                stream=stream,
                user_id=metadata.userId,
                user_name=metadata.userName,
                timestamp=timestamp,
                data=b64encode(bytes(data)).decode(),
            )

        return heard

    for kind in params or WANTED.get("media", ["audio", "transcript"]):
        media[kind](hear(kind))
    if "audio" in params:
        client.set_audio_params(rtms.AudioParams(**params["audio"]))
    if "video" in params:
        client.set_video_params(rtms.VideoParams(**params["video"]))
    if "deskshare" in params:
        client.set_deskshare_params(rtms.DeskshareParams(**params["deskshare"]))
    if "video_data_opt" in WANTED:
        option = WANTED["video_data_opt"]
        client.set_video_params(
            rtms.VideoParams(content_type=3, codec=7, resolution=2, data_opt=option, fps=30)
        )

    def joined(code: int) -> None:
        tell("join", stream=stream, code=code, number=number)
        if code:
            finished.put(client)

    def left(code: int) -> None:
        tell("heard", stream=stream, times=times)
        tell("leave", stream=stream, code=code)
        finished.put(client)

    client.on_join_confirm(joined)
    client.on_leave(left)
    client.on_session_update(
        lambda op, session: tell("session", stream=stream, op=op, id=session.sessionId)
    )
    if "engagement_id" not in payload:  # voice calls have none of the events that these ask for
        client.on_user_update(
            lambda op, user: tell("user", stream=stream, op=op, id=user.id, name=user.name)
        )
        client.on_participant_video(
            lambda users, on: tell("camera", stream=stream, users=list(users), on=on)
        )
    client.on_participant_event(
        lambda event, ts, people: tell("participant", stream=stream, event=event)
    )
    client.on_active_speaker_event(
        lambda ts, user_id, name: tell("speaker", stream=stream, user_id=user_id, name=name)
    )
    client.on_sharing_event(lambda event, *rest: tell("sharing", stream=stream, event=event))
    client.on_video_subscribed(
        lambda user, status, error: tell("subscribed", stream=stream, user=user, status=status)
    )
    client.join(payload)


class Webhooks(ThreadingHTTPServer):
    """Hands what is asked of the SDK over to the thread of its loop, `on_loop`.

    From any other one it ends in a deadlock now and then, while streams are heard.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(("127.0.0.1", 0), Webhook)
        self.on_loop = loop.call_soon_threadsafe


class Webhook(BaseHTTPRequestHandler):
    server: Webhooks

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        payload, answer = event["payload"], {}
        if event["event"] == "endpoint.url_validation":
            key, token = os.environ["SDK_APP_TOKEN"].encode(), payload["plainToken"]
            sealed = hmac.new(key, token.encode(), hashlib.sha256).hexdigest()
            answer = {"plainToken": token, "encryptedToken": sealed}
        elif event["event"].endswith("_started"):
            self.server.on_loop(join, payload)
        tell("webhook", event=event["event"], payload=payload)
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


async def release() -> None:
    """Clients that are done are given back, as the SDK polls each one it has in turn."""
    while True:
        client = await asyncio.to_thread(finished.get)
        client.leave()


def obey(on_loop: Callable[..., object]) -> None:
    """Commands on standard input, one JSON list a line; its end ends the process."""
    for line in sys.stdin:
        stream, method, *args = json.loads(line)
        on_loop(getattr(clients[stream], method), *args)
    os._exit(0)  # the SDK's own shut-down waits for sockets that the test has finished with


async def listen() -> None:
    """Take webhooks: only once the SDK's loop runs, or the first stream would get another one."""
    server = Webhooks(asyncio.get_running_loop())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=obey, args=(server.on_loop,), daemon=True).start()
    tell("listening", port=server.server_address[1])


async def main() -> None:
    await asyncio.gather(rtms.run_async(), listen(), release())


if __name__ == "__main__":
    asyncio.run(main())
