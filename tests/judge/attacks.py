"""Receivers with one bug each that only an attack finds, and attacks on them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from mutant import CREDENTIALS, Mutant, around

from mockzoom.judge.assignment import Assignment
from mockzoom.judge.fuzz.findings import FuzzReport
from mockzoom.judge.fuzz.run import Plan, fuzz
from mockzoom.receiver import webhook

__all__ = ["FORGETS", "REVOKED", "SOUND", "WANTS_PAYLOADS", "attacked"]

Event = dict[str, Any]
Check = Callable[[Any, Event], None]


def failing_on(bad: Callable[[Event], object]) -> Callable[[Check], Check]:
    """An event that is `bad` gets a 500."""

    def made(original: Check) -> Check:
        def check(known: Any, event: Event) -> None:
            if bad(event):
                raise RuntimeError("a planted bug")
            original(known, event)

        return check

    return made


def is_revoked(event: Event) -> bool:
    payload = event.get("payload")
    return isinstance(payload, dict) and payload.get("stop_reason") == 8


def forgetting() -> Callable[[Event], bool]:
    """Whether an event is about a stream that has started and stopped before."""
    told: dict[str, list[str]] = {}

    def bad(event: Event) -> bool:
        payload = event.get("payload")
        if not isinstance(payload, dict) or not isinstance(payload.get("rtms_stream_id"), str):
            return False
        before = told.setdefault(payload["rtms_stream_id"], [])
        forgotten = before[:2] == ["started", "stopped"]
        before.append(event["event"].rpartition("_")[2])
        return forgotten

    return bad


def mutant(name: str, bug: str, bad: Callable[[Event], object]) -> Mutant:
    return Mutant(name, "", bug, change=around(webhook, "_check", failing_on(bad)))


SOUND = Mutant("sound", "", "Nothing is wrong.")
REVOKED = mutant("fails-on-revoked", "A stop with reason 8 crashes.", is_revoked)
WANTS_PAYLOADS = mutant("wants-payloads", "No payload crashes.", lambda e: "payload" not in e)
FORGETS = mutant("forgets", "What comes after the stop of a stream crashes.", forgetting())


def attacked(
    url: str, plan: Plan, without: Collection[str] = ("rtms",), seed: int = 0
) -> FuzzReport:
    return fuzz(Assignment(url, CREDENTIALS, without=frozenset(without), seed=seed), plan)
