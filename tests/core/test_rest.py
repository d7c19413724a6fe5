"""The REST document: it keeps the standard, and its operations are read from it."""

from __future__ import annotations

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mockzoom.core.examples import ExampleFactory
from mockzoom.core.products import PRODUCTS
from mockzoom.core.rest import load_rest
from mockzoom.core.spec import load_spec

REST = load_rest()
STATUS = [operation for operation in REST.operations.values() if operation.ids]
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def test_the_document_keeps_the_standard():
    """openapi-spec-validator has nothing to say about it."""
    assert list(OpenAPIV31SpecValidator(REST.document).iter_errors()) == []


def test_every_product_has_its_operation():
    """What streams can be started for is what there are products for."""
    tags = [tag for item in REST.document["paths"].values() for tag in _operation(item)["tags"]]
    assert sorted(tags) == sorted([*PRODUCTS, "oauth"])


def _operation(item):
    [operation] = [node for key, node in item.items() if key != "parameters"]
    return operation


def test_the_ids_are_those_of_the_webhooks():
    """Each operation names fields of the products that it is for, and no others."""
    for operation in STATUS:
        item = REST.document["paths"][operation.path]
        known = set()
        for tag in _operation(item)["tags"]:
            known |= {PRODUCTS[tag].id_field, PRODUCTS[tag].key_field}
        assert set(operation.ids) <= known
        for tag in _operation(item)["tags"]:
            assert PRODUCTS[tag].id_field in operation.ids


def test_every_scope_is_declared():
    """A scope that an operation takes is one that an app can have, and the other way round."""
    asked = {
        scope
        for operation in REST.operations.values()
        for alternative in operation.security
        for scope in alternative.get("oauth", ())
    }
    assert asked == set(REST.scopes)


@pytest.mark.parametrize("operation", STATUS, ids=lambda operation: operation.name)
@pytest.mark.parametrize(
    ("body", "content_type", "problems"),
    [
        (b'{"action": "start"}', JSON, []),
        (b'{"action": "resume", "and": "more"}', JSON, []),
        (b"{}", JSON, ["action: is required, but is not there"]),
        (
            b'{"action": "begin"}',
            JSON,
            ['action: expected one of "start", "stop", "pause", "resume", found "begin"'],
        ),
        (b"[]", JSON, ["the whole: expected object, found []"]),
        (b"{", JSON, ["the whole: is not application/json"]),
        (b"\xff", JSON, ["the whole: is not application/json"]),
        (b"9" * 5_000, JSON, ["the whole: is not application/json"]),
        (b"[" * 100_000, JSON, ["the whole: is nested too deeply"]),
        (b"", JSON, ["the whole: is missing"]),
        (b"a=b", FORM, [f"the whole: expected {JSON}, found {FORM}"]),
        (b"{}", "", [f"the whole: expected {JSON}, found no content type"]),
    ],
)
def test_bodies_are_judged(operation, body, content_type, problems):
    """openapi-core says what is wrong with a body, and we in which words."""
    assert [str(p) for p in REST.problems(operation, body, content_type)] == problems


@pytest.mark.parametrize(
    ("settings", "problems"),
    [
        ({}, []),
        ({"client_id": "x", "participant_user_id": "y"}, []),
        ({"client_id": 1}, ["settings.client_id: expected string, found 1"]),
        (None, ["settings: expected object, found null"]),
    ],
)
def test_settings_are_judged(settings, problems):
    """They are optional, and of these types."""
    body = json.dumps({"action": "stop", "settings": settings}).encode()
    operation = REST.operations["updateMeetingRtmsStatus"]
    assert [str(p) for p in REST.problems(operation, body, JSON)] == problems


def test_a_scope_is_missing_or_not():
    """One of the alternatives will do; what is missing is told of the nearest."""
    operation = REST.operations["updateMeetingRtmsStatus"]
    scope = "meeting:update:participant_rtms_app_status"
    assert operation.missing_scopes("oauth", frozenset()) == (scope,)
    assert operation.missing_scopes("oauth", frozenset({scope})) == ()
    assert operation.missing_scopes("oauth", frozenset({f"{scope}:admin"})) == ()
    assert operation.missing_scopes("oauth", frozenset({"user:read"})) == (scope,)


def test_only_sessions_take_tokens_that_apps_sign():
    """The Video SDK has its own way; and a session asks an access token for no scope."""
    assert [o.name for o in STATUS if o.takes("jwt")] == ["updateSessionRtmsStatus"]
    assert REST.operations["updateSessionRtmsStatus"].missing_scopes("oauth", frozenset()) == ()


def test_the_examples_of_ids_have_the_shapes_of_ids():
    """What the document shows is what the mock makes: of the same length or number of digits."""
    ids = ExampleFactory(load_spec(), 1).ids
    shown = REST.document["paths"][STATUS[0].path]["parameters"][0]["examples"]
    assert len(shown["uuid"]["value"]) == len(ids.meeting_uuid())
    assert 9 <= len(shown["number"]["value"]) <= 11
