"""What is wrong, as ``application/problem+json`` (RFC 9457), for everything under ``/_mockzoom/``.

A problem has a `type` to branch on, a `title`, the `status` and one line of `detail` that says what
to change.  Mistakes of ours have the type ``urn:mockzoom:`` and the name of the class in
`mockzoom.errors`; what HTTP itself has a word for is ``about:blank``.  A request that breaks the
document lists its `errors`, and a wait that fails its `near_misses`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from flask import Response
from werkzeug.exceptions import HTTPException

from mockzoom.core.validators import Problem
from mockzoom.errors import Closing, MockzoomError, UnknownObject

__all__ = ["Refused", "broken_document", "http_problem", "mistake", "problem"]


class Refused(Exception):
    """What an operation raises to be answered by `problem` with these arguments."""

    def __init__(self, status: int, kind: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.more = more


def problem(status: int, kind: str, detail: str, **more: Any) -> Response:
    """`kind` is the last part of the type, in words apart by hyphens; ``""`` for about:blank."""
    told = {
        "type": f"urn:mockzoom:{kind}" if kind else "about:blank",
        "title": kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }
    return Response(json.dumps(told), status, mimetype="application/problem+json")


def mistake(error: MockzoomError) -> Response:
    """404 for what does not exist, 503 for what is closing, 400 for the rest."""
    status = {UnknownObject: 404, Closing: 503}.get(type(error), 400)
    kind = re.sub(r"(?<=.)(?=[A-Z])", "-", type(error).__name__).lower()
    return problem(status, kind, str(error))


def broken_document(problems: Sequence[Problem]) -> Response:
    """A request that is not what the document asks for."""
    errors = [{"field": one.path or "body", "message": one.message} for one in problems]
    detail = "; ".join(f"{error['field']}: {error['message']}" for error in errors)
    return problem(400, "invalid-request", detail, errors=errors)


def http_problem(error: HTTPException, what: str) -> Response:
    """`what` was asked for, and HTTP has a status for why it is not had."""
    answer = problem(error.code or 500, "", f"{what}: {error.name}")
    answer.headers.extend((k, v) for k, v in error.get_headers() if k == "Allow")
    return answer
