"""The operations of an OpenAPI document: where they are, what they take, and what breaks that.

Whatever routes or checks a request takes path, method and the shape of body and query from the
`Operation` that is made of the document, so that an operation more is a piece of the document more.
Requests are judged by openapi-core, about a millisecond each: that is little beside a request over
the network, so the oracle itself can stand at the edge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from mockzoom.core.document import read_document
from mockzoom.core.validators import Problem, reported
from mockzoom.resources import spec_path

__all__ = ["ApiDocument", "Operation", "read_api"]

_METHODS = ("get", "post", "put", "patch", "delete")
_JSON = "application/json"

#: Nothing that is asked for lies so deep, and who walks through a body would run into a limit.
_MAX_DEPTH = 100


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation.

    `path` is a template as the document writes it, `parameters` what it says of path, query and
    headers, references resolved, and `node` all that it says.
    """

    name: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    node: Mapping[str, Any]

    def parameters_in(self, place: str) -> list[Mapping[str, Any]]:
        """Those of ``path``, ``query`` or ``header``."""
        return [parameter for parameter in self.parameters if parameter["in"] == place]

    @property
    def success(self) -> int:
        """The first status that the document has for what was done."""
        return next(int(status) for status in self.node["responses"] if status.startswith("2"))

    @property
    def ids(self) -> tuple[str, ...]:
        """The fields of webhooks that the id in the path may be taken from (`x-ids`)."""
        return tuple(id_ for path in self.parameters_in("path") for id_ in path.get("x-ids", ()))

    @property
    def security(self) -> list[Mapping[str, Sequence[str]]]:
        """The ways to prove who calls, any of which will do: the scopes taken, by the scheme."""
        return list(self.node.get("security", ()))

    def takes(self, scheme: str) -> bool:
        return any(scheme in alternative for alternative in self.security)

    def missing_scopes(self, scheme: str, held: frozenset[str]) -> tuple[str, ...]:
        """What one who holds these scopes lacks for it; () when nothing."""
        asked = [needed[scheme] for needed in self.security if scheme in needed]
        lacking = [tuple(scope for scope in scopes if scope not in held) for scopes in asked]
        return min(lacking, key=len, default=())


@dataclass(frozen=True, eq=False)
class ApiDocument:
    """A document, and its operations by `operationId`."""

    document: Mapping[str, Any]
    operations: Mapping[str, Operation]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Those that an app can have."""
        flows = self.document["components"]["securitySchemes"]["oauth"]["flows"]
        return tuple(flows["clientCredentials"]["scopes"])

    def problems(
        self,
        operation: Operation,
        body: bytes,
        content_type: str = _JSON,
        *,
        path: Mapping[str, Any] | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> list[Problem]:
        """Every way in which a request breaks the document; [] when it keeps it.

        `content_type` is a bare media type, `path` the parameters in the path and `query` those
        behind it, as they came.
        """
        from openapi_core.exceptions import OpenAPIError

        request = _Request(operation, body, content_type, path or {}, query)
        try:
            self._openapi.validate_request(request)
        except OpenAPIError as error:
            broken = getattr(error.__cause__, "schema_errors", None)
            problems = reported(broken) if broken else [Problem("", _reason(error))]
            return [_placed(problem, getattr(error, "name", "")) for problem in problems]
        except RecursionError:
            return [_TOO_DEEP]
        is_read = "requestBody" in operation.node and content_type == _JSON
        maybe = is_read and body.count(b"[") + body.count(b"{") > _MAX_DEPTH
        return [_TOO_DEEP] if maybe and _is_deeper(json.loads(body), _MAX_DEPTH) else []

    def resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """`node`, or what it refers to."""
        return _resolved(self.document, node)

    @cached_property
    def _openapi(self) -> Any:
        """openapi-core on the document without its `security`, half of which it does not know."""
        from openapi_core import Config, OpenAPI

        paths = {
            path: {
                key: {**value, "security": []} if key in _METHODS else value
                for key, value in item.items()
            }
            for path, item in self.document["paths"].items()
        }
        # A test holds the document itself against the standard.
        config = Config(
            spec_validator_cls=None, extra_media_type_deserializers={_JSON: _strict_json}
        )
        return OpenAPI.from_dict({**self.document, "paths": paths, "security": []}, config=config)


class _Request:
    """A request as openapi-core wants to see it.

    Its path is the template of the operation, because who routed it has found that already, and a
    hostile id would only confuse a second search.
    """

    host_url = "http://localhost"

    def __init__(
        self,
        operation: Operation,
        body: bytes,
        content_type: str,
        path: Mapping[str, Any],
        query: Sequence[tuple[str, str]],
    ) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import ImmutableMultiDict

        self.path = operation.path
        self.method = operation.method
        self.body = body
        self.content_type = content_type
        routed = {
            one["name"]: path.get(one["name"], "id") for one in operation.parameters_in("path")
        }
        self.parameters = RequestParameters(path=routed, query=ImmutableMultiDict(query))


@lru_cache(maxsize=4)
def read_api(file: str) -> ApiDocument:
    """The operations of a document in ``spec/``, read once."""
    content = read_document(spec_path(file)).content
    return ApiDocument(content, {found.name: found for found in _operations(content)})


def _operations(content: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in content["paths"].items():
        for method in _METHODS:
            if method in item:
                node = item[method]
                listed = [*item.get("parameters", ()), *node.get("parameters", ())]
                parameters = tuple(_resolved(content, parameter) for parameter in listed)
                yield Operation(node["operationId"], method, path, parameters, node)


def _resolved(content: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in node:
        found: Any = content
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def _strict_json(body: bytes) -> Any:
    """Python's own parser takes NaN and Infinity, which are no JSON."""
    return json.loads(body, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_TOO_DEEP = Problem("", "is nested too deeply")


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(one, levels - 1) for one in inner)


def _placed(problem: Problem, parameter: str) -> Problem:
    """A problem of a parameter is told by the name of it."""
    return Problem(".".join(filter(None, (parameter, problem.path))), problem.message)


def _reason(error: Exception) -> str:
    cause: Any = error.__cause__
    if hasattr(cause, "value") and hasattr(cause, "type"):  # a parameter, which comes as a text
        return f"expected {cause.type}, found {cause.value!a:.80}"
    found = getattr(cause, "mimetype", None)
    if known := getattr(cause, "availableMimetypes", None):
        return f"expected {' or '.join(known)}, found {found or 'no content type'}"
    return f"is not {found}" if found else "is missing"
