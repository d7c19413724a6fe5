"""What the contract costs: validations a second by each validator, example events a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

from mockzoom.core.examples import ExampleFactory
from mockzoom.core.spec import load_spec
from mockzoom.core.validators import FastValidator, ReferenceValidator, Validator

__all__ = ["measure"]


def measure(quick: bool) -> dict[str, dict[str, float]]:
    """Calls a second on one core, over all events of the document in turn."""
    enough_s = 0.02 if quick else 2.0
    spec = load_spec()
    factory = ExampleFactory(spec, seed=1)
    events = {name: factory.event(name, now_ms=1) for name in spec.events}
    kinds: dict[str, Callable[[str], Validator]] = {
        "jsonschema-rs": lambda name: FastValidator(spec.event(name).schema),
        "jsonschema": lambda name: ReferenceValidator(spec.event(name).schema),
        "openapi-core": spec.oracle,
    }
    validations = {kind: _validations(make, events, enough_s) for kind, make in kinds.items()}
    names = cycle(events)
    made = _per_s(lambda: factory.event(next(names), now_ms=1), enough_s)
    return {"validations, per s": validations, "example events, per s": {"made and checked": made}}


def _validations(
    make: Callable[[str], Validator], events: dict[str, dict[str, Any]], enough_s: float
) -> float:
    pairs = cycle([(make(name), event) for name, event in events.items()])

    def judge() -> None:
        validator, event = next(pairs)
        assert not validator.problems(event)

    return _per_s(judge, enough_s)


def _per_s(call: Callable[[], object], enough_s: float) -> float:
    """By CPU time, which does not count what else the machine does."""
    call()
    began_s, calls = time.process_time(), 0
    while (took_s := time.process_time() - began_s) < enough_s:
        call()
        calls += 1
    return calls / took_s
