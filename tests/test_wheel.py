"""The wheel stands alone: the contract travels inside it, and the commands work anywhere.

It is built from the repository, then installed without its dependencies into an environment that
is empty but for a path file to those of the running one.  The editable install, which would lead
back to the repository, is not on that path.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import threading
import venv
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mockzoom.core.spec import load_spec

REPOSITORY = Path(__file__).parent.parent
TIMEOUT_S = 120


def run(*args: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MOCKZOOM_"))}
    return subprocess.run(
        [str(arg) for arg in args],
        cwd=cwd,
        env=bare,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the build system that pyproject.toml names."""
    out = tmp_path_factory.mktemp("dist")
    built = run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out),
        REPOSITORY,
        cwd=out,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    [path] = out.glob("mockzoom-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the commands of an environment that has the wheel and nothing of ours else."""
    folder = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    paths = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    # A line of a .pth file is a folder; .pth files in that folder, such as the one of the
    # editable install, are not followed.
    dependencies = Path(paths["purelib"]) / "dependencies.pth"
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    dependencies.write_text("\n".join(folders) + "\n", encoding="utf-8")
    done = run(
        *(sys.executable, "-m", "pip", "--python", Path(paths["scripts"]) / "python", "install"),
        *("--quiet", "--no-deps", "--no-index", "--force-reinstall", wheel),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return Path(paths["scripts"])


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """A receiver that takes everything: its URL, and what it took."""
    taken: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", taken
        server.shutdown()
        thread.join()


def test_it_holds_the_contract_and_the_types(wheel):
    """Package, documents, contracts, scenarios and the marker for type checkers are in it."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "mockzoom/py.typed" in names
    assert {f"mockzoom/_spec/{p.name}" for p in (REPOSITORY / "spec").glob("*.yaml")} <= names
    contracts = {f"mockzoom/_contracts/{p.name}" for p in (REPOSITORY / "contracts").glob("*.py")}
    assert contracts <= names
    scenarios = (REPOSITORY / "mockzoom" / "scenarios").glob("*.yaml")
    assert {f"mockzoom/scenarios/{p.name}" for p in scenarios} <= names
    assert not [name for name in names if name.startswith(("tests/", "spec/"))]


def test_the_contract_that_is_read_is_the_one_inside(installed, tmp_path):
    """Package and documents come from the new environment, not from the repository."""
    code = "import mockzoom.resources as r; print(r.spec_path('rtms-events.openapi.yaml'))"
    done = run(installed / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path.parent.name == "_spec"
    assert path.is_relative_to(installed.parent)
    assert not path.is_relative_to(REPOSITORY)


def test_the_contract_is_sound(installed, tmp_path):
    """`mockzoom spec lint` and `spec events` work from another folder."""
    done = run(installed / "mockzoom", "spec", "lint", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == []
    done = run(installed / "mockzoom", "spec", "events", "--json", cwd=tmp_path)
    assert [event["name"] for event in json.loads(done.stdout)] == list(load_spec().events)


def test_an_event_goes_out(installed, receiver, tmp_path):
    """`mockzoom trigger` sends a valid event from there."""
    url, taken = receiver
    done = run(installed / "mockzoom", "trigger", "meeting.rtms_started", "--to", url, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert load_spec().event("meeting.rtms_started").problems(json.loads(taken[0])) == []


def test_a_receiver_is_judged(installed, receiver, tmp_path):
    """`mockzoom verify` judges by the contracts inside, and pytest finds them by their package."""
    url, _ = receiver
    options = ("--secret-token", "token")
    done = run(
        *(installed / "mockzoom", "verify", url, *options, "--profile", "webhook"),
        *("--select", "WH-202", "--select", "WH-309"),
        cwd=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "contracts are broken: WH-202" in done.stderr
    assert "4 passed, 1 failed" in done.stdout
    done = run(
        *(installed / "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--pyargs"),
        *("mockzoom._contracts", "--receiver-url", url, *options, "-k", "unknown_events"),
        cwd=tmp_path,
    )
    assert "4 passed" in done.stdout, done.stdout + done.stderr
