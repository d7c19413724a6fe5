"""The direction of imports: no module uses one of a layer above its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import mockzoom

PACKAGE = Path(mockzoom.__file__).parent

#: Each part and the parts that it may use beside itself; what uses nothing is at the bottom.
BOTTOM = {"errors", "resources", "clock", "threads"}
CORE = BOTTOM | {"core"}
ENGINE = CORE | {"engine"}
WEB = ENGINE | {"web"}
SERVER = WEB | {"handles", "server"}
TOP = SERVER | {"receiver", "judge", "load", "load_workers", "mockzoom"}

MAY_USE = {
    "errors": set(),
    "resources": {"errors"},
    "clock": {"errors"},
    "threads": {"errors"},
    "core": BOTTOM - {"clock", "threads"},
    "engine": CORE,
    "receiver": CORE,
    "web": ENGINE,
    "handles": ENGINE,
    "server": WEB | {"handles"},
    "judge": SERVER,
    "load": SERVER,
    "load_workers": {"errors", "load"},
    "locust": CORE,  # and the mock in a child process
    "mockzoom": TOP,  # the package itself: what it exports, loaded on first use
    "cli": TOP,
    "pytest_plugin": TOP,
    "__main__": {"cli"},
}

#: What the core must not touch, because it has no socket, thread, clock or environment, and no
#: chance but a seeded one.
IMPURE = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
IMPURE |= {"aiohttp", "flask", "picows", "requests", "urllib.request", "uuid", "waitress"}
SEEDED = {"random.Random"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def part_of(path: Path) -> str:
    """The part that a file belongs to: its folder in the package, or its own name."""
    inside = path.relative_to(PACKAGE)
    return "mockzoom" if inside == Path("__init__.py") else inside.parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, also inside functions and for type checkers only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def prefixes(name: str) -> list[str]:
    """`a`, `a.b` and `a.b.c` for `a.b.c`."""
    parts = name.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def used_parts(path: Path) -> set[str]:
    """The parts of mockzoom that a file imports from."""
    parts = set()
    for name in imports(path):
        first, _, rest = name.partition(".")
        if first == "mockzoom":
            part = rest.partition(".")[0]
            known = (PACKAGE / part).is_dir() or (PACKAGE / f"{part}.py").is_file()
            parts.add(part if part and known else "mockzoom")
    return parts


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    """A module imports its own part and those below it, and nothing else of mockzoom."""
    part = part_of(path)
    assert part in MAY_USE, f"{part} has no place in the layers: give it one, and in CONTRIBUTING"
    assert used_parts(path) <= MAY_USE[part] | {part}


@pytest.mark.parametrize(
    "path", sorted((PACKAGE / "core").rglob("*.py")), ids=lambda path: path.name
)
def test_the_core_is_pure(path):
    """The core imports nothing that could reach a socket, a thread, a clock or the environment."""
    used = set(imports(path)) - SEEDED
    assert not {part for name in used for part in prefixes(name)} & IMPURE


def test_the_layers_have_no_circle():
    """What a part may use never leads back to it."""

    def below(part: str, seen: frozenset[str] = frozenset()) -> set[str]:
        assert part not in seen, f"{part} uses itself by way of {seen}"
        direct = MAY_USE[part] - {part}
        return direct.union(*(below(other, seen | {part}) for other in direct))

    for part in MAY_USE:
        assert part not in below(part) or part == "mockzoom"


def test_a_lazy_import_is_seen(tmp_path):
    """The rule looks into functions, where an import could hide."""
    hidden = tmp_path / "hidden.py"
    hidden.write_text("def f():\n    from mockzoom.server import MockZoom\n", encoding="utf-8")
    assert used_parts(hidden) == {"server"}
