"""OpenAPI Overlay 1.0: corrections to a document that somebody else publishes.

The vendor's document stays as published, and what is known to be wrong in it is corrected by a
second document: a list of actions, each with a target (a JSONPath), an update or a removal, and a
description that gives the reason.  So a correction can be read, doubted and switched off.

Of JSONPath (RFC 9535) it takes what corrections need: names (`.enum`, `['a', 'b']`), indexes,
wildcards (`*`, `[*]`) and descendants (`..name`).  Filters and slices are refused by name.  One
thing is kinder than the standard: appending an entry that an array already has changes nothing,
so that a correction does no harm once the vendor has made it too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockzoom.core.document import Document, pointer, read_document
from mockzoom.errors import SpecError, nearest

__all__ = ["Action", "Overlay", "load_overlay", "select"]

_ACTION_KEYS = {"target", "description", "update", "remove"}
_OVERLAY_KEYS = {"overlay", "info", "extends", "actions"}

_SEGMENT = re.compile(
    r"""(?P<deep>\.\.)?\s*(?:
        \[\s*(?P<list>(?:'[^']*'|"[^"]*"|-?\d+|\*)(?:\s*,\s*(?:'[^']*'|"[^"]*"|-?\d+|\*))*)\s*\]
        | (?P<dot>\.)?(?P<name>\*|[^\W\d][\w-]*)
    )""",
    re.VERBOSE,
)
_SELECTOR = re.compile(r"""'([^']*)'|"([^"]*)"|(-?\d+)|(\*)""")

Selector = str | int | None
"""A name, an index, or None for everything."""

Match = tuple[Any, str | int]
"""An object or array, and the key or index of what was matched in it."""


@dataclass(frozen=True)
class Action:
    """One correction: what it changes, how, and why."""

    number: int
    target: str
    description: str
    update: Any = None
    remove: bool = False

    def apply(self, document: dict[str, Any]) -> int:
        """Change `document` in place; returns how many places the target matched."""
        matches = select(document, self.target)
        for parent, key in reversed(matches) if self.remove else matches:
            if self.remove:
                del parent[key]
            else:
                _update(parent, key, self.update)
        return len(matches)


@dataclass(frozen=True)
class Overlay:
    """The actions of an overlay document, in order."""

    source: Path
    actions: tuple[Action, ...]

    def apply(self, document: dict[str, Any], *, strict: bool = True) -> dict[str, Any]:
        """A corrected copy of `document`.

        When `strict`, an action whose target matches nothing raises SpecError with its number and
        target: in a document that the overlay was written for it is a mistake.
        """
        corrected = deepcopy(document)
        for action in self.actions:
            if not action.apply(corrected) and strict:
                raise SpecError(
                    f"{self.source}: action {action.number} matches nothing: {action.target}"
                )
        return corrected


def load_overlay(path: str | Path) -> Overlay:
    """Read an overlay document; raises SpecError when it is broken."""
    document = read_document(path)
    _known(document, document.content, _OVERLAY_KEYS, "#")
    version = document.content.get("overlay")
    if not str(version).startswith("1.0"):
        raise document.error("#/overlay", f"expected overlay version 1.0.x, found {version!r}")
    actions = document.content.get("actions")
    if not isinstance(actions, list) or not actions:
        raise document.error("#/actions", "expected a list of actions")
    return Overlay(
        document.path,
        tuple(_action(document, number, entry) for number, entry in enumerate(actions, 1)),
    )


def _action(document: Document, number: int, entry: Any) -> Action:
    at = pointer("#/actions", number - 1)
    if not isinstance(entry, dict) or not isinstance(entry.get("target"), str):
        raise document.error(at, f"action {number} has no target")
    _known(document, entry, _ACTION_KEYS, at)
    remove = entry.get("remove", False)
    if remove is not True and "update" not in entry:
        raise document.error(at, f"action {number} neither updates nor removes")
    action = Action(
        number, entry["target"], str(entry.get("description", "")), entry.get("update"), remove
    )
    try:
        list(_segments(action.target))
    except ValueError as error:
        raise document.error(pointer(at, "target"), f"action {number}: {error}") from None
    return action


def _known(document: Document, node: dict[str, Any], known: set[str], at: str) -> None:
    for key in node:
        if key not in known and not key.startswith("x-"):
            raise document.error(
                pointer(at, key), f"unknown keyword {key!r} in an overlay{nearest(key, known)}"
            )


def select(document: Any, path: str) -> list[Match]:
    """Every place that a JSONPath matches, in document order, each place once.

    Raises ValueError for syntax that is not understood.
    """
    root = {"$": document}
    matches: list[Match] = [(root, "$")]
    for deep, selectors in _segments(path):
        found: dict[tuple[int, str | int], Match] = {}
        for parent, key in matches:
            for node in _descendants(parent[key]) if deep else (parent[key],):
                for name in _chosen(node, selectors):
                    found[id(node), name] = (node, name)
        matches = list(found.values())
    return matches


def _segments(path: str) -> Iterator[tuple[bool, list[Selector]]]:
    path = " ".join(path.split())
    if not path.startswith("$"):
        raise ValueError(f"a JSONPath starts with $, this does not: {path}")
    position = 1
    while position < len(path):
        segment = _SEGMENT.match(path, position)
        if not segment or (segment["name"] and bool(segment["deep"]) == bool(segment["dot"])):
            raise ValueError(f"JSONPath that is not understood from {path[position:]!r} on")
        position = segment.end()
        yield bool(segment["deep"]), _selectors(segment)


def _selectors(segment: re.Match[str]) -> list[Selector]:
    if name := segment["name"]:
        return [None if name == "*" else name]
    return [
        None if star else int(index) if index else single or double
        for single, double, index, star in _SELECTOR.findall(segment["list"])
    ]


def _descendants(node: Any) -> Iterator[Any]:
    yield node
    for child in (
        node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    ):
        yield from _descendants(child)


def _chosen(node: Any, selectors: list[Selector]) -> Iterator[str | int]:
    for selector in selectors:
        if isinstance(node, dict):
            if selector is None:
                yield from node
            elif selector in node:
                yield str(selector)
        elif isinstance(node, list):
            if selector is None:
                yield from range(len(node))
            elif isinstance(selector, int) and -len(node) <= selector < len(node):
                yield selector % len(node)


def _update(parent: Any, key: str | int, update: Any) -> None:
    """Merge `update` into an object, append it to an array, or put it in place of a value."""
    node = parent[key]
    if isinstance(node, list):
        if update not in node:
            node.append(deepcopy(update))
    elif isinstance(node, dict) and isinstance(update, dict):
        for name, value in update.items():
            if isinstance(node.get(name), dict) and isinstance(value, dict):
                _update(node, name, value)
            else:
                node[name] = deepcopy(value)
    else:
        parent[key] = deepcopy(update)
