"""`beimingwu delete`: remove a learnware for good."""

from __future__ import annotations

from beimingwu.cli.options import (
    DockChoice,
    command,
    confirm,
    dock_option,
    id_argument,
    output_options,
    yes_option,
)
from beimingwu.cli.output import Output


@command("delete 00000001", "delete 00000001 --yes")
@id_argument
@yes_option
@dock_option
@output_options
def delete(id: str, yes: bool, dock: DockChoice, output: Output) -> None:
    """Delete a learnware for good.

    All its revisions go, and its id is never used again. To take it out of search
    and keep it, withdraw it instead.
    """
    with dock.opened() as opened:
        record = opened.show(id)
        confirm(f"Delete {id} ({record.name}) for good?", yes=yes)
        opened.delete(id)
    output.show({"id": id, "state": "deleted"}, ids=[id], sections=[f"{id} is deleted."])
    output.next("list", *dock.words)
