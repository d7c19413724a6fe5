"""The scenarios that come along, by name, and those that anybody writes, by file or as text."""

from __future__ import annotations

from pathlib import Path

from mockzoom.core.scenario import Scenario, read_scenario
from mockzoom.core.scenario_text import MAX_CHARS
from mockzoom.core.spec import Spec
from mockzoom.engine.scenario_steps import VERBS
from mockzoom.errors import UnknownObject, UsageError, nearest
from mockzoom.resources import scenarios_path

__all__ = ["load_scenario", "parse_scenario", "scenario_source", "shipped_scenarios"]


def shipped_scenarios() -> dict[str, Path]:
    """The files of the scenarios that come along, by their names."""
    return {path.stem: path for path in sorted(scenarios_path().glob("*.yaml"))}


def scenario_source(scenario: str | Path) -> tuple[str, str]:
    """The text of a scenario that comes along, or of a file, and what messages call it.

    Raises `UnknownObject` for what is neither, and `UsageError` for a file that cannot be read.
    """
    shipped = shipped_scenarios()
    path = shipped.get(str(scenario), Path(scenario))
    if not path.is_file():
        raise UnknownObject(
            f"scenario {str(scenario)!r:.200}: there is no such file, and none of that name"
            f"{nearest(str(scenario), shipped) or '; `mockzoom scenario list` has all names'}"
        )
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.read(MAX_CHARS + 1), str(path)
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: expected UTF-8: {error.reason} at byte {error.start}") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from None


def load_scenario(scenario: str | Path, spec: Spec) -> Scenario:
    """The scenario of that name or file, checked; raises what `scenario_source` does, and
    `ScenarioError` with all of its mistakes.
    """
    source, file = scenario_source(scenario)
    return parse_scenario(source, spec, file)


def parse_scenario(source: str, spec: Spec, file: str = "scenario") -> Scenario:
    """The scenario in a text, checked; raises `ScenarioError` with all of its mistakes."""
    return read_scenario(source, file, VERBS, spec)
