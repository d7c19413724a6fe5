"""Who is in the world of the mock, why streams end, how time passes."""

from __future__ import annotations

from collections.abc import Iterator

from mockzoom.core.causes import CAUSES, Cause
from mockzoom.core.products import CONTACT_CENTER, MEETING
from mockzoom.core.timings import Timings
from mockzoom.core.voice_call import VOICE_HAPPENINGS

__all__ = ["page"]

_TEXT = """\
# The world of the mock

Who is in it, why streams end, how time passes, and how many streams an app may have. Written from
the tables in `mockzoom/core` by `python docs/generate.py`.

```python
from mockzoom import MockZoom

with MockZoom(seed=7, max_streams=5) as zoom:
    call = zoom.meeting("Support", participants=["Ann", "Bob"], product="contact_center")
    call.start_rtms()
    call.hold()
    call.mute("Bob")
    zoom.clock.freeze()
    zoom.clock.advance(90_000)
    call.unhold()
    call.happen("customer_hangs_up")
```

## People

Whoever came first into a meeting is the user who started the app; in a call of the contact center
that is the customer, and who came next is the agent. Where something happens to somebody, `who`
names another one. Who is muted is not heard: nothing is sent of what they say, and what they were
about to say is lost.

## Why streams end

`Meeting.happen(name)` makes it happen, and ends every stream of the meeting. Message 8 tells the
reason in the first column, the stopped webhook that of its product; `-` is where a product does not
know the cause. Some causes follow from what an app does, and are provoked as it says there.

| reason | name | meeting, webinar, session | contact center | what happens |
| --- | --- | --- | --- | --- |
{causes}
`meeting_ends`, `customer_hangs_up` and `agent_hangs_up` end the meeting as well: it takes neither
people nor streams any more.

## In a voice call

| event | name | to whom | what happens |
| --- | --- | --- | --- |
{voice}
## Time

`clock` is the time of a world. It can be frozen, leap ahead by `advance(ms)`, and run up to 1,000
times as fast as real time (`speed`, `MockZoom(speed=…)`, `mockzoom serve --speed`). A leap is one
step: what became due meanwhile happens now, each thing once and in the order of its time. So a live
stream is asked for one keep-alive after three days, and pictures that nobody could see are left
out.

Apps live in real time. However fast a world runs, they have at least as long for what they have to
do in time as with the timings `fast`, and a keep-alive does not count as missed when a leap left no
time for the answer. Requests are stamped with real time, and the 3 seconds for an answer are real
ones too. Retries, URL validation and the lifetime of tokens go by the world's time.

## The limit of streams

An app may have 2,000 streams at once (`max_streams`, `serve --max-streams`). While more than 80 %
of them run, `rtms.concurrency_near_limit` is sent, first at once and then every {near_limit_min}
minutes: Zoom says periodically and no number, so that one is ours (`Timings.near_limit_ms`). At
the limit starting is refused, by REST with 2310, and `rtms.concurrency_limited` names the meeting
in `id_field`.
"""


def page() -> str:
    return (
        _TEXT.replace("{causes}", "".join(map(_cause_row, CAUSES.values())))
        .replace("{voice}", "".join(_voice_rows()))
        .replace("{near_limit_min}", str(Timings().near_limit_ms // 60_000))
    )


def _cause_row(cause: Cause) -> str:
    meeting, voice = (
        str(product.stop_reasons[cause.reason]) if product in cause.products else "-"
        for product in (MEETING, CONTACT_CENTER)
    )
    what = f"{cause.what} It follows when {cause.follows}." if cause.follows else cause.what
    return f"| {cause.reason:d} | `{cause.name}` | {meeting} | {voice} | {what} |\n"


def _voice_rows() -> Iterator[str]:
    for name, (event, role, what) in VOICE_HAPPENINGS.items():
        yield f"| {event:d} | `{name}` | {role.value} | {what} |\n"
