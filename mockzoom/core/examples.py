"""Example events, made from the contract: realistic, repeatable, and always valid.

A field's value is the first of these that its schema admits: the only value or one of the values
that the schema lists; an id in Zoom's shape when the field's name is one of `ZoomIds`; one of the
schema's own `examples`; else any value of its type within its bounds.  So an event that a document
adds has examples without a line of code.

The same seed and the same calls give the same events, and `encode` gives the same bytes: what is
signed and sent is serialised there and nowhere else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from copy import deepcopy
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mockzoom.core.spec import EventContract, Spec
from mockzoom.core.validators import FORMATS, FastValidator, Problem
from mockzoom.core.zoom_ids import ZoomIds, faker_on
from mockzoom.errors import InvalidEvent

if TYPE_CHECKING:
    from faker import Faker

__all__ = ["ExampleFactory", "encode", "merge"]

_TRIES = 100
"""How often a random value is drawn again when a rule beyond its type, a `not` say, refuses it."""


def encode(event: Mapping[str, Any]) -> bytes:
    """The one serialisation of an event: compact UTF-8 JSON, keys in the order they have.

    Raises InvalidEvent for what JSON in UTF-8 cannot hold: NaN, infinities, half a surrogate pair.
    """
    try:
        text = json.dumps(event, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except ValueError as error:  # UnicodeEncodeError is one
        raise InvalidEvent(f"an event that JSON in UTF-8 cannot hold: {error}") from None


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `overrides` merged in: mappings field by field, everything else replaced."""
    merged = dict(base)
    for key, value in overrides.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


class ExampleFactory:
    """Events of one document from one seed; without a seed they differ in every run.

    `ids` makes single ids of the same seed, for whoever needs a meeting before its first event.
    """

    def __init__(self, spec: Spec, seed: int | None = None) -> None:
        self.spec = spec
        self.ids = ZoomIds(seed)
        self._random = self.ids.random
        self._now_ms = 0
        self._validators: dict[int, tuple[Mapping[str, Any], FastValidator]] = {}

    def event(
        self,
        name: str,
        overrides: Mapping[str, Any] | None = None,
        *,
        facts: Mapping[str, Any] | None = None,
        now_ms: int,
        validate: bool = True,
    ) -> dict[str, Any]:
        """An event as it would be sent at `now_ms` (Unix milliseconds), `overrides` merged in.

        `facts` are fields of its payload as they are: objects among them are not merged.
        Raises UnknownEvent, and InvalidEvent when the result breaks its contract; with
        `validate=False` overrides may break it.
        """
        contract = self.spec.event(name)
        self._now_ms = now_ms
        event = merge(self._generated(contract), overrides or {})
        if facts:
            event["payload"] = {**event.get("payload", {}), **facts}
        problems = contract.problems(event) if validate else []
        if problems:
            reasons = "; ".join(map(str, problems))
            raise InvalidEvent(f"{name} would break its contract: {reasons}")
        return event

    def _generated(self, contract: EventContract) -> dict[str, Any]:
        problems: list[Problem] = []
        for _ in range(_TRIES):
            event = self._value(contract.schema, "")
            if not isinstance(event, dict):
                event = {}
            problems = contract.problems(event)
            if not problems:
                return event
        raise InvalidEvent(
            f"{contract.name}: found no example in {_TRIES} tries, the last one had "
            f"{problems[0]}; give the field `examples` in the document"
        )

    # --- values ---

    def _value(self, schema: Any, name: str) -> Any:
        """A value for the field `name` that the keywords understood here allow.

        What comes from the document is copied: an event is its caller's to change.
        """
        of_document, schema = schema, self._chosen(schema)
        if "const" in schema:
            return deepcopy(schema["const"])
        if schema.get("enum"):
            return deepcopy(self._random.choice(schema["enum"]))
        type_ = self._type(schema)
        if type_ == "object" and ("properties" in schema or not schema.get("examples")):
            return self._object(schema, name)
        for known in (self._named(name), schema.get("examples", ())):
            fitting = [value for value in known if self._fits(schema, value, of_document)]
            if fitting:
                return deepcopy(self._random.choice(fitting))
        return getattr(self, f"_{type_}")(schema, name)

    def _chosen(self, schema: Any) -> dict[str, Any]:
        """The schema with one branch of each combination folded into it."""
        if not isinstance(schema, dict):
            return {}
        if schema.keys().isdisjoint(_COMBINATIONS):
            return schema
        folded = {key: value for key, value in schema.items() if key not in _COMBINATIONS}
        for keyword in _COMBINATIONS:
            branches = schema.get(keyword, [])
            if branches and keyword != "allOf":
                branches = [self._random.choice(branches)]
            for branch in branches:
                folded = _folded(folded, self._chosen(branch))
        return folded

    def _fits(self, schema: Mapping[str, Any], value: Any, of_document: Any) -> bool:
        if schema is not of_document:
            return not FastValidator(schema).problems(value)
        kept = self._validators.get(id(schema))
        if kept is None:  # with the schema itself, so that nothing else can have its id
            kept = self._validators[id(schema)] = (schema, FastValidator(schema))
        return not kept[1].problems(value)

    def _type(self, schema: Mapping[str, Any]) -> str:
        declared = schema.get("type")
        if isinstance(declared, list):
            kinds = [kind for kind in declared if kind != "null"]
            return str(self._random.choice(kinds)) if kinds else "null"
        if declared:
            return str(declared)
        return next((kind for key, kind in _HINTS.items() if key in schema), "string")

    def _named(self, name: str) -> list[Any]:
        if name == "event_ts":
            return [self._now_ms]
        maker = None if name.startswith("_") else vars(ZoomIds).get(name)
        return [maker(self.ids)] if maker else []

    def _object(self, schema: Mapping[str, Any], name: str) -> dict[str, Any]:
        fields: dict[str, Any] = schema.get("properties", {})
        required = list(schema.get("required", []))
        optional = [field for field in fields if field not in required]
        least = max(0, schema.get("minProperties", 0) - len(required))
        most = min(len(optional), schema.get("maxProperties", len(fields)) - len(required))
        count = self._random.randint(min(least, most), most) if most > 0 else 0
        present = {*required, *self._random.sample(optional, count)}
        order = [field for field in {**fields, **dict.fromkeys(required)} if field in present]
        return {field: self._value(fields.get(field, _ANY), field) for field in order}

    @cached_property
    def _faker(self) -> Faker:
        return faker_on(self._random)

    def _array(self, schema: Mapping[str, Any], name: str) -> list[Any]:
        first = [self._value(item, name) for item in schema.get("prefixItems", [])]
        least = schema.get("minItems", 1)
        most = min(schema.get("maxItems", least + 2), least + 2)
        count = max(0, self._random.randint(least, max(least, most)) - len(first))
        rest = [self._value(schema.get("items", _ANY), name) for _ in range(count)]
        return [*first, *rest][: schema.get("maxItems", None)]

    def _string(self, schema: Mapping[str, Any], name: str) -> str:
        maker = _STRINGS.get(schema.get("format", ""))
        text = str(getattr(self._faker, maker)()) if maker else str(self._faker.word())
        least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
        while len(text) < least:
            text += str(self._faker.random_lowercase_letter())
        return text[: int(min(len(text), most))]

    def _integer(self, schema: Mapping[str, Any], name: str) -> int:
        low, high = _bounds(schema)
        step = schema.get("multipleOf", 1)
        if step != int(step):
            step = 1
        low, high = math.ceil(low / step), math.floor(high / step)
        return int(self._random.randint(low, max(low, high)) * step)

    def _number(self, schema: Mapping[str, Any], name: str) -> float:
        if "multipleOf" in schema:
            step = schema["multipleOf"]
            low, high = (bound / step for bound in _bounds(schema))
            return float(self._random.randint(math.ceil(low), math.floor(high)) * step)
        return float(round(self._random.uniform(*_bounds(schema)), 3))

    def _boolean(self, schema: Mapping[str, Any], name: str) -> bool:
        return bool(self._random.getrandbits(1))

    def _null(self, schema: Mapping[str, Any], name: str) -> None:
        return None


#: The schema of what no schema says anything about.
_ANY: dict[str, Any] = {}

_COMBINATIONS = ("allOf", "anyOf", "oneOf")

#: What a schema without a type is about.
_HINTS = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minimum": "integer",
    "maximum": "integer",
}

#: The methods of Faker that make strings of a format.
_STRINGS = {
    "date": "date",
    "date-time": "iso8601",
    "email": "safe_email",
    "hostname": "domain_name",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "time": "time",
    "uri": "uri",
    "url": "uri",
    "uuid": "uuid4",
}


def _folded(schema: dict[str, Any], branch: dict[str, Any]) -> dict[str, Any]:
    """Both at once, as far as examples need it: fields and required names add up."""
    folded = {**schema, **branch}
    if "properties" in schema and "properties" in branch:
        names = [*schema["properties"], *(n for n in branch["properties"])]
        folded["properties"] = {
            name: _folded(
                _as_dict(schema["properties"].get(name)), _as_dict(branch["properties"].get(name))
            )
            for name in names
        }
    if "required" in schema and "required" in branch:
        folded["required"] = [*dict.fromkeys([*schema["required"], *branch["required"]])]
    return folded


def _as_dict(schema: Any) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else {}


def _bounds(schema: Mapping[str, Any]) -> tuple[float, float]:
    """Where to draw a number from: at most 10,000 wide, and positive where the schema lets it."""
    least, most = FORMATS.get(schema.get("format", ""), (-math.inf, math.inf))
    low = max(
        least, schema.get("minimum", -math.inf), schema.get("exclusiveMinimum", -math.inf) + 1
    )
    high = min(most, schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - 1)
    if low <= 1 <= high:
        low = 1
    return (low, min(high, low + 9999)) if low > -math.inf else (high - 9999, high)
