"""Problems as RFC 9457 has them."""

from __future__ import annotations

import json

import pytest
from werkzeug.exceptions import MethodNotAllowed

from mockzoom.core.validators import Problem
from mockzoom.errors import Closing, ContractBroken, MockzoomError, UnknownObject, UsageError
from mockzoom.web.problems import broken_document, http_problem, mistake, problem


@pytest.mark.parametrize(
    ("error", "status", "kind", "title"),
    [
        (UnknownObject("x"), 404, "unknown-object", "Unknown object"),
        (UsageError("x"), 400, "usage-error", "Usage error"),
        (ContractBroken("x"), 400, "contract-broken", "Contract broken"),
        (Closing("x"), 503, "closing", "Closing"),
    ],
)
def test_our_mistakes_have_types(error: MockzoomError, status: int, kind: str, title: str) -> None:
    """The class says which, and what the status is."""
    answer = mistake(error)
    assert answer.mimetype == "application/problem+json"
    assert answer.status_code == status
    assert json.loads(answer.data) == {
        "type": f"urn:mockzoom:{kind}",
        "title": title,
        "status": status,
        "detail": "x",
    }


def test_what_breaks_the_document_is_listed() -> None:
    """Field by field, and in one line."""
    answer = broken_document([Problem("a.b", "is wrong"), Problem("", "is missing")])
    told = json.loads(answer.data)
    assert told["detail"] == "a.b: is wrong; body: is missing"
    assert told["errors"] == [
        {"field": "a.b", "message": "is wrong"},
        {"field": "body", "message": "is missing"},
    ]


def test_what_http_has_a_word_for() -> None:
    """It is about:blank, and a 405 says what is allowed."""
    answer = http_problem(MethodNotAllowed(["POST"]), "GET /x")
    told = json.loads(answer.data)
    assert (told["type"], told["title"]) == ("about:blank", "Method Not Allowed")
    assert told["detail"] == "GET /x: Method Not Allowed"
    assert answer.headers["Allow"] == "POST"


def test_a_problem_may_say_more() -> None:
    """Fields of its own stand beside the common ones."""
    assert json.loads(problem(429, "too-many-waits", "later", retry=True).data)["retry"] is True
