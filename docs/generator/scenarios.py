"""Stories and the language that they are written in: the page, and the schema for editors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field
from typing import Any

from mockzoom.core.causes import CAUSES
from mockzoom.core.scenario import SECTIONS, Head, Step
from mockzoom.core.scenario_fields import Kind, keys
from mockzoom.core.scenario_schema import scenario_schema
from mockzoom.core.spec import load_spec
from mockzoom.core.voice_call import VOICE_HAPPENINGS
from mockzoom.engine.scenario_library import load_scenario, shipped_scenarios
from mockzoom.engine.scenario_steps import VERBS

__all__ = ["page", "schema"]

_TEXT = """\
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
as long for what it has to do as it has with the timings `fast`, and half a second to notice an end:
where the machine is busy, less speed is fairer. A step without `at` follows at once on the one
before.

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

_SECTION_TITLES = {
    "": "At the top:",
    "meetings": "`meetings`, each under the name that the steps have for it:",
    "policy": "`policy`:",
    "expect": "`expect`:",
}


def page() -> str:
    spec = load_spec()
    heads = [load_scenario(name, spec).head for name in shipped_scenarios()]
    parts: dict[str, Any] = {"": Head, **{k: v for k, v in SECTIONS.items() if v is not Step}}
    return (
        _TEXT.replace("{stories}", "".join(f"| `{h.name}` | {h.story} |\n" for h in heads))
        .replace("{head}", "".join(_section(key, part) for key, part in parts.items()))
        .replace("{verbs}", "".join(_verb_row(verb) for verb in VERBS))
        .replace("{happenings}", "".join(_happenings()))
    )


def schema() -> str:
    of_files = scenario_schema(VERBS, load_spec().events)
    return json.dumps(of_files, indent=2, ensure_ascii=False) + "\n"


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


def _happenings() -> Iterator[str]:
    for cause in CAUSES.values():
        if not cause.follows:
            names = ", ".join(product.name for product in cause.products)
            yield f"| `{cause.name}` | {cause.what} | {names} |\n"
    for name, happening in VOICE_HAPPENINGS.items():
        yield f"| `{name}` | {happening.what} | contact_center |\n"
