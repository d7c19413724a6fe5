"""What a receiver declares, and what follows."""

from __future__ import annotations

import pytest
from sample_report import ASSIGNMENT

from mockzoom.errors import UsageError
from mockzoom.judge.assignment import Assignment
from mockzoom.judge.capabilities import CAPABILITIES, checked


def test_products_that_are_not_named_are_not_done() -> None:
    """An app for webinars is not judged by meetings."""
    one = Assignment(ASSIGNMENT.url, ASSIGNMENT.credentials, products=("webinar",))
    assert one.without == {"meeting", "session", "contact_center"}
    assert one.product == "webinar"
    assert one.undone(frozenset({"rtms", "meeting"})) == ["meeting"]


def test_every_product_by_default() -> None:
    """Nothing declared, nothing spared."""
    one = Assignment(ASSIGNMENT.url, ASSIGNMENT.credentials)
    assert one.without == frozenset()
    assert one.undone(frozenset(CAPABILITIES)) == []


def test_each_run_has_a_seed_of_its_own() -> None:
    """A receiver remembers the streams of the last one."""
    ones = [Assignment(ASSIGNMENT.url, ASSIGNMENT.credentials) for _ in range(3)]
    assert len({one.seed for one in ones}) == 3


@pytest.mark.parametrize(
    ("products", "without", "hint"),
    [(("webinars",), (), "did you mean 'webinar'"), ((), ("vido",), "did you mean 'video'")],
)
def test_what_is_unknown(products: tuple[str, ...], without: tuple[str, ...], hint: str) -> None:
    """Is an error that names what was meant."""
    with pytest.raises(UsageError, match=hint):
        Assignment(ASSIGNMENT.url, ASSIGNMENT.credentials, products, frozenset(without))


def test_capabilities_are_sentences() -> None:
    """Each says what it is."""
    assert checked(CAPABILITIES) == frozenset(CAPABILITIES)
    assert all(text.startswith("It ") and text.endswith(".") for text in CAPABILITIES.values())
