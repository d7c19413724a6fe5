"""The enums in code and those in the AsyncAPI document are the same, in both directions."""

from __future__ import annotations

import inspect
from enum import IntEnum, IntFlag

import pytest

from mockzoom.core import codes
from mockzoom.core.protocol import load_protocol

CLASSES = {
    name: class_
    for name, class_ in inspect.getmembers(codes, inspect.isclass)
    if issubclass(class_, IntEnum | IntFlag) and class_.__module__ == codes.__name__
}


def test_code_and_document_have_the_same_enums() -> None:
    """No enum is in one place only."""
    assert set(CLASSES) == set(load_protocol().enums) == set(codes.__all__)


@pytest.mark.parametrize("name", CLASSES)
def test_an_enum_has_the_same_names_and_numbers(name: str) -> None:
    """Name for name and number for number, in the same order."""
    members = {member: int(number) for member, number in CLASSES[name].__members__.items()}
    assert list(members.items()) == list(load_protocol().enums[name].items())


def test_every_message_type_has_a_message() -> None:
    """A number without a message, or a message without a number, would be a hole."""
    messages = load_protocol().messages
    assert {number: contract.name for number, contract in messages.items()} == {
        int(number): number.name for number in codes.MessageType
    }
