"""`beimingwu export`: write a learnware's archive to a file, as the dock serves it."""

from __future__ import annotations

from pathlib import Path

import click

from beimingwu.cli.options import (
    NEW_FILE,
    DockChoice,
    command,
    dock_option,
    id_argument,
    output_options,
)
from beimingwu.cli.output import Facts, Output, bytes_in_words


@command("export 00000001 learnware.zip")
@id_argument
@click.argument("file", type=NEW_FILE, metavar="FILE")
@dock_option
@output_options
def export(id: str, file: Path, dock: DockChoice, output: Output) -> None:
    """Write a learnware to a file, as the dock serves it.

    FILE is an archive with the learnware's id and its words in force.
    """
    with dock.opened() as opened, output.working(dock.transfer.or_else(f"exporting {id} …")):
        written = opened.export(id, file)
    size = written.stat().st_size
    facts = {"id": id, "file": str(written), "size": size}
    to_read = facts | {"size": bytes_in_words(size)}
    output.show(facts, ids=[id], sections=[Facts(to_read)])
    output.next("check", written)
