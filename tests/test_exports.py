"""What the package offers: every name is there, and is written about."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import mockzoom

PACKAGE = Path(mockzoom.__file__).parent
ROOT = PACKAGE.parent


#: Replaces the threads and sockets of the process that loads it, which is to go on afterwards.
PATCHING = "mockzoom.locust"


def names() -> list[str]:
    """Every other module of the package by its dotted name."""
    inside = (path.relative_to(ROOT).with_suffix("") for path in PACKAGE.rglob("*.py"))
    every = {".".join(path.parts).removesuffix(".__init__") for path in inside}
    return sorted(every - {PATCHING})


def test_the_module_that_patches_says_what_it_is():
    """It has a docstring and what `__all__` names, in a process of its own."""
    checks = f"import {PATCHING} as m; assert m.__doc__; [getattr(m, name) for name in m.__all__]"
    done = subprocess.run([sys.executable, "-c", checks], capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", names())
def test_all_is_true(name):
    """Every module that defines something says what is public, in order, and has all of it."""
    module = import_module(name)
    folder = (module.__file__ or "").endswith("__init__.py")
    if folder and not hasattr(module, "__all__"):
        return  # a folder that offers nothing itself
    offered = module.__all__
    assert len(set(offered)) == len(offered)
    for export in offered:
        assert hasattr(module, export), f"{name}.__all__ names {export}, which is not there"


@pytest.mark.parametrize("name", names())
def test_every_module_says_what_it_is(name):
    """Each has a docstring."""
    assert (import_module(name).__doc__ or "").strip()


def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize("export", mockzoom.__all__)
def test_what_mockzoom_exports_is_documented(export):
    """Each name of the package itself is written about in the README or in docs/."""
    assert re.search(rf"\b{export}\b", documentation())


def test_an_unknown_name_is_an_attribute_error():
    """Loading lazily changes nothing for a name that is not there."""
    with pytest.raises(AttributeError, match="no attribute 'MockZom'"):
        mockzoom.MockZom  # noqa: B018
