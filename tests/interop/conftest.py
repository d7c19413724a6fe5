"""Whether Zoom's own SDK has to be here.

The SDK comes as wheels for some platforms and versions of Python.  Where the registry has one for
this interpreter, its absence is a failure: a green run must mean that the SDK was driven.  Where
it has none these tests are skipped.  A registry that cannot be asked has not said that it has
none, so that is a failure too.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"
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


@pytest.fixture(scope="session", autouse=True)
def _official_sdk() -> None:
    if importlib.util.find_spec("rtms") is not None:
        return
    if wheel_found():
        pytest.fail("Zoom's SDK has a wheel for this Python: `make test` installs it")
    if not wheel_found(*SURELY_THERE):
        pytest.fail("the registry could not be asked for a wheel of Zoom's SDK: is it reachable?")
    pytest.skip("Zoom's SDK has no wheel for this version of Python and platform")
