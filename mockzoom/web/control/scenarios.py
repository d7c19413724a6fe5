"""Scenarios: listed, and played to the subscribed receivers."""

from __future__ import annotations

import asyncio
from typing import Any

from mockzoom.core.scenario import Scenario
from mockzoom.engine.scenario_library import load_scenario, parse_scenario, shipped_scenarios
from mockzoom.engine.scenario_player import ScenarioPlayer
from mockzoom.errors import ScenarioError, UnknownObject, UsageError, nearest
from mockzoom.web.control.asked import Asked
from mockzoom.web.problems import Refused

__all__ = ["list_scenarios", "play_scenario"]


def list_scenarios(asked: Asked) -> Any:
    heads = [load_scenario(name, asked.world.spec).head for name in shipped_scenarios()]
    return {"scenarios": [{"name": head.name, "story": head.story} for head in heads]}


async def play_scenario(asked: Asked) -> Any:
    scenario, timeout_s = _scenario(asked), asked.body["timeout_s"]
    if asked.waits.locked():
        raise Refused(429, "too-many-waits", "as many requests wait as may at once; try again soon")
    player = ScenarioPlayer(asked.world, scenario, asked.body["speed"])
    async with asked.waits:
        try:
            async with asyncio.timeout(timeout_s):
                result = await player.play()
        except TimeoutError:
            took = f"scenario {scenario.name}: broken off after {timeout_s:g} s; give it more"
            raise Refused(408, "scenario-timed-out", took) from None
    return result.as_dict()


def _scenario(asked: Asked) -> Scenario:
    """The one in the `text`, or of that `name`; files of this machine are not to be had here."""
    name, text, spec = asked.body.get("name"), asked.body.get("text"), asked.world.spec
    if (name is None) == (text is None):
        raise UsageError("scenario: expected either name or text")
    try:
        if text is not None:
            return parse_scenario(text, spec)
        if name not in shipped_scenarios():
            hint = nearest(str(name), shipped_scenarios())
            raise UnknownObject(f"scenario {name!a:.80}: there is none of that name{hint}")
        return load_scenario(name, spec)
    except ScenarioError as error:
        mistakes = list(error.mistakes)
        detail = f"{mistakes[0]} ({len(mistakes)} mistakes in all)"
        raise Refused(400, "scenario-error", detail, mistakes=mistakes) from None
