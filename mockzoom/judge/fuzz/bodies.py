"""Bodies: what the document allows of an event, made by schemathesis, and what it forbids.

Each is signed over its exact bytes.  An address in it is replaced by one where nobody listens, so
that no receiver is made to knock on a stranger's door.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import hypothesis
from hypothesis import strategies as st

from mockzoom.core.examples import ExampleFactory
from mockzoom.core.fuzzing import as_paths
from mockzoom.core.spec import EventContract, Spec
from mockzoom.judge.answer import ACCEPTED, ALIVE, Answer
from mockzoom.judge.events import NOWHERE
from mockzoom.judge.fuzz.damage import damaged, plainer
from mockzoom.judge.fuzz.findings import Failure, Harm, Row, Taken, taken
from mockzoom.judge.fuzz.hunt import SHRINK_S, Trophies, hunt, repeatable
from mockzoom.judge.fuzz.subject import Subject

__all__ = ["Bodies"]

#: When events made here happened; a stamp of now would be another one each time.
_SOME_TIME_MS = 1_790_000_000_000

_HARMS = {Taken.CRASHED: Harm.CRASHED, Taken.VALID_REFUSED: Harm.REFUSED}


class Bodies:
    """Attacks `subject` with `max_examples` valid and as many invalid bodies of an event.

    `tell` is called after each of them.
    """

    def __init__(
        self,
        subject: Subject,
        spec: Spec,
        max_examples: int,
        seed: int,
        tell: Callable[[Row], None],
    ) -> None:
        import schemathesis

        self._subject = subject
        self._spec = spec
        self._seed = seed
        self._tell = tell
        self._settings = repeatable(max_examples)
        self._schema = schemathesis.openapi.from_dict(as_paths(spec))

    def attack(self, name: str, row: Row) -> None:
        """Fill `row` with what becomes of bodies of the event `name`; raises `Over`."""
        trophies = Trophies[Failure]()
        contract = self._spec.event(name)
        made = self._made(name)
        try:
            for body in self._each_value(contract):
                hunt(partial(self._try, contract, True, row, trophies, body))
            for valid in (True, False):
                send = partial(self._try, contract, valid, row, trophies)
                with self._subject.receiver.one_test():
                    meant = partial(_is, contract, valid)
                    hunt(self._search(made[valid], meant, send))
        finally:
            row.failures = list(trophies.smallest.values())
        for index, failure in enumerate(row.failures):
            row.failures[index] = self._confirmed(self._shrunk(failure, contract), contract)

    def _made(self, name: str) -> dict[bool, st.SearchStrategy[Any]]:
        """Bodies that keep the document, and bodies that do not."""
        from schemathesis import GenerationMode

        operation = self._schema[f"/{name}"]["POST"]
        right, wrong = (
            operation.as_strategy(generation_mode=mode).map(lambda case: case.body)
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        )
        real = st.integers(0, 2**32).map(lambda number: self._example(name, number))
        return {True: st.one_of(right, real), False: st.one_of(damaged(real), wrong)}

    def _each_value(self, contract: EventContract) -> Iterator[dict[str, Any]]:
        """An event with each value that a field has a list of: chance may leave some out."""
        event = self._example(contract.name, self._seed)
        fields = contract.payload_fields
        for name, schema in fields.items():
            for value in schema.get("enum", ()):
                yield {**event, "payload": {**event["payload"], name: value}}

    def _example(self, name: str, number: int) -> dict[str, Any]:
        """An event as Zoom sends it, in which each of the values that there are is as likely."""
        return ExampleFactory(self._spec, number).event(name, now_ms=_SOME_TIME_MS)

    def _search(self, bodies: Any, meant: Any, send: Any) -> Any:
        @hypothesis.seed(self._seed)
        @self._settings
        @hypothesis.given(body=bodies)
        def search(body: Any) -> None:
            hypothesis.assume(meant(body))
            send(body)

        return search

    def _try(
        self,
        contract: EventContract,
        valid: bool,
        row: Row,
        trophies: Trophies[Failure],
        made: Any,
    ) -> None:
        body = _encoded(made)
        trophies.hurry()
        self._subject.ready()
        answer = self._subject.post(body)
        how = taken(answer, valid=valid)
        row.counts[how] += 1
        self._tell(row)
        if how in _HARMS:
            words = self._subject.last_words() if answer.died else ""
            failure = _failure(contract.name, _HARMS[how], body, answer, words)
            # What Zoom may well send is worse than what is smaller.
            trophies.take(failure.harm, (not valid, len(body), body), failure)

    def _shrunk(self, failure: Failure, contract: EventContract) -> Failure:
        """Without the fields that it does not take; what Hypothesis leaves may be a real event."""
        deadline_s = time.monotonic() + SHRINK_S
        valid = _keeps(contract, failure.sample)
        tries = _smaller(failure.sample)
        while time.monotonic() < deadline_s and (body := next(tries, None)) is not None:
            if _keeps(contract, body) is not valid:
                continue
            self._subject.ready()
            answer = self._subject.post(body)
            if _HARMS.get(taken(answer, valid=valid)) is failure.harm:
                words = self._subject.last_words() if answer.died else ""
                failure = _failure(contract.name, failure.harm, body, answer, words)
                tries = _smaller(body)
        return failure

    def _confirmed(self, failure: Failure, contract: EventContract) -> Failure:
        self._subject.ready()
        answer = self._subject.post(failure.sample)
        how = taken(answer, valid=_keeps(contract, failure.sample))
        return dataclasses.replace(failure, repeats=_HARMS.get(how) is failure.harm)


def _encoded(made: Any) -> bytes:
    """The bytes of what schemathesis has made, which may be no JSON from the first."""
    if isinstance(made, bytes):
        return made
    if isinstance(made, dict) and isinstance(made.get("payload"), dict):
        urls = made["payload"].get("server_urls")
        if isinstance(urls, str) and "//" in urls:
            made = {**made, "payload": {**made["payload"], "server_urls": NOWHERE}}
    return json.dumps(made, separators=(",", ":")).encode()


def _keeps(contract: EventContract, body: bytes) -> bool:
    """Whether a body is one that the document allows."""
    try:
        return not contract.problems(json.loads(body))
    except (ValueError, RecursionError):
        return False


def _is(contract: EventContract, valid: bool, made: Any) -> bool:
    return _keeps(contract, _encoded(made)) is valid


def _smaller(body: bytes) -> Iterator[bytes]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return
    if isinstance(event, dict):
        yield from map(_encoded, plainer(event))


def _failure(name: str, harm: Harm, body: bytes, answer: Answer, last_words: str) -> Failure:
    expected = ACCEPTED if harm is Harm.REFUSED else ALIVE
    found = str(answer)
    return Failure(name, harm, expected.text, found, body, answer.sent, last_words=last_words)
