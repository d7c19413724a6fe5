"""The document of the control API and the app that answers it: they are about the same."""

from __future__ import annotations

import inspect
import json
import re
import urllib.request
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mockzoom import MockZoom
from mockzoom.core.codes import ChatOperation, StopReason
from mockzoom.core.operations import Operation, read_api
from mockzoom.core.products import PRODUCTS
from mockzoom.web.app import create_app
from mockzoom.web.control.blueprint import views

API = read_api("control-api.openapi.yaml")


def test_the_document_keeps_the_standard() -> None:
    """openapi-spec-validator has nothing to say about it."""
    assert list(OpenAPIV31SpecValidator(API.document).iter_errors()) == []


def test_routes_and_operations_are_the_same() -> None:
    """The app answers what the document has, at the same paths, and nothing else."""
    nobody: Any = None
    routes = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in create_app(nobody, nobody, nobody).url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert routes == {(one.path, one.method) for one in API.operations.values()}


def test_each_operation_has_its_function() -> None:
    """Called as the operation, and taking the parameters of its path."""
    assert set(views()) == set(API.operations)
    for name, view in views().items():
        _, *taken = inspect.signature(view).parameters
        assert taken == [one["name"] for one in API.operations[name].parameters_in("path")]


@pytest.mark.parametrize("operation", API.operations.values(), ids=lambda one: one.name)
def test_each_operation_is_told(operation: Operation) -> None:
    """With a summary, the noun that it belongs to, and an example of what it takes."""
    assert operation.node["summary"]
    assert len(operation.node["tags"]) == 1
    assert operation.path.startswith("/_mockzoom/")
    if "requestBody" in operation.node:
        media = API.resolved(operation.node["requestBody"])["content"]["application/json"]
        for example in media["examples"].values():
            body = json.dumps(example["value"]).encode()
            assert API.problems(operation, body) == []


def test_what_the_document_repeats_is_true() -> None:
    """Products and numbers of the protocol are those of the core."""
    schemas = API.document["components"]["schemas"]
    assert schemas["Product"]["enum"] == list(PRODUCTS)

    def bounds(name: str, field: str) -> tuple[int, int, int]:
        body = API.operations[name].node["requestBody"]["content"]["application/json"]
        found = body["schema"]["properties"][field]
        return found["minimum"], found["maximum"], found["default"]

    reasons = (min(StopReason), max(StopReason), StopReason.MEETING_ENDED)
    assert bounds("stop_stream", "stop_reason") == reasons
    operations = (min(ChatOperation), max(ChatOperation), ChatOperation.NEW)
    assert bounds("chat", "operation_type") == operations


def test_the_document_is_served() -> None:
    """To anybody, as it is, also where a token is asked for."""
    with MockZoom(api_token="a-token") as zoom:
        url = f"{zoom.url}/_mockzoom/openapi.json"
        with urllib.request.urlopen(url, timeout=10) as answer:
            assert json.loads(answer.read()) == json.loads(json.dumps(API.document))
