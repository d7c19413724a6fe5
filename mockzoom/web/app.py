"""The control API: start meetings, let people speak, read the journal, from any language.

JSON in, JSON out, under ``/_mockzoom/``.  A meeting is addressed by its key: `meeting_id` for a
meeting, `webinar_id`, `session_key` or `engagement_id` for the other products; a participant by
their name, percent-encoded.  Mistakes are answered with one line in ``{"error": …}``: 404 for what
does not exist, 400 for the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import BaseConverter

from mockzoom.core.active_faults import Active
from mockzoom.core.codes import ChatOperation, StopReason
from mockzoom.core.fault_kinds import parse_fault
from mockzoom.core.meeting import Meeting
from mockzoom.core.signing import same
from mockzoom.engine.journal import Entry
from mockzoom.engine.live_stream import LiveStream
from mockzoom.engine.world import World
from mockzoom.errors import MockzoomError, UnknownObject, UsageError
from mockzoom.web import rest

__all__ = ["MAX_BODY_BYTES", "create_app"]

T = TypeVar("T")

Answer = tuple[Response, int]

#: Control requests are small; what is larger is a mistake.
MAX_BODY_BYTES = 1024 * 1024


class _Name(BaseConverter):
    """A participant's name, whatever is in it: slashes too."""

    regex = ".+?"
    part_isolating = False


def create_app(
    world: World,
    call: Callable[..., Any],
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    api_token: str | None = None,
) -> Flask:
    """The app over `world`; `call(step, *args)` runs a step on the thread that the world lives on,
    and `run(work)` a coroutine.

    With an `api_token` every request needs ``Authorization: Bearer TOKEN``, except for health and
    for the vendor's REST, which is registered by who makes the app.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.url_map.merge_slashes = False
    app.url_map.converters["name"] = _Name

    def on_loop(view: Callable[..., Answer]) -> Callable[..., Answer]:
        """The view runs on the world's thread, with the request's JSON object as first argument."""

        @wraps(view)
        def wrapped(**path: Any) -> Answer:
            body = _json_object()
            answer: tuple[Mapping[str, Any], int] = call(lambda: view(body, **path))
            return jsonify(answer[0]), answer[1]

        return wrapped

    @app.before_request
    def authorise() -> Answer | None:
        if api_token is None or request.path == "/_mockzoom/health":
            return None
        if request.path.startswith(rest.PATHS):
            return None  # who may do what there is said by the vendor's own tokens
        if same(f"Bearer {api_token}", request.headers.get("Authorization", "")):
            return None
        return jsonify(error="authorization: expected the API token that the mock printed"), 401

    @app.errorhandler(MockzoomError)
    def mistake(error: MockzoomError) -> Answer:
        return jsonify(error=str(error)), 404 if isinstance(error, UnknownObject) else 400

    @app.errorhandler(HTTPException)
    def http_mistake(error: HTTPException) -> Response:
        if request.path.startswith(rest.PATHS):
            return rest.http_mistake(error)
        answer = Response(status=error.code, headers=error.get_headers())  # Allow, for one
        answer.data = app.json.dumps({"error": f"{request.method} {request.path}: {error.name}"})
        answer.mimetype = "application/json"
        return answer

    @app.get("/_mockzoom/health")
    def health() -> Answer:
        return jsonify(status="ok"), 200

    @app.get("/_mockzoom/journal")
    def journal() -> Answer:
        return jsonify(_journal(world, call(list, world.journal))), 200

    @app.post("/_mockzoom/meetings")
    @on_loop
    def create(body: Mapping[str, Any]) -> Any:
        meeting = world.create_meeting(
            _text(body, "topic", "mockzoom meeting"),
            _names(body, "participants", ["Alice"]),
            _text(body, "product", "meeting"),
        )
        return _meeting(meeting), 201

    @app.get("/_mockzoom/meetings/<key>")
    @on_loop
    def show(body: Mapping[str, Any], key: str) -> Any:
        meeting = world.meeting(key)
        streams = [s for s in world.streams.values() if s.meeting is meeting]
        return {**_meeting(meeting), "streams": [_stream(s) for s in streams]}, 200

    @app.post("/_mockzoom/meetings/<key>/participants")
    @on_loop
    def join(body: Mapping[str, Any], key: str) -> Any:
        participant = world.join(world.meeting(key), _text(body, "name"))
        return participant.as_person(), 201

    @app.delete("/_mockzoom/meetings/<key>/participants/<name:name>")
    @on_loop
    def leave(body: Mapping[str, Any], key: str, name: str) -> Any:
        world.leave(world.meeting(key), name)
        return {}, 200

    @app.post("/_mockzoom/meetings/<key>/participants/<name:name>/camera")
    @on_loop
    def camera(body: Mapping[str, Any], key: str, name: str) -> Any:
        world.camera(world.meeting(key), name, _switch(body))
        return {}, 202

    @app.post("/_mockzoom/meetings/<key>/participants/<name:name>/share")
    @on_loop
    def share(body: Mapping[str, Any], key: str, name: str) -> Any:
        world.share(world.meeting(key), name, _switch(body))
        return {}, 202

    @app.post("/_mockzoom/meetings/<key>/events")
    @on_loop
    def tell(body: Mapping[str, Any], key: str) -> Any:
        fields = {name: value for name, value in body.items() if name != "event_type"}
        world.tell(world.meeting(key), _number(body, "event_type"), fields)
        return {}, 202

    @app.post("/_mockzoom/meetings/<key>/participants/<name:name>/chat")
    @on_loop
    def chat(body: Mapping[str, Any], key: str, name: str) -> Any:
        message_id = world.chat(
            world.meeting(key),
            name,
            _text(body, "text"),
            to=_text_or_none(body, "to"),
            operation=_number(body, "operation_type", ChatOperation.NEW),
            message_id=_text_or_none(body, "message_id"),
            parent_message_id=_text_or_none(body, "parent_message_id") or "",
        )
        return {"message_id": message_id}, 202

    @app.post("/_mockzoom/meetings/<key>/participants/<name:name>/say")
    @on_loop
    def say(body: Mapping[str, Any], key: str, name: str) -> Any:
        utterance = world.say(world.meeting(key), name, _text(body, "text"))
        return {"start_ms": utterance.start_ms, "duration_ms": utterance.duration_ms}, 202

    @app.post("/_mockzoom/meetings/<key>/rtms/start")
    @on_loop
    def start(body: Mapping[str, Any], key: str) -> Any:
        return _stream(world.start_rtms(world.meeting(key))), 202

    @app.post("/_mockzoom/meetings/<key>/rtms/stop")
    @on_loop
    def stop(body: Mapping[str, Any], key: str) -> Any:
        stream = world.live_stream(world.meeting(key), _text_or_none(body, "rtms_stream_id"))
        world.stop_rtms(stream, _stop_reason(body))
        return _stream(stream), 202

    @app.post("/_mockzoom/meetings/<key>/rtms/<any(pause, resume, relocate):step>")
    @on_loop
    def change(body: Mapping[str, Any], key: str, step: str) -> Any:
        stream = world.live_stream(world.meeting(key), _text_or_none(body, "rtms_stream_id"))
        steps = {"pause": world.pause, "resume": world.resume, "relocate": world.relocate}
        steps[step](stream)
        return _stream(stream), 202

    @app.get("/_mockzoom/subscriptions")
    @on_loop
    def subscriptions(body: Mapping[str, Any]) -> Any:
        told = [one.as_dict() for one in world.deliveries.subscriptions]
        return {"subscriptions": told}, 200

    @app.post("/_mockzoom/subscriptions")
    def subscribe() -> Answer:
        body = _json_object()
        return jsonify(run(_subscribed(world, _text(body, "url"), _names(body, "events", [])))), 201

    @app.delete("/_mockzoom/subscriptions/<int:id_>")
    @on_loop
    def unsubscribe(body: Mapping[str, Any], id_: int) -> Any:
        return {"webhooks_lost": world.deliveries.unsubscribe(id_)}, 200

    @app.delete("/_mockzoom/subscriptions")
    @on_loop
    def unsubscribe_all(body: Mapping[str, Any]) -> Any:
        return {"webhooks_lost": world.deliveries.forget()}, 200

    @app.get("/_mockzoom/faults")
    @on_loop
    def faults(body: Mapping[str, Any]) -> Any:
        return {"faults": [_fault(active) for active in world.faults]}, 200

    @app.post("/_mockzoom/faults")
    @on_loop
    def add_fault(body: Mapping[str, Any]) -> Any:
        fault = parse_fault(body)
        return _fault(Active(world.add_fault(fault), fault)), 201

    @app.delete("/_mockzoom/faults")
    @on_loop
    def lift_faults(body: Mapping[str, Any]) -> Any:
        world.lift_faults()
        return {}, 200

    @app.delete("/_mockzoom/faults/<int:id_>")
    @on_loop
    def lift_fault(body: Mapping[str, Any], id_: int) -> Any:
        world.lift_fault(id_)
        return {}, 200

    return app


def _json_object() -> Mapping[str, Any]:
    """The request's body; an empty one is an empty object."""
    if not request.get_data():
        return {}
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict):
        raise UsageError("body: expected a JSON object")
    return body


def _text(body: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = body.get(name, default)
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{name}: expected a text, found {value!a:.80}")
    return value


def _names(body: Mapping[str, Any], field: str, default: list[str]) -> list[str]:
    names = body.get(field, default)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{field}: expected a list of names, found {names!a:.80}")
    return names


async def _subscribed(world: World, url: str, events: list[str]) -> dict[str, Any]:
    return (await world.subscribe(url, events)).as_dict()


def _text_or_none(body: Mapping[str, Any], name: str) -> str | None:
    return _text(body, name) if name in body else None


def _switch(body: Mapping[str, Any]) -> bool:
    value = body.get("on")
    if not isinstance(value, bool):
        raise UsageError(f"on: expected true or false, found {value!a:.80}")
    return value


def _number(body: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = body.get(name, default if default is None else int(default))
    if type(value) is not int:
        raise UsageError(f"{name}: expected a whole number, found {value!a:.80}")
    return value


def _stop_reason(body: Mapping[str, Any]) -> StopReason:
    value = body.get("stop_reason", int(StopReason.MEETING_ENDED))
    if type(value) is not int or value not in tuple(StopReason):
        raise UsageError(
            f"stop_reason: expected {min(StopReason):d} to {max(StopReason):d}, found {value!a:.80}"
        )
    return StopReason(value)


def _meeting(meeting: Meeting) -> dict[str, Any]:
    return {
        "product": meeting.product.name,
        **meeting.ids,
        "topic": meeting.topic,
        "participants": [p.as_person() for p in meeting.participants.values()],
    }


def _stream(stream: LiveStream) -> dict[str, Any]:
    return {
        "rtms_stream_id": stream.id,
        "server_urls": stream.machine.urls.signaling,
        "state": stream.machine.state.name,
        "sent": dict(stream.sent),
    }


def _fault(active: Active) -> dict[str, Any]:
    return {"id": active.number, **active.fault.as_dict(), "hits": active.hits}


def _journal(world: World, entries: list[Entry]) -> dict[str, Any]:
    journal = world.journal
    return {
        "entries": [entry.as_dict() for entry in entries],
        "dropped": journal.dropped,
        "counters": dict(journal.counters),
        "findings": [finding.as_dict() for finding in list(journal.findings)],
    }
