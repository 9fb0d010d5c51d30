"""`beimingwu update`: give a learnware a new revision."""

from __future__ import annotations

from pathlib import Path

import click

from beimingwu.cli.options import (
    FILE,
    DockChoice,
    command,
    dock_option,
    id_argument,
    output_options,
)
from beimingwu.cli.output import Facts, Output
from beimingwu.cli.records import follow, record_facts, record_json


@command(
    "update 00000001 --archive learnware.zip",
    "update 00000001 --semantic semantic.json",
)
@id_argument
@click.option("--archive", type=FILE, metavar="FILE", help="The new archive.")
@click.option("--semantic", type=FILE, metavar="FILE", help="The new semantic specification.")
@dock_option
@output_options
def update(
    id: str, archive: Path | None, semantic: Path | None, dock: DockChoice, output: Output
) -> None:
    """Give a learnware a new archive or new words.

    That makes a new revision, checked like the first; the one before stays in force until it is
    published, and for good when it is rejected.
    """
    if archive is None and semantic is None:
        raise click.UsageError("Nothing to update: give --archive, --semantic, or both.")
    given = semantic.read_bytes() if semantic is not None else None
    with dock.opened(verifying=True) as opened:
        with output.working(dock.transfer.or_else("updating …")):
            submission = opened.update(id, archive=archive, semantic=given)
        follow(submission, dock, output)
        record = opened.show(id)
    output.show(record_json(record), ids=[id], sections=[Facts(record_facts(record))])
    output.next("show", id, *dock.words)
