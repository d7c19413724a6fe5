"""The contract of the webhooks: which events there are, and what each must hold.

`load_spec` reads an OpenAPI document (ours, or one that the vendor publishes), brings it into one
shape (`mockzoom.core.openapi`), corrects it (`mockzoom.core.overlay`) and hands out one
`EventContract` an event.  Everything else is made from these: validators, examples, fuzzing, the
list of events on the command line.

Two profiles: `corrected`, the default, with our overlay, and `published`, without.  Our own
document must match every action of the overlay.  Somebody else's may lack what an action corrects,
or have it corrected already, so there an action that matches nothing is no error.

One rule stands in no schema, because the structure says it: a webhook's key is the value of its
`event` field.  The published field is any string, so a body of another event would pass.  That is
no mistake of the vendor's, so it is not in the overlay: the loader pins the name in both profiles
and for every document, and so all validators, examples and fuzzers know it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from mockzoom.core.document import pointer, read_document
from mockzoom.core.openapi import JSON_TYPE, normalise
from mockzoom.core.overlay import load_overlay
from mockzoom.core.validators import FastValidator, OpenApiValidator, Problem, ReferenceValidator
from mockzoom.errors import SpecError, UnknownEvent, UnknownField, UsageError, nearest
from mockzoom.resources import spec_path

__all__ = ["EventContract", "Profile", "Spec", "lint", "load_spec"]

Profile = Literal["corrected", "published"]

_DOCUMENT = "rtms-events.openapi.yaml"
_OVERLAY = "rtms-events.overlay.yaml"


@dataclass(frozen=True, eq=False)
class EventContract:
    """What one event promises.

    `product` is its tag, `schema` a JSON Schema without references, `examples` the published
    bodies by name.
    """

    name: str
    product: str
    summary: str
    description: str
    schema: Mapping[str, Any]
    examples: Mapping[str, Any]

    @cached_property
    def validator(self) -> FastValidator:
        """Compiled at first use."""
        return FastValidator(self.schema)

    @property
    def payload_fields(self) -> Mapping[str, Any]:
        """The fields of its payload, with their schemas."""
        fields: Mapping[str, Any] = self.schema["properties"]["payload"]["properties"]
        return fields

    def problems(self, event: object) -> list[Problem]:
        """Every way in which `event` breaks this contract; [] when it keeps it."""
        return self.validator.problems(event)

    def field(self, path: str) -> Mapping[str, Any]:
        """The schema of a field, addressed as `payload.stop_reason`.

        Raises UnknownField with the nearest name.  Inside an object whose fields the document
        does not list, every name is a field and its schema is empty.
        """
        schema: Any = self.schema
        for depth, name in enumerate(path.split(".")):
            fields = _fields(schema)
            if name not in fields and (fields or not _open(schema)):
                inside = ".".join(path.split(".")[:depth]) or self.name
                hint = nearest(name, fields) or f"; there are {', '.join(fields) or 'none'}"
                raise UnknownField(
                    f"{self.name} has no field {path!r}: no {name!r} in {inside}{hint}"
                )
            schema = fields.get(name, {})
        return schema if isinstance(schema, dict) else {}

    def coerce(self, path: str, text: str) -> Any:
        """`text` as a value of the type that the field at `path` has.

        `true`, `12` and `{"a": 1}` become what they look like where the field takes that; a field
        that takes strings gets the text as it is.  Raises UnknownField and UsageError.
        """
        types = _types(self.field(path))
        value = _parsed(text)
        if isinstance(value, float) and value.is_integer() and "number" not in types:
            value = int(value)
        found = _type_of(value)
        if found in types or (found == "integer" and "number" in types):
            return value
        if "string" in types:
            return text
        raise UsageError(f"{path}: expected {' or '.join(types)}, found {text!r}")

    def overrides(self, assignments: Iterable[str]) -> dict[str, Any]:
        """`payload.stop_reason=6` and the like as the nested mapping that examples merge in.

        Raises UsageError for text without `=`, and what `coerce` raises.
        """
        merged: dict[str, Any] = {}
        for assignment in assignments:
            path, equals, text = assignment.partition("=")
            if not equals:
                raise UsageError(f"expected payload.field=value, found {assignment!r}")
            value, (*parents, name) = self.coerce(path, text), path.split(".")
            place = merged
            for parent in parents:
                if not isinstance(place.setdefault(parent, {}), dict):
                    raise UsageError(f"{path}: {parent!r} was set as a whole before")
                place = place[parent]
            place[name] = value
        return merged


@dataclass(frozen=True, eq=False)
class Spec:
    """A loaded document: where it is from, how it was read, and its events in its own order.

    `document` is OpenAPI 3.1 with `webhooks` only, corrected, without references.
    """

    source: Path
    profile: Profile
    document: Mapping[str, Any]
    events: Mapping[str, EventContract]

    def event(self, name: str) -> EventContract:
        """The contract of the event `name`; raises UnknownEvent with the nearest name."""
        try:
            return self.events[name]
        except KeyError:
            hint = nearest(name, self.events) or "; `mockzoom spec events` lists them"
            raise UnknownEvent(f"no event {name!r} in {self.source.name}{hint}") from None

    def oracle(self, name: str) -> OpenApiValidator:
        """openapi-core's own judgement of the event `name`: slow, for tests and at the edge."""
        return OpenApiValidator(self.document, self.event(name).name)


def load_spec(path: str | Path | None = None, profile: Profile = "corrected") -> Spec:
    """The contract in the document at `path`, or in our own.

    A document that did not change since is not read again.  Raises SpecError, in one line with
    file, place and reason, for whatever is broken or not understood.
    """
    if profile not in get_args(Profile):
        raise UsageError(f"expected profile {' or '.join(get_args(Profile))}, found {profile!r}")
    source = Path(path) if path is not None else spec_path(_DOCUMENT)
    try:
        changed_ns = source.stat().st_mtime_ns
    except OSError as error:
        raise SpecError(f"{source}: cannot be read: {error.strerror}") from None
    return _load(source, profile, changed_ns)


@lru_cache(maxsize=32)
def _load(source: Path, profile: Profile, changed_ns: int) -> Spec:
    file = read_document(source)
    document = normalise(file)
    if profile == "corrected":
        ours = source.resolve() == spec_path(_DOCUMENT).resolve()
        document = load_overlay(spec_path(_OVERLAY)).apply(document, strict=ours)
    events = {}
    for name, item in document["webhooks"].items():
        operation = item["post"]
        if "object" not in _types(operation["requestBody"]["content"][JSON_TYPE]["schema"]):
            raise SpecError(f"{source}: the body of {name!r} is no object")
        if not _pin(operation, name):
            raise SpecError(f"{source}: the schema of `event` in {name!r} excludes that name")
        events[name] = _contract(name, operation)
    return Spec(source, profile, document, events)


def _contract(name: str, operation: Mapping[str, Any]) -> EventContract:
    media = operation["requestBody"]["content"][JSON_TYPE]
    tags = operation.get("tags") or [name.partition(".")[0]]
    examples = media.get("examples", {})
    return EventContract(
        name=name,
        product=tags[0],
        summary=str(operation.get("summary", "")),
        description=str(operation.get("description", "")).strip(),
        schema=media["schema"],
        examples={key: example["value"] for key, example in examples.items()},
    )


def _pin(operation: dict[str, Any], name: str) -> bool:
    """Make `name` the only value of `event`; False when the document forbids it there."""
    media = operation["requestBody"]["content"][JSON_TYPE]
    schema = media["schema"] if isinstance(media["schema"], dict) else {}
    fields = schema.get("properties", {})
    event = fields.get("event", {})
    if FastValidator(event).problems(name):
        return False
    pinned = {**event, "const": name} if isinstance(event, dict) else {"const": name}
    media["schema"] = {**schema, "properties": {**fields, "event": pinned}}
    return True


def lint(path: str | Path) -> list[str]:
    """What is wrong with a document, one line each; [] when it is sound.

    Beyond what loading checks, it holds the document against the OpenAPI standard and every
    example against its schema.  Raises SpecError only when the file cannot be read at all.
    """
    file = read_document(path)
    findings = [f"{file.path}: {line}" for line in _breaches_of_the_standard(file.content)]
    try:
        spec = load_spec(path, "published")
    except SpecError as error:
        return [str(error), *findings]
    for contract in spec.events.values():
        for key, example in contract.examples.items():
            findings += [
                f"{file.path}: example {key!r} of {contract.name}: {problem}"
                for problem in ReferenceValidator(contract.schema).problems(example)
            ]
    return findings


def _breaches_of_the_standard(content: dict[str, Any]) -> Iterator[str]:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    # The vendor's keys under `paths` have no slash, which the standard wants: forgiven here as by
    # the loader.
    paths = {f"/{key.lstrip('/')}": item for key, item in dict(content.get("paths", {})).items()}
    document = {**content, "paths": paths} if paths else content
    try:
        for error in OpenAPIV31SpecValidator(document).iter_errors():
            reason = str(error.message).strip().partition("\n")[0]
            yield f"{reason:.200} (at {pointer('#', *error.absolute_path)})"
    except Exception as error:  # it trips over what it has just reported, with any exception
        yield f"the OpenAPI validator gave up: {type(error).__name__}: {error}"


# --- fields of a schema ---


def _fields(schema: Any) -> dict[str, Any]:
    """The properties that a schema names, also in the branches of its combinations."""
    if not isinstance(schema, dict):
        return {}
    fields: dict[str, Any] = {}
    for keyword in ("allOf", "anyOf", "oneOf"):
        for branch in schema.get(keyword, []):
            fields |= _fields(branch)
    fields |= schema.get("properties", {})
    return fields


def _open(schema: Any) -> bool:
    """Whether an object of this schema may have fields that nothing names."""
    return not isinstance(schema, dict) or (
        "object" in _types(schema) and schema.get("additionalProperties") is not False
    )


_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
    type(None): "null",
}


def _types(schema: Any) -> list[str]:
    """The JSON types that a schema allows; every type when it says nothing."""
    if not isinstance(schema, dict):
        return [*_JSON_TYPES.values()]
    declared = schema.get("type")
    if isinstance(declared, str):
        return [declared]
    if declared:
        return list(declared)
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return sorted({_type_of(value) for value in values})
    branches = [*schema.get("anyOf", []), *schema.get("oneOf", [])]
    return sorted({name for branch in branches for name in _types(branch)}) or [
        *_JSON_TYPES.values()
    ]


def _type_of(value: Any) -> str:
    return _JSON_TYPES.get(type(value), "")


def _parsed(text: str) -> Any:
    """The JSON value that `text` is, unless a string; else the text itself.

    NaN and the like are Python's addition to JSON and stay text.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text
    return text if isinstance(value, str) else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
