"""Writes the pages of this folder that follow from the code: ``python docs/generate.py``.

A test compares the pages with what this gives.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

from mockzoom.core import client_sockets, sockets
from mockzoom.core.causes import CAUSES, Cause
from mockzoom.core.clauses import CLAUSES
from mockzoom.core.fault_kinds import FAULTS, effect, settings
from mockzoom.core.lifecycle import LIFECYCLE, Happening
from mockzoom.core.machine import Table
from mockzoom.core.messages import MEDIA_KEYS
from mockzoom.core.operations import ApiDocument, Operation, read_api
from mockzoom.core.products import CONTACT_CENTER, MEETING
from mockzoom.core.scenario import SECTIONS, Head, Step
from mockzoom.core.scenario_fields import Kind, keys
from mockzoom.core.scenario_schema import scenario_schema
from mockzoom.core.spec import load_spec
from mockzoom.core.timings import Timings
from mockzoom.core.voice_call import VOICE_HAPPENINGS
from mockzoom.core.webhook_order import WEBHOOK_ORDER, Told
from mockzoom.engine.scenario_library import load_scenario, shipped_scenarios
from mockzoom.engine.scenario_steps import VERBS
from mockzoom.engine.worlds import MAX_WORLDS
from mockzoom.judge.capabilities import CAPABILITIES
from mockzoom.judge.catalogue import catalogue
from mockzoom.judge.gotchas import GOTCHAS
from mockzoom.web.control.blueprint import MAX_WAITS

FOLDER = Path(__file__).parent

sys.path.append(str(FOLDER.parent / "tests" / "mutants"))
from matrix import page, read  # noqa: E402
from zoo import ZOO  # noqa: E402

_TABLES: tuple[tuple[str, Table[Any, Any], type[Any]], ...] = (
    ("A stream, as the server keeps it", LIFECYCLE, Happening),
    ("The webhooks of a stream", WEBHOOK_ORDER, Told),
    ("A signaling socket, as the server sees it", sockets.SIGNALING_SOCKET, sockets.SocketEvent),
    ("A media socket, as the server sees it", sockets.MEDIA_SOCKET, sockets.SocketEvent),
    ("The signaling socket, as the app sees it", client_sockets.SIGNALING, client_sockets.Step),
    ("A media socket, as the app sees it", client_sockets.MEDIA, client_sockets.Step),
)

_STATE_MACHINES = """\
# State machines

Drawn from the tables in `mockzoom/core` by `python docs/generate.py`. A table is the whole of what
may follow what: a step that a diagram does not show is refused.
"""

_CLAUSES = """\
# Clauses

What the mock watches an app keep; and, as `order.…`, what the webhooks that it sends keep
themselves. A breach becomes a finding, which names its clause by its id. Written from
`mockzoom/core/clauses.py` by `python docs/generate.py`.

| id | clause |
| --- | --- |
"""


_FAULTS = """\
# Faults

What can be made to go wrong while the mock runs, one by one or together. Written from the classes
in `mockzoom/core` by `python docs/generate.py`.

```python
from mockzoom import MockZoom

with MockZoom(seed=7) as zoom:
    number = zoom.fault("delay", ms=200, socket="audio")
    zoom.lift(number)
```

```console
$ curl -s 127.0.0.1:8700/_mockzoom/faults -d '{"kind": "delay", "ms": 200, "socket": "audio"}'
$ curl -s 127.0.0.1:8700/_mockzoom/faults
$ curl -s -X DELETE 127.0.0.1:8700/_mockzoom/faults/1
```

```console
$ mockzoom fault add delay ms=200 socket=audio
$ mockzoom fault list
$ mockzoom fault lift 1
```

`lift()`, `DELETE /_mockzoom/faults` and `mockzoom fault lift` without a number lift all of them.

Faults work on one another's outcome, in the order in which they were switched on, and all chance is
from the seed of the mock. The journal has an entry (`fault`) when one is switched on, when it is
lifted, and when it is over because it has hit `times` times; the last two tell the `hits`. What
an app does not do because a fault keeps it from hearing or being heard is no finding; the journal
then says `excused`.

## Where and how often

| field | meaning |
| --- | --- |
| `stream` | an `rtms_stream_id`; every stream if empty |
| `socket` | `any`, `media` for all but signaling, or the one that is called so: {sockets} |
| `msg_type` | only messages of this type |
| `times` | it ends by itself after so many hits; `null` is until it is lifted |
| `probability` | of a hit, above 0 and at most 1 |
| `url`, `event` | of webhooks: an endpoint, and the name of an event; every one if empty |

Kinds that have such a field say so below. Their own fields are named by their units: `ms` are
milliseconds, `age_s` seconds; `code` is a status code, or that of a close frame.

## Kinds

| kind | effect | fields and defaults |
| --- | --- | --- |
"""


_SCENARIOS = """\
# Scenarios

A scenario is a story that a receiver must survive: a YAML file with a timeline of steps. Some come
along, and `mockzoom scenario run` plays them, or yours, to a receiver in any language. Written from
the verbs in `mockzoom/engine/scenario_steps.py` by `python docs/generate.py`.

```yaml
# yaml-language-server: $schema=spec/scenario.schema.json
name: back-in-time
story: The signaling socket is lost while Alice speaks, and the receiver comes back.
meetings:
  weekly: {topic: Weekly, people: [Alice, Bob]}
expect:
  webhooks: [meeting.rtms_started, meeting.rtms_interrupted, meeting.rtms_stopped]
steps:
  - {do: start}
  - {do: wait, for: ready}
  - {at: 1.5s, do: say, who: Alice, text: Good morning.}
  - {at: 2s, do: fault, kind: reset, with: {socket: signaling}}
  - {do: wait, for: reconnected}
  - {at: 10s, do: stop, reason: host_triggered}
  - {do: wait, for: ended}
```

```console
$ mockzoom scenario list
$ mockzoom scenario run back-in-time.yaml --receiver http://127.0.0.1:3000/webhook --speed 10
```

```python
from pathlib import Path
from tempfile import TemporaryDirectory

from mockzoom import MockZoom, Receiver, Timings

with (
    TemporaryDirectory() as folder,
    MockZoom(seed=7) as zoom,
    Receiver(zoom.credentials, recordings=Path(folder), timings=Timings.named("fast")) as app,
):
    zoom.subscribe(app.url)
    result = zoom.play("interruption-and-return", speed=100)
    print(result.webhooks, f"{result.steps_done} of {result.steps} steps")
    result.check()
```

```console
$ curl -s 127.0.0.1:8700/_mockzoom/scenarios -d '{"name": "media-loss", "speed": 100}'
```

The whole file is checked before anything starts, and all of its mistakes are told at once, each as
`file:line:column`. With the schema, [spec/scenario.schema.json](../spec/scenario.schema.json), most
editors tell of them while you type. There are no loops and no conditions: that is Python.

## Time

`at` is a time of the story. It stands still while a step waits for the receiver, so that a slow one
hears the same story. With `--speed` (`speed=`) time runs up to 1,000 times faster, but an app keeps
as long for what it has to do as it has with the timings `fast`: where the machine is busy, less
speed is fairer. A step without `at` follows at once on the one before.

## How it ends

A scenario has passed when every step was done, the receiver joined every stream (`joins`), the
webhooks were those of `webhooks`, and it broke no clause ([clauses.md](clauses.md)) but those in
`findings`. The order of the webhooks themselves is held against the rules that Zoom keeps
(`order.…`). Then faults are lifted, what is on its way is delivered, and the receiver has the usual
time to close its sockets. Status 0: passed, 1: not, 2: the scenario has mistakes, 3: no webhook was
sent, 4: the receiver is not there.

## Stories that come along

| name | story |
| --- | --- |
{stories}
## Before the steps

A person, a meeting, a stream and a fault go by names that only the scenario has. Where there is one
meeting, or one stream, steps need not say which.

{head}
## Verbs

Beside `do` every step may have `at`, a time: `1.5s`, `200ms`, `5min`, `2h`. Fields with a `?` may
be left out.

| `do` | what happens | fields |
| --- | --- | --- |
{verbs}
## What happens by its name

For `happen`. The upper ones end every stream of the meeting, each with a reason of its own; the
lower ones are parts of a call in the contact center.

| name | what | products |
| --- | --- | --- |
{happenings}"""


def _scenarios() -> str:
    spec = load_spec()
    heads = [load_scenario(name, spec).head for name in shipped_scenarios()]
    parts: dict[str, Any] = {"": Head, **{k: v for k, v in SECTIONS.items() if v is not Step}}
    return (
        _SCENARIOS.replace("{stories}", "".join(f"| `{h.name}` | {h.story} |\n" for h in heads))
        .replace("{head}", "".join(_section(key, part) for key, part in parts.items()))
        .replace("{verbs}", "".join(_verb_row(verb) for verb in VERBS))
        .replace("{happenings}", "".join(_happenings()))
    )


_SECTION_TITLES = {
    "": "At the top:",
    "meetings": "`meetings`, each under the name that the steps have for it:",
    "policy": "`policy`:",
    "expect": "`expect`:",
}


def _section(key: str, part: type[Any]) -> str:
    rows = (
        f"| `{name}` | {its.metadata['doc']} | {_told(its.metadata['kind'])} |\n"
        for name, its in keys(part).items()
    )
    head = "| key | meaning | value |\n| --- | --- | --- |\n"
    return f"{_SECTION_TITLES[key]}\n\n{head}{''.join(rows)}\n"


def _told(kind: Kind) -> str:
    return kind.told if len(kind.told) < 120 else "one of many words; editors show them"


def _verb_row(verb: str) -> str:
    step = VERBS[verb]
    fields = (
        f"`{name}{'' if its.default is MISSING else '?'}`: {_field(its)}"
        for name, its in keys(step).items()
        if name != "at"
    )
    doc = " ".join((step.__doc__ or "").split())
    return f"| `{verb}` | {doc} | {'<br>'.join(fields)} |\n"


def _field(its: Field[Any]) -> str:
    kind: Kind = its.metadata["kind"]
    listed = kind.told.startswith("one of") and len(kind.told) < 120
    return f"{its.metadata['doc']} ({kind.told})" if listed else str(its.metadata["doc"])


_WORLD = """\
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


def _world() -> str:
    return (
        _WORLD.replace("{causes}", "".join(map(_cause_row, CAUSES.values())))
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


def _happenings() -> Iterator[str]:
    for cause in CAUSES.values():
        if not cause.follows:
            names = ", ".join(product.name for product in cause.products)
            yield f"| `{cause.name}` | {cause.what} | {names} |\n"
    for name, happening in VOICE_HAPPENINGS.items():
        yield f"| `{name}` | {happening.what} | contact_center |\n"


def _schema() -> str:
    schema = scenario_schema(VERBS, load_spec().events)
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _faults() -> str:
    names = ", ".join(f"`{name}`" for name in (sockets.SIGNALING, *MEDIA_KEYS.values()))
    return _FAULTS.replace("{sockets}", names) + "".join(map(_fault_row, FAULTS))


def _fault_row(kind: str) -> str:
    fields = ", ".join(
        f"`{name}`" if default is ... else f"`{name}={json.dumps(default)}`"
        for name, default in settings(kind).items()
    )
    return f"| `{kind}` | {effect(kind)} | {fields} |\n"


_CONTROL_API = """\
# The control API

Whatever happens in the mock can be made to happen from any language: JSON in, JSON out. Written
from [spec/control-api.openapi.yaml](../spec/control-api.openapi.yaml) by `python docs/generate.py`;
a running mock serves that document at `/_mockzoom/openapi.json`, checks requests by it, and answers
as it says.

```console
$ curl -s 127.0.0.1:8700/_mockzoom/subscriptions -d '{"url": "http://127.0.0.1:3000/webhook"}'
$ curl -s 127.0.0.1:8700/_mockzoom/meetings -d '{"participants": ["Alice", "Bob"]}'
$ curl -s -X POST 127.0.0.1:8700/_mockzoom/meetings/$MEETING_ID/rtms/start
$ curl -s 127.0.0.1:8700/_mockzoom/wait-for -d '{"kind": "state", "fields": {"state": "ACTIVE"}}'
$ curl -s 127.0.0.1:8700/_mockzoom/meetings/$MEETING_ID/happenings -d '{"name": "host_stops_app"}'
$ curl -s 127.0.0.1:8700/_mockzoom/wait-for -d '{"fields": {"body.payload.stop_reason": 1}}'
$ curl -s '127.0.0.1:8700/_mockzoom/journal?kind=webhook&status=200&limit=10'
$ curl -s -X POST 127.0.0.1:8700/_mockzoom/reset
```

An empty body is an empty object, and the content type of a body does not matter. A name in a path
is percent-encoded.

## Problems

What is refused is answered by `application/problem+json` (RFC 9457): `type` to branch on, `title`,
`status`, and a line of `detail` that says what to change. A request that does not keep the document
lists its `errors`, each a `field` and a `message`. Off this machine a request without the API token
is answered 401.

## Waiting

Nobody sleeps in a test: `wait-for` answers as soon as `count` entries of the journal match, old
ones included; `since` leaves out those up to an id. When they do not come in `timeout_s`, the
answer is 408, with the `entries` that did come and the `near_misses`: those that differ in the
fewest fields, with what was expected and what was found. At most {waits}
requests wait at once; one more gets 429. `MockZoom.wait_for` explains itself in the same words.

The journal is read in parts: `next` is the `since` of the next one, and null at the end.

## Worlds

Parallel jobs share a server, and each has a world: meetings, journal, faults, subscriptions, clock
and seed of its own, with the ports, the account and the credentials of all. There may be {worlds}.

```console
$ curl -s 127.0.0.1:8700/_mockzoom/worlds -d '{"name": "job-7"}'
$ curl -s -X POST 127.0.0.1:8700/w/job-7/_mockzoom/meetings
$ curl -s -H 'X-Mockzoom-World: job-7' 127.0.0.1:8700/_mockzoom/meetings
$ curl -s -X DELETE 127.0.0.1:8700/_mockzoom/worlds/job-7
```

The prefix goes before Zoom's REST as well, so an app with the base URL `http://127.0.0.1:8700/w/job-7`
starts its streams in that world. A world that nobody has made is a 404.

```python
from mockzoom import MockZoom

with MockZoom(seed=7) as zoom:
    world = zoom.world("job-7")
    world.meeting("Weekly").start_rtms()
    print(world.url, zoom.worlds, len(zoom.journal()))
    zoom.remove_world("job-7")
```

## Operations
"""


def _control_api() -> str:
    api = read_api("control-api.openapi.yaml")
    page = _CONTROL_API.replace("{waits}", str(MAX_WAITS)).replace("{worlds}", str(MAX_WORLDS))
    for tag in api.document["tags"]:
        rows = [
            _operation_row(api, operation)
            for operation in api.operations.values()
            if tag["name"] in operation.node["tags"]
        ]
        page += f"\n### {tag['name'].capitalize()}\n\n{tag['description']}\n\n"
        page += "| request | what it does | for example |\n| --- | --- | --- |\n" + "".join(rows)
    return page


def _operation_row(api: ApiDocument, operation: Operation) -> str:
    example = ""
    if "requestBody" in operation.node:
        media = api.resolved(operation.node["requestBody"])["content"]["application/json"]
        example = f"`{json.dumps(next(iter(media['examples'].values()))['value'])}`"
    elif query := operation.parameters_in("query"):
        example = ", ".join(f"`{one['name']}`" for one in query)
    request = f"{operation.method.upper()} {operation.path}"
    return f"| `{request}` | {operation.node['summary']} | {example} |\n"


_CONTRACTS = """\
# Contracts

What a receiver promises, and `mockzoom verify` judges; [verify.md](verify.md) tells how. Written
from the files in `contracts/` by `python docs/generate.py`.

A *must* is a clause of Zoom's, a *should* is what Zoom asks for and lives without, and *advice* is
ours and breaks nothing.

| id | severity | promise | source | what is lost when it is broken |
| --- | --- | --- | --- | --- |
"""

_CAPABILITIES = """
## What a receiver may leave undone

`--without NAME` declares it, and contracts that need it are not judged.

| name | what it means |
| --- | --- |
"""

_GOTCHAS = """\
# What goes wrong in real receivers

Collected from issue trackers, from the forum and the samples of the vendor, and from clients that
were run against faults. For each there is a contract ([contracts.md](contracts.md)), and a receiver
that has that bug and is caught ([mutants.md](mutants.md)). Written from
`mockzoom/judge/gotchas.py`, the contracts and `tests/mutants` by `python docs/generate.py`.

| row | what goes wrong | contracts that catch it | receivers with that bug |
| --- | --- | --- | --- |
"""


def _contracts() -> str:
    told = (
        f"| {row.id} | {row.severity} | {promise} | {row.source} | {row.loses} |\n"
        for row, promise in catalogue()
    )
    undone = (f"| `{name}` | {text} |\n" for name, text in CAPABILITIES.items())
    return _CONTRACTS + "".join(told) + _CAPABILITIES + "".join(undone)


def _gotchas() -> str:
    return _GOTCHAS + "".join(map(_gotcha_row, GOTCHAS))


def _gotcha_row(number: int) -> str:
    ids = ", ".join(row.id for row, _ in catalogue() if number in row.gotchas)
    mutants = ", ".join(f"`{mutant.name}`" for mutant in ZOO if number in mutant.gotchas)
    return f"| {number} | {GOTCHAS[number]} | {ids} | {mutants} |\n"


def _mutants() -> str:
    """What was found out by `make soak` stays as it is in the file."""
    file = FOLDER / "mutants.md"
    return page(read(file.read_text(encoding="utf-8")) if file.exists() else {})


def pages() -> dict[str, str]:
    """The text of each generated page, by its file name."""
    clauses = (f"| `{id_}` | {clause} |\n" for id_, clause in CLAUSES.items())
    return {
        "control-api.md": _control_api(),
        "faults.md": _faults(),
        "scenarios.md": _scenarios(),
        "world.md": _world(),
        "../spec/scenario.schema.json": _schema(),
        "clauses.md": _CLAUSES + "".join(clauses),
        "contracts.md": _contracts(),
        "gotchas.md": _gotchas(),
        "mutants.md": _mutants(),
        "state-machines.md": _STATE_MACHINES + "".join(_diagrams()),
    }


def _diagrams() -> Iterator[str]:
    for title, table, events in _TABLES:
        yield f"\n## {title}\n\n```mermaid\n{table.mermaid()}\n```\n\n"
        used = {event for _, event, _ in table}
        yield "| event | what happens |\n| --- | --- |\n"
        yield from (f"| {event.name} | {event.value} |\n" for event in events if event in used)


if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
