"""`beimingwu submit`: give a learnware to the dock, and watch its checks."""

from __future__ import annotations

from pathlib import Path

import click

from beimingwu.cli.options import FILE, DockChoice, command, dock_option, output_options, owner_name
from beimingwu.cli.output import Facts, Output
from beimingwu.cli.records import follow, record_facts, record_json


@command(
    "submit learnware.zip",
    "submit learnware.zip --semantic semantic.json --dock ./dock",
    "submit learnware.zip --dock https://dock.example.org",
)
@click.argument("archive", type=FILE, metavar="ARCHIVE")
@click.option(
    "--semantic",
    type=FILE,
    metavar="FILE",
    help="A semantic specification to use instead of the one in the archive.",
)
@click.option(
    "--owner", metavar="NAME", help="Whose it is; the name of this system's user if left out."
)
@dock_option
@output_options
def submit(
    archive: Path, semantic: Path | None, owner: str | None, dock: DockChoice, output: Output
) -> None:
    """Submit a learnware: it is checked, run apart, and published.

    Each check of ARCHIVE is told as it ends. When one fails the learnware is rejected,
    nothing of it can be found by a search, and the exit status is 7.
    """
    given = semantic.read_bytes() if semantic is not None else None
    with dock.opened(new=True, verifying=True) as opened:
        with output.working(dock.transfer.or_else("submitting …")):
            # A server knows who submits; a name is refused there.
            whose = owner or "" if dock.is_remote else owner_name(owner)
            submission = opened.submit(archive, given, owner=whose)
        follow(submission, dock, output)
        record = opened.show(submission.id)
    output.show(record_json(record), ids=[record.id], sections=[Facts(record_facts(record))])
    output.next("show", record.id, *dock.words)
