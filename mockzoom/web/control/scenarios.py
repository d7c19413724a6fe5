"""Scenarios: listed, and played to the subscribed receivers.

Their language is imported when somebody asks for one: most mocks start without.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mockzoom.errors import ScenarioError, UnknownObject, UsageError, nearest
from mockzoom.web.control.asked import Asked
from mockzoom.web.problems import Refused

if TYPE_CHECKING:
    from mockzoom.core.scenario import Scenario

__all__ = ["list_scenarios", "play_scenario"]


def list_scenarios(asked: Asked) -> Any:
    from mockzoom.engine.scenario_library import load_scenario, shipped_scenarios

    heads = [load_scenario(name, asked.world.spec).head for name in shipped_scenarios()]
    return {"scenarios": [{"name": head.name, "story": head.story} for head in heads]}


async def play_scenario(asked: Asked) -> Any:
    from mockzoom.engine.scenario_player import ScenarioPlayer

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
    from mockzoom.engine.scenario_library import load_scenario, parse_scenario, shipped_scenarios

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
