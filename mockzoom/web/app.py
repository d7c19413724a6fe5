"""The web app: the control API and the vendor's REST over the worlds of one server.

Which world a request is for is said by a prefix of its path, ``/w/NAME/``, or by the header
``X-Mockzoom-World``; without either it is the default one.  Mistakes under ``/_mockzoom/`` are
answered as problems, those of the vendor's paths as the vendor does.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from mockzoom.core.signing import same
from mockzoom.engine.worlds import DEFAULT, Worlds
from mockzoom.errors import MockzoomError, UnknownObject
from mockzoom.web import rest
from mockzoom.web.control.blueprint import AnyText, create_control
from mockzoom.web.problems import Refused, http_problem, mistake, problem

__all__ = ["LOOPBACK", "MAX_BODY_BYTES", "create_app", "world_name"]

#: Control requests are small; what is larger is a mistake.
MAX_BODY_BYTES = 1024 * 1024

#: The names of this machine that nobody else can reach.
LOOPBACK = ("127.0.0.1", "localhost", "::1")

_HEADER = "X-Mockzoom-World"
_IN_PATH = "mockzoom.world"
_OPEN = ("/_mockzoom/health", "/_mockzoom/openapi.json")
_STRANGE = "host, origin: expected a program of this machine, found the page of another site"


def create_app(
    worlds: Worlds,
    call: Callable[..., Any],
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    api_token: str | None = None,
) -> Flask:
    """The app over `worlds`; `call(step, *args)` runs a step on the thread that they live on, and
    `run(work)` a coroutine.

    With an `api_token` every request needs ``Authorization: Bearer TOKEN``, and without one it
    must not come from another site's page; except for health, the document, and the vendor's REST,
    which is registered by who makes the app.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.url_map.converters["text"] = AnyText
    app.wsgi_app = _WorldInPath(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.register_blueprint(create_control(worlds, call, run, world_name))

    @app.before_request
    def authorise() -> Response | None:
        if request.path in _OPEN:
            return None
        if request.path.startswith(rest.PATHS):
            return None  # who may do what there is said by the vendor's own tokens
        if api_token is None:
            return problem(403, "", _STRANGE) if _is_from_a_page() else None
        if same(f"Bearer {api_token}", request.headers.get("Authorization", "")):
            return None
        answer = problem(401, "", "authorization: expected the API token that the mock printed")
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.errorhandler(MockzoomError)
    def our_mistake(error: MockzoomError) -> Response:
        if request.path.startswith(rest.PATHS) and isinstance(error, UnknownObject):
            return rest.no_world(error)
        return mistake(error)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return problem(error.status, error.kind, error.detail, **error.more)

    @app.errorhandler(HTTPException)
    def http_mistake(error: HTTPException) -> Response:
        if request.path.startswith(rest.PATHS):
            return rest.http_mistake(error)
        return http_problem(error, f"{request.method} {request.path}")

    return app


def world_name() -> str:
    """The name of the world that the request is for, there or not."""
    in_path = request.environ.get(_IN_PATH)
    return str(in_path or request.headers.get(_HEADER) or DEFAULT)


def _is_from_a_page() -> bool:
    """Whether a browser asks for the page of another site, or under a name that is not ours.

    Without a token the loopback address is the only lock, and browsers are behind it too: any page
    can post to it, and one whose name was pointed here can also read the answers.
    """
    own = f"http://{request.host}"
    if request.headers.get("Origin", own) != own:
        return True
    try:
        return urlsplit(own).hostname not in LOOPBACK
    except ValueError:
        return True


class _WorldInPath:
    """Cuts ``/w/NAME`` off the path, so that everything behind it is as without."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        match environ["PATH_INFO"].split("/", 3):
            case ["", "w", name, rest_] if name:
                environ[_IN_PATH] = name
                environ["SCRIPT_NAME"] += f"/w/{name}"
                environ["PATH_INFO"] = f"/{rest_}"
        return self._app(environ, start)
