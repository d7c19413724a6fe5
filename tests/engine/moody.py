"""A receiver with moods, on threads of its own: for mocks that run in real time."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from mockzoom import Credentials
from mockzoom.core.signing import encrypted_token

CREDENTIALS = Credentials("an-id", "a-secret", "a-token")


class Moody(http.server.ThreadingHTTPServer):
    """Validates, and answers events with the statuses that it was given, the last one for ever."""

    daemon_threads = True

    def __init__(self, *statuses: int) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.statuses = list(statuses)
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Answers(http.server.BaseHTTPRequestHandler):
    server: Moody

    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, answer = 200, b""
        if event["event"] == "endpoint.url_validation":
            plain = event["payload"]["plainToken"]
            encrypted = encrypted_token(CREDENTIALS.secret_token, plain)
            answer = json.dumps({"plainToken": plain, "encryptedToken": encrypted}).encode()
        else:
            statuses = self.server.statuses
            status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def receiver(*statuses: int) -> Iterator[str]:
    with Moody(*statuses) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()
