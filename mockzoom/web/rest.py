"""The vendor's REST: an app asks for a token and starts its streams itself, as in production.

Paths, ids, scopes and bodies are those of `spec/zoom-rest.openapi.yaml`.  What an app may not do is
answered as the vendor answers, in this order: who are you (4700, 124), may you (4711), not so fast
(429), what do you mean (300), whose stream is that (2308), of which meeting (3001), and can that be
done now (2310).  The vendor's messages say little, so the journal says more, in an entry of kind
``rest`` a request.

Ids with slashes come URL-encoded twice: the web server undoes it once, and this module once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import unquote, urlencode
from weakref import WeakKeyDictionary

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from mockzoom.core.codes import StopReason
from mockzoom.core.meeting import Meeting
from mockzoom.core.oauth import LIFETIME_S, Grant, Token, jwt_expiry_ms
from mockzoom.core.oauth import Refusal as NoToken
from mockzoom.core.operations import Operation
from mockzoom.core.rate_limit import RateLimit
from mockzoom.core.rest import RestPolicy, load_rest
from mockzoom.core.signing import Credentials
from mockzoom.core.validators import Problem
from mockzoom.engine.world import World
from mockzoom.errors import UnknownObject, UsageError

__all__ = ["PATHS", "create_rest", "http_mistake", "no_world"]

#: What is answered here, also when there is no such operation.
PATHS = ("/oauth/", "/v2/")

#: Characters of a peer's that the journal keeps.
_NOTED = 300

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Refusal:
    """An answer of the vendor's to what is not done; `why` is for the journal."""

    status: int
    code: int
    message: str
    errors: tuple[Mapping[str, str], ...] = ()
    why: str = ""


_EMPTY_TOKEN = Refusal(401, 4700, "Token cannot be empty.")
_WRONG_TOKEN = Refusal(401, 124, "Invalid access token.")
_EXPIRED_TOKEN = Refusal(401, 124, "Access token is expired.")
_NO_SCOPE = Refusal(401, 4711, "Invalid access token, does not contain scopes:[{}].")
_TOO_MANY = Refusal(429, 429, "You have reached the maximum per-second rate limit for this API.")
_MALFORMED = Refusal(400, 300, "Validation Failed.")
_NOT_ALLOWED = Refusal(403, 2308, "The app is not allowed to do this.")
_NOT_LIVE = Refusal(404, 3001, "Meeting does not exist.")
_NO_OPERATION = Refusal(404, 2300, "This API endpoint is not recognized.")
_FAILED = Refusal(400, 2310, "Failed to perform RTMS app operation.")


def _start(world: World, meeting: Meeting) -> None:
    if world.live_streams(meeting):
        raise UsageError(f"meeting {meeting.key}: a stream is live already; stop it first")
    world.start_rtms(meeting)


def _stop(world: World, meeting: Meeting) -> None:
    world.stop_rtms(world.live_stream(meeting), StopReason.API_TRIGGERED)


def _pause(world: World, meeting: Meeting) -> None:
    world.pause(world.live_stream(meeting))


def _resume(world: World, meeting: Meeting) -> None:
    world.resume(world.live_stream(meeting))


_STEPS: Mapping[str, Callable[[World, Meeting], None]] = {
    "start": _start,
    "stop": _stop,
    "pause": _pause,
    "resume": _resume,
}


def create_rest(
    world: Callable[[], World],
    call: Callable[..., Any],
    credentials: Credentials,
    policy: RestPolicy | None = None,
) -> Blueprint:
    """The operations over the world that a request is for, for the app that has `credentials`.

    `world()` is that one, while a request is answered; `call(step, *args)` runs a step on the
    thread of the worlds.
    """
    rest = Blueprint("rest", __name__)
    spec, policy = load_rest(), policy or RestPolicy()
    # One a world: the time of one is not that of the others.
    limits: WeakKeyDictionary[World, RateLimit] = WeakKeyDictionary()

    def answer(operation: Operation, **path: str) -> Response:
        its = world()
        limit = call(lambda: limits.setdefault(its, RateLimit(policy.requests_per_s)))
        views = _Views(its, call, credentials, policy, limit)
        return (views.status if operation.ids else views.token)(operation, **path)

    for operation in spec.operations.values():
        rest.add_url_rule(
            re.sub(r"{\w+}", "<id_>", operation.path),
            operation.name,
            partial(answer, operation),
            methods=[operation.method],
            provide_automatic_options=False,
        )
    return rest


def http_mistake(error: HTTPException) -> Response:
    """What the vendor says to a request that is for no operation."""
    status = error.code or 400
    answer = _refuse(_NO_OPERATION if status == 404 else Refusal(status, status, error.name))
    answer.headers.extend((k, v) for k, v in error.get_headers() if k == "Allow")
    return answer


def no_world(error: UnknownObject) -> Response:
    """What is answered to who is pointed at a world that is not there."""
    return _refuse(replace(_NO_OPERATION, message=str(error)))


class _Views:
    """What the operations do.  State changes on the world's thread only."""

    def __init__(
        self,
        world: World,
        call: Callable[..., Any],
        credentials: Credentials,
        policy: RestPolicy,
        limit: RateLimit,
    ) -> None:
        self._spec = load_rest()
        self._world = world
        self._call = call
        self._credentials = credentials
        self._grant = Grant(credentials, world.account_id)
        self._scopes = self._spec.scopes if policy.scopes is None else policy.scopes
        self._tokens = world.tokens
        self._limit = limit

    # --- a token ------------------------------------------------------------------------------

    def token(self, operation: Operation) -> Response:
        try:
            form = request.form.to_dict() if request.mimetype == _FORM else {}
        except RequestEntityTooLarge:
            form = {}
        given = request.args.to_dict() | form
        refusal = self._no_token(operation, given)
        self._note(operation, 400 if refusal else 200, why=refusal.reason if refusal else "")
        if refusal:
            answer = jsonify(reason=refusal.reason, error=refusal.error)
            answer.status_code = 400
            return answer
        issued: Token = self._call(lambda: self._tokens.issue(self._scopes, self._world.now_ms()))
        answer = jsonify(
            access_token=issued.value,
            token_type="bearer",  # noqa: S106 - the name of its type
            expires_in=LIFETIME_S,
            scope=" ".join(self._scopes),
            api_url=request.root_url.rstrip("/"),
        )
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _no_token(self, operation: Operation, given: Mapping[str, str]) -> NoToken | None:
        if "grant_type" not in given:
            return NoToken("Missing grant type", "invalid_request")
        if self._spec.problems(operation, urlencode(given, errors="replace").encode(), _FORM):
            return NoToken("unsupported grant type", "unsupported_grant_type")
        basic = request.authorization
        if basic is not None and basic.type == "basic":
            return self._grant.refusal(given, basic.username or "", basic.password or "")
        client = given.get("client_id", ""), given.get("client_secret", "")
        return self._grant.refusal(given, *client)

    # --- the state of a stream ----------------------------------------------------------------

    def status(self, operation: Operation, id_: str) -> Response:
        shown = request.authorization
        bearer = (shown.token or "") if shown is not None and shown.type == "bearer" else ""
        id_ = unquote(id_)
        refusal: Refusal | None = (
            self._call(self._not_admitted, operation, bearer)
            or self._malformed(operation)
            or self._call(self._not_done, operation, id_, request.get_data())
        )
        status, why = (refusal.status, refusal.why or refusal.message) if refusal else (204, "")
        self._note(operation, status, asked_id=id_[:_NOTED], why=why[:_NOTED])
        return _refuse(refusal) if refusal else _nothing()

    def _not_admitted(self, operation: Operation, bearer: str) -> Refusal | None:
        now_ms = self._world.now_ms()
        refusal = self._unproven(operation, bearer, now_ms)
        if refusal is None and not self._limit.admits(now_ms):
            return _TOO_MANY
        return refusal

    def _unproven(self, operation: Operation, bearer: str, now_ms: int) -> Refusal | None:
        if not bearer:
            return _EMPTY_TOKEN
        token = self._tokens.find(bearer)
        if token is None:
            signed = operation.takes("jwt")
            end_ms = jwt_expiry_ms(bearer, self._credentials) if signed else None
            if end_ms is None:
                return _WRONG_TOKEN
            return _EXPIRED_TOKEN if now_ms >= end_ms else None
        if token.expired(now_ms):
            return _EXPIRED_TOKEN
        if missing := operation.missing_scopes("oauth", token.scopes):
            return replace(_NO_SCOPE, message=_NO_SCOPE.message.format(", ".join(missing)))
        return None

    def _malformed(self, operation: Operation) -> Refusal | None:
        try:
            problems = self._spec.problems(operation, request.get_data(), request.mimetype)
        except RequestEntityTooLarge:
            problems = [Problem("", "is too large")]
        if not problems:
            return None
        errors = tuple({"field": p.path or "body", "message": p.message} for p in problems)
        return replace(_MALFORMED, errors=errors, why="; ".join(map(str, problems)))

    def _not_done(self, operation: Operation, id_: str, body: bytes) -> Refusal | None:
        asked, ours = json.loads(body), self._credentials.client_id
        match asked:
            case {"settings": {"client_id": client_id}} if client_id != ours:
                return replace(_NOT_ALLOWED, why=f"client_id: expected {ours}, found {client_id!a}")
        meeting = _find(self._world, operation, id_)
        if meeting is None:
            named = " or ".join(operation.ids)
            return replace(_NOT_LIVE, why=f"nothing has the {named} {id_!a}")
        try:
            _STEPS[asked["action"]](self._world, meeting)
        except UsageError as error:
            return replace(_FAILED, why=str(error))
        return None

    def _note(self, operation: Operation, status: int, **fields: str) -> None:
        told = {key: value for key, value in fields.items() if value}
        add = partial(self._world.journal.add, "rest", operation=operation.name, status=status)
        self._call(lambda: add(**told))


def _find(world: World, operation: Operation, id_: str) -> Meeting | None:
    """The meeting that `id_` names in one of the fields that this operation takes."""
    for meeting in world.find(id_):
        if id_ in (str(meeting.ids[name]) for name in operation.ids if name in meeting.ids):
            return meeting
    return None


def _refuse(refusal: Refusal) -> Response:
    body: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.errors:
        body["errors"] = refusal.errors
    answer = jsonify(body)
    answer.status_code = refusal.status
    if refusal.status == 429:
        answer.headers["Retry-After"] = "1"
    return answer


def _nothing() -> Response:
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    return answer
