"""The command `beimingwu` and the list of its commands, by what a person wants to do.

A command `x` is the object `x` of the module `beimingwu.cli.x` (`list` is `list_`, since it would
hide Python's own). A module is imported when its command is run, or when help shows its first line.
"""

from __future__ import annotations

import importlib
import keyword
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import click

from beimingwu import __version__

#: The commands under the heading that help shows them under.
COMMANDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Making a learnware": ("specify", "pack", "check"),
        "In the dock": (
            "submit",
            "list",
            "show",
            "update",
            "withdraw",
            "restore",
            "delete",
            "export",
        ),
        "Solving a task": ("search", "predict"),
        "For many people": ("login", "logout", "whoami", "serve", "worker", "admin"),
        "More": ("demo", "environments", "doctor", "version"),
    }
)


class LazyGroup(click.Group):
    """A group that knows its commands by name, and ends the process on every path."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of help."""
        return [name for names in COMMANDS.values() for name in names]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"beimingwu.cli.{cmd_name}")
        command = getattr(module, f"{cmd_name}_" if hides_builtin(cmd_name) else cmd_name)
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or the name that was meant."""
        names = self.list_commands(ctx)
        if args and args[0] not in names and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], names, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands under their headings, with the first line of each."""
        for heading, names in COMMANDS.items():
            with formatter.section(heading):
                rows = [(name, self._first_line(ctx, name)) for name in names]
                formatter.write_dl(rows)

    def _first_line(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        if command is None:
            return ""
        line = command.get_short_help_str(limit=70)
        return line if line.endswith(".") else f"{line}."

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a reader of our output who went away is no OSError that click answers."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:
            from beimingwu.cli.failures import ClosedPipe

            raise ClosedPipe from gone

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line and exit: 0, or the status of what went wrong."""
        extra = {"prog_name": "beimingwu"} | extra | {"standalone_mode": False}
        try:
            returned = super().main(*args, **extra)
            sys.stdout.flush()
        except (Exception, KeyboardInterrupt) as problem:
            from beimingwu.cli.failures import report

            sys.exit(report(problem))
        sys.exit(returned if isinstance(returned, int) else 0)


def hides_builtin(name: str) -> bool:
    """Whether a command may not be called `name` in Python without hiding something."""
    return keyword.iskeyword(name) or name == "list"


@click.command(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A dock is a folder, or on a server: --dock, or BEIMINGWU_DOCK. `beimingwu demo` shows "
    "everything once.",
)
@click.version_option(__version__, message="beimingwu %(version)s")
def beimingwu() -> None:
    """Share trained models as learnwares, and find those that solve your task.

    Your data stays on your machine: a specification of it, which you can read, is all that a dock
    is given.
    """
