"""What an operation of the control API is given: a request that keeps the document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from mockzoom.core.operations import ApiDocument, Operation
from mockzoom.engine.world import World
from mockzoom.engine.worlds import Worlds

__all__ = ["Asked", "read_asked"]


@dataclass(frozen=True)
class Asked:
    """`body` and `query` have the defaults of the document for what was left out.

    `fields` are the parameters of the query that the document does not name, `url` is where the
    server is reached.  `waits` bounds how many requests may wait for something at once, because
    each of them holds a thread.
    """

    worlds: Worlds
    world_name: str
    url: str
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    fields: Mapping[str, str]
    waits: asyncio.Semaphore

    @property
    def world(self) -> World:
        """Raises `UnknownObject`."""
        return self.worlds[self.world_name]


def read_asked(
    document: ApiDocument,
    operation: Operation,
    worlds: Worlds,
    world_name: str,
    waits: asyncio.Semaphore,
) -> Asked:
    """What the request that is being answered asks for; it keeps the document."""
    query, fields = _query(document, operation)
    url = request.host_url.rstrip("/")
    return Asked(worlds, world_name, url, _body(document, operation), query, fields, waits)


def _body(document: ApiDocument, operation: Operation) -> dict[str, Any]:
    """The body, an empty object if there is none, and the defaults for what it leaves out."""
    if "requestBody" not in operation.node:
        return {}
    described = document.resolved(operation.node["requestBody"])["content"]["application/json"]
    properties = document.resolved(described["schema"]).get("properties", {})
    resolved = {name: document.resolved(one) for name, one in properties.items()}
    defaults = {name: one["default"] for name, one in resolved.items() if "default" in one}
    return {**defaults, **json.loads(request.get_data() or b"{}", parse_float=_number)}


def _number(text: str) -> float:
    """Whole numbers may be written as ``6.0``, which the document takes for integers too."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _query(document: ApiDocument, operation: Operation) -> tuple[dict[str, Any], dict[str, str]]:
    """The parameters of the query that the document names, as values, and all others."""
    given = request.args.to_dict()
    values: dict[str, Any] = {}
    for parameter in operation.parameters_in("query"):
        schema, name = document.resolved(parameter["schema"]), parameter["name"]
        text = given.pop(name, None)
        if text is not None:
            values[name] = int(text) if schema.get("type") == "integer" else text
        elif "default" in schema:
            values[name] = schema["default"]
    return values, given
