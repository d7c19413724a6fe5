"""docs/cli.md and the commands say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mockzoom.cli.main import root
from mockzoom.errors import MockzoomError

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def commands(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{prefix} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")


COMMANDS = dict(commands(root, "mockzoom"))


def sections() -> dict[str, str]:
    """What the page says under the heading of each command."""
    parts = re.split(r"^#{2,3} (.*)$", PAGE, flags=re.MULTILINE)
    headings = (re.sub(r"`| \[?[A-Z]+\]?", "", heading) for heading in parts[1::2])
    return dict(zip(headings, parts[2::2], strict=True))


def options(command: click.Command) -> set[str]:
    flags = {flag for option in command.params for flag in option.opts if flag.startswith("--")}
    return flags - {"--help"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name):
    """Each command has its section, which names its options and no others."""
    section = sections()[name]
    told = set(OPTION.findall(re.sub(r"`mockzoom [^`]*`|`(serve|env) [^`]*`", "", section)))
    assert told == options(COMMANDS[name])


def test_no_section_is_about_nothing():
    """Each section that is headed by a command is about one that exists."""
    headed = {heading for heading in sections() if heading.startswith("mockzoom ")}
    assert headed == set(COMMANDS)


def test_the_short_variables_are_documented():
    """Each variable that several commands share is named."""
    shared = {
        option.envvar
        for command in COMMANDS.values()
        for option in command.params
        if isinstance(option, click.Option) and option.envvar
    }
    assert {name for name in shared if f"`{name}`" not in PAGE} == set()


def test_every_status_is_documented():
    """Each status with which an error of ours ends is in the table."""

    def tree(error: type[MockzoomError]) -> Iterator[type[MockzoomError]]:
        yield error
        for child in error.__subclasses__():
            yield from tree(child)

    for error in tree(MockzoomError):
        assert f"| {error.exit_code} |" in PAGE
