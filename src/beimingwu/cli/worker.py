"""`beimingwu worker`: verify what is submitted to a service, on any machine."""

from __future__ import annotations

from dataclasses import replace

import click

from beimingwu.cli.options import DockChoice, command, dock_option, output_options
from beimingwu.cli.output import Facts, Output


@command("worker", "worker --dock /mnt/dock --at-once 4")
@click.option(
    "--at-once",
    type=click.IntRange(1, 256),
    metavar="NUMBER",
    help="How many learnwares it verifies at a time; BEIMINGWU_WORKERS otherwise, or 1.",
)
@dock_option
@output_options
def worker(at_once: int | None, dock: DockChoice, output: Output) -> None:
    """Verify what is submitted to a service, until this is interrupted.

    It works for a dock whose catalogue is in PostgreSQL (BEIMINGWU_DATABASE) and whose folder is
    here too; start as many as you like, on any machine. What one was at that dies goes on
    elsewhere.
    """
    from beimingwu.config import settings
    from beimingwu.errors import MissingDependency

    try:
        from beimingwu.server.worker import work_until_stopped
    except ImportError as error:
        raise MissingDependency(
            f"A worker needs the package {error.name}, which is not installed.",
            remedy="Install it with: pip install 'beimingwu[server,postgres]'.",
        ) from None
    chosen = settings()
    chosen = replace(chosen, dock=str(dock.place), workers=at_once or max(chosen.workers, 1))
    facts = {"dock": chosen.dock, "at once": chosen.workers}

    def announce() -> None:
        output.show(facts, ids=[chosen.dock], sections=[Facts(facts)])
        output.say("Stop it with Ctrl-C; what it is at then goes on elsewhere.")

    work_until_stopped(chosen, announce)
