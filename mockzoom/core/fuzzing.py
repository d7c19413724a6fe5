"""The events as operations of a web service, for tools that know no webhooks.

OpenAPI describes what an app is *sent* under `webhooks`.  Fuzzers look for operations under `paths`
only and find none in such a document, without a word.  `as_paths` gives each event a virtual path
of its own; whoever sends what a fuzzer made of it puts the app's real URL in its place.
"""

from __future__ import annotations

from typing import Any

from mockzoom.core.spec import Spec

__all__ = ["as_paths"]


def as_paths(spec: Spec) -> dict[str, Any]:
    """An OpenAPI 3.1 document in which the event `x` is the operation ``POST /x``."""
    document = {name: part for name, part in spec.document.items() if name != "webhooks"}
    paths = {f"/{name}": item for name, item in spec.document["webhooks"].items()}
    return {**document, "paths": paths}
