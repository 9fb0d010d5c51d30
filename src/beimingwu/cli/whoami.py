"""`beimingwu whoami`: who this terminal is, to a dock."""

from __future__ import annotations

from beimingwu.cli.options import DockChoice, command, dock_option, output_options, owner_name
from beimingwu.cli.output import Facts, Output


@command("whoami", "whoami --dock https://dock.example.org")
@dock_option
@output_options
def whoami(dock: DockChoice, output: Output) -> None:
    """Show who you are to a dock.

    That is an account of a server, or who owns what is submitted to a folder from here.
    """
    facts: dict[str, object] = {"dock": dock.where}
    if dock.is_remote:
        from beimingwu.client import Client

        with Client(dock.where) as client:
            account = client.whoami()
        facts |= {key: account[key] for key in ("name", "email", "role")}
    else:
        facts |= {"name": owner_name(None)}
    output.show(facts, ids=[facts["name"]], sections=[Facts(facts)])
