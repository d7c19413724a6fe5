"""A receiver that is started here: it comes up, is started again, and is gone at the end."""

from __future__ import annotations

import shlex
import sys

import pytest

from mockzoom.errors import ReceiverUnreachable, UsageError
from mockzoom.judge.fuzz.launched import Launched


def command(code: str) -> str:
    return shlex.join([sys.executable, "-c", code])


class Listening:
    """Nobody listens before it was asked once."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> bool:
        self.asked += 1
        return self.asked > 1


def test_it_lives_as_long_as_it_is_wanted() -> None:
    """A restart is another process, and none is left behind."""
    with Launched(command("import time; time.sleep(60)"), Listening()) as launched:
        first = launched._process
        launched.restart()
        second = launched._process
        assert first is not None
        assert second is not None
        assert first.poll() is not None
        assert second.poll() is None
    assert second.poll() is not None


def test_it_does_not_come_up() -> None:
    """What it has said before it ended is in the error."""
    with (
        pytest.raises(
            ReceiverUnreachable, match=r"it ended: no such port\\x0a\(ended with status 3"
        ),
        Launched(command("print('no such port'); raise SystemExit(3)"), lambda: False),
    ):
        pass


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", "found nothing"),
        ("a 'b", "No closing quotation"),
        ("/nowhere/at-all", "--exec /nowhere/at-all: No such file"),
    ],
)
def test_no_command(line: str, told: str) -> None:
    """One line says what is wrong with it."""
    with pytest.raises(UsageError, match=told), Launched(line, lambda: False):
        pass


def test_somebody_is_there_already() -> None:
    """Who is attacked would be another one."""
    with pytest.raises(UsageError, match="listens there already"), Launched("a", lambda: True):
        pass
