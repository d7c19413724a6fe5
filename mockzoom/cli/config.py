"""Settings files: what a flag or the environment leaves open is looked up in TOML.

    client_id = "…"            # for every command that has --client-id
    spec = "zoom-events.json"

    [serve]                    # for `mockzoom serve` alone
    port = 8700
    receiver = ["http://127.0.0.1:3000/webhook"]

That is `./mockzoom.toml`; the same under `[tool.mockzoom]` in `./pyproject.toml` is second choice.
Keys are the names of the long options, with `_` or `-`.  There is no list of them here: the
commands know their options, and what none of them has is an error by name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from mockzoom.errors import ConfigurationError, nearest

__all__ = ["default_map"]

Settings = dict[str, Any]


def default_map(root: click.Group, ctx: click.Context) -> Settings | None:
    """The defaults of all commands in the shape that click takes, None without a file.

    Raises ConfigurationError for a file that is not TOML and for an unknown key or section.
    """
    file, settings = _read()
    if not settings:
        return None
    commands = dict(_commands(root, ctx))
    shared = {key: value for key, value in settings.items() if not isinstance(value, dict)}
    known = {name for command in commands.values() for name in _options(command)}
    _refuse_unknown(f"{file}: no option", shared, known | set(commands))
    sections = {key: value for key, value in settings.items() if key not in shared}
    _refuse_unknown(f"{file}: no command", sections, commands)
    return {
        name: _defaults(command, f"{file} [{name}]", shared, sections.get(name, {}))
        for name, command in commands.items()
    }


def _read() -> tuple[str, Settings]:
    own = _parse(Path("mockzoom.toml"))
    if own is not None:
        return "mockzoom.toml", own
    project = _parse(Path("pyproject.toml")) or {}
    return "pyproject.toml [tool.mockzoom]", project.get("tool", {}).get("mockzoom", {})


def _parse(path: Path) -> Settings | None:
    if not path.is_file():
        return None
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # not TOML, or not UTF-8
        raise ConfigurationError(f"{path}: {error}") from None


def _commands(root: click.Group, ctx: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in root.list_commands(ctx):
        command = root.get_command(ctx, name)
        assert command is not None, name
        yield name, command


def _options(command: click.Command) -> dict[str, click.Option]:
    """The options of a command by the names that a file uses; those of a group's commands too."""
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    own = {
        flag[2:].replace("-", "_"): option
        for option in command.params
        if isinstance(option, click.Option)
        for flag in option.opts
        if flag.startswith("--")
    }
    return {name: option for part in inner for name, option in _options(part).items()} | own


def _defaults(command: click.Command, where: str, shared: Settings, section: Settings) -> Settings:
    options = _options(command)
    _refuse_unknown(f"{where}: no option", section, options)
    defaults: Settings = {}
    for key, value in {**shared, **section}.items():
        option = options.get(key.replace("-", "_"))
        if option is None or option.name is None:
            continue  # an option that another command has
        if option.multiple and not isinstance(value, list):
            raise ConfigurationError(f"{where}: {key}: expected a list, found {value!r}")
        defaults[option.name] = value
    if isinstance(command, click.Group):
        return dict.fromkeys(command.commands, defaults)
    return defaults


def _refuse_unknown(prefix: str, given: Settings, known: Mapping[str, Any] | set[str]) -> None:
    for key in given:
        if key.replace("-", "_") not in known:
            hint = nearest(key, known) or f"; there are {', '.join(sorted(known))}"
            raise ConfigurationError(f"{prefix} {key!r}{hint}")
