"""`beimingwu withdraw`: take a learnware out of search, keeping it."""

from __future__ import annotations

from beimingwu.cli.options import DockChoice, command, dock_option, id_argument, output_options
from beimingwu.cli.output import Output


@command("withdraw 00000001")
@id_argument
@dock_option
@output_options
def withdraw(id: str, dock: DockChoice, output: Output) -> None:
    """Withdraw a learnware: no search finds it any more.

    It is kept, and `beimingwu restore` publishes it again.
    """
    with dock.opened() as opened:
        opened.withdraw(id)
    output.show({"id": id, "state": "withdrawn"}, ids=[id], sections=[f"{id} is withdrawn."])
    output.next("restore", id, *dock.words)
