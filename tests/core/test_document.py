"""Reading contract files, and saying where in them something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockzoom.core.document import Document, pointer, read_document
from mockzoom.errors import SpecError


def read(tmp_path: Path, text: str | bytes) -> Document:
    path = tmp_path / "a.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_document(path)


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  200: [1, 2026-11-22]\n",
        '{"a": {"200": [1, "2026-11-22"]}}',
        '{\n\t"a": {"200": [1, "2026-11-22"]}\n}',
        '\ufeff{"a": {"200": [1, "2026-11-22"]}}',
        "x: &x {200: [1, 2026-11-22]}\na: *x\n",
        "x: &x {200: [1, 2026-11-22]}\na:\n  <<: *x\n",
    ],
)
def test_yaml_and_json_mean_the_same(tmp_path: Path, text: str) -> None:
    """Keys are strings and dates stay text, whichever format and indentation was used."""
    assert read(tmp_path, text).content["a"] == {"200": [1, "2026-11-22"]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: [1\n", r"a\.yaml:3: is not YAML"),
        ("a: 1\n\tb: 2\n", r"a\.yaml:2: is not YAML"),
        ('{"a": 1,\n "b" 2}', r"a\.yaml:2: is not JSON: Expecting ':'"),
        ("a: 1\nb: 2\na: 3\n", r"a\.yaml:3: is not YAML: key 'a' is given twice"),
        ('{"a": 1, "a": 2}', r"key 'a' is given twice"),
        ("a: !!python/object:os.system x\n", r"a\.yaml:1: is not YAML: could not determine"),
        ("[1, 2]\n", "expected an object at the top, found list"),
        ("", "expected an object at the top, found nothing"),
        (b"a: \xff\n", "is not UTF-8"),
        ("a: \x07\n", "is not YAML"),
        ("[" * 5000, "is nested too deeply|is not YAML"),
        ("{" * 5000, "is not JSON"),
        ('{"a":' * 200_000, "is nested too deeply|is not JSON"),
    ],
)
def test_broken_files_are_one_line_with_a_place(
    tmp_path: Path, text: str | bytes, reason: str
) -> None:
    """Whatever a file holds instead of one object is told with its line where there is one."""
    with pytest.raises(SpecError, match=reason) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that is wrong, or a folder, is an error about that path."""
    with pytest.raises(SpecError, match=r"none\.yaml: cannot be read: No such file"):
        read_document(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="cannot be read"):
        read_document(tmp_path)


def test_pointers_are_escaped_and_found_again(tmp_path: Path) -> None:
    """A key with a slash or a tilde survives the way through a JSON pointer."""
    document = read(tmp_path, "paths:\n  a/b~c: [1, {d: 2}]\n")
    at = pointer("#", "paths", "a/b~c", 1, "d")
    assert at == "#/paths/a~1b~0c/1/d"
    assert document.find(at) == 2


@pytest.mark.parametrize(
    ("at", "line"), [("#", 1), ("#/a", 1), ("#/a/1/b", 3), ("#/c", 4), ("#/c/gone/far", 4)]
)
def test_an_error_names_the_line_of_its_place(tmp_path: Path, at: str, line: int) -> None:
    """The line is that of the deepest part of the pointer that the file has."""
    document = read(tmp_path, "a:\n  - 1\n  - b: 2\nc: {}\n")
    assert str(document.error(at, "because")) == (
        f"{tmp_path / 'a.yaml'}:{line}: because (at {at})"
    )
