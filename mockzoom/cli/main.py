"""The root of the command line, and the one place where an exception becomes a line and a status.

Commands are found by name and imported when they are asked for; what is heavy they import when
they run.  So `mockzoom --help` answers at once, and a missing media library disturbs nobody who
only looks at a contract.

Whatever goes wrong ends as one line on stderr: ``error: …`` with the status of the exception (see
`mockzoom.errors`), or ``internal error: …`` with status 5 for what is our own fault.
"""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from mockzoom.errors import MockzoomError, UsageError, nearest

__all__ = ["COMMANDS", "main", "root"]

#: Each is the command object of the same name in the module of the same name.
COMMANDS = (
    "demo",
    "env",
    "fault",
    "fuzz",
    "load",
    "receiver",
    "record",
    "replay",
    "scenario",
    "serve",
    "spec",
    "trigger",
    "verify",
)

INTERNAL_ERROR = 5
INTERRUPTED = 130  # what shells report for a command that Ctrl-C ended


class _Lazy(click.Group):
    """A group whose commands are modules beside this one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"mockzoom.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            known = nearest(args[0], COMMANDS) or f"; there are {', '.join(COMMANDS)}"
            raise UsageError(f"no command {args[0]!r}{known}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception:
            if ctx.params["debug"]:
                traceback.print_exc()
            raise


@click.group(
    cls=_Lazy,
    context_settings={
        "auto_envvar_prefix": "MOCKZOOM",
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="mockzoom", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context, debug: bool) -> None:
    """A mock of Zoom's Realtime Media Streams, and contracts for the apps that receive them.

    An option that is not given is taken from the environment (MOCKZOOM_SERVE_PORT for `serve
    --port`), from ./mockzoom.toml, or from [tool.mockzoom] in ./pyproject.toml.
    """
    from mockzoom.cli.config import default_map

    ctx.default_map = default_map(root, ctx)


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status; `args` are those of the process if None."""
    arguments = list(sys.argv[1:] if args is None else args)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as cleanly as Ctrl-C does
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    try:
        return root.main(arguments, prog_name="mockzoom", standalone_mode=False) or 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except click.Abort:
        return INTERRUPTED
    except Exception as error:
        return _explain(error)


def _explain(error: Exception) -> int:
    if isinstance(error, MockzoomError):
        return _fail(str(error), error.exit_code)
    if isinstance(error, OSError) and error.filename is not None:
        return _fail(f"{error.filename}: {error.strerror}", UsageError.exit_code)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return _fail(f"{reason} (`mockzoom --debug …` shows where)", INTERNAL_ERROR, "internal error")


def _fail(message: str, status: int, kind: str = "error") -> int:
    click.echo(f"{kind}: {' '.join(message.split())}", err=True)
    return status
