"""`beimingwu check`: everything a dock would check, here, before anything is given away."""

from __future__ import annotations

from pathlib import Path

import click

from beimingwu.cli.options import FILE, command, output_options
from beimingwu.cli.output import Output
from beimingwu.cli.records import step_line, waited_for


@command("check learnware.zip", "check learnware.zip --semantic semantic.json --format json")
@click.argument("archive", type=FILE, metavar="ARCHIVE")
@click.option(
    "--semantic",
    type=FILE,
    metavar="FILE",
    help="A semantic specification to use instead of the one in the archive.",
)
@output_options
def check(archive: Path, semantic: Path | None, output: Output) -> None:
    """Check a learnware as a dock would, on this machine.

    ARCHIVE is submitted to an empty dock that is thrown away afterwards, so it is held to the same
    rules; its model runs in a process of its own. The exit status is 0 when a dock would publish
    it, and 7 when its model fails.
    """
    from beimingwu.dock import Dock
    from beimingwu.learnware.scratch import Scratch

    given = semantic.read_bytes() if semantic is not None else None
    steps = []
    with (
        Scratch("check") as folder,
        Dock.open(folder, database="") as dock,
    ):
        submission = dock.submit(archive, given)
        for step in waited_for(submission, output):
            if step.name != "accommodate":
                steps.append(step)
                output.line(step_line(step))
        if output.format == "json":
            output.show([step.to_json() for step in steps], ids=[archive], sections=[])
        submission.wait()
    if output.quiet:
        output.show(None, ids=[archive], sections=[])
    output.next("submit", archive, *(("--semantic", semantic) if semantic is not None else ()))
