"""The pages that follow from the code do follow from it."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from mockzoom.cli.fault import _fields
from mockzoom.core.causes import CAUSES
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.fault_kinds import FAULTS, parse_fault, settings
from mockzoom.core.operations import read_api
from mockzoom.core.voice_call import VOICE_HAPPENINGS

ROOT = Path(__file__).parents[1]
PAGES = runpy.run_path(str(ROOT / "docs" / "generate.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_gives(name: str) -> None:
    """A table or clause that changes changes its page in the same commit."""
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name], f"docs/{name} is out of date: run python docs/generate.py"


@pytest.mark.parametrize("clause", CLAUSES)
def test_every_clause_is_on_its_page_and_watched_by_somebody(clause: str) -> None:
    """No clause is listed that no code finds fault with."""
    assert f"| `{clause}` |" in PAGES["clauses.md"]
    sources = [path for path in (ROOT / "mockzoom").rglob("*.py") if path.name != "clauses.py"]
    assert any(f'"{clause}"' in path.read_text(encoding="utf-8") for path in sources)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_and_field_is_on_its_page(kind: str) -> None:
    """Each kind has a row with its fields, and each field that kinds share is explained."""
    page = PAGES["faults.md"]
    [row] = [line for line in page.splitlines() if line.startswith(f"| `{kind}` |")]
    assert all(f"`{name}" in row for name in settings(kind))
    for name in ("stream", "socket", "msg_type", "times", "probability"):
        assert re.search(rf"^\| `{name}` \| \S", page, re.MULTILINE)


@pytest.mark.parametrize("name", [*CAUSES, *VOICE_HAPPENINGS])
def test_whatever_has_a_name_is_on_its_page(name: str) -> None:
    """Each cause and each happening of a call has a row."""
    assert f"| `{name}` |" in PAGES["world.md"]


def test_the_script_about_the_world_runs() -> None:
    """What the page shows in Python is Python."""
    [script] = re.findall(r"^```python\n(.*?)^```", PAGES["world.md"], re.MULTILINE | re.DOTALL)
    exec(compile(script, "world.md", "exec"), {})


def test_the_script_about_faults_runs() -> None:
    """What the page shows in Python is Python, and its requests are what the API and CLI take."""
    page = PAGES["faults.md"]
    [script] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(script, "faults.md", "exec"), {})
    [body] = re.findall(r"-d '(.*?)'", page)
    [assignments] = re.findall(r"^\$ mockzoom fault add delay (.*)$", page, re.MULTILINE)
    fault = parse_fault(json.loads(body))
    assert parse_fault(_fields("delay", tuple(assignments.split()))) == fault


def test_the_script_about_worlds_runs() -> None:
    """What the page shows in Python is Python."""
    [script] = re.findall(
        r"^```python\n(.*?)^```", PAGES["control-api.md"], re.MULTILINE | re.DOTALL
    )
    exec(compile(script, "control-api.md", "exec"), {})


@pytest.mark.parametrize("line", re.findall(r"^\$ curl .*$", PAGES["control-api.md"], re.MULTILINE))
def test_the_requests_to_the_control_api_are_some(line: str) -> None:
    """Each is for an operation, and its body is what that takes."""
    api = read_api("control-api.openapi.yaml")
    *_, url, body = [*shlex.split(line.partition(" -d ")[0]), line.partition(" -d ")[2]]
    path = re.sub(r"^127.0.0.1:8700(/w/job-7)?", "", url).partition("?")[0]
    pattern = {re.sub(r"{\w+}", "[^/]+", one.path): one.path for one in api.operations.values()}
    [found] = [path_ for regex, path_ in pattern.items() if re.fullmatch(regex, path)]
    method = re.search(r"-X (\w+)", line)
    asked = method[1].lower() if method else "post" if body else "get"
    [operation] = [o for o in api.operations.values() if (o.path, o.method) == (found, asked)]
    assert api.problems(operation, body.strip("'").encode() or b"{}") == []
