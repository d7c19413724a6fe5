"""A contract document as it was read from disk: YAML or JSON, and where in the file things stand.

The parsers of both formats forgive what a contract must not contain: a key given twice (the last
one wins silently), and in YAML a date that turns into an object of Python's.  Here a repeated key
is an error, dates stay strings, and every key is a string (`200:` is `"200":`).

Places are JSON pointers while a document is worked on.  Only when something is wrong is the file
parsed a second time, to turn the pointer into a line number, so that a good file costs one parse.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from mockzoom.core.plain_yaml import PlainLoader
from mockzoom.errors import SpecError

__all__ = ["Document", "pointer", "read_document"]


class _Loader(PlainLoader):
    """With unique string keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[str, Any]:
        self.flatten_mapping(node)
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self.construct_object(key_node, deep=True))
            if key in mapping:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


@dataclass(frozen=True, eq=False)
class Document:
    """What a file holds, and the file itself for messages about it."""

    path: Path
    text: str
    content: dict[str, Any]

    def error(self, at: str, reason: str) -> SpecError:
        """One line about the place `at` (a JSON pointer): file, line, reason, pointer."""
        line = _line_of(self.text, _parts(at))
        where = f"{self.path}:{line}" if line else str(self.path)
        return SpecError(f"{where}: {reason} (at {at})")

    def find(self, at: str) -> Any:
        """The value at a JSON pointer such as `#/components/schemas/X`; LookupError if none."""
        node: Any = self.content
        for part in _parts(at):
            node = node[int(part)] if isinstance(node, list) and part.isdigit() else node[part]
        return node


def pointer(base: str, *parts: str | int) -> str:
    """`base` extended by keys and indexes, escaped as JSON pointers want it."""
    return "/".join([base, *(str(part).replace("~", "~0").replace("/", "~1") for part in parts)])


def read_document(path: str | Path) -> Document:
    """Read a YAML or JSON file that holds one object.

    Raises SpecError for a file that is missing, unreadable, not UTF-8, not YAML or JSON, or not an
    object, with the line where a parser names one.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: is not UTF-8: {error.reason} at byte {error.start}") from None
    content = _parse(path, text)
    if not isinstance(content, dict):
        found = "nothing" if content is None else type(content).__name__
        raise SpecError(f"{path}: expected an object at the top, found {found}")
    return Document(path, text, content)


def _parse(path: Path, text: str) -> Any:
    try:
        if text.lstrip().startswith("{"):  # not every YAML parser takes the tabs of JSON
            return json.loads(text, object_pairs_hook=_unique)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader all the same
    except json.JSONDecodeError as error:
        raise SpecError(f"{path}:{error.lineno}: is not JSON: {error.msg}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise SpecError(f"{where}: is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise SpecError(f"{path}: is not YAML: {' '.join(str(error).split())}") from None
    except ValueError as error:
        raise SpecError(f"{path}: {error}") from None
    except RecursionError:
        raise SpecError(f"{path}: is nested too deeply") from None


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key, value in pairs:
        if key in mapping:
            raise ValueError(f"key {key!r} is given twice")
        mapping[key] = value
    return mapping


def _parts(at: str) -> list[str]:
    return [
        unquote(part).replace("~1", "/").replace("~0", "~")
        for part in at.removeprefix("#").split("/")[1:]
    ]


def _line_of(text: str, parts: list[str]) -> int | None:
    """The line of the deepest part of a pointer that the file has, from 1."""
    try:
        node: Any = yaml.compose(text, Loader=PlainLoader)
    except yaml.YAMLError:  # JSON with tabs, where PyYAML came without libyaml
        return None
    line = node.start_mark.line + 1
    for part in parts:
        if isinstance(node, yaml.MappingNode):
            found = [(key, value) for key, value in node.value if key.value == part]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit():
            found = [(item, item) for item in node.value[int(part) : int(part) + 1]]
        else:
            found = []
        if not found:
            break
        key, node = found[0]
        line = key.start_mark.line + 1
    return int(line)
