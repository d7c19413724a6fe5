"""The journal: what happened, what the app broke, and waiting for what is to happen."""

from __future__ import annotations

from itertools import islice
from typing import Any

from mockzoom.core.wanted import Wanted, as_text
from mockzoom.engine.watch import NotSeen, seen
from mockzoom.web.control.asked import Asked
from mockzoom.web.problems import Refused

__all__ = ["get_findings", "get_journal", "wait_for"]


def get_journal(asked: Asked) -> Any:
    journal, query = asked.world.journal, asked.query
    wanted = Wanted(
        query.get("kind", ""), query.get("stream", ""), asked.fields, query["since"], as_text
    )
    found = (told for entry in journal if wanted.matches(told := entry.as_dict()))
    entries = list(islice(found, query["limit"]))
    return {
        "entries": entries,
        "next": entries[-1]["id"] if next(found, None) else None,
        "dropped": journal.dropped,
        "counters": dict(journal.counters),
        "findings": [finding.as_dict() for finding in journal.findings],
    }


def get_findings(asked: Asked) -> Any:
    return {"findings": [finding.as_dict() for finding in asked.world.journal.findings]}


async def wait_for(asked: Asked) -> Any:
    body = asked.body
    wanted = Wanted(body["kind"], body["stream"], body["fields"], body["since"])
    if asked.waits.locked():
        raise Refused(429, "too-many-waits", "as many requests wait as may at once; try again soon")
    async with asked.waits:
        try:
            entries = await seen(asked.world.journal, wanted, body["count"], body["timeout_s"])
        except NotSeen as error:
            raise _timed_out(error) from None
    return {"entries": entries}


def _timed_out(error: NotSeen) -> Refused:
    near = [miss.as_dict() for miss in error.near]
    return Refused(408, "wait-timed-out", str(error), entries=error.found, near_misses=near)
