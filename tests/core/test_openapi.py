"""Bringing OpenAPI documents into one shape, and refusing what is not understood."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockzoom.core.document import read_document
from mockzoom.core.openapi import JSON_TYPE, normalise, resolved_schema
from mockzoom.errors import SpecError

SCHEMA = {
    "type": "object",
    "required": ["event"],
    "properties": {"event": {"$ref": "#/components/schemas/Name"}},
}
OPERATION = {
    "operationId": "a.happened",
    "tags": ["a"],
    "requestBody": {"content": {JSON_TYPE: {"schema": SCHEMA, "examples": {}}}},
    "responses": {"200": {"description": "Fine."}},
}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "T", "version": "1"},
    "webhooks": {"a.happened": {"post": OPERATION}},
    "components": {"schemas": {"Name": {"type": "string"}}},
}


def normalised(tmp_path: Path, document: Any) -> dict[str, Any]:
    path = tmp_path / "events.yaml"
    path.write_text(yaml.dump(document, Dumper=_NoAliases))
    return normalise(read_document(path))


class _NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def changed(change: Callable[[Any], Any]) -> Any:
    document = deepcopy(DOCUMENT)
    change(document)
    return document


def body(document: Any) -> Any:
    [item] = document["webhooks"].values()
    return item["post"]["requestBody"]["content"][JSON_TYPE]


@pytest.mark.parametrize("key", ["a.happened", "/a.happened"])
def test_paths_become_webhooks(tmp_path: Path, key: str) -> None:
    """The vendor's shape, with or without a slash, is the same contract as ours."""
    published = changed(lambda d: d.update(paths={key: d.pop("webhooks")["a.happened"]}))
    assert normalised(tmp_path, published) == normalised(tmp_path, DOCUMENT)


def test_json_text_as_an_example_becomes_the_object(tmp_path: Path) -> None:
    """Examples are objects however they were written, named or not."""
    text = json.dumps({"event": "a.happened"})
    examples = {"plain": {"value": {"event": "x"}}, "text": {"value": text}, "bare": text}

    def change(document: Any) -> None:
        body(document).update(examples=examples, example=text)

    values = {
        name: example["value"]
        for name, example in body(normalised(tmp_path, changed(change)))["examples"].items()
    }
    expected = {"event": "a.happened"}
    assert values == {
        "example": expected, "plain": {"event": "x"}, "text": expected, "bare": expected
    }  # fmt: skip


def test_references_are_replaced_and_what_stands_beside_them_counts(tmp_path: Path) -> None:
    """Notes beside a reference win, other constraints are added, repeated ones are kept twice."""

    def change(document: Any) -> None:
        document["components"]["schemas"]["Name"]["maxLength"] = 9
        body(document)["schema"]["properties"] = {
            "plain": {"$ref": "#/components/schemas/Name"},
            "noted": {"$ref": "#/components/schemas/Name", "description": "Here."},
            "tighter": {"$ref": "#/components/schemas/Name", "maxLength": 5},
            "listed": {"$ref": "#/components/schemas/Name", "enum": ["x"]},
        }

    name = {"type": "string", "maxLength": 9}
    assert body(normalised(tmp_path, changed(change)))["schema"]["properties"] == {
        "plain": name,
        "noted": {**name, "description": "Here."},
        "tighter": {"allOf": [name, {"maxLength": 5}]},
        "listed": {**name, "enum": ["x"]},
    }


def test_what_was_shared_is_not_shared_afterwards(tmp_path: Path) -> None:
    """Two places that refer to one schema can be corrected one by one."""

    def change(document: Any) -> None:
        document["components"]["schemas"]["Name"]["enum"] = ["a"]
        body(document)["schema"]["properties"]["other"] = {"$ref": "#/components/schemas/Name"}

    fields = body(normalised(tmp_path, changed(change)))["schema"]["properties"]
    fields["other"]["enum"].append("b")
    assert fields["event"]["enum"] == ["a"]


def test_whole_parts_may_be_references(tmp_path: Path) -> None:
    """Path items, request bodies, responses and examples are found where they were put."""

    def change(document: Any) -> None:
        operation = document["webhooks"]["a.happened"]["post"]
        components = document["components"]
        components["examples"] = {"E": {"value": {"event": "a.happened"}}}
        body(document)["examples"] = {"one": {"$ref": "#/components/examples/E"}}
        components["requestBodies"] = {"B": operation["requestBody"]}
        operation["requestBody"] = {"$ref": "#/components/requestBodies/B"}
        components["responses"] = {"R": operation["responses"]["200"]}
        operation["responses"] = {"200": {"$ref": "#/components/responses/R"}}
        components["pathItems"] = {"P": document["webhooks"]["a.happened"]}
        document["webhooks"]["a.happened"] = {"$ref": "#/components/pathItems/P"}

    document = normalised(tmp_path, changed(change))
    assert "$ref" not in json.dumps(document)
    assert body(document)["examples"] == {"one": {"value": {"event": "a.happened"}}}


def _set(*path: str, to: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        node = document
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = to

    return change


NAME = ("components", "schemas", "Name")
POST = ("webhooks", "a.happened", "post")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_set("openapi", to="3.0.3"), r":\d+: expected OpenAPI 3\.1, found '3\.0\.3' .*#/openapi"),
        (_set("webhooks", to={}), "no events"),
        (_set("webhooks", to=[]), "expected an object, found list"),
        (_set("webhook", to={}), "unknown keyword 'webhook' at the top.*did you mean 'webhooks'"),
        (_set("webhooks", "a.happened", to={}), "event 'a.happened' has no `post`"),
        (_set("webhooks", "a.happened", "get", to={}), "unknown keyword 'get' in a webhook"),
        (_set("webhooks", "a/{id}", to={"post": OPERATION}), "'a/{id}' is not the name of an ev"),
        (_set("webhooks", "b.happened", to={"post": OPERATION}), "operationId 'a.happened' is al"),
        (_set("paths", to={"/a.happened": {"post": OPERATION}}), "event 'a.happened' is there tw"),
        (_set(*POST, "tag", to=[]), "unknown keyword 'tag' in an operation; did you mean 'tags'"),
        (_set(*POST, "tags", to="a"), "expected a list of names.*/post/tags"),
        (_set(*POST, "requestBody", to={"content": {}}), "has no schema for application/json"),
        (_set(*POST, "requestBody", to={"contents": {}}), "unknown keyword 'contents' in a req"),
        (_set(*NAME, "nullabel", to=True), r":\d+: unknown keyword 'nullabel' in a schema"),
        (_set(*NAME, "$dynamicRef", to="#x"), "unknown keyword '\\$dynamicRef' in a schema"),
        (_set(*NAME, "type", to="strng"), 'strng.*#/components/schemas/Name/type'),
        (_set(*NAME, "required", to="x"), "array.*#/components/schemas/Name/required"),
        (_set(*NAME, "$ref", to="#/components/schemas/Gone"), "Gone' points to nothing"),
        (_set(*NAME, "$ref", to="#/openapi/deep/er"), "points to nothing"),
        (_set(*NAME, "$ref", to="#/webhooks"), "unknown keyword 'a.happened' in a schema"),
        (_set(*NAME, "$ref", to="#/openapi"), "not of types.*#/openapi"),
        (_set(*NAME, "$ref", to="other.yaml#/X"), "only references within the file"),
        (_set(*NAME, "$ref", to="#/components/schemas/Name"), "leads back to itself"),
        (_set(*NAME, "items", to={"$ref": "#/components/schemas/Name"}), "leads back to itself"),
        (_set("components", "schemas", "Unused", to={"typ": "x"}), "unknown keyword 'typ'"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_refused_by_name_and_place(
    tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    """A keyword that could change the meaning is never skipped, and the message is one line."""
    with pytest.raises(SpecError, match=reason) as caught:
        normalised(tmp_path, changed(change))
    assert "\n" not in str(caught.value)


def test_extensions_are_free(tmp_path: Path) -> None:
    """Keys that start with x- are allowed everywhere and mean nothing here."""

    def change(document: Any) -> None:
        for path in ((), ("webhooks", "a.happened"), POST, NAME):
            _set(*path, "x-anything", to={"type": "no schema"})(document)

    assert normalised(tmp_path, changed(change)) == normalised(tmp_path, DOCUMENT)


def test_one_schema_of_any_document_can_be_resolved(tmp_path: Path) -> None:
    """Documents that are not OpenAPI use the same JSON Schemas."""
    path = tmp_path / "other.yaml"
    path.write_text("a: {items: {$ref: '#/b'}}\nb: {type: string}\n")
    assert resolved_schema(read_document(path), "#/a") == {"items": {"type": "string"}}
