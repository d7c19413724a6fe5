"""Every event that Zoom may send is taken in time, and what is no event breaks nothing.

The events come from the contract document: schemathesis makes valid and broken bodies of each, and
they are sent as the exact bytes that are signed.  The same seed gives the same bodies.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from mockzoom.core.products import PRODUCTS, Product
from mockzoom.core.spec import load_spec
from mockzoom.judge.answer import ACCEPTED, ALIVE, REFUSED, SPARED, Expectation
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.contract import ADVICE, MUST, SHOULD, contract, needs
from mockzoom.judge.events import NOWHERE
from mockzoom.judge.receiver_under_test import ReceiverUnderTest

if TYPE_CHECKING:
    from schemathesis import GenerationMode

Event = dict[str, Any]
Example = Callable[..., Event]

SPEC = load_spec()
EXAMPLES = 20


def of_its_product(name: str) -> Any:
    """The event as a case, which a receiver that is not for its product need not take."""
    product = SPEC.event(name).product
    return pytest.param(name, marks=needs(product) if product in PRODUCTS else (), id=name)


every_event = pytest.mark.parametrize("name", [of_its_product(name) for name in SPEC.events])
every_product = pytest.mark.parametrize(
    "product", [pytest.param(row, marks=needs(name), id=name) for name, row in PRODUCTS.items()]
)


@contract(
    "WH-301",
    MUST,
    source="webhooks: 200 or 204 within 3 s",
    loses="Zoom sends the event again after 5, 20 and 60 minutes, and then never.",
    gotchas=[1, 10, 20, 22],
)
@every_event
def test_the_published_example_is_taken(
    receiver: ReceiverUnderTest, example: Example, name: str
) -> None:
    """Each event, as Zoom publishes it, is answered 200 or 204 within 3 s."""
    receiver.deliver(example(name)).must_be(ACCEPTED)


@contract(
    "WH-302",
    MUST,
    source="webhooks: the published schemas",
    loses="Events that are rare and right are lost: an odd id, a field of tomorrow, 228.0 for 228.",
    gotchas=[27],
)
@every_event
def test_valid_events_are_taken(
    receiver: ReceiverUnderTest, assignment: Assignment, name: str
) -> None:
    """Whatever the document allows is accepted: other ids, unknown fields, integers as floats."""
    from schemathesis import GenerationMode

    for body in bodies(name, GenerationMode.POSITIVE, assignment.seed):
        if "server_urls" in body["payload"]:
            body["payload"]["server_urls"] = NOWHERE
        receiver.deliver(body).must_be(ACCEPTED)


@contract(
    "WH-303",
    MUST,
    source="webhooks: 5xx is tried again",
    loses="One bad event takes the app down, and comes back three times to do it again.",
)
@every_event
def test_invalid_events_break_nothing(
    receiver: ReceiverUnderTest, assignment: Assignment, harmless: Event, name: str
) -> None:
    """What the document forbids is refused or ignored, and never answered with a 5xx."""
    from schemathesis import GenerationMode

    for body in bodies(name, GenerationMode.NEGATIVE, assignment.seed):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        receiver.deliver(raw).must_be(ALIVE)
    receiver.deliver(harmless).must_be(ACCEPTED)


@cache
def bodies(name: str, mode: GenerationMode, seed: int) -> list[Any]:
    """What schemathesis makes of an event: JSON values, and bytes that are no JSON."""
    import hypothesis
    import schemathesis

    made: list[Any] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation(name).as_strategy(generation_mode=mode))
    def collect(case: schemathesis.Case) -> None:
        made.append(case.body)

    collect()
    return made


@cache
def operation(name: str) -> Any:
    import schemathesis

    from mockzoom.core.fuzzing import as_paths

    return schemathesis.openapi.from_dict(as_paths(SPEC))[f"/{name}"]["POST"]


def without(*fields: str) -> Callable[[Event], Event]:
    return lambda event: {
        **event,
        "payload": {key: value for key, value in event["payload"].items() if key not in fields},
    }


def with_payload(**fields: object) -> Callable[[Event], Event]:
    return lambda event: {**event, "payload": {**event["payload"], **fields}}


USELESS: dict[str, Callable[[Event], Event]] = {
    "no payload": lambda event: {"event": event["event"], "event_ts": event["event_ts"]},
    "payload is null": lambda event: {**event, "payload": None},
    "payload is a list": lambda event: {**event, "payload": []},
    "no stream id": without("rtms_stream_id"),
    "stream id is a number": with_payload(rtms_stream_id=1),
    "stream id is a list": with_payload(rtms_stream_id=["a"]),
    "no URLs": without("server_urls"),
    "URLs are null": with_payload(server_urls=None),
    "URLs are a number": with_payload(server_urls=443),
}

every_useless_start = pytest.mark.parametrize("spoil", USELESS.values(), ids=USELESS)


@contract(
    "WH-304",
    MUST,
    source="webhooks: 5xx is tried again",
    loses="One bad event takes the app down, and comes back three times to do it again.",
    gotchas=[10, 27],
)
@every_useless_start
def test_a_start_that_lacks_something_breaks_nothing(
    receiver: ReceiverUnderTest,
    example: Example,
    assignment: Assignment,
    harmless: Event,
    spoil: Callable[[Event], Event],
) -> None:
    """A start without what one needs to join is never answered with a 5xx."""
    receiver.deliver(spoil(a_start(assignment, example))).must_be(ALIVE)
    receiver.deliver(harmless).must_be(ACCEPTED)


@contract(
    "WH-305",
    ADVICE,
    source="ours",
    loses="A 200 hides from you that an event came which your app can do nothing with.",
)
@every_useless_start
def test_a_start_that_lacks_something_is_refused(
    receiver: ReceiverUnderTest,
    example: Example,
    assignment: Assignment,
    spoil: Callable[[Event], Event],
) -> None:
    """A start without what one needs to join is answered with a 4xx."""
    receiver.deliver(spoil(a_start(assignment, example))).must_be(REFUSED)


def a_start(assignment: Assignment, example: Example) -> Event:
    return example(PRODUCTS[assignment.product].event("started"))


NONSENSE: dict[str, tuple[bytes, Expectation]] = {
    "empty": (b"", ALIVE),
    "not JSON": (b"hello", ALIVE),
    "half an object": (b'{"event": "meeting.rtms_', ALIVE),
    "array": (b"[]", ALIVE),
    "null": (b"null", ALIVE),
    "true": (b"true", ALIVE),
    "string": (b'"meeting.rtms_started"', ALIVE),
    "number": (b"1e999", ALIVE),
    "not UTF-8": (b'{"event": "\xff\xfe"}', ALIVE),
    "UTF-16": ('{"event": "meeting.rtms_stopped"}'.encode("utf-16"), ALIVE),
    "byte order mark": (b'\xef\xbb\xbf{"event": "meeting.rtms_started"}', ALIVE),
    "zero bytes": (b"\0" * 100, ALIVE),
    "NaN": (b'{"event": NaN}', ALIVE),
    "half a surrogate pair": (b'{"event": "\\ud83c"}', ALIVE),
    "event is a number": (b'{"event": 1}', ALIVE),
    "event is null": (b'{"event": null}', ALIVE),
    "event is an object": (b'{"event": {"a": 1}}', ALIVE),
    "event is a list": (b'{"event": ["meeting.rtms_started"]}', ALIVE),
    "name of a built-in": (b'{"event": "__proto__", "payload": {}}', ALIVE),
    "no event": (b"{}", ALIVE),
    "deeply nested": (b'{"event":' * 50_000, SPARED),
    "deep array": (b"[" * 100_000, SPARED),
    "deep payload": (
        b'{"event":"meeting.rtms_stopped","payload":' + b"[" * 9_000 + b"]" * 9_000 + b"}",
        SPARED,
    ),
    "a long number": (b'{"event": ' + b"9" * 10_000 + b"}", ALIVE),
    "2 MB": (b'{"event": "' + b"x" * 2_000_000 + b'"}', SPARED),
}


@contract(
    "WH-306",
    MUST,
    source="webhooks: 5xx is tried again",
    loses="A body that nobody thought of takes the app down for everybody.",
)
@pytest.mark.parametrize(("body", "expected"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_breaks_nothing(
    receiver: ReceiverUnderTest, harmless: Event, body: bytes, expected: Expectation
) -> None:
    """What is no event, though signed, gets no 5xx, and the next event is accepted."""
    receiver.deliver(body).must_be(expected)
    receiver.deliver(harmless).must_be(ACCEPTED)


TYPES = {
    "no charset": "application/json",
    "text": "text/plain",
    "form": "application/x-www-form-urlencoded",
    "multipart without a boundary": "multipart/form-data",
    "XML": "application/xml",
    "UTF-16": "application/json; charset=utf-16",
    "an unknown charset": "application/json; charset=x-unknown",
    "nonsense": ";;;",
}


@contract(
    "WH-307",
    MUST,
    source="webhooks: 5xx is tried again",
    loses="A scanner, or a proxy that rewrites headers, takes the app down.",
)
@pytest.mark.parametrize("content_type", TYPES.values(), ids=TYPES)
def test_other_content_types_break_nothing(
    receiver: ReceiverUnderTest, harmless: Event, content_type: str
) -> None:
    """An event under another content type gets no 5xx, and the next one is accepted."""
    body = json.dumps(harmless).encode()
    receiver.post(body, headers={"content-type": content_type}).must_be(ALIVE)
    receiver.deliver(harmless).must_be(ACCEPTED)


#: A server may say that it has never heard of a method, and that is a 5xx by number only.
NOT_A_FAILURE = Expectation(
    "any answer but a 5xx, save 501", lambda answer: answer.alive or answer.status == 501
)


@contract(
    "WH-308",
    MUST,
    source="webhooks: POST",
    loses="A scanner or a health check takes the app down.",
)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_break_nothing(
    receiver: ReceiverUnderTest, harmless: Event, method: str
) -> None:
    """Another method than POST gets no 5xx, and the next event is accepted."""
    receiver.post(json.dumps(harmless).encode(), method=method).must_be(NOT_A_FAILURE)
    receiver.deliver(harmless).must_be(ACCEPTED)


@contract(
    "WH-309",
    MUST,
    source="webhooks: events are added",
    loses="The day Zoom adds an event, your app fails on it, and gets it four times.",
    gotchas=[27],
)
@pytest.mark.parametrize(
    "name", ["meeting.rtms_reimagined", "phone.rtms_started", "app_deauthorized", "a"]
)
def test_unknown_events_are_tolerated(receiver: ReceiverUnderTest, name: str) -> None:
    """An event with a name that the app does not know is accepted."""
    event = {"event": name, "event_ts": 1, "payload": {"object": {"id": "1"}}}
    receiver.deliver(event).must_be(ACCEPTED)


@contract(
    "WH-310",
    MUST,
    source="webhooks: fields are added",
    loses="The day Zoom adds a field, your app loses every event that has it.",
    gotchas=[27],
)
@every_event
def test_unknown_fields_are_tolerated(
    receiver: ReceiverUnderTest, example: Example, name: str
) -> None:
    """An event with more fields than are published, on top and in the payload, is accepted."""
    event = example(name, added_later={"deep": [1, 2, {"x": None}]})
    receiver.deliver({**event, "added_later": "🎧"}).must_be(ACCEPTED)


SHAPES: dict[str, tuple[str, Callable[[Event], Event]]] = {
    "start of before May 2026": (
        "started",
        without("account_id", "meeting_id", "webinar_id", "is_original_host"),
    ),
    "start without an operator": ("started", without("operator_id")),
    "stop because the meeting has ended": ("stopped", with_payload(stop_reason=6)),
    "stop because the host disabled the app": ("stopped", with_payload(stop_reason=5)),
    "stop for a reason of tomorrow": ("stopped", with_payload(stop_reason=99)),
    "stop with an account": ("stopped", with_payload(account_id="dzVA4QmMQfyISoRcpFO8CA")),
}


@contract(
    "WH-311",
    MUST,
    source="webhooks: published versions differ; stop reasons 5 and 6 are missing from the enum",
    loses="Genuine events of another version of the document are lost: most stops have reason 6.",
    gotchas=[26, 27],
)
@every_product
@pytest.mark.parametrize(("happening", "change"), SHAPES.values(), ids=SHAPES)
def test_other_published_shapes_are_tolerated(
    receiver: ReceiverUnderTest,
    example: Example,
    product: Product,
    happening: str,
    change: Callable[[Event], Event],
) -> None:
    """An event as it was, or will be, in another version of the document is accepted."""
    receiver.deliver(change(example(product.event(happening)))).must_be(ACCEPTED)


@contract(
    "WH-312",
    MUST,
    source="webhooks: 200 or 204 within 3 s",
    loses="Zoom sends the start again while you are still joining, and you join twice.",
    gotchas=[1],
)
@every_product
def test_the_answer_does_not_wait_for_the_stream(
    receiver: ReceiverUnderTest, example: Example, silent_server: str, product: Product
) -> None:
    """A start is answered in time also if the server that it names takes its own time."""
    event = example(product.event("started"), server_urls=silent_server)
    receiver.deliver(event).must_be(ACCEPTED)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A URL where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"


@contract(
    "WH-313",
    SHOULD,
    source="webhooks: 200 or 204 within 3 s",
    loses="When many meetings start on the hour, their events time out and come again.",
)
def test_many_at_once_are_taken(receiver: ReceiverUnderTest, harmless: Event) -> None:
    """Of twenty events that arrive at the same time each is accepted within 3 s."""
    events = [{**harmless, "event_ts": harmless["event_ts"] + number} for number in range(20)]
    with ThreadPoolExecutor(len(events)) as senders:
        answers = list(senders.map(receiver.deliver, events))
    for answer in answers:
        answer.must_be(ACCEPTED)
