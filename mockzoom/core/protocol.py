"""The contract of the two sockets: which messages there are, and what each must hold.

Read from `spec/rtms-protocol.asyncapi.yaml`.  The channels of that document say on which socket a
message travels, its operations in which direction, and its message components what it is made of;
its enums are the numbers that `mockzoom.core.codes` has as classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from mockzoom.core.document import Document, pointer, read_document
from mockzoom.core.openapi import resolved_schema
from mockzoom.core.validators import FastValidator, Problem
from mockzoom.resources import spec_path

__all__ = ["MessageContract", "Protocol", "load_protocol"]

Direction = Literal["app_to_server", "server_to_app"]

_DOCUMENT = "rtms-protocol.asyncapi.yaml"

# The document is written from the server's side.
_DIRECTIONS: Mapping[str, Direction] = {"receive": "app_to_server", "send": "server_to_app"}
_BACK: Mapping[str, Direction] = {"receive": "server_to_app", "send": "app_to_server"}


@dataclass(frozen=True, eq=False)
class MessageContract:
    """What one message promises; `sockets` holds "signaling", "media" or both."""

    number: int
    name: str
    direction: Direction
    sockets: frozenset[str]
    schema: Mapping[str, Any]

    @cached_property
    def validator(self) -> FastValidator:
        """Compiled at first use."""
        return FastValidator(self.schema)


@dataclass(frozen=True, eq=False)
class Protocol:
    """All messages by their number, and all enums by name, each a name and its number."""

    messages: Mapping[int, MessageContract]
    enums: Mapping[str, Mapping[str, int]]

    def problems(self, message: Mapping[str, Any]) -> list[Problem]:
        """Every way in which `message` breaks the contract of its `msg_type`; [] if none."""
        number = message.get("msg_type")
        if isinstance(number, bool) or not isinstance(number, int):
            return [Problem("msg_type", "expected the number of a message type")]
        if number not in self.messages:
            return [Problem("msg_type", f"expected 1 to {max(self.messages)}, found {number}")]
        return self.messages[number].validator.problems(message)


@lru_cache(maxsize=1)
def load_protocol() -> Protocol:
    """The protocol of the sockets; read once."""
    file = read_document(spec_path(_DOCUMENT))
    directions = dict(_directions(file))
    messages = [
        _message(file, name, directions[name]) for name in file.content["components"]["messages"]
    ]
    return Protocol({message.number: message for message in messages}, dict(_enums(file)))


def _message(file: Document, name: str, direction: Direction) -> MessageContract:
    schema = resolved_schema(file, pointer("#/components/messages", name, "payload"))
    channels = file.content["channels"].items()
    return MessageContract(
        number=schema["properties"]["msg_type"]["const"],
        name=name,
        direction=direction,
        sockets=frozenset(socket for socket, channel in channels if name in channel["messages"]),
        schema=schema,
    )


def _directions(file: Document) -> Iterator[tuple[str, Direction]]:
    for operation in file.content["operations"].values():
        action = operation["action"]
        for message in operation["messages"]:
            yield _name(message), _DIRECTIONS[action]
        for message in operation.get("reply", {}).get("messages", []):
            yield _name(message), _BACK[action]


def _name(reference: Mapping[str, str]) -> str:
    return reference["$ref"].rpartition("/")[2]


def _enums(file: Document) -> Iterator[tuple[str, Mapping[str, int]]]:
    for name, schema in file.content["components"]["schemas"].items():
        if "x-enum-varnames" in schema:
            yield name, dict(zip(schema["x-enum-varnames"], schema["enum"], strict=True))
