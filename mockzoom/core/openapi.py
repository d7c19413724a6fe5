"""OpenAPI 3.1, as far as a document of webhooks needs it, brought into one shape.

Vendors publish the same events in two shapes: under `webhooks`, or under `paths` with the event's
name as the key, with or without a slash before it.  Some write examples as strings of JSON.
`normalise` makes one shape of them: `webhooks` only, each operation with its body and answers,
every `$ref` replaced by what it points to.  Nothing that comes later has to look anything up.

It reads with suspicion.  A keyword that is not known here could change what a schema means, so it
is an error with its name and line and never skipped; keys that start with `x-` are free.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import jsonschema_rs

from mockzoom.core.document import Document, pointer
from mockzoom.errors import nearest

__all__ = ["JSON_TYPE", "normalise", "resolved_schema"]

JSON_TYPE = "application/json"

_ROOT = {
    "openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components",
    "security", "tags", "externalDocs",
}  # fmt: skip
_PATH_ITEM = {"summary", "description", "post", "servers", "parameters"}
_OPERATION = {
    "tags", "summary", "description", "externalDocs", "operationId", "parameters", "requestBody",
    "responses", "callbacks", "deprecated", "security", "servers",
}  # fmt: skip
_BODY = {"description", "content", "required"}
_RESPONSE = {"description", "headers", "content", "links", "summary"}
_MEDIA = {"schema", "example", "examples", "encoding"}

_ONE = {
    "additionalProperties", "items", "contains", "not", "if", "then", "else", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "contentSchema",
}  # fmt: skip
_LIST = {"allOf", "anyOf", "oneOf", "prefixItems"}
_NAMED = {"properties", "patternProperties", "dependentSchemas", "$defs"}
_CONSTRAINTS = {
    "type", "enum", "const", "format", "pattern", "multipleOf", "minimum", "exclusiveMinimum",
    "maximum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems",
    "minContains", "maxContains", "minProperties", "maxProperties", "required",
    "dependentRequired",
}  # fmt: skip
_NOTES = {
    "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples",
    "contentEncoding", "contentMediaType", "$comment",
}  # fmt: skip
_DROPPED = {"example", "externalDocs", "xml", "discriminator"}
"""Known, but without a meaning for validation; `example` goes on as `examples`."""

_SCHEMA = _ONE | _LIST | _NAMED | _CONSTRAINTS | _NOTES | _DROPPED | {"$ref"}

Trail = tuple[str, ...]
"""The references that led to a place, to notice one that leads back to itself."""


def normalise(document: Document) -> dict[str, Any]:
    """A new OpenAPI object with `openapi`, `info`, `tags` and resolved `webhooks`.

    Raises SpecError, with line and pointer, for whatever is not understood.
    """
    return _Reader(document).read()


def resolved_schema(document: Document, at: str) -> Any:
    """The schema at a JSON pointer, checked, with every reference replaced; raises SpecError."""
    reader = _Reader(document)
    reader.check_schema(document.find(at), at)
    return reader.schema(document.find(at), at, ())


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.checked: set[str] = set()

    def read(self) -> dict[str, Any]:
        content = self.document.content
        self.known(content, _ROOT, "#", "at the top of an OpenAPI document")
        version = content.get("openapi")
        if not str(version).startswith("3.1"):
            raise self.document.error("#/openapi", f"expected OpenAPI 3.1, found {version!r}")
        webhooks: dict[str, Any] = {}
        for section in ("webhooks", "paths"):
            for key, item in self.mapping(content.get(section, {}), f"#/{section}").items():
                if not key.startswith("x-"):
                    self.webhook(webhooks, key, item, pointer("#", section, key))
        if not webhooks:
            raise self.document.error("#", "no events under `webhooks` or `paths`")
        self.unused_schemas()
        return {
            "openapi": version,
            "info": content.get("info", {}),
            "tags": content.get("tags", []),
            "webhooks": webhooks,
        }

    # --- from the document down to a body ---

    def webhook(self, webhooks: dict[str, Any], key: str, item: Any, at: str) -> None:
        name = key.removeprefix("/")
        if not name or "/" in name or "{" in name:
            raise self.document.error(at, f"{key!r} is not the name of an event")
        if name in webhooks:
            raise self.document.error(at, f"event {name!r} is there twice")
        item, at, trail = self.follow(item, at, ())
        self.known(item, _PATH_ITEM, at, "in a webhook, which is delivered by POST")
        if "post" not in item:
            raise self.document.error(at, f"event {name!r} has no `post` operation")
        operation = self.operation(name, item["post"], pointer(at, "post"), trail)
        for other, known in webhooks.items():
            if known["post"]["operationId"] == operation["operationId"]:
                where = pointer(at, "post", "operationId")
                reason = f"operationId {operation['operationId']!r} is also that of {other!r}"
                raise self.document.error(where, reason)
        webhooks[name] = {"post": operation}

    def operation(self, name: str, node: Any, at: str, trail: Trail) -> dict[str, Any]:
        self.known(self.mapping(node, at), _OPERATION, at, "in an operation")
        tags = node.get("tags", [])
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self.document.error(pointer(at, "tags"), "expected a list of names")
        if "requestBody" not in node:
            raise self.document.error(at, f"event {name!r} has no `requestBody`")
        body, body_at, body_trail = self.follow(
            node["requestBody"], pointer(at, "requestBody"), trail
        )
        self.known(body, _BODY, body_at, "in a request body")
        content = self.content(body, body_at, body_trail)
        if "schema" not in content.get(JSON_TYPE, {}):
            raise self.document.error(body_at, f"event {name!r} has no schema for {JSON_TYPE}")
        kept = ("tags", "summary", "description")
        return {
            "operationId": str(node.get("operationId", name)),
            **{key: node[key] for key in kept if key in node},
            "requestBody": {"required": True, "content": content},
            "responses": self.responses(node.get("responses", {}), pointer(at, "responses"), trail),
        }

    def responses(self, node: Any, at: str, trail: Trail) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for status, response in self.mapping(node, at).items():
            target, where, seen = self.follow(response, pointer(at, status), trail)
            self.known(target, _RESPONSE, where, "in a response")
            found[status] = {"description": str(target.get("description", ""))}
            if content := self.content(target, where, seen):
                found[status]["content"] = content
        return found or {"default": {"description": "Any answer."}}

    def content(self, node: dict[str, Any], at: str, trail: Trail) -> dict[str, Any]:
        """The JSON bodies of a request or response; charset parameters are cut off."""
        at = pointer(at, "content")
        return {
            kind.split(";")[0].strip().lower(): self.media(media, pointer(at, kind), trail)
            for kind, media in self.mapping(node.get("content", {}), at).items()
        }

    def media(self, node: Any, at: str, trail: Trail) -> dict[str, Any]:
        self.known(self.mapping(node, at), _MEDIA, at, "in a media type")
        media: dict[str, Any] = {}
        if "schema" in node:
            self.check_schema(node["schema"], pointer(at, "schema"))
            media["schema"] = self.schema(node["schema"], pointer(at, "schema"), trail)
        if examples := self.examples(node, at, trail):
            media["examples"] = examples
        return media

    def examples(self, node: dict[str, Any], at: str, trail: Trail) -> dict[str, Any]:
        found = {}
        if "example" in node:
            found["example"] = {"value": _decoded(node["example"])}
        at = pointer(at, "examples")
        for name, example in self.mapping(node.get("examples", {}), at).items():
            if isinstance(example, str):
                example = {"value": example}
            example, *_ = self.follow(example, pointer(at, name), trail)
            found[name] = {**example, "value": _decoded(example.get("value"))}
        return found

    # --- schemas ---

    def check_schema(self, node: Any, at: str) -> None:
        """Refuse what the JSON Schema standard itself refuses, such as `type: strng`."""
        if at in self.checked:
            return
        self.checked.add(at)
        try:
            jsonschema_rs.meta.validate(node)
        except jsonschema_rs.ValidationError as error:
            raise self.document.error(pointer(at, *error.instance_path), error.message) from None
        except ValueError as error:
            raise self.document.error(at, str(error)) from None

    def schema(self, node: Any, at: str, trail: Trail) -> Any:
        if isinstance(node, bool):
            return node
        self.known(self.mapping(node, at), _SCHEMA, at, "in a schema")
        beside: dict[str, Any] = {}
        for key, value in node.items():
            if key not in _DROPPED and key != "$ref" and not key.startswith("x-"):
                beside[key] = self.keyword(key, value, pointer(at, key), trail)
        if "example" in node:
            beside.setdefault("examples", [node["example"]])
        if "$ref" not in node:
            return beside
        target, where, seen = self.jump(node["$ref"], at, trail)
        self.check_schema(target, where)
        return _both(self.schema(target, where, seen), beside)

    def keyword(self, key: str, value: Any, at: str, trail: Trail) -> Any:
        if key in _ONE:
            return self.schema(value, at, trail)
        if key in _LIST:
            return [self.schema(item, pointer(at, i), trail) for i, item in enumerate(value)]
        if key in _NAMED:
            return {name: self.schema(sub, pointer(at, name), trail) for name, sub in value.items()}
        return deepcopy(value)  # so that a correction of one place is not one of all

    def unused_schemas(self) -> None:
        """Schemas that nothing points to are held to the same rules."""
        components = self.mapping(self.document.content.get("components", {}), "#/components")
        at = "#/components/schemas"
        for name, node in self.mapping(components.get("schemas", {}), at).items():
            self.check_schema(node, pointer(at, name))
            self.schema(node, pointer(at, name), ())

    # --- references and keywords ---

    def follow(self, node: Any, at: str, trail: Trail) -> tuple[dict[str, Any], str, Trail]:
        """`node`, or what it refers to, however many references lie between."""
        while "$ref" in self.mapping(node, at):
            node, at, trail = self.jump(node["$ref"], at, trail)
        return node, at, trail

    def jump(self, ref: Any, at: str, trail: Trail) -> tuple[Any, str, Trail]:
        at = pointer(at, "$ref")
        if not isinstance(ref, str) or not ref.startswith("#/"):
            reason = f"only references within the file (#/…) are followed, found {ref!r}"
            raise self.document.error(at, reason)
        if ref in trail:
            raise self.document.error(at, f"reference {ref!r} leads back to itself")
        try:
            return self.document.find(ref), ref, (*trail, ref)
        except (LookupError, TypeError):
            raise self.document.error(at, f"reference {ref!r} points to nothing") from None

    def mapping(self, node: Any, at: str) -> dict[str, Any]:
        if not isinstance(node, dict):
            raise self.document.error(at, f"expected an object, found {type(node).__name__}")
        return node

    def known(self, node: Mapping[str, Any], known: set[str], at: str, where: str) -> None:
        for key in node:
            if key not in known and not key.startswith("x-"):
                reason = f"unknown keyword {key!r} {where}{nearest(key, known)}"
                raise self.document.error(pointer(at, key), reason)


def _both(target: Any, beside: dict[str, Any]) -> Any:
    """What a reference points to together with the keywords beside the reference.

    Both count.  Notes beside it replace those of the target; a constraint that stands in both is
    kept twice, under `allOf`.
    """
    if not beside or target is False:
        return target
    if target is True:
        return beside
    if all(key in _NOTES or key not in target for key in beside):
        return {**target, **beside}
    return {"allOf": [target, beside]}


def _decoded(value: Any) -> Any:
    """An example that was written as a string of JSON, as the object that it stands for."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
