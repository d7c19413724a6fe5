"""The routes of the control API, one for each operation of its document.

A request is routed, judged by the document, and handed on the world's thread to the function that
is called as the operation.  What the function returns is the answer; its status is that of the
document.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.routing import BaseConverter

from mockzoom.core.operations import ApiDocument, Operation, read_api
from mockzoom.engine.worlds import Worlds
from mockzoom.web.control import (
    clock,
    faults,
    journal,
    meetings,
    people,
    scenarios,
    streams,
    subscriptions,
    worlds,
)
from mockzoom.web.control.asked import read_asked
from mockzoom.web.problems import broken_document

__all__ = ["MAX_WAITS", "AnyText", "create_control", "views"]

_NOUNS = (clock, faults, journal, meetings, people, scenarios, streams, subscriptions, worlds)

#: So many requests may wait for something at once; each holds one of the server's threads.
MAX_WAITS = 16

View = Callable[..., Any]


class AnyText(BaseConverter):
    """A part of a path that may hold slashes too, such as a participant's name."""

    regex = ".+?"
    part_isolating = False


def views() -> dict[str, View]:
    """The function of each operation, by its `operationId`."""
    return {name: getattr(noun, name) for noun in _NOUNS for name in noun.__all__}


def create_control(
    worlds: Worlds,
    call: Callable[..., Any],
    run: Callable[[Coroutine[Any, Any, Any]], Any],
    world_name: Callable[[], str],
) -> Blueprint:
    """The operations over `worlds`, of which a request is for the one that `world_name()` tells.

    `call(step, *args)` runs a step on the thread that the worlds live on, and `run(work)` a
    coroutine.  The app needs `AnyText` as the converter ``text``.
    """
    document = read_api("control-api.openapi.yaml")
    control = Blueprint("control", __name__)
    known, waits = views(), asyncio.Semaphore(MAX_WAITS)

    def on_loop(view: View, *args: Any, **path: Any) -> Any:
        if inspect.iscoroutinefunction(view):
            return run(view(*args, **path))
        return call(lambda: view(*args, **path))

    def answer(operation: Operation, path: Mapping[str, Any]) -> Response:
        data, query = request.get_data(), list(request.args.items(multi=True))
        problems = document.problems(operation, data or b"{}", path=path, query=query)
        if problems:
            return broken_document(problems)
        asked = read_asked(document, operation, worlds, world_name(), waits)
        told = jsonify(on_loop(known[operation.name], asked, **path))
        told.status_code = operation.success
        return told

    for operation in document.operations.values():
        control.add_url_rule(
            _rule(document, operation),
            operation.name,
            lambda operation=operation, **path: answer(operation, path),
            methods=[operation.method],
            provide_automatic_options=False,
        )
    return control


def _rule(document: ApiDocument, operation: Operation) -> str:
    """The path as Flask writes it."""
    rule = operation.path
    for parameter in operation.parameters_in("path"):
        name = parameter["name"]
        whole = document.resolved(parameter["schema"]).get("type") == "integer"
        converter = "int" if whole else "text" if "x-any-text" in parameter else "string"
        rule = rule.replace(f"{{{name}}}", f"<{converter}:{name}>")
    return rule
