"""Whether Zoom's own SDK, and Node.js, have to be here.

The SDK comes as wheels for some platforms and versions of Python.  Where the registry has one for
this interpreter, its absence is a failure: a green run must mean that the SDK was driven.  Where
it has none these tests are skipped.  A registry that cannot be asked has not said that it has
none, so that is a failure too.

Node.js is no Python package that `make` could install.  Where there is none the tests that need it
are skipped, but in CI that is a failure: the machines there have it.  Where there is one, its
packages have to be installed, too.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
NODE_APP = Path(__file__).with_name("node")
TIMEOUT_S = 300

#: An interpreter and a platform for which the SDK is known to have a wheel.
SURELY_THERE = ("--python-version", "3.11", "--platform", "manylinux_2_34_x86_64")


def wheel_found(*target: str) -> bool:
    """Whether pip finds a wheel of the SDK, for this interpreter unless `target` names another."""
    [requirement] = tomllib.loads(PYPROJECT.read_text("utf-8"))["dependency-groups"]["sdk"]
    asked = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"),
            *("--no-deps", "--only-binary", ":all:", "--target", "unused", *target, requirement),
        ],
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    return asked.returncode == 0


@pytest.fixture(scope="session")
def official_sdk() -> None:
    """Zoom's SDK is installed."""
    if importlib.util.find_spec("rtms") is not None:
        return
    if wheel_found():
        pytest.fail("Zoom's SDK has a wheel for this Python: `make test` installs it")
    if not wheel_found(*SURELY_THERE):
        pytest.fail("the registry could not be asked for a wheel of Zoom's SDK: is it reachable?")
    pytest.skip("Zoom's SDK has no wheel for this version of Python and platform")


@pytest.fixture(scope="session")
def node_app() -> Path:
    """The folder of the receiver on Node.js, with its packages."""
    if not (shutil.which("node") and shutil.which("npm")):
        told = "the receiver in tests/interop/node needs Node.js and npm, which are not here"
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    if not (NODE_APP / "node_modules" / "ws").is_dir():
        pytest.fail("the packages of tests/interop/node are missing: `make test` installs them")
    return NODE_APP
