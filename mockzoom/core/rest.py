"""The vendor's REST operations: where they are, who may call them, and what they take.

`load_rest` reads `spec/zoom-rest.openapi.yaml`.  Whatever answers or checks a request takes path,
method, ids, scopes and the shape of the body from the `Operation` that is made of it, so that
an operation more is a piece of the document more.  Requests are judged by openapi-core, about a
millisecond each: an app makes a few a stream, so the oracle itself can stand at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from mockzoom.core.document import read_document
from mockzoom.core.validators import Problem, reported
from mockzoom.resources import spec_path

__all__ = ["Operation", "RestPolicy", "RestSpec", "load_rest"]

_DOCUMENT = "zoom-rest.openapi.yaml"
_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class RestPolicy:
    """What differs from app to app: its scopes, None for all, and a limit of requests, if any."""

    scopes: tuple[str, ...] | None = None
    requests_per_s: int | None = None


@dataclass(frozen=True)
class Operation:
    """One operation.

    `path` is a template as the document writes it, `id_name` the parameter in it or ``""``, and
    `ids` the fields of the webhooks that it may be taken from.  `security` holds the ways to prove
    who calls, any of which will do: the scopes that it takes, by the scheme.
    """

    name: str
    method: str
    path: str
    id_name: str
    ids: tuple[str, ...]
    security: tuple[Mapping[str, tuple[str, ...]], ...]

    def takes(self, scheme: str) -> bool:
        return any(scheme in alternative for alternative in self.security)

    def missing_scopes(self, scheme: str, held: frozenset[str]) -> tuple[str, ...]:
        """What one who holds these scopes lacks for it; () when nothing."""
        asked = [needed[scheme] for needed in self.security if scheme in needed]
        lacking = [tuple(scope for scope in scopes if scope not in held) for scopes in asked]
        return min(lacking, key=len, default=())


@dataclass(frozen=True, eq=False)
class RestSpec:
    """The document: its operations by name, and the scopes that an app can have."""

    document: Mapping[str, Any]
    operations: Mapping[str, Operation]
    scopes: tuple[str, ...]

    def problems(self, operation: Operation, body: bytes, content_type: str) -> list[Problem]:
        """Every way in which a request's body breaks the document; [] when it keeps it.

        `content_type` is a bare media type.
        """
        from openapi_core.exceptions import OpenAPIError

        try:
            self._openapi.validate_request(_Request(operation, body, content_type))
        except OpenAPIError as error:
            broken = getattr(error.__cause__, "schema_errors", None)
            return reported(broken) if broken else [Problem("", _reason(error))]
        except RecursionError:
            return [Problem("", "is nested too deeply")]
        return []

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
        config = Config(spec_validator_cls=None)
        return OpenAPI.from_dict({**self.document, "paths": paths}, config=config)


class _Request:
    """A request as openapi-core wants to see it.

    Its path is the template of the operation, because who routed it has found that already, and a
    hostile id would only confuse a second search.
    """

    host_url = "http://localhost"

    def __init__(self, operation: Operation, body: bytes, content_type: str) -> None:
        from openapi_core.datatypes import RequestParameters

        self.path = operation.path
        self.method = operation.method
        self.body = body
        self.content_type = content_type
        path = {operation.id_name: "id"} if operation.id_name else {}
        self.parameters = RequestParameters(path=path)


@lru_cache(maxsize=1)
def load_rest() -> RestSpec:
    """The operations of our document, read once."""
    content = read_document(spec_path(_DOCUMENT)).content
    flows = content["components"]["securitySchemes"]["oauth"]["flows"]
    return RestSpec(
        content,
        {operation.name: operation for operation in _operations(content["paths"])},
        tuple(flows["clientCredentials"]["scopes"]),
    )


def _operations(paths: Mapping[str, Any]) -> Iterator[Operation]:
    for path, item in paths.items():
        for method in _METHODS:
            if method in item:
                yield _operation(path, method, item[method], item.get("parameters", ()))


def _operation(
    path: str, method: str, node: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> Operation:
    id_ = next((parameter for parameter in parameters if parameter["in"] == "path"), {"name": ""})
    return Operation(
        name=node["operationId"],
        method=method,
        path=path,
        id_name=id_["name"],
        ids=tuple(id_.get("x-ids", ())),
        security=tuple(
            {scheme: tuple(scopes) for scheme, scopes in alternative.items()}
            for alternative in node["security"]
        ),
    )


def _reason(error: Exception) -> str:
    cause = error.__cause__
    found = getattr(cause, "mimetype", None)
    if known := getattr(cause, "availableMimetypes", None):
        return f"expected {' or '.join(known)}, found {found or 'no content type'}"
    return f"is not {found}" if found else "is missing"
