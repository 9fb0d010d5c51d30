"""`beimingwu restore`: publish again what was withdrawn."""

from __future__ import annotations

from beimingwu.cli.options import DockChoice, command, dock_option, id_argument, output_options
from beimingwu.cli.output import Output


@command("restore 00000001")
@id_argument
@dock_option
@output_options
def restore(id: str, dock: DockChoice, output: Output) -> None:
    """Publish a withdrawn learnware again, as it was."""
    with dock.opened() as opened:
        opened.restore(id)
    output.show({"id": id, "state": "published"}, ids=[id], sections=[f"{id} is published again."])
    output.next("show", id, *dock.words)
