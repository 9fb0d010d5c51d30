"""What the command line does when something goes wrong: two lines on stderr and an exit status.

The first line says what is wrong, the second what to do. There is never a traceback, unless
BEIMINGWU_DEBUG asks for it. Imported only when something did go wrong.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from beimingwu.cli.output import printable
from beimingwu.config import settings
from beimingwu.errors import BeimingwuError

USAGE = 2
OS_ERROR = 74
BUG = 70
INTERRUPTED = 130
CLOSED_PIPE = 141

#: What a learnware raised may be pages long; BEIMINGWU_DEBUG shows all of it.
LONGEST = 600


class ClosedPipe(Exception):
    """Whoever read our output went away."""


def report(problem: BaseException) -> int:
    """Tell the person what went wrong and return the exit status of it.

    The statuses: 2 the command line itself, 70 a defect of ours, 74 the operating system refused,
    130 interrupted, 141 the reader of our output went away, and else `exit_status` of the error.
    """
    if isinstance(problem, KeyboardInterrupt | click.Abort):
        return INTERRUPTED
    if isinstance(problem, ClosedPipe | BrokenPipeError):
        _write_no_more()
        return CLOSED_PIPE
    if isinstance(problem, click.exceptions.NoArgsIsHelpError):
        click.echo(problem.format_message(), err=True)
        return USAGE
    what, remedy, status = _told(problem)
    if _debugging():
        traceback.print_exception(problem)
    click.echo(f"Error: {_one_line(what)}", err=True)
    click.echo(_one_line(remedy), err=True)
    return status


def _told(problem: BaseException) -> tuple[str, str, int]:
    if isinstance(problem, BeimingwuError):
        remedy = problem.remedy or f"Its code is {problem.code}."
        return problem.problem, remedy, problem.exit_status
    if isinstance(problem, click.UsageError):
        command = problem.ctx.command_path if problem.ctx else "beimingwu"
        return problem.format_message(), f"`{command} --help` shows how it is used.", USAGE
    if isinstance(problem, click.ClickException):
        return problem.format_message(), "Check the argument.", problem.exit_code
    if isinstance(problem, OSError):
        name = f": {os.fsdecode(problem.filename)}" if problem.filename else ""
        remedy = "Check that the path exists and that you may use it, and the space left on it."
        return f"{problem.strerror or problem}{name}.", remedy, OS_ERROR
    if isinstance(problem, MemoryError):
        return "There is not enough memory for this.", "Try it on fewer records.", OS_ERROR
    return (
        f"This is a defect of beimingwu: {type(problem).__name__}: {problem}",
        "Please report it with the command you ran and what BEIMINGWU_DEBUG=1 shows.",
        BUG,
    )


def _one_line(text: str) -> str:
    line = printable(" ".join(text.split()))
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _debugging() -> bool:
    try:
        return bool(settings().debug)
    except BeimingwuError:
        return False  # A setting that cannot be read may be the very problem we report.


def _write_no_more() -> None:
    """Point stdout at nothing, since Python flushes it once more at exit and would complain."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # Not a real file: nothing is flushed to a pipe then.
