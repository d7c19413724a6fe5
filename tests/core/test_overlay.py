"""Overlays: choosing places by JSONPath, changing them, and saying what matched nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mockzoom.core.document import read_document
from mockzoom.core.openapi import normalise
from mockzoom.core.overlay import load_overlay, select
from mockzoom.errors import SpecError
from mockzoom.resources import spec_path

DOCUMENT: dict[str, Any] = {
    "a": {"b": [1, 2, {"c": 3}], "x.y": {"c": 4}},
    "d": {"c": {"c": 5}},
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [DOCUMENT]),
        ("$.a.b", [[1, 2, {"c": 3}]]),
        ("$['a']['x.y'].c", [4]),
        ('$["a"]["b"][0]', [1]),
        ("$.a.b[-1].c", [3]),
        ("$.a.b[0, 1]", [1, 2]),
        ("$.a.b[7]", []),
        ("$..c", [{"c": 5}, 3, 4, 5]),
        ("$..['c']", [{"c": 5}, 3, 4, 5]),
        ("$.d.*", [{"c": 5}]),
        ("$.d..*", [{"c": 5}, 5]),
        ("$.a[*].c", [4]),
        ("$['a', 'd'].c", [{"c": 5}]),
        ("$['a',\n 'd']..c", [3, 4, {"c": 5}, 5]),
        ("$.nothing..c", []),
        ("$.a.b.name", []),
        ("$.a[0]", []),
    ],
)
def test_a_path_selects_its_places(path: str, found: list[Any]) -> None:
    """Names, indexes, wildcards and descendants mean what RFC 9535 says, each place once."""
    values = [parent[key] for parent, key in select(DOCUMENT, path)]
    assert sorted(map(str, values)) == sorted(map(str, found))


@pytest.mark.parametrize(
    "path", ["a.b", "$.a[?@.b]", "$.a[1:2]", "$.", "$...a", "$a", "$.a b", "$.['a']", "", "$[]"]
)
def test_other_syntax_is_refused(path: str) -> None:
    """Filters, slices and typing mistakes are never silently another path."""
    with pytest.raises(ValueError, match="JSONPath"):
        select(DOCUMENT, path)


def overlay(tmp_path: Path, *actions: Any, **top: Any) -> Path:
    path = tmp_path / "overlay.yaml"
    path.write_text(yaml.safe_dump({"overlay": "1.0.0", "actions": list(actions), **top}))
    return path


@pytest.mark.parametrize(
    ("action", "after"),
    [
        ({"target": "$.a", "update": {"c": {"d": 1}}}, {"a": {"b": [1], "c": {"d": 1, "e": 2}}}),
        ({"target": "$.a", "update": {"b": [5]}}, {"a": {"b": [5], "c": {"e": 2}}}),
        ({"target": "$.a.b", "update": 2}, {"a": {"b": [1, 2], "c": {"e": 2}}}),
        ({"target": "$.a.b", "update": 1}, {"a": {"b": [1], "c": {"e": 2}}}),
        ({"target": "$.a.c.e", "update": 3}, {"a": {"b": [1], "c": {"e": 3}}}),
        ({"target": "$..e", "remove": True}, {"a": {"b": [1], "c": {}}}),
        ({"target": "$.a[*]", "remove": True}, {"a": {}}),
        ({"target": "$", "update": {"z": 0}}, {"a": {"b": [1], "c": {"e": 2}}, "z": 0}),
    ],
)
def test_actions_merge_append_replace_and_remove(
    tmp_path: Path, action: Any, after: dict[str, Any]
) -> None:
    """Objects merge, arrays get an entry that they lack, other values are replaced."""
    before = {"a": {"b": [1], "c": {"e": 2}}}
    assert load_overlay(overlay(tmp_path, action)).apply(before) == after
    assert before == {"a": {"b": [1], "c": {"e": 2}}}


def test_removing_several_entries_of_an_array_removes_those(tmp_path: Path) -> None:
    """Places are removed from the back, so that indexes stay true."""
    loaded = load_overlay(overlay(tmp_path, {"target": "$.a[0, 1]", "remove": True}))
    assert loaded.apply({"a": [1, 2, 3]}) == {"a": [3]}


def test_an_action_that_matches_nothing_is_named(tmp_path: Path) -> None:
    """A correction of what is not there fails with number and target, unless told to be lenient."""
    path = overlay(tmp_path, {"target": "$.a", "update": {}}, {"target": "$.gone", "remove": True})
    with pytest.raises(SpecError, match=r"action 2 matches nothing: \$\.gone"):
        load_overlay(path).apply({"a": {}})
    assert load_overlay(path).apply({"a": {}}, strict=False) == {"a": {}}


@pytest.mark.parametrize(
    ("actions", "top", "reason"),
    [
        ([], {}, "expected a list of actions"),
        ([{"update": 1}], {}, "action 1 has no target"),
        ([{"target": "$.a"}], {}, "action 1 neither updates nor removes"),
        ([{"target": "$.a[?@.b]", "update": 1}], {}, "action 1: JSONPath"),
        ([{"target": "$.a", "updat": 1}], {}, "unknown keyword 'updat'.*did you mean 'update'"),
        ([{"target": "$.a", "update": 1}], {"overlay": "2.0.0"}, "expected overlay version 1.0"),
        ([{"target": "$.a", "update": 1}], {"action": []}, "unknown keyword 'action'"),
    ],
)
def test_broken_overlays_are_refused(
    tmp_path: Path, actions: list[Any], top: dict[str, Any], reason: str
) -> None:
    """What an overlay must not be is one line with the action's number."""
    with pytest.raises(SpecError, match=reason):
        load_overlay(overlay(tmp_path, *actions, **top))


@pytest.mark.parametrize("shape", ["as it stands", "normalised"])
def test_every_correction_of_ours_changes_the_published_document(shape: str) -> None:
    """Each action gives its reason, matches before and after references are resolved, and counts.

    So the overlay also works for other tools, and one that the vendor has made is noticed.
    """
    file = read_document(spec_path("rtms-events.openapi.yaml"))
    document = normalise(file) if shape == "normalised" else file.content
    corrections = load_overlay(spec_path("rtms-events.overlay.yaml"))
    for action in corrections.actions:
        assert action.description
        before = [str(parent[key]) for parent, key in select(document, action.target)]
        assert action.apply(document) == len(before) > 0
        after = [str(parent[key]) for parent, key in select(document, action.target)]
        assert all(was != now for was, now in zip(before, after, strict=True))
