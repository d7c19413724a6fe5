"""The text of a scenario as plain values, and where in the text each of them stands.

It is YAML without the parts that surprise: keys are what is written (`on` is a word, not a truth),
a key is given once, dates stay texts, and there are no anchors, aliases or tags.  What is wrong
with a scenario is collected as `Mistake`s, so that all of them are told at once, each with its line
and column.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from mockzoom.core.plain_yaml import PlainLoader
from mockzoom.errors import ScenarioError

__all__ = ["MAX_CHARS", "Mistake", "Path", "Text", "read_text"]

#: As long as a scenario may be, in characters: it is written by hand.
MAX_CHARS = 200_000

#: Where a value stands: keys and indexes from the top, such as ``("steps", 3, "who")``.
Path = tuple[str | int, ...]


@dataclass(frozen=True, order=True)
class Mistake:
    """What is wrong at `line` and `column`, both from 1."""

    line: int
    column: int
    what: str


@dataclass
class Text:
    """`content` is the whole as plain values, `places` the line and column of each.

    Of a field of a mapping that is its key, which is where an editor is to jump.
    """

    file: str
    content: Any = None
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def wrong(self, path: Path, what: str) -> None:
        """Note a mistake at `path`, or at the next thing around it that has a place."""
        while path not in self.places and path:
            path = path[:-1]
        self.mistakes.append(Mistake(*self.places.get(path, (1, 1)), what))

    def check(self) -> None:
        """Raise `ScenarioError` with every mistake so far, in the order of the text."""
        if self.mistakes:
            raise ScenarioError(
                [f"{self.file}:{m.line}:{m.column}: {m.what}" for m in sorted(self.mistakes)]
            )


def read_text(source: str, file: str) -> Text:
    """`source`, which messages call `file`; raises `ScenarioError` for what is not such YAML."""
    text = Text(file)
    if len(source) > MAX_CHARS:
        text.wrong((), f"expected at most {MAX_CHARS} characters, found {len(source)}")
        text.check()
    try:
        text.content = _Reader(text, source).read()
    except yaml.MarkedYAMLError as error:
        text.places[()] = _place(error.problem_mark or error.context_mark)
        text.wrong((), f"this is not YAML: {error.problem or error.context}")
    except yaml.YAMLError as error:
        text.wrong((), f"this is not YAML: {' '.join(str(error).split())}")
    except RecursionError:
        text.wrong((), "this is nested too deeply")
    text.check()
    return text


class _Reader:
    """Makes values of the parser's nodes, and notes where they stand."""

    def __init__(self, text: Text, source: str) -> None:
        self._text = text
        self._loader = PlainLoader(source)
        self._seen: set[int] = set()

    def read(self) -> Any:
        try:
            node = self._loader.get_single_node()
            return None if node is None else self._value(node, ())
        finally:
            self._loader.dispose()

    def _value(self, node: yaml.Node, path: Path) -> Any:
        self._text.places.setdefault(path, _place(node.start_mark))
        if id(node) in self._seen:
            self._text.wrong(path, "expected no aliases (*name): write it out")
            return None
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[str, Any]]:
        given: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else str(key.tag)
            here = (*path, name)
            if name in given:
                self._text.mistakes.append(
                    Mistake(*_place(key.start_mark), f"{name!r} is given twice")
                )
                continue
            given.add(name)
            self._text.places[here] = _place(key.start_mark)
            yield name, self._value(value, here)

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        try:
            return self._loader.construct_object(node)
        except ValueError:  # of a number that Python does not take
            self._text.wrong(path, f"expected a value, found {node.value!r:.80}")
        return None


def _place(mark: Any) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
