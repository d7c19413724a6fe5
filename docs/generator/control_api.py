"""The control API: in prose, and each of its operations."""

from __future__ import annotations

import json

from mockzoom.core.operations import ApiDocument, Operation, read_api
from mockzoom.engine.worlds import MAX_WORLDS
from mockzoom.web.control.blueprint import MAX_WAITS

__all__ = ["page"]

_TEXT = """\
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


def page() -> str:
    api = read_api("control-api.openapi.yaml")
    told = _TEXT.replace("{waits}", str(MAX_WAITS)).replace("{worlds}", str(MAX_WORLDS))
    for tag in api.document["tags"]:
        rows = [
            _row(api, operation)
            for operation in api.operations.values()
            if tag["name"] in operation.node["tags"]
        ]
        told += f"\n### {tag['name'].capitalize()}\n\n{tag['description']}\n\n"
        told += "| request | what it does | for example |\n| --- | --- | --- |\n" + "".join(rows)
    return told


def _row(api: ApiDocument, operation: Operation) -> str:
    example = ""
    if "requestBody" in operation.node:
        media = api.resolved(operation.node["requestBody"])["content"]["application/json"]
        example = f"`{json.dumps(next(iter(media['examples'].values()))['value'])}`"
    elif query := operation.parameters_in("query"):
        example = ", ".join(f"`{one['name']}`" for one in query)
    request = f"{operation.method.upper()} {operation.path}"
    return f"| `{request}` | {operation.node['summary']} | {example} |\n"
