"""Does a JSON value keep a schema?  Asked three ways that must give one answer.

- `FastValidator` is jsonschema-rs, compiled: microseconds an event, so it stands on the hot path.
- `ReferenceValidator` is `jsonschema`, the implementation that most of Python trusts.
- `OpenApiValidator` is openapi-core reading the OpenAPI document itself: the oracle.

A differential test feeds all three the same valid and broken events.  Where they disagreed on
their own, one reading was chosen and is enforced here:

- *Formats.*  JSON Schema makes `format` a note.  openapi-core asserts `int32`, `int64` and whatever
  other formats the installed libraries happen to know, and the vendor writes `int`, which none
  knows.  Here `int` means `int32`, the three integer formats are asserted by all (as `minimum` and
  `maximum` where a validator has no formats), and every other format is a note to all.
- *Integers written as floats.*  228.0 is an integer to JSON Schema, and to all three.  But
  openapi-core does not look at the range of 1e300, because Python calls it a float; here it does.
- *The lower end of int64.*  jsonschema-rs cannot compare the float -2**63 exactly with the integer.
  Floats are coarse there, so that one is out of range for all.
- *Half a surrogate pair* is legal in JSON text, but jsonschema-rs raises when it meets one, and a
  hostile body could bring it.  It counts as the one character that it is to the other two.
- *true is not 1*, neither as a type nor in an enum: all three agree.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import jsonschema_rs

__all__ = [
    "FORMATS",
    "FastValidator",
    "OpenApiValidator",
    "Problem",
    "ReferenceValidator",
    "Validator",
    "reported",
    "with_bounds",
]


class Range(NamedTuple):
    """The least and the greatest integer of a format."""

    minimum: int
    maximum: int

    def holds(self, value: object) -> bool:
        """True for what is no number: that is for `type` to judge."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        least = self.minimum if isinstance(value, int) else max(self.minimum, -(2**63) + 1)
        return least <= value <= self.maximum


_INT32 = Range(-(2**31), 2**31 - 1)

#: The integer formats that are asserted; `int` is the vendor's word for 32 bits.
FORMATS: Mapping[str, Range] = {
    "int": _INT32,
    "int32": _INT32,
    "int64": Range(-(2**63), 2**63 - 1),
}


@dataclass(frozen=True)
class Problem:
    """One breach of a schema: the place, as `payload.stop_reason` or "" for the whole, and why."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path or 'the whole'}: {self.message}"


class Validator(Protocol):
    """What the three have in common."""

    def problems(self, value: object) -> list[Problem]:
        """Every breach of the schema; [] when `value` keeps it."""


class FastValidator:
    """jsonschema-rs, compiled once, with integer formats as bounds."""

    def __init__(self, schema: Any) -> None:
        self._schema = with_bounds(schema)
        self._compiled = jsonschema_rs.Draft202012Validator(self._schema)

    def problems(self, value: object) -> list[Problem]:
        try:
            if self._compiled.is_valid(value):
                return []
            return [self._problem(error) for error in self._compiled.iter_errors(value)]
        except UnicodeEncodeError:
            return self.problems(_without_surrogates(value))

    def _problem(self, error: jsonschema_rs.ValidationError) -> Problem:
        kind = error.kind
        if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
            return _missing(error.instance_path, str(kind.property))
        expected: Any = self._schema
        for part in error.schema_path:
            expected = expected[part]
        keyword = str(error.schema_path[-1]) if error.schema_path else ""
        return _breach(error.instance_path, keyword, expected, error.instance, error.message)


class ReferenceValidator:
    """`jsonschema`, with the integer formats of `FORMATS` asserted."""

    def __init__(self, schema: Any) -> None:
        from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped]

        formats = FormatChecker(formats=())
        for name, bounds in FORMATS.items():
            formats.checks(name)(bounds.holds)
        self._validator = Draft202012Validator(schema, format_checker=formats)

    def problems(self, value: object) -> list[Problem]:
        return reported(self._validator.iter_errors(value))


class OpenApiValidator:
    """openapi-core on the webhook `name` of an OpenAPI 3.1 document, references and all."""

    def __init__(self, document: Mapping[str, Any], name: str) -> None:
        from openapi_core import Config, OpenAPI
        from openapi_core.datatypes import RequestParameters
        from openapi_schema_validator import oas31_format_checker

        self._name = name
        self._parameters = RequestParameters
        notes = dict.fromkeys(oas31_format_checker.checkers, _anything)
        asserted = {name: bounds.holds for name, bounds in FORMATS.items()}
        # The document itself was checked when it was read.
        config = Config(spec_validator_cls=None, extra_format_validators={**notes, **asserted})
        self._openapi = OpenAPI.from_dict(dict(document), config=config)

    def problems(self, value: object) -> list[Problem]:
        from openapi_core.exceptions import OpenAPIError

        try:
            self._openapi.validate_webhook_request(self._request(json.dumps(value).encode()))
        except OpenAPIError as error:
            broken = getattr(error.__cause__, "schema_errors", None)
            return reported(broken) if broken else [Problem("", str(error))]
        return []

    def _request(self, body: bytes) -> _WebhookRequest:
        return _WebhookRequest(self._name, body, self._parameters())


@dataclass
class _WebhookRequest:
    """The delivery of an event, as openapi-core wants to see it."""

    name: str
    body: bytes
    parameters: Any
    method: str = "post"
    content_type: str = "application/json"


def with_bounds(schema: Any) -> Any:
    """A copy of a schema in which every integer format is a `minimum` and a `maximum` too."""
    if isinstance(schema, list):
        return [with_bounds(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    bounded = {
        key: value if key in ("enum", "const", "examples", "default") else with_bounds(value)
        for key, value in schema.items()
    }
    bounds = FORMATS.get(schema["format"]) if isinstance(schema.get("format"), str) else None
    if bounds:
        bounded["minimum"] = max(bounds.minimum, schema.get("minimum", -float("inf")))
        bounded["maximum"] = min(bounds.maximum, schema.get("maximum", float("inf")))
    return bounded


def _anything(value: object) -> bool:
    return True


def _without_surrogates(value: object) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False).encode(errors="replace"))


def reported(errors: Iterable[Any]) -> list[Problem]:
    """What `jsonschema` found, which openapi-core builds on too."""
    problems = []
    for error in errors:
        path, keyword = list(error.absolute_path), str(error.validator)
        if keyword == "required":
            problems += [_missing(path, name) for name in _absent(error)]
        else:
            found = error.instance
            problems.append(_breach(path, keyword, error.validator_value, found, error.message))
    return problems


def _absent(error: Any) -> list[str]:
    """The one missing name that this error is about; `jsonschema` tells it in its message only."""
    names = [name for name in error.validator_value if name not in error.instance]
    return [name for name in names if error.message.startswith(repr(name))]


def _missing(path: Sequence[str | int], name: str) -> Problem:
    return _problem([*path, name], "is required, but is not there")


def _breach(
    path: Sequence[str | int], keyword: str, expected: Any, found: Any, message: str
) -> Problem:
    """A problem in our words for the usual keywords, in the library's for the rest."""
    wording = _WORDINGS.get(keyword)
    if wording:
        message = f"expected {wording(expected)}, found {_short(found)}"
    return _problem(path, f"{message:.1000}")


def _alternatives(branches: Sequence[Any]) -> str:
    """Branches that only ask for names are told by these."""
    needed = [branch.get("required") if isinstance(branch, dict) else None for branch in branches]
    if all(needed):
        return f"one of {', '.join(' and '.join(names or ()) for names in needed)}"
    return f"one of {len(branches)} shapes"


_WORDINGS: Mapping[str, Callable[[Any], str]] = {
    "type": lambda types: types if isinstance(types, str) else " or ".join(types),
    "enum": lambda values: f"one of {', '.join(map(_short, values))}",
    "const": lambda value: _short(value),
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "minimum": lambda least: f"at least {least}",
    "maximum": lambda most: f"at most {most}",
    "format": lambda name: f"{name}, from {FORMATS[name].minimum} to {FORMATS[name].maximum}",
}


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _problem(path: Sequence[str | int], message: str) -> Problem:
    """One line that can be printed everywhere, whatever names and values a peer made up."""
    return Problem(_printable(".".join(map(str, path))), _printable(message))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    escaped = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return "".join(escaped)
