"""Fixtures for tests of an app: `mockzoom`, fresh in every test, and the server behind it.

    def test_my_app_writes_minutes(mockzoom, my_app):
        mockzoom.subscribe(my_app.url)
        meeting = mockzoom.meeting(participants=["Alice"])
        ...
        mockzoom.check()

The server is started once a session, because that takes longer than a test should.  To change how,
a TLS server say, define `mockzoom_server` in your own `conftest.py`: `mockzoom` uses that one.

`check()` is not called at the end of a test: a test may well be about an app that breaks a rule.
Who wants the verdict asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from mockzoom.server import MockZoom

__all__ = ["mockzoom", "mockzoom_server"]

#: Contracts that judge a receiver need no more than `--receiver-url`, wherever they lie.
pytest_plugins = ["mockzoom.judge.plugin"]


@pytest.fixture(scope="session")
def mockzoom_server() -> Iterator[MockZoom]:
    """One running `MockZoom` for the whole session, on free ports of 127.0.0.1."""
    from mockzoom.server import MockZoom

    with MockZoom() as server:
        yield server


@pytest.fixture
def mockzoom(mockzoom_server: MockZoom) -> MockZoom:
    """The session's `MockZoom` as if newly started: no meeting, no receiver, an empty journal.

    Worlds beside the default one are removed.
    """
    for name in mockzoom_server.worlds[1:]:
        mockzoom_server.remove_world(name)
    mockzoom_server.reset()
    return mockzoom_server
